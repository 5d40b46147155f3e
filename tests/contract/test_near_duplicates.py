"""The contract of NearDuplicates: photos that look alike are found, and of a burst one at most is in the queue."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.dynamo import near_duplicates
from contract.implementations import DynamoImplementation, FakeImplementation, Records
from contract.scenes import FAULT, LEASE_OVER, photo_in, queue
from domain.ids import MediaId, PersonaId, PhotoId, RunId
from domain.near_duplicates import MOST_BITS
from domain.photos import HeldBack, HeldBackFor, Photo
from domain.ports import Addition, Claim
from domain.posts import Lease
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post, an_analysis

HASH = "9f172786e71f1e00"
ELSEWHERE = HeldBack(HeldBackFor.POSTED_ELSEWHERE, MediaId("17900000000000001"))
SKIPPED = HeldBack(HeldBackFor.SKIPPED)


def flipped(bits: int, *, seed: int = 1) -> str:
    """``HASH`` with so many of its bits flipped."""
    mask = sum(1 << bit for bit in random.Random(seed).sample(range(64), bits))  # noqa: S311 - no secret
    return f"{int(HASH, 16) ^ mask:016x}"


def shot(name: str, *, score: float = 5.0, perceptual_hash: str = HASH) -> Photo:
    return a_photo(name, score=score, perceptual_hashes=(perceptual_hash,))


def take_in(records: Records, *photos: Photo, within: int = 6) -> None:
    """What an import does with each photo."""
    for photo in photos:
        records.library.add(replace(photo, awaits_linking=True))
        records.near_duplicates.note(photo)
        for alike, _ in records.near_duplicates.near(DEFAULT, photo.perceptual_hashes, within):
            if alike != photo.photo_id:
                records.near_duplicates.join(DEFAULT, photo.photo_id, alike)
        if not records.library.admit(photo):
            standing = records.library.get(DEFAULT, photo.photo_id)
            if standing is not None and standing.burst is not None:
                records.near_duplicates.elect(DEFAULT, standing.burst)


def burst_of(records: Records, name: str) -> PhotoId:
    burst = photo_in(records, name).burst
    assert burst is not None
    return burst


# ---- found ----


@pytest.mark.parametrize("bits", range(MOST_BITS + 1))
def test_every_photo_within_the_distance_is_found(records: Records, bits: int) -> None:
    for seed in range(5):
        photo = shot(f"photo {seed}", perceptual_hash=flipped(bits, seed=seed))
        records.near_duplicates.note(photo)
    found = records.near_duplicates.near(DEFAULT, [HASH], bits)
    assert found == [(photo_id, bits) for photo_id in sorted(a_photo_id(f"photo {seed}") for seed in range(5))]


def test_a_photo_beyond_the_distance_is_not_found(records: Records) -> None:
    records.near_duplicates.note(shot("far", perceptual_hash=flipped(5)))
    assert records.near_duplicates.near(DEFAULT, [HASH], 4) == []


def test_the_nearest_comes_first_and_once(records: Records) -> None:
    records.near_duplicates.note(shot("two", perceptual_hash=flipped(2)))
    both = replace(shot("one"), perceptual_hashes=(flipped(6), flipped(1)))
    records.near_duplicates.note(both)
    found = records.near_duplicates.near(DEFAULT, [HASH, HASH], 7)
    assert found == [(a_photo_id("one"), 1), (a_photo_id("two"), 2)]


def test_noting_twice_changes_nothing(records: Records) -> None:
    records.near_duplicates.note(shot("one"))
    before = records.near_duplicates.near(DEFAULT, [HASH], 0)
    records.near_duplicates.note(shot("one"))
    assert records.near_duplicates.near(DEFAULT, [HASH], 0) == before == [(a_photo_id("one"), 0)]


def test_another_personas_photos_are_not_alike(records: Records) -> None:
    records.near_duplicates.note(shot("one"))
    assert records.near_duplicates.near(PersonaId("other"), [HASH], 7) == []


def test_a_full_bucket_takes_no_more_and_stops_nobody(
    dynamo: DynamoImplementation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an end, the bucket of a band that every tenth sky has would outgrow DynamoDB's items."""
    monkeypatch.setattr(near_duplicates, "LARGEST_BUCKET", 2)
    low_band = f"{int(HASH, 16) ^ (0xFFFF << 48):016x}"
    for name in ("one", "two", "one"):
        dynamo.near_duplicates.note(shot(name))
    dynamo.near_duplicates.note(shot("three", perceptual_hash=low_band))
    assert sorted(len(item["photos"]["SS"]) for item in dynamo.items("LookalikesTable")) == [1, 2, 2, 2, 2]
    assert dynamo.near_duplicates.near(DEFAULT, [low_band], 0) == [(a_photo_id("three"), 0)]


@pytest.mark.parametrize("bits", [-1, MOST_BITS + 1])
def test_no_distance_is_taken_at_which_some_would_be_missed(records: Records, bits: int) -> None:
    with pytest.raises(ValueError, match=str(bits)):
        records.near_duplicates.near(DEFAULT, [HASH], bits)


# ---- bursts ----


@pytest.mark.parametrize("scores", [(5.0, 7.0, 6.0), (7.0, 6.0, 5.0), (5.0, 6.0, 7.0)])
def test_only_the_best_of_a_burst_is_in_the_queue(records: Records, scores: Sequence[float]) -> None:
    take_in(records, *(shot(str(score), score=score) for score in scores), shot("other", perceptual_hash=flipped(30)))
    assert queue(records) == [a_photo_id("7.0"), a_photo_id("other")]
    members = records.near_duplicates.members(DEFAULT, burst_of(records, str(scores[0])))
    assert members == sorted(a_photo_id(str(score)) for score in scores)
    assert photo_in(records, "other").burst is None


def test_taking_in_again_changes_nothing(records: Records) -> None:
    photos = [shot("one"), shot("two", score=6.0, perceptual_hash=flipped(3)), shot("three", score=4.0)]
    take_in(records, *photos)
    members = records.near_duplicates.members(DEFAULT, burst_of(records, "one"))
    take_in(records, *reversed(photos))
    assert records.near_duplicates.members(DEFAULT, burst_of(records, "three")) == members
    assert members == sorted(photo.photo_id for photo in photos)
    assert queue(records) == [a_photo_id("two")]


def test_none_of_a_burst_is_in_the_queue_once_one_of_them_has_a_post(records: Records) -> None:
    records.personas.add(a_persona())
    take_in(records, shot("first"))
    assert records.ledger.claim(a_post(photo_id=a_photo_id("first"))) is Claim.WON
    take_in(records, shot("second", score=9.0), shot("first"))
    assert queue(records) == []
    assert photo_in(records, "first").post_slot == NINE


def test_the_best_that_got_its_post_back_is_in_the_queue_again(records: Records) -> None:
    records.personas.add(a_persona())
    take_in(records, shot("best", score=9.0), shot("second"))
    post = a_post(photo_id=a_photo_id("best"))
    assert records.ledger.claim(post) is Claim.WON
    failed = post.as_failed(FAULT, post.updated_at)
    records.ledger.settle(post, failed, requeue=photo_in(records, "best"))
    assert queue(records) == [a_photo_id("best")]
    take_in(records, shot("third", score=9.5))
    assert queue(records) == [a_photo_id("third")]


def test_a_better_score_changes_the_best(records: Records) -> None:
    take_in(records, shot("first", score=6.0), shot("second"))
    better = replace(shot("second"), analysis=an_analysis(8.0))
    assert records.library.add(better) is Addition.UPDATED
    assert queue(records) == [a_photo_id("first")]
    assert records.near_duplicates.elect(DEFAULT, burst_of(records, "second")) == a_photo_id("second")
    assert queue(records) == [a_photo_id("second")]


def test_of_a_skipped_best_the_next_one_is_in_the_queue(records: Records) -> None:
    take_in(records, shot("best", score=6.0), shot("second"))
    assert records.library.hold_back(DEFAULT, a_photo_id("best"), SKIPPED)
    records.near_duplicates.elect(DEFAULT, burst_of(records, "best"))
    assert queue(records) == [a_photo_id("second")]
    assert records.library.release(DEFAULT, a_photo_id("best"))
    records.near_duplicates.elect(DEFAULT, burst_of(records, "best"))
    assert queue(records) == [a_photo_id("best")]


def test_none_is_in_the_queue_once_one_was_posted_elsewhere(records: Records) -> None:
    take_in(records, shot("best", score=6.0), shot("second"))
    assert records.library.hold_back(DEFAULT, a_photo_id("second"), ELSEWHERE)
    assert records.near_duplicates.elect(DEFAULT, burst_of(records, "best")) is None
    assert queue(records) == []


def test_a_photo_that_looks_like_two_bursts_makes_them_one(records: Records) -> None:
    left, right = HASH, flipped(8, seed=3)
    middle = f"{int(HASH, 16) ^ sum(1 << bit for bit in _differing(left, right)[:4]):016x}"
    take_in(records, shot("left 1", perceptual_hash=left), shot("left 2", score=6.0, perceptual_hash=left))
    take_in(records, shot("right 1", perceptual_hash=right), shot("right 2", score=7.0, perceptual_hash=right))
    assert queue(records) == [a_photo_id("right 2"), a_photo_id("left 2")]
    take_in(records, shot("middle", score=4.0, perceptual_hash=middle))
    assert queue(records) == [a_photo_id("right 2")]
    everyone = sorted(a_photo_id(name) for name in ("left 1", "left 2", "right 1", "right 2", "middle"))
    for name in ("left 1", "right 1", "middle"):
        assert records.near_duplicates.members(DEFAULT, burst_of(records, name)) == everyone


def _differing(one: str, other: str) -> list[int]:
    return [bit for bit in range(64) if (int(one, 16) ^ int(other, 16)) >> bit & 1]


def test_a_photo_that_is_still_being_taken_in_is_no_candidate(records: Records) -> None:
    """It may look like a third one that was posted, which only its own import knows."""
    take_in(records, shot("first"))
    records.library.add(replace(shot("second", score=9.0), awaits_linking=True))
    burst = records.near_duplicates.join(DEFAULT, a_photo_id("first"), a_photo_id("second"))
    assert burst is not None
    assert records.near_duplicates.elect(DEFAULT, burst) == a_photo_id("first")
    assert records.library.admit(shot("second", score=9.0)) is False
    assert records.near_duplicates.elect(DEFAULT, burst) == a_photo_id("second")


def test_a_photo_that_is_not_there_joins_nothing(records: Records) -> None:
    take_in(records, shot("one"))
    before = records.everything()
    assert records.near_duplicates.join(DEFAULT, a_photo_id("unknown"), a_photo_id("one")) is None
    assert records.near_duplicates.join(DEFAULT, a_photo_id("one"), a_photo_id("unknown")) is None
    assert records.everything() == before


# ---- racing ----


@pytest.fixture(params=["fake", "dynamodb-local"])
def raced(request: pytest.FixtureRequest) -> Records:
    """moto's transactions are not isolated from each other, so a race on it proves nothing."""
    if request.param == "fake":
        return FakeImplementation()
    request.getfixturevalue("aws_environment")
    return DynamoImplementation(request.getfixturevalue("dynamodb_local_url"))


def test_a_burst_that_arrives_all_at_once_has_one_best(raced: Records) -> None:
    photos = [shot(f"photo {number}", score=4.0 + number / 10) for number in range(8)]
    with ThreadPoolExecutor(len(photos)) as imports:
        list(imports.map(lambda photo: take_in(raced, photo), photos))
    assert queue(raced) == [a_photo_id("photo 7")]
    members = raced.near_duplicates.members(DEFAULT, burst_of(raced, "photo 0"))
    assert members == sorted(photo.photo_id for photo in photos)


def test_claims_and_elections_at_once_give_one_post(raced: Records) -> None:
    raced.personas.add(a_persona())
    take_in(raced, shot("photo 0"))

    def claim(number: int) -> Claim | None:
        best = next(iter(raced.library.best_first(DEFAULT)), None)
        if best is None:
            return None
        slot = Slot(NINE.start + timedelta(minutes=number))
        lease = Lease(RunId(f"run-{number}"), LEASE_OVER)
        return raced.ledger.claim(a_post(slot=slot, photo_id=best.photo_id, lease=lease))

    with ThreadPoolExecutor(12) as runs:
        imports = [runs.submit(take_in, raced, shot(f"photo {number}", score=5.0 + number)) for number in range(1, 6)]
        claims = [runs.submit(claim, number) for number in range(6)]
        for one in imports:
            one.result()
        won = [one.result() for one in claims].count(Claim.WON)
    posted = [photo for photo in raced.library.every(DEFAULT) if photo.post_slot is not None]
    assert len(posted) == won <= 1
    assert len(queue(raced)) == 1 - won
