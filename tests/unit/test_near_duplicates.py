"""What counts as the same shot: no photo within the distance is missed, and one of a burst at most may be posted."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import MediaId
from domain.near_duplicates import MOST_BITS, SAME_COLOUR, best_of, buckets_near, buckets_of, distance
from domain.photos import HeldBack, HeldBackFor
from fakes.library import NINE, a_photo

HASHES = st.integers(0, 2**64 - 1).map(lambda bits: f"{bits:016x}")
ELSEWHERE = HeldBack(HeldBackFor.POSTED_ELSEWHERE, MediaId("17900000000000001"))


@st.composite
def near_pairs(draw: st.DrawFn) -> tuple[str, str, int]:
    """Two hashes, and in how many bits they differ."""
    one = draw(HASHES.filter(lambda one: int(one, 16).bit_count() > MOST_BITS))
    flipped = draw(st.sets(st.integers(0, 63), max_size=MOST_BITS))
    return one, f"{int(one, 16) ^ sum(1 << bit for bit in flipped):016x}", len(flipped)


@given(near_pairs())
def test_the_distance_is_the_number_of_bits_that_differ(pair: tuple[str, str, int]) -> None:
    one, other, bits = pair
    assert distance(one, other) == distance(other, one) == bits


@given(HASHES)
def test_a_plain_picture_is_like_no_other(other: str) -> None:
    assert distance("0" * 16, other) == distance(other, "0" * 16) == 64


@given(HASHES.filter(lambda one: int(one, 16) > 0), st.integers(0, 255), st.integers(0, 255))
def test_other_colours_are_another_picture(one: str, red: int, other_red: int) -> None:
    is_same = abs(red - other_red) <= SAME_COLOUR
    assert distance(f"{one}-{red:02x}8080", f"{one}-{other_red:02x}8080") == (0 if is_same else 64)
    assert distance(f"{one}-{red:02x}8080", one) == 0, "a hash without a colour says nothing of it"


@given(pair=near_pairs(), more=st.integers(0, MOST_BITS))
def test_no_photo_within_the_distance_is_missed(pair: tuple[str, str, int], more: int) -> None:
    one, other, bits = pair
    assert set(buckets_of(other)) & set(buckets_near(one, min(bits + more, MOST_BITS)))


def test_the_farthest_pairs_are_found_however_their_bits_lie() -> None:
    """Seven bits leave one band with one flip at the most: four bands cannot have two each."""
    for spread in set(permutations((2, 2, 2, 1))):
        bits = sum((1 << flips) - 1 << 16 * band for band, flips in enumerate(spread))
        assert set(buckets_of(f"{bits:016x}")) & set(buckets_near("0" * 16, MOST_BITS))


@pytest.mark.parametrize(("within", "buckets"), [(0, 4), (3, 4), (4, 68), (MOST_BITS, 68)])
def test_the_cost_of_a_search_is_known(within: int, buckets: int) -> None:
    assert len(set(buckets_near("9f172786e71f1e00", within))) == buckets


def test_a_photo_stands_in_the_bucket_of_each_of_its_bands() -> None:
    assert set(buckets_of("9f172786e71f1e00")) == {"0-1e00", "1-e71f", "2-2786", "3-9f17"}


@pytest.mark.parametrize("within", [-1, MOST_BITS + 1, 64])
def test_no_distance_is_taken_at_which_some_would_be_missed(within: int) -> None:
    with pytest.raises(ValueError, match=str(within)):
        buckets_near("0" * 16, within)


def test_what_is_no_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        distance("0" * 16, "no hash")


# ---- the best of a burst ----


def test_the_highest_rank_is_the_best() -> None:
    burst = [a_photo("one", score=5.0), a_photo("two", score=7.0), a_photo("three", score=6.0)]
    assert best_of(burst) == burst[1]


@pytest.mark.parametrize(
    "lacking",
    [
        a_photo("best", score=None),
        a_photo("best", score=9.0, awaits_linking=True),
        a_photo("best", score=9.0, held_back=HeldBack(HeldBackFor.SKIPPED)),
    ],
    ids=["not scored", "not linked", "skipped"],
)
def test_who_is_no_candidate_keeps_the_others_in(lacking: object) -> None:
    other = a_photo("other", score=1.0)
    assert best_of([lacking, other]) == other  # type: ignore[list-item]
    assert best_of([lacking]) is None  # type: ignore[list-item]


def test_none_is_the_best_of_nobody() -> None:
    assert best_of([]) is None


@pytest.mark.parametrize("changes", [{"post_slot": NINE}, {"held_back": ELSEWHERE}], ids=["here", "elsewhere"])
def test_once_one_was_posted_the_others_would_be_a_repeat(changes: dict[str, object]) -> None:
    posted = replace(a_photo("posted", score=1.0), **changes)  # type: ignore[arg-type]
    assert best_of([a_photo("better", score=9.0), posted]) is None
