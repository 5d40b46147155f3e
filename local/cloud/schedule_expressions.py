"""When AWS's schedule expressions are due (EventBridge user guide, "Setting a schedule pattern")."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from local.cloud.refusal import RefusedError

_RATE: Final = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")
_CRON: Final = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")


@dataclass(frozen=True, slots=True)
class _Field:
    """What may stand in one place of a cron expression: the least and the most, and names for some of these."""

    least: int
    most: int
    names: Mapping[str, int] = field(default_factory=dict)


_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAY_OF_MONTH: Final = _Field(1, 31)
_DAY_OF_WEEK: Final = _Field(1, 7, {name: number for number, name in enumerate(_DAYS, 1)})
_FIELDS: Final = (
    *(_Field(0, 59), _Field(0, 23), _DAY_OF_MONTH),
    _Field(1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    *(_DAY_OF_WEEK, _Field(1970, 2199)),
)
_Cron = Sequence[Sequence[range]]
"""Of each field the values that match."""


def refuse_invalid(expression: str) -> None:
    """Raises RefusedError where EventBridge takes no such expression, or where it is not known here what it means."""
    _parsed(expression)


def is_due(expression: str, at: datetime, zone: str = "UTC") -> bool:
    """Whether it starts in the minute of ``at``, an aware time. Raises RefusedError where it cannot be told.

    A rate counts from midnight UTC here; AWS counts from a moment that it does not tell.
    """
    parsed = _parsed(expression)
    if isinstance(parsed, timedelta):
        utc = at.astimezone(UTC).replace(second=0, microsecond=0)
        return (utc - datetime(2000, 1, 1, tzinfo=UTC)) % parsed == timedelta()
    local = at.astimezone(ZoneInfo(zone))
    sunday_is_1 = local.isoweekday() % 7 + 1
    values = (local.minute, local.hour, local.day, local.month, sunday_is_1, local.year)
    return all(any(value in span for span in spans) for spans, value in zip(parsed, values, strict=True))


def _parsed(expression: str) -> timedelta | _Cron:
    invalid = RefusedError(f"Parameter ScheduleExpression is not valid: {expression}")
    if found := _RATE.fullmatch(expression):
        number, unit, plural = int(found[1]), found[2], found[3]
        if (number > 1) != bool(plural):  # AWS takes neither rate(1 hours) nor rate(5 hour)
            raise invalid
        return timedelta(**{f"{unit}s": number})
    found = _CRON.fullmatch(expression)
    # Of the two kinds of days one is to be left open.
    if found is None or (found[3], found[5]).count("?") != 1:
        raise invalid
    return [
        [_span(part, one, expression) for part in text.split(",")]
        for text, one in zip(found.groups(), _FIELDS, strict=True)
    ]


def _span(part: str, of: _Field, expression: str) -> range:
    """The values that ``part`` of a field matches."""
    values, _, step = part.partition("/")
    first, _, last = values.partition("-")
    if values == "*" or (part == "?" and of in (_DAY_OF_MONTH, _DAY_OF_WEEK)):
        low, high = of.least, of.most
    else:
        low = _number(first, of, part)
        high = _number(last, of, part) if last else of.most if step else low
    every = _number(step, of, part) if step else 1
    if not of.least <= low <= high <= of.most or every == 0:
        raise RefusedError(f"Parameter ScheduleExpression is not valid: {expression}")
    return range(low, high + 1, every)


def _number(text: str, of: _Field, part: str) -> int:
    if text in of.names:
        return of.names[text]
    if not text.isdecimal():
        raise RefusedError(f"The local cloud does not know {part!r} in a cron expression: teach {__name__}.")
    return int(text)
