"""What starts posts, as AWS has it: the stack's EventBridge rule, and the personas' EventBridge Scheduler schedules."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from domain.ids import PersonaId
from domain.schedules import Schedule

CLIENT_CONFIG: Final = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})

_NOT_THERE: Final = "ResourceNotFoundException"


class SchedulesUnavailableError(Exception):
    """AWS did not tell a schedule. The text says why."""


class AwsSchedules:
    """``events`` and ``scheduler`` are boto3 clients with ``CLIENT_CONFIG``.

    ``rule`` is the name of the rule that posts for the default persona, ``group`` that of the personas' schedules, each
    named after its persona; None where the stack does not tell.
    """

    def __init__(
        self, events: Any, scheduler: Any, *, rule: str | None, group: str | None, default_persona: PersonaId
    ) -> None:
        self._events = events
        self._scheduler = scheduler
        self._rule = rule
        self._group = group
        self._default_persona = default_persona

    def of(self, persona_id: PersonaId) -> Sequence[Schedule]:
        """What posts for the persona; empty where nothing is known to. Raises SchedulesUnavailableError."""
        found: list[Schedule] = []
        try:
            if persona_id == self._default_persona and self._rule is not None:
                found += _if_there(lambda: self._of_rule(self._rule))
            if self._group is not None:
                found += _if_there(lambda: self._of_group(persona_id))
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            raise SchedulesUnavailableError(f"AWS refused {error.operation_name} ({code})") from None
        except BotoCoreError as error:
            raise SchedulesUnavailableError(f"AWS could not be asked ({type(error).__name__})") from None
        return found

    def _of_rule(self, rule: str | None) -> Schedule:
        told = self._events.describe_rule(Name=rule)
        return Schedule(told.get("ScheduleExpression", ""), is_enabled=told.get("State") != "DISABLED")

    def _of_group(self, persona_id: PersonaId) -> Schedule:
        told = self._scheduler.get_schedule(GroupName=self._group, Name=persona_id)
        return Schedule(
            told["ScheduleExpression"],
            told.get("ScheduleExpressionTimezone") or "UTC",
            is_enabled=told.get("State") != "DISABLED",
            ends_at=told.get("EndDate"),
        )


def _if_there(ask: Callable[[], Schedule]) -> list[Schedule]:
    try:
        return [ask()]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == _NOT_THERE:
            return []
        raise
