"""`fluffy-train pause` and `resume`: whether a persona is posted for."""

from typing import Annotated, Final

import typer

from cli.failures import CommandError
from cli.options import JsonOption
from cli.session import existing_persona, opened, to_persona_id
from cli.shown import remark, say, say_json
from domain.ids import PersonaId

BY_HAND: Final = "Paused by its owner."
MOST_CHARACTERS: Final = 500

PersonaArgument = Annotated[
    str, typer.Argument(metavar="PERSONA", parser=to_persona_id, help="The persona's id, e.g. default.")
]


def _to_reason(text: str) -> str:
    reason = " ".join(text.split())
    if not reason or len(reason) > MOST_CHARACTERS:
        raise typer.BadParameter(f"a reason has 1 to {MOST_CHARACTERS} characters")
    return reason


def add_to(app: typer.Typer) -> None:
    app.command("pause")(pause)
    app.command("resume")(resume)


def pause(
    ctx: typer.Context,
    named: PersonaArgument,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", parser=_to_reason, help="Why, for whoever looks later.")
    ] = BY_HAND,
    as_json: JsonOption = False,
) -> None:
    """Post nothing more for a persona until it is resumed.

    No photo is lost: the queue stays as it is, and a post that is under way waits. One that was sent already is still
    looked after. A persona that is paused already keeps its first reason.
    """
    stack = opened(ctx)
    persona_id = PersonaId(named)
    existing_persona(stack, persona_id)
    standing = stack.personas.pause(persona_id, reason)
    if standing is None:
        raise _removed(persona_id)
    if as_json:
        say_json({"persona_id": persona_id, "paused_reason": standing})
    elif standing == reason:
        say(f"{persona_id} is paused: {reason}", "green")
        say(f"To go on: `fluffy-train persona resume {persona_id}`")
    else:
        remark(f"{persona_id} was paused before, and keeps that reason: {standing}")


def resume(ctx: typer.Context, named: PersonaArgument, as_json: JsonOption = False) -> None:
    """Lift a persona's pause, once its cause is mended. The next slot posts again."""
    resume_persona(ctx, PersonaId(named), as_json=as_json)


def resume_persona(ctx: typer.Context, persona_id: PersonaId, *, as_json: bool = False) -> None:
    """Lift the pause that is there now, and none that comes while this is being done."""
    stack = opened(ctx)
    reason = existing_persona(stack, persona_id).paused_reason
    if reason is not None and not stack.personas.resume(persona_id, seen=reason):
        standing = stack.personas.get(persona_id)
        if standing is None:
            raise _removed(persona_id)
        if standing.paused_reason is not None:
            raise CommandError(
                f"{persona_id} was paused anew at this moment: {standing.paused_reason} It stays so; mend that first."
            )
    if as_json:
        say_json({"persona_id": persona_id, "paused_reason": None, "was_paused_for": reason})
    elif reason is None:
        say(f"{persona_id} is not paused; nothing was changed.")
    else:
        say(f"{persona_id} is resumed. It was paused for: {reason}", "green")


def _removed(persona_id: PersonaId) -> CommandError:
    return CommandError(f"The persona {persona_id} was removed at the same moment; nothing was written.")
