"""Instants as text: one fixed form that sorts as the times do."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instants import from_text, to_text

any_time = st.datetimes(timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        ("2026-11-22T09:00:00+00:00", "2026-11-22T09:00:00.000Z"),
        ("2026-11-22T09:00:00.123999+00:00", "2026-11-22T09:00:00.123Z"),
        ("2026-11-22T10:30:00+01:30", "2026-11-22T09:00:00.000Z"),
        ("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_an_instant_is_written_in_utc_to_the_millisecond(instant: str, text: str) -> None:
    assert to_text(datetime.fromisoformat(instant)) == text


def test_a_time_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        to_text(datetime(2026, 11, 22, 9))  # noqa: DTZ001


@given(any_time)
def test_an_instant_survives_being_written_to_the_millisecond(instant: datetime) -> None:
    read = from_text(to_text(instant))
    assert read.tzinfo == UTC
    assert timedelta(0) <= instant - read < timedelta(milliseconds=1)
    assert to_text(read) == to_text(instant)


@given(any_time, any_time)
def test_texts_sort_as_the_times_do(one: datetime, other: datetime) -> None:
    earlier, later = sorted([one, other])
    assert to_text(earlier) <= to_text(later)
    assert len(to_text(earlier)) == len(to_text(later))


@pytest.mark.parametrize(
    "text", ["2026-11-22T09:00:00Z", "2026-11-22T09:00:00.000Z", "2026-11-22T10:00:00+01:00", "2026-11-22T09:00Z"]
)
def test_a_text_with_a_zone_is_read_into_utc(text: str) -> None:
    read = from_text(text)
    assert (read, read.tzinfo) == (datetime(2026, 11, 22, 9, tzinfo=UTC), UTC)


@pytest.mark.parametrize("text", ["2026-11-22T09:00:00", "2026-11-22"])
def test_a_text_without_a_zone_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"no time zone; end it in Z or in an offset such as \+01:00"):
        from_text(text)


@pytest.mark.parametrize(
    "text", ["", "now", "2026-02-30T09:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "\ud800"]
)
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_text(text)
