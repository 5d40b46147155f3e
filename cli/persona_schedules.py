"""Schedules of the personas: one EventBridge Scheduler schedule each, in the stack's group, named after the persona."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import ClientError

from cli.failures import CommandError
from domain.ids import PersonaId
from handlers.wiring import SettingsError

CLIENT_CONFIG: Final = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})

SIX_HOURS: Final = 6 * 60 * 60
"""After which the handler refuses a start as too late: so long, and no longer, the Scheduler tries."""
MOST_RETRIES: Final = 185
"""The most there is: the age is what ends it. (EventBridge Scheduler API reference, "RetryPolicy".)"""
LONGEST_WINDOW: Final = 240
"""Minutes. The Scheduler takes a day, but what starts more than 6 hours after its slot is refused."""

_TARGET: Final = {
    "group": "SCHEDULE_GROUP",
    "role_arn": "SCHEDULE_ROLE_ARN",
    "function_arn": "POST_NEXT_BEST_ARN",
    "dead_letters_arn": "DEAD_LETTERS_ARN",
}


@dataclass(frozen=True, slots=True)
class ScheduleTarget:
    """What the stack gives a schedule: its group, the role that it takes on, the function, the dead-letter queue."""

    group: str
    role_arn: str
    function_arn: str
    dead_letters_arn: str

    @classmethod
    def of(cls, names: Mapping[str, str]) -> "ScheduleTarget":
        """Raises SettingsError that names what is missing."""
        missing = [name for name in _TARGET.values() if not names.get(name)]
        if missing:
            raise SettingsError(
                f"This stack has no schedules of personas: it lacks {', '.join(missing)}. If it is an older "
                "version, deploy it again; a local stack is begun anew by `make demo-down` and `make demo KEEP=1`."
            )
        return cls(**{field: names[name] for field, name in _TARGET.items()})


@dataclass(frozen=True, slots=True)
class PersonaSchedule:
    """``cron`` has AWS's six fields; ``window_minutes`` of 0 means on the minute."""

    persona_id: PersonaId
    cron: str
    timezone: str
    window_minutes: int = 0


class EventBridgeSchedules:
    """Implements ``domain.remove_persona.Schedules``. ``client`` is a boto3 Scheduler client with ``CLIENT_CONFIG``."""

    def __init__(self, client: Any, target: ScheduleTarget) -> None:
        self._client = client
        self._target = target

    def put(self, schedule: PersonaSchedule) -> bool:
        """Create the persona's schedule, or change the one it has; True for a new one.

        Two at once end in one of the two, whole. Raises CommandError for what the Scheduler does not take, and
        botocore's errors.
        """
        wanted = self._request(schedule)
        try:
            if self._changed(wanted):
                return False
            if self._created(wanted):
                return True
            # Somebody else's, since a moment.
            self._client.update_schedule(**wanted)
        except ClientError as error:
            explanation = self._explanation(error, schedule)
            if explanation is None:
                raise
            raise CommandError(explanation) from None
        return False

    def delete(self, persona_id: PersonaId) -> bool:
        try:
            self._client.delete_schedule(GroupName=self._target.group, Name=persona_id)
        except ClientError as error:
            if _code(error) == "ResourceNotFoundException":
                return False
            raise
        return True

    def _changed(self, wanted: Mapping[str, Any]) -> bool:
        try:
            self._client.update_schedule(**wanted)
        except ClientError as error:
            if _code(error) == "ResourceNotFoundException":
                return False
            raise
        return True

    def _created(self, wanted: Mapping[str, Any]) -> bool:
        try:
            self._client.create_schedule(**wanted)
        except ClientError as error:
            if _code(error) == "ConflictException":
                return False
            raise
        return True

    def _request(self, schedule: PersonaSchedule) -> dict[str, Any]:
        """All of it each time: an update that leaves something out resets it to its default."""
        window: dict[str, Any] = {"Mode": "OFF"}
        if schedule.window_minutes:
            window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": schedule.window_minutes}
        return {
            "GroupName": self._target.group,
            "Name": schedule.persona_id,
            "Description": f"Posts for the persona {schedule.persona_id} (fluffy-train persona schedule).",
            "ScheduleExpression": f"cron({schedule.cron})",
            "ScheduleExpressionTimezone": schedule.timezone,
            "FlexibleTimeWindow": window,
            "State": "ENABLED",
            "ActionAfterCompletion": "NONE",
            "Target": {
                "Arn": self._target.function_arn,
                "RoleArn": self._target.role_arn,
                # The Scheduler puts the scheduled time in: each delivery of a start names the same slot.
                "Input": json.dumps({"persona_id": schedule.persona_id, "time": "<aws.scheduler.scheduled-time>"}),
                "RetryPolicy": {"MaximumEventAgeInSeconds": SIX_HOURS, "MaximumRetryAttempts": MOST_RETRIES},
                "DeadLetterConfig": {"Arn": self._target.dead_letters_arn},
            },
        }

    def _explanation(self, error: ClientError, schedule: PersonaSchedule) -> str | None:
        match _code(error):
            case "ValidationException":
                said = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())[:200]
                return (
                    f"The Scheduler does not take cron({schedule.cron}) in {schedule.timezone}; nothing was changed. "
                    f"It says: {said} The fields are minutes, hours, day of the month, month, day of the week, year, "
                    "and one of the two days is a question mark, e.g. '0 9 * * ? *'."
                )
            case "ResourceNotFoundException":
                return f"The stack's schedule group {self._target.group} is not there: deploy the stack again."
        return None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
