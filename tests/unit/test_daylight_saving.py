"""Slots at the two changes of the year: every local day has its own slot, none twice, whatever the clocks do.

The Scheduler starts by local time and tells the scheduled time in UTC; the slot is that minute in UTC. So nothing of
ours knows of daylight saving: these tests say what comes of it.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest

from cli.daily_times import is_daily, starts
from domain.slots import Slot
from fakes.library import DEFAULT
from handlers import events

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
CHANGES = [
    pytest.param(BERLIN, date(2027, 3, 28), 23, id="Berlin, spring"),
    pytest.param(BERLIN, date(2027, 10, 31), 25, id="Berlin, autumn"),
    pytest.param(NEW_YORK, date(2027, 3, 14), 23, id="New York, spring"),
    pytest.param(NEW_YORK, date(2027, 11, 7), 25, id="New York, autumn"),
]


def slots(cron: str, zone: ZoneInfo, first: date, days: int) -> list[Slot]:
    """The slots of so many local days, by the events that the Scheduler sends."""
    begin = datetime(first.year, first.month, first.day, tzinfo=zone)
    end = (begin.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone)
    found: list[Slot] = []
    for start in starts(cron, zone, begin - timedelta(seconds=1)):
        if start >= end.astimezone(UTC):
            return found
        event = {"persona_id": "anna", "time": start.strftime("%Y-%m-%dT%H:%M:%SZ")}
        found.append(events.parse(event, DEFAULT, start).slot)
    raise AssertionError("without end")


def hours_between(found: list[Slot]) -> list[float]:
    return [(later.start - earlier.start) / timedelta(hours=1) for earlier, later in pairwise(found)]


@pytest.mark.parametrize(("zone", "change", "hours"), CHANGES)
def test_nine_oclock_is_a_slot_of_each_day_and_the_day_of_the_change_is_shorter_or_longer(
    zone: ZoneInfo, change: date, hours: int
) -> None:
    found = slots("0 9 * * ? *", zone, change - timedelta(days=2), 4)
    assert hours_between(found) == [24, hours, 24]
    assert {slot.start.astimezone(zone).hour for slot in found} == {9}
    assert len({str(slot) for slot in found}) == 4


@pytest.mark.parametrize(("zone", "change", "hours"), CHANGES)
@pytest.mark.parametrize("cron", ["30 2 * * ? *", "0 1,2,3 * * ? *", "0,30 1,2 ? * * *", "0 0,23 * * ? *"])
def test_no_slot_comes_twice_whatever_hour_is_skipped_or_repeated(
    zone: ZoneInfo, change: date, hours: int, cron: str
) -> None:
    found = slots(cron, zone, change - timedelta(days=1), 3)
    assert found == sorted(set(found))
    assert len({str(slot) for slot in found}) == len(found)


@pytest.mark.parametrize(("zone", "change", "hours"), CHANGES)
def test_in_the_skipped_hour_a_day_has_no_slot_and_in_the_repeated_one_it_has_one(
    zone: ZoneInfo, change: date, hours: int
) -> None:
    at = "30 1" if zone is NEW_YORK and hours == 25 else "30 2"
    found = slots(f"{at} * * ? *", zone, change - timedelta(days=1), 3)
    days = [slot.start.astimezone(zone).date() for slot in found]
    spring = [change - timedelta(days=1), change + timedelta(days=1)]
    assert days == (spring if hours == 23 else [change - timedelta(days=1), change, change + timedelta(days=1)])


@pytest.mark.parametrize("fold", [0, 1])
def test_whichever_of_the_two_the_scheduler_takes_the_slot_differs_from_its_neighbours(fold: int) -> None:
    """It says that it starts once, not at which of the two half past twos."""
    repeated = datetime(2027, 10, 31, 2, 30, tzinfo=BERLIN, fold=fold)
    days = [repeated.replace(day=30, fold=0), repeated, datetime(2027, 11, 1, 2, 30, tzinfo=BERLIN)]
    assert len({Slot.scheduled(day) for day in days}) == 3


def test_both_of_two_starts_in_a_repeated_hour_would_be_slots_of_their_own_and_never_one_photo_twice() -> None:
    twice = [datetime(2027, 10, 31, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1)]
    assert [str(Slot.scheduled(time)) for time in twice] == ["2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"]


@pytest.mark.parametrize(("zone", "change", "hours"), CHANGES)
def test_a_window_moves_the_start_and_never_the_slot(zone: ZoneInfo, change: date, hours: int) -> None:
    """`<aws.scheduler.scheduled-time>` is the minute of the schedule, wherever in its window the Scheduler calls."""
    (slot,) = slots("0 9 * * ? *", zone, change, 1)
    event = {"persona_id": "anna", "time": slot.start.isoformat()}
    for late in (0, 7, 15):
        now = slot.start + timedelta(minutes=late)
        assert events.parse(event, DEFAULT, now).slot == slot


@pytest.mark.parametrize("cron", ["0 9 * * ? *", "0,30 9,18 ? * * *"])
def test_times_of_every_day_are_daily(cron: str) -> None:
    assert is_daily(cron)


@pytest.mark.parametrize("cron", ["0 9 ? * MON-FRI *", "0/15 9 * * ? *", "0 25 * * ? *", "60 9 * * ? *", "0 9 1 * ? *"])
def test_everything_else_is_left_to_the_scheduler(cron: str) -> None:
    assert not is_daily(cron)


def test_the_next_starts_come_in_order_from_the_given_moment_on() -> None:
    nine = datetime(2026, 11, 22, 8, tzinfo=UTC)
    found = islice(starts("0 9,18 * * ? *", BERLIN, nine), 3)
    assert [start.isoformat() for start in found] == [
        "2026-11-22T17:00:00+00:00",
        "2026-11-23T08:00:00+00:00",
        "2026-11-23T17:00:00+00:00",
    ]
