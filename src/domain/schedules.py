"""When a schedule starts next: AWS's cron, rate and at expressions, in a time zone.

Sources: Amazon EventBridge user guide, "Cron expressions reference"; EventBridge Scheduler user guide, "Schedule
types".
What is not understood raises: to say nothing is better than to promise a post at the wrong hour.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_HORIZON: Final = timedelta(days=366 * 9)  # a 29th of February comes round within this
_SAMPLE: Final = timedelta(days=28)
_MONTHS: Final = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS: Final = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_RATE: Final = re.compile(r"rate\(\s*([1-9]\d{0,5})\s+(minute|hour|day)s?\s*\)")
_CRON: Final = re.compile(r"cron\(([^()]*)\)")
_AT: Final = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")


class UnreadableScheduleError(ValueError):
    """The expression or its time zone is none that is understood here. The text quotes it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What starts posts for a persona. Without ``is_enabled`` it starts none."""

    expression: str
    time_zone: str = "UTC"
    is_enabled: bool = True
    ends_at: datetime | None = None


def next_start(schedule: Schedule, after: datetime) -> datetime | None:
    """The first start later than ``after``, aware UTC; None where there is none within nine years.

    Raises UnreadableScheduleError, also for a rate, whose starts count from a moment that AWS does not tell.
    """
    if not schedule.is_enabled:
        return None
    found = next(_starts(schedule, after), None)
    return None if found is None or (schedule.ends_at is not None and found > schedule.ends_at) else found


def starts_per_day(schedule: Schedule, after: datetime) -> float:
    """How often it starts on an average day of the next four weeks. Raises UnreadableScheduleError."""
    if not schedule.is_enabled:
        return 0.0
    rate = _RATE.fullmatch(schedule.expression)
    if rate is not None:
        return timedelta(days=1) / timedelta(**{f"{rate[2]}s": int(rate[1])})
    end = min(after + _SAMPLE, schedule.ends_at or after + _SAMPLE)
    count = 0
    for start in _starts(schedule, after):
        if start > end:
            break
        count += 1
    return count / _SAMPLE.days


def _starts(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """Every start later than ``after``, in order."""
    try:
        zone = ZoneInfo(schedule.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnreadableScheduleError(f"the time zone {schedule.time_zone[:60]!r} is not known here") from None
    at = _AT.fullmatch(schedule.expression)
    if at is not None:
        once = _instant(datetime.fromisoformat(at[1]), zone)
        yield from () if once is None or once <= after else (once,)
        return
    cron = _CRON.fullmatch(schedule.expression)
    if cron is None:
        raise _unreadable(schedule.expression)
    fields = _Cron.parse(cron[1], schedule.expression)
    day, last = after.astimezone(zone).date(), (after + _HORIZON).date()
    while day <= last:
        if fields.is_on(day):
            for hour in fields.hours:
                for minute in fields.minutes:
                    start = _instant(datetime.combine(day, time(hour, minute)), zone)
                    if start is not None and start > after:
                        yield start
        day += timedelta(days=1)


def _instant(local: datetime, zone: ZoneInfo) -> datetime | None:
    """A wall clock's time in UTC. None for one that a spring's change leaves out, where the Scheduler starts nothing;
    of one that an autumn's change repeats, the first.
    """
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    return instant if instant.astimezone(zone).replace(tzinfo=None) == local else None


@dataclass(frozen=True, slots=True)
class _Cron:
    minutes: list[int]
    hours: list[int]
    days: str
    months: list[int]
    weekdays: str
    years: list[int]

    @classmethod
    def parse(cls, text: str, expression: str) -> "_Cron":
        try:
            minutes, hours, days, months, weekdays, years = text.upper().split()
            if (days == "?") == (weekdays == "?"):
                raise ValueError
            fields = cls(
                minutes=_values(minutes, 0, 59),
                hours=_values(hours, 0, 23),
                days=days,
                months=_values(months, 1, 12, _MONTHS),
                weekdays=weekdays,
                years=_values(years, 1970, 2199),
            )
            _days_of_month(fields.days, 2000, 1)
            _days_of_week(fields.weekdays, 2000, 1)
        except ValueError:
            raise _unreadable(expression) from None
        return fields

    def is_on(self, day: date) -> bool:
        if day.year not in self.years or day.month not in self.months:
            return False
        if self.weekdays == "?":
            return day.day in _days_of_month(self.days, day.year, day.month)
        return day.day in _days_of_week(self.weekdays, day.year, day.month)


def _days_of_month(field: str, year: int, month: int) -> set[int]:
    """The days that a day-of-month field means in a month. Raises ValueError."""
    last = calendar.monthrange(year, month)[1]
    if field == "?":
        return set(range(1, last + 1))
    if field == "L":
        return {last}
    if field == "LW":
        return {max(day for day in range(1, last + 1) if date(year, month, day).isoweekday() <= calendar.SATURDAY)}
    if field.endswith("W"):
        (wanted,) = _values(field[:-1], 1, 31)
        if wanted > last:
            return set()
        weekdays = [day for day in range(1, last + 1) if date(year, month, day).isoweekday() <= calendar.SATURDAY]
        return {min(weekdays, key=lambda day: (abs(day - wanted), day))}
    return {day for day in _values(field, 1, 31) if day <= last}


def _days_of_week(field: str, year: int, month: int) -> set[int]:
    """The days of a month that a day-of-week field means. Raises ValueError."""
    last = calendar.monthrange(year, month)[1]
    if field == "?":
        return set(range(1, last + 1))
    weekday, hash_sign, which = field.partition("#")
    if hash_sign:
        (place,) = _values(which, 1, 5)
        return set(_all_of(weekday, year, month, last)[place - 1 : place])
    if field == "L":
        field = "SAT"
    elif field.endswith("L"):
        return {_all_of(field[:-1], year, month, last)[-1]}
    wanted = set(_values(field, 1, 7, _WEEKDAYS))
    return {day for day in range(1, last + 1) if date(year, month, day).isoweekday() % 7 + 1 in wanted}


def _all_of(weekday: str, year: int, month: int, last: int) -> list[int]:
    (wanted,) = _values(weekday, 1, 7, _WEEKDAYS)
    return [day for day in range(1, last + 1) if date(year, month, day).isoweekday() % 7 + 1 == wanted]


def _values(field: str, least: int, most: int, names: dict[str, int] | None = None) -> list[int]:
    """The numbers that ``field`` lists: ``*``, ``1``, ``1-5``, ``0/15``, ``*/15``, ``1-30/2``, ``MON,WED``."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, end = span.partition("-")
        low = least if span == "*" else _number(first, names)
        high = _number(end, names) if dash else most if slash or span == "*" else low
        every = _number(step, None) if slash else 1
        if not (least <= low <= high <= most) or every < 1:
            raise ValueError
        found.update(range(low, high + 1, every))
    return sorted(found)


def _number(text: str, names: dict[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    if re.fullmatch(r"\d{1,4}", text, re.ASCII) is None:
        raise ValueError
    return int(text)


def _unreadable(expression: str) -> UnreadableScheduleError:
    return UnreadableScheduleError(f"the expression {expression[:100]!r} tells no next start here")
