"""When a plain daily schedule starts next, across daylight saving. The Scheduler decides; this is only to show it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_NUMBERS: Final = re.compile(r"\d{1,2}(,\d{1,2})*")
_EVERY_DAY: Final = (["*", "*", "?", "*"], ["?", "*", "*", "*"])


def is_daily(cron: str) -> bool:
    """Whether the six fields name times of every day: ``0 9,18 * * ? *``. Others are left to the Scheduler."""
    minutes, hours, *days = cron.split()
    plain = _NUMBERS.fullmatch(minutes) is not None and _NUMBERS.fullmatch(hours) is not None
    return plain and days in _EVERY_DAY and max(_listed(minutes)) < 60 and max(_listed(hours)) < 24


def starts(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The starts of a daily ``cron`` after an aware time, in UTC, without end.

    A local time that the clocks skip in spring is skipped; one that comes twice in autumn counts once, the first of the
    two. (EventBridge Scheduler user guide, "Daylight savings time": it does not start for a time that does not exist,
    and only once for one that is repeated.)
    """
    minutes, hours = (_listed(field) for field in cron.split()[:2])
    day = after.astimezone(zone).date()
    while True:
        for hour in hours:
            for minute in minutes:
                local = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - a clock's face
                start = local.replace(tzinfo=zone).astimezone(UTC)
                exists = start.astimezone(zone).replace(tzinfo=None) == local
                if exists and start > after:
                    yield start
        day += timedelta(days=1)


def _listed(field: str) -> list[int]:
    return sorted({int(number) for number in field.split(",")})
