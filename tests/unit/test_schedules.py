"""When a schedule starts next, by examples of AWS's own pages and by a slow reckoning of another kind."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.schedules import Schedule, UnreadableScheduleError, next_start, starts_per_day

NOW = datetime(2026, 11, 22, 9, 0, 3, tzinfo=UTC)  # a Sunday


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 9 * * ? *)", "2026-11-23T09:00"),
        ("cron(1 9 * * ? *)", "2026-11-22T09:01"),
        ("cron(0 9,18 * * ? *)", "2026-11-22T18:00"),
        ("cron(0/15 * * * ? *)", "2026-11-22T09:15"),
        ("cron(*/15 * * * ? *)", "2026-11-22T09:15"),
        ("cron(5/30 10-12 * * ? *)", "2026-11-22T10:05"),
        ("cron(15 12 * * ? *)", "2026-11-22T12:15"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-23T18:00"),
        ("cron(0 8 1 * ? *)", "2026-12-01T08:00"),
        ("cron(0 10 ? * 1 *)", "2026-11-22T10:00"),  # 1 is Sunday
        ("cron(0 10 ? * 7 *)", "2026-11-28T10:00"),  # 7 is Saturday
        ("cron(0 10 ? * L *)", "2026-11-28T10:00"),
        ("cron(0 10 ? * 6L *)", "2026-11-27T10:00"),  # the last Friday
        ("cron(0 10 ? * 3#2 *)", "2026-12-08T10:00"),  # the second Tuesday
        ("cron(0 10 ? * SUN#5 *)", "2026-11-29T10:00"),
        ("cron(0 10 L * ? *)", "2026-11-30T10:00"),
        ("cron(0 10 LW 1 ? *)", "2027-01-29T10:00"),
        ("cron(0 10 28W * ? *)", "2026-11-27T10:00"),  # the 28th is a Saturday
        ("cron(0 10 1W 8 ? 2027)", "2027-08-02T10:00"),  # the 1st is a Sunday, and July is no August
        ("cron(0 10 31 * ? *)", "2026-12-31T10:00"),
        ("cron(0 10 29 2 ? *)", "2028-02-29T10:00"),
        ("cron(0 10 * JAN,MAR ? 2028-2030)", "2028-01-01T10:00"),
        ("cron(0 9 ? * mon *)", "2026-11-23T09:00"),
        ("at(2026-12-24T18:00:00)", "2026-12-24T18:00"),
    ],
)
def test_the_next_start(expression: str, expected: str) -> None:
    assert next_start(Schedule(expression), NOW) == at(expected)


@pytest.mark.parametrize(
    "expression",
    ["cron(0 9 * * ? 2025)", "cron(0 9 30 2 ? *)", "cron(0 9 31W 2 ? *)", "at(2026-11-22T09:00:03)"],
)
def test_a_schedule_that_is_over_has_no_next_start(expression: str) -> None:
    assert next_start(Schedule(expression), NOW) is None


def test_a_start_at_this_very_moment_is_not_the_next_one() -> None:
    assert next_start(Schedule("cron(0 9 * * ? *)"), at("2026-11-22T09:00")) == at("2026-11-23T09:00")


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "0 9 * * ? *",
        "rate(5 minutes)",
        "cron(0 9 * * *)",
        "cron(0 9 * * ? * *)",
        "cron(0 9 * * * *)",
        "cron(0 9 ? * ? *)",
        "cron(60 9 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 9 0 * ? *)",
        "cron(0 9 32 * ? *)",
        "cron(0 9 ? * 8 *)",
        "cron(0 9 ? * 0 *)",
        "cron(0 9 ? * MON#6 *)",
        "cron(0 9 ? * MON#1,FRI#2 *)",
        "cron(0 9 ? * FRI-MON *)",
        "cron(0 9 1,15W * ? *)",
        "cron(0/0 9 * * ? *)",
        "cron(a 9 * * ? *)",
        "cron(-1 9 * * ? *)",
        "at(tomorrow)",
    ],
)
def test_what_is_not_understood_promises_nothing(expression: str) -> None:
    with pytest.raises(UnreadableScheduleError):
        next_start(Schedule(expression), NOW)


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../etc/passwd", ""])
def test_an_unknown_time_zone_promises_nothing(zone: str) -> None:
    with pytest.raises(UnreadableScheduleError):
        next_start(Schedule("cron(0 9 * * ? *)", zone), NOW)


def test_nine_in_the_morning_is_nine_on_the_wall_in_summer_and_winter() -> None:
    nine = Schedule("cron(0 9 * * ? *)", "Europe/Berlin")
    assert next_start(nine, at("2026-07-01T00:00")) == at("2026-07-01T07:00")
    assert next_start(nine, at("2026-12-01T00:00")) == at("2026-12-01T08:00")
    assert next_start(Schedule("cron(0 9 * * ? *)", "Pacific/Auckland"), at("2026-12-01T00:00")) == at(
        "2026-12-01T20:00"
    )


def test_an_hour_that_spring_leaves_out_is_skipped() -> None:
    half_past_two = Schedule("cron(30 2 * * ? *)", "Europe/Berlin")
    assert next_start(half_past_two, at("2026-03-28T12:00")) == at("2026-03-30T00:30")


def test_an_hour_that_autumn_repeats_starts_once() -> None:
    half_past_two = Schedule("cron(30 2 * * ? *)", "Europe/Berlin")
    first = next_start(half_past_two, at("2026-10-24T12:00"))
    assert first == at("2026-10-25T00:30")
    assert next_start(half_past_two, first) == at("2026-10-26T01:30")


def test_a_schedule_that_is_off_or_has_ended_starts_nothing() -> None:
    nine = "cron(0 9 * * ? *)"
    assert next_start(Schedule(nine, is_enabled=False), NOW) is None
    assert starts_per_day(Schedule(nine, is_enabled=False), NOW) == 0
    assert next_start(Schedule(nine, ends_at=at("2026-11-23T08:59")), NOW) is None
    assert next_start(Schedule(nine, ends_at=at("2026-11-23T09:00")), NOW) == at("2026-11-23T09:00")


@pytest.mark.parametrize(
    ("expression", "per_day"),
    [
        ("cron(0 9 * * ? *)", 1.0),
        ("cron(0 9,18 * * ? *)", 2.0),
        ("cron(0 18 ? * MON-FRI *)", 20 / 28),
        ("rate(12 hours)", 2.0),
        ("rate(1 day)", 1.0),
        ("rate(90 minutes)", 16.0),
    ],
)
def test_how_many_starts_there_are_a_day(expression: str, per_day: float) -> None:
    assert starts_per_day(Schedule(expression), NOW) == per_day


@settings(max_examples=60, deadline=None)
@given(
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=3),
    weekdays=st.sets(st.integers(1, 7), min_size=1, max_size=3),
    minutes_on=st.integers(0, 2 * 365 * 24 * 60),
)
def test_no_start_lies_before_the_next_one(
    minutes: set[int], hours: set[int], weekdays: set[int], minutes_on: int
) -> None:
    """Minute by minute, as a clock would find it."""
    fields = [",".join(map(str, sorted(values))) for values in (minutes, hours, weekdays)]
    now = NOW + timedelta(minutes=minutes_on)
    minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while not (minute.minute in minutes and minute.hour in hours and (minute.isoweekday() % 7) + 1 in weekdays):
        minute += timedelta(minutes=1)
    schedule = Schedule(f"cron({fields[0]} {fields[1]} ? * {fields[2]} *)")
    assert next_start(schedule, now) == minute
