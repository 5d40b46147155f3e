"""The bursts as `photos duplicates` shows them, on fakes."""

from dataclasses import replace

import pytest

from cli.duplicates import Duplicates, Standing, burst_facts
from domain.ids import MediaId, PhotoId
from domain.photos import HeldBack, HeldBackFor
from domain.ports import Claim
from domain.posts import PostStatus
from fakes.library import DEFAULT, NINE, Engine, a_persona, a_photo, a_photo_id, a_post
from fakes.records import FakeNearDuplicates

HASH = "00000000000000ff"


class Home(Engine):
    def __init__(self, **scores: float | None) -> None:
        super().__init__(*(a_photo(name, score=score, perceptual_hashes=(HASH,)) for name, score in scores.items()))
        self.near_duplicates = FakeNearDuplicates(self.records)

    def join(self, *names: str) -> None:
        burst = a_photo_id(names[0])
        for name in names[1:]:
            burst = self.near_duplicates.join(DEFAULT, a_photo_id(names[0]), a_photo_id(name)) or burst
        self.near_duplicates.elect(DEFAULT, burst)

    def duplicates(self) -> Duplicates:
        return Duplicates(self.persona, library=self.library, near_duplicates=self.near_duplicates, ledger=self.ledger)

    def shown(self) -> list[tuple[PhotoId, Standing]]:
        """The members of the only burst."""
        (burst,) = self.duplicates().bursts()
        return [(member.photo.photo_id, member.standing) for member in self.duplicates().members(burst)]


def test_photos_that_look_like_no_other_are_in_no_burst() -> None:
    home = Home(a=5.0, b=6.0)
    assert home.duplicates().bursts() == []
    home.records.photos[DEFAULT, a_photo_id("a")] = replace(home.photo("a"), burst=a_photo_id("a"))
    assert home.duplicates().bursts() == []


def test_the_best_one_comes_first_and_then_the_others_by_score() -> None:
    home = Home(a=5.0, b=9.0, c=None, d=7.0)
    home.join("a", "b", "c", "d")
    assert home.shown() == [
        (a_photo_id("b"), Standing.BEST),
        (a_photo_id("d"), Standing.OUTSHONE),
        (a_photo_id("a"), Standing.OUTSHONE),
        (a_photo_id("c"), Standing.UNSCORED),
    ]


def test_the_best_one_may_be_below_the_minimum_score() -> None:
    home = Home(a=5.0, b=4.0)
    home.records.personas[DEFAULT] = a_persona(minimum_score=5.5)
    home.join("a", "b")
    assert home.shown()[0] == (a_photo_id("a"), Standing.BELOW_MINIMUM)


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        (PostStatus.POSTED, Standing.POSTED),
        (PostStatus.POSTING, Standing.POSTING),
        (PostStatus.FAILED, Standing.FAILED),
        (PostStatus.UNCONFIRMED, Standing.UNCONFIRMED),
    ],
)
def test_what_has_a_post_comes_first_with_its_status_and_no_other_is_best(
    status: PostStatus, standing: Standing
) -> None:
    home = Home(a=5.0, b=9.0)
    assert home.ledger.claim(a_post(photo_id=a_photo_id("a"), slot=NINE)) is Claim.WON
    home.records.posts[DEFAULT, NINE] = replace(home.post(), status=status)
    home.join("a", "b")
    assert home.shown() == [(a_photo_id("a"), standing), (a_photo_id("b"), Standing.OUTSHONE)]


def test_what_is_held_back_is_told_and_what_is_on_the_account_comes_first() -> None:
    home = Home(a=5.0, b=9.0, c=8.0)
    home.join("a", "b", "c")
    home.library.hold_back(DEFAULT, a_photo_id("b"), HeldBack(HeldBackFor.SKIPPED))
    home.near_duplicates.elect(DEFAULT, home.photo("b").burst or a_photo_id("b"))
    assert home.shown() == [
        (a_photo_id("c"), Standing.BEST),
        (a_photo_id("b"), Standing.SKIPPED),
        (a_photo_id("a"), Standing.OUTSHONE),
    ]
    home.library.hold_back(DEFAULT, a_photo_id("a"), HeldBack(HeldBackFor.POSTED_ELSEWHERE, MediaId("1")))
    assert home.shown() == [
        (a_photo_id("a"), Standing.POSTED_ELSEWHERE),
        (a_photo_id("b"), Standing.SKIPPED),
        (a_photo_id("c"), Standing.OUTSHONE),
    ]
    (burst,) = home.duplicates().bursts()
    facts = burst_facts(home.duplicates().members(burst))
    assert facts["note"] == "One of them has a post, or is on the account: none of the others is posted."
    assert [one["posted_elsewhere_as"] for one in facts["photos"]] == ["1", None, None]


def test_what_is_not_taken_in_to_its_end_is_no_candidate() -> None:
    home = Home(a=5.0, b=9.0)
    home.records.photos[DEFAULT, a_photo_id("b")] = replace(home.photo("b"), awaits_linking=True)
    home.join("a", "b")
    assert home.shown() == [(a_photo_id("a"), Standing.BEST), (a_photo_id("b"), Standing.AWAITS_LINKING)]


def test_the_distance_is_that_of_the_nearest_hashes_to_the_first_one() -> None:
    home = Home(a=9.0, b=5.0, c=4.0)
    home.records.photos[DEFAULT, a_photo_id("b")] = replace(
        home.photo("b"), perceptual_hashes=("ffffffffffffffff", "00000000000000f8")
    )
    home.records.photos[DEFAULT, a_photo_id("c")] = replace(home.photo("c"), perceptual_hashes=())
    home.join("a", "b", "c")
    (burst,) = home.duplicates().bursts()
    assert [member.bits for member in home.duplicates().members(burst)] == [None, 3, None]


def test_the_largest_burst_comes_first() -> None:
    home = Home(**dict.fromkeys("abcde", 5.0))
    home.join("a", "b")
    home.join("c", "d", "e")
    assert [len(burst) for burst in home.duplicates().bursts()] == [3, 2]
