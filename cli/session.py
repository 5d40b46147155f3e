"""What one call of the command works on: the stack, opened when it is first needed, and the persona that is meant."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import boto3
import typer

from cli import settings
from cli.failures import CommandError
from cli.persona_schedules import CLIENT_CONFIG, EventBridgeSchedules, ScheduleTarget
from cli.shown import remark
from domain.ids import PersonaId
from domain.personas import Persona, parse_persona_id
from handlers import wiring


@dataclass(frozen=True, slots=True)
class Session:
    """``stack_name`` is what the command line says; None where it says nothing."""

    stack_name: str | None

    def find(self) -> settings.Found:
        """Raises SettingsError and botocore's errors, each with what to do (``cli.failures``)."""
        found = settings.find(self.stack_name, os.environ)
        if found.stack_name is None and self.stack_name is not None:
            remark(f"--stack {self.stack_name} is not used: the environment names the tables (PERSONAS_TABLE, …).")
        return found


def opened(ctx: typer.Context) -> wiring.Stack:
    return opened_with_extras(ctx)[0]


def opened_with_extras(ctx: typer.Context) -> tuple[wiring.Stack, Mapping[str, str]]:
    """The stack, and what is known of ``cli.settings.EXTRAS``."""
    session: Session = ctx.find_object(Session) or Session(None)
    found = session.find()
    return wiring.build(found.settings), found.extras


def opened_with_schedules(ctx: typer.Context) -> tuple[wiring.Stack, EventBridgeSchedules]:
    """The stack and its personas' schedules. Raises SettingsError where it has none, as an older version."""
    stack, extras = opened_with_extras(ctx)
    target = ScheduleTarget.of(extras)
    return stack, EventBridgeSchedules(boto3.client("scheduler", config=CLIENT_CONFIG), target)


def existing_persona(stack: wiring.Stack, persona_id: PersonaId | None) -> Persona:
    """The named persona, or the stack's default one. Raises CommandError where it was never added."""
    meant = persona_id or stack.settings.default_persona
    persona = stack.personas.get(meant)
    if persona is None:
        raise no_such_persona(meant)
    return persona


def whose_history(stack: wiring.Stack, persona_id: PersonaId | None) -> tuple[PersonaId, Persona | None]:
    """The named persona, or the stack's default one; without its record where that was removed and its posts stayed.

    Raises CommandError where there is neither.
    """
    meant = persona_id or stack.settings.default_persona
    persona = stack.personas.get(meant)
    if persona is None and not stack.ledger.history(meant, limit=1):
        raise no_such_persona(meant)
    return meant, persona


def no_such_persona(persona_id: PersonaId) -> CommandError:
    return CommandError(
        f"There is no persona {persona_id}. `fluffy-train persona list` shows those there are; add it with "
        f"`fluffy-train persona add {persona_id}`."
    )


def to_persona_id(text: str) -> PersonaId:
    """Typer's parser for a persona's id. What was typed is not quoted: it might be a token in the wrong place."""
    try:
        return parse_persona_id(text)
    except ValueError:
        raise typer.BadParameter(
            "a persona's id has 1 to 63 lower-case letters, digits and hyphens, and begins with no hyphen, e.g. default"
        ) from None
