"""When AWS's schedule expressions are due (EventBridge user guide, "Schedule types")."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from local.cloud.refusal import RefusedError

_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_DAYS: Final = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1
    )
}


def is_due(expression: str, at: datetime, zone: str = "UTC") -> bool:
    """Whether it starts in the minute of ``at``, an aware time. Raises RefusedError where it cannot be told.

    A rate counts from midnight UTC here; AWS counts from a moment that it does not tell.
    """
    if found := _RATE.fullmatch(expression):
        every = timedelta(**{f"{found[2]}s": int(found[1])})
        utc = at.astimezone(UTC).replace(second=0, microsecond=0)
        return (utc - datetime(2000, 1, 1, tzinfo=UTC)) % every == timedelta()
    if found := _CRON.fullmatch(expression):
        local = at.astimezone(ZoneInfo(zone))
        sunday_is_1 = local.isoweekday() % 7 + 1
        values = (local.minute, local.hour, local.day, local.month, sunday_is_1, local.year)
        names = (None, None, None, _MONTHS, _DAYS, None)
        # All of them, so that one that is not understood is refused at whatever time.
        matches = [_has(*field) for field in zip(found.groups(), values, names, strict=True)]
        return all(matches)
    raise RefusedError(f"Parameter ScheduleExpression is not valid: {expression}")


def _has(field: str, value: int, names: dict[str, int] | None = None) -> bool:
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        try:
            if span in ("*", "?"):
                low, high = 0, value
            else:
                low = (names or {}).get(first) or int(first)
                high = ((names or {}).get(last) or int(last)) if last else value if step else low
            every = int(step or 1)
        except ValueError as error:
            raise RefusedError(
                f"The local cloud does not know {part!r} in a cron expression: teach {__name__}."
            ) from error
        if low <= value <= high and (value - low) % every == 0:
            return True
    return False
