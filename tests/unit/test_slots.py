"""The slot: the key that makes a repeated delivery harmless."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.slots import Slot

NINE = datetime(2026, 11, 22, 9, tzinfo=UTC)

seconds = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))
slots = st.builds(Slot, seconds, st.integers(1, 3))


@pytest.mark.parametrize(
    ("attempt", "text"),
    [(1, "2026-11-22T09:00:00Z"), (2, "2026-11-22T09:00:00Z#2"), (3, "2026-11-22T09:00:00Z#3")],
)
def test_a_slot_is_written_as_its_moment_and_its_attempt(attempt: int, text: str) -> None:
    assert str(Slot(NINE, attempt)) == text
    assert Slot.parse(text) == Slot(NINE, attempt)


@given(slots)
def test_a_slot_survives_being_written_and_read(slot: Slot) -> None:
    assert Slot.parse(str(slot)) == slot


@given(slots, slots)
def test_slots_sort_as_their_texts_do(one: Slot, other: Slot) -> None:
    assert (one < other) == (str(one) < str(other))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22",
        "2026-11-22T09:00:00",
        "2026-11-22T09:00:00+00:00",
        "2026-11-22T09:00:00.000Z",
        "2026-11-22 09:00:00Z",
        "2026-11-22T09:00Z",
        "2026-11-22T09:00:00Z#1",
        "2026-11-22T09:00:00Z#4",
        "2026-11-22T09:00:00Z#",
        "2026-11-22T09:00:00Z\n",
        " 2026-11-22T09:00:00Z",
        "2026-02-30T09:00:00Z",
        "2026-11-22T25:00:00Z",
        "0000-11-22T09:00:00Z",
    ],
)
def test_any_other_text_is_no_slot(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Slot.parse(text)


@given(st.text())
def test_a_text_is_a_slot_only_as_slots_are_written(text: str) -> None:
    try:
        slot = Slot.parse(text)
    except ValueError:
        return
    assert str(slot) == text


@pytest.mark.parametrize(
    "start",
    [
        datetime(2026, 11, 22, 9),  # noqa: DTZ001
        NINE.replace(microsecond=1),
        NINE.astimezone(timezone(timedelta(hours=1))),
    ],
)
def test_a_slot_starts_at_a_whole_second_in_utc(start: datetime) -> None:
    with pytest.raises(ValueError, match="whole second in UTC"):
        Slot(start)


@pytest.mark.parametrize("attempt", [0, 4, -1])
def test_a_slot_has_three_attempts(attempt: int) -> None:
    with pytest.raises(ValueError, match="attempts 1 to 3"):
        Slot(NINE, attempt)


def test_a_refused_slot_goes_on_twice() -> None:
    second = Slot(NINE).following
    assert second == Slot(NINE, 2)
    assert second.following == Slot(NINE, 3)
    assert Slot(NINE, 3).following is None


def test_every_attempt_knows_the_first() -> None:
    assert {Slot(NINE, attempt).first for attempt in (1, 2, 3)} == {Slot(NINE)}


def test_the_attempts_of_a_moment_come_before_the_next_moment() -> None:
    following = Slot(NINE + timedelta(seconds=1))
    assert all(one < other for one, other in pairwise([Slot(NINE), Slot(NINE, 2), Slot(NINE, 3), following]))


@pytest.mark.parametrize(
    "time",
    ["2026-11-22T09:00:00Z", "2026-11-22T09:00:59.999999Z", "2026-11-22T10:00:07+01:00", "2026-11-22T00:30:00-08:30"],
)
def test_a_schedules_slot_is_its_minute_in_utc(time: str) -> None:
    assert Slot.scheduled(datetime.fromisoformat(time)) == Slot(NINE)


def test_a_slot_by_hand_is_the_second_in_utc() -> None:
    time = datetime.fromisoformat("2026-11-22T10:00:07.999+01:00")
    assert str(Slot.by_hand(time)) == "2026-11-22T09:00:07Z"
