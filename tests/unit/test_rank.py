"""The rank: one text that sorts as the rules say, since DynamoDB sorts an index by nothing else."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import PhotoId
from domain.photos import rank
from fakes.library import a_photo, an_analysis

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Ranked = tuple[float, datetime, PhotoId]

scores = st.floats(0.0, 10.0).map(abs) | st.sampled_from([0.0, 5.0, 5.0000004, 5.0000006, 9.9999994, 9.9999996, 10.0])
instants = st.datetimes(datetime(2000, 1, 1), datetime(2286, 1, 1), timezones=st.just(UTC)) | st.sampled_from(  # noqa: DTZ001
    [
        datetime(2026, 11, 1, 12, 0, 0, microseconds, tzinfo=UTC)
        for microseconds in (0, 999, 1_000, 1_999, 2_000, 999_999)
    ]
)
photo_ids = (st.text("0123456789abcdef", min_size=64, max_size=64) | st.sampled_from(["0" * 64, "f" * 64])).map(PhotoId)


def as_the_rule_says(photo: Ranked) -> tuple[float, int, str]:
    score, imported_at, photo_id = photo
    return -round(score, 6), (imported_at - EPOCH) // timedelta(milliseconds=1), photo_id


@given(st.lists(st.tuples(scores, instants, photo_ids), max_size=12))
def test_descending_rank_is_score_then_older_import_then_lower_photo_id(photos: list[Ranked]) -> None:
    by_rank = sorted(photos, key=lambda photo: rank(*photo), reverse=True)
    assert [as_the_rule_says(photo) for photo in by_rank] == sorted(map(as_the_rule_says, photos))


@given(scores, instants, photo_ids)
def test_every_rank_is_equally_wide_and_plain_ascii(score: float, imported_at: datetime, photo_id: PhotoId) -> None:
    text = rank(score, imported_at, photo_id)
    assert len(text) == 9 + 1 + 13 + 1 + 64
    assert text.isascii()


@given(scores, instants, photo_ids, photo_ids)
def test_two_photos_never_share_a_rank(score: float, at: datetime, one: PhotoId, other: PhotoId) -> None:
    assert (rank(score, at, one) == rank(score, at, other)) == (one == other)


def test_a_score_of_minus_zero_ranks_as_zero() -> None:
    imported_at = datetime(2026, 11, 1, tzinfo=UTC)
    assert rank(-0.0, imported_at, PhotoId("a" * 64)) == rank(0.0, imported_at, PhotoId("a" * 64))


def test_imports_a_millisecond_apart_are_told_apart_in_2039_too() -> None:
    second = datetime(2039, 5, 30, 12, 51, 50, 239_000, tzinfo=UTC)
    first = second - timedelta(milliseconds=1)
    assert rank(5.0, first, PhotoId("f" * 64)) > rank(5.0, second, PhotoId("0" * 64))


def test_the_zone_in_which_an_import_is_told_does_not_matter() -> None:
    at = datetime(2026, 11, 1, 12, tzinfo=UTC)
    photo_id = PhotoId("a" * 64)
    tokyo = datetime.fromisoformat("2026-11-01T21:00:00+09:00")
    assert rank(5.0, tokyo, photo_id) == rank(5.0, at, photo_id)


def test_a_photo_has_the_rank_of_its_analysis() -> None:
    photo = a_photo(score=7.25)
    assert photo.rank == rank(7.25, photo.imported_at, photo.photo_id)


@pytest.mark.parametrize("score", [0.0, 0.000001, 5.0, 10.0, 10])
def test_a_score_from_0_to_10_is_taken(score: float) -> None:
    assert an_analysis(score).aesthetic_score == score


@pytest.mark.parametrize(
    "score", [-0.000001, 10.000001, math.nextafter(10.0, 11.0), -5.0, 100.0, math.nan, math.inf, -math.inf]
)
def test_any_other_score_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="an aesthetic score runs from 0 to 10"):
        an_analysis(score)
