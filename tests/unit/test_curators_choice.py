"""Curator's choice: which photo is next, and what it says."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.curators_choice import DEFAULT_CAPTION, CuratorsChoice
from domain.photos import Photo
from fakes.library import NINE, Engine, a_persona, a_photo, a_photo_id


def in_queue_order(*photos: Photo) -> list[Photo]:
    """As the queue would hand them out, whichever of them it still has."""
    return sorted(photos, key=lambda photo: photo.rank or "", reverse=True)


def chosen(*photos: Photo, minimum_score: float = 0.0) -> list[Photo]:
    return list(CuratorsChoice(a_persona(minimum_score=minimum_score)).candidates(in_queue_order(*photos)))


class Reading:
    """A queue that knows how far it was read."""

    def __init__(self, *photos: Photo) -> None:
        self._photos = photos
        self.read: list[Photo] = []

    def __iter__(self) -> Iterator[Photo]:
        for photo in self._photos:
            self.read.append(photo)
            yield photo


def test_the_highest_score_comes_first() -> None:
    low, high, middle = a_photo("low", score=2.5), a_photo("high", score=9.75), a_photo("middle", score=9.7)
    assert chosen(low, high, middle) == [high, middle, low]


def test_a_score_of_ten_beats_a_score_of_nine() -> None:
    """Scores are compared as numbers, though the rank is a text."""
    nine, ten = a_photo("nine", score=9.999), a_photo("ten", score=10.0)
    assert chosen(nine, ten) == [ten, nine]


def test_a_photo_with_a_post_is_never_chosen() -> None:
    posted, free = a_photo("posted", score=9.0, post_slot=NINE), a_photo("free", score=1.0)
    assert chosen(posted, free) == [free]
    assert not CuratorsChoice(a_persona()).is_candidate(posted)


def test_nothing_is_chosen_when_every_photo_has_a_post() -> None:
    assert chosen(a_photo("one", post_slot=NINE), a_photo("two", post_slot=NINE)) == []


def test_nothing_is_chosen_from_an_empty_library() -> None:
    assert chosen() == []


def test_of_equal_scores_the_older_import_comes_first() -> None:
    first = a_photo("z")
    second = replace(a_photo("a"), imported_at=first.imported_at + timedelta(milliseconds=1))
    third = replace(a_photo("b"), imported_at=first.imported_at + timedelta(days=400))
    assert chosen(third, second, first) == [first, second, third]


def test_of_equal_scores_and_imports_the_lower_photo_id_comes_first() -> None:
    photos = [a_photo(str(number)) for number in range(20)]
    assert [photo.photo_id for photo in chosen(*photos)] == sorted(photo.photo_id for photo in photos)


def test_a_photo_at_the_minimum_score_is_good_enough() -> None:
    at, under = a_photo("at", score=6.5), a_photo("under", score=6.499999)
    assert chosen(at, under, minimum_score=6.5) == [at]


def test_nothing_is_read_past_the_first_photo_under_the_minimum_score() -> None:
    queue = Reading(a_photo("good", score=7.0), a_photo("under", score=6.0), a_photo("far under", score=1.0))
    candidates = CuratorsChoice(a_persona(minimum_score=6.5)).candidates(queue)
    assert list(candidates) == [a_photo("good", score=7.0)]
    assert queue.read == [a_photo("good", score=7.0), a_photo("under", score=6.0)]


def test_a_photo_without_an_analysis_is_no_candidate() -> None:
    unscored = a_photo("unscored", score=None)
    assert list(CuratorsChoice(a_persona()).candidates([unscored, a_photo()])) == [a_photo()]
    assert not CuratorsChoice(a_persona()).is_candidate(unscored)
    assert unscored.rank is None


def test_a_photo_without_an_analysis_is_not_in_the_queue() -> None:
    assert Engine(a_photo("unscored", score=None), a_photo("scored")).queue() == [a_photo_id("scored")]


def test_the_queue_is_read_only_as_far_as_it_is_asked() -> None:
    queue = Reading(a_photo("one", score=9.0), a_photo("two", score=8.0), a_photo("three", score=7.0))
    candidates = CuratorsChoice(a_persona()).candidates(queue)
    assert queue.read == []
    assert next(candidates) == a_photo("one", score=9.0)
    assert len(queue.read) == 1
    assert next(candidates) == a_photo("two", score=8.0)
    assert len(queue.read) == 2


@pytest.mark.parametrize(
    ("of_photo", "of_persona", "expected"),
    [
        ("photo's", "persona's", "photo's"),
        ("photo's", None, "photo's"),
        (None, "persona's", "persona's"),
        (None, None, DEFAULT_CAPTION),
        ("", "persona's", ""),
        ("", None, ""),
        (None, "", ""),
    ],
)
def test_a_photos_caption_overrides_the_personas_which_overrides_the_default(
    of_photo: str | None, of_persona: str | None, expected: str
) -> None:
    choice = CuratorsChoice(a_persona(caption=of_persona))
    assert choice.caption(a_photo(caption=of_photo)) == expected


def test_the_default_caption_says_something_that_instagram_takes() -> None:
    assert 0 < len(DEFAULT_CAPTION) <= 2200
