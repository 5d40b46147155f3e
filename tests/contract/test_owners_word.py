"""The contract of what the owner's commands write: retry, resolve, pause and resume, each part of their conditions."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from contract.implementations import DynamoImplementation, Records
from contract.scenes import A_MINUTE_LATER, CONTAINER, FAULT, MEDIA, OTHER_LEASE, TEN, claimed, furnish, photo_in, queue
from domain.ids import MediaId, PersonaId, PhotoId
from domain.photos import HeldBack, HeldBackFor
from domain.ports import Claim, Resolution, Retrial
from domain.posts import CONTAINER_LIFE, Evidence, Post
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post

NOON: Final = Slot(NINE.start + timedelta(hours=3))
A_DAY_LATER: Final = A_MINUTE_LATER + CONTAINER_LIFE
ANOTHER_MEDIA: Final = MediaId("17920238422030599")
WHY: Final = "The token has expired."


def failed(records: Records, *names: str) -> Post:
    """The post of nine o'clock, whose photo was refused and stays with it."""
    post = claimed(records, *names)
    after = post.as_failed(FAULT, A_MINUTE_LATER)
    assert records.ledger.advance(post, after) is True
    return after


def following(post: Post, slot: Slot = NOON) -> Post:
    """The post in which its photo is tried once more."""
    at = slot.start + timedelta(milliseconds=1)
    return a_post(
        slot=slot, photo_id=post.photo_id, lease=OTHER_LEASE, created_at=at, updated_at=at, retry_of=post.slot
    )


def unconfirmed(records: Records, name: str = "sunrise", slot: Slot = NINE) -> Post:
    post = a_post(slot=slot, photo_id=a_photo_id(name))
    assert records.ledger.claim(post) is Claim.WON
    sent = post.as_fenced(CONTAINER, A_MINUTE_LATER)
    after = sent.as_unconfirmed(FAULT, Evidence("FINISHED", (MEDIA,)), A_DAY_LATER)
    assert records.ledger.advance(post, sent)
    assert records.ledger.advance(sent, after)
    return after


def words(post: Post) -> dict[str, Post]:
    return {
        "posted": post.as_resolved_posted(MEDIA, "https://www.instagram.com/p/abc/", A_DAY_LATER),
        "not posted": post.as_resolved_not_posted(A_DAY_LATER),
    }


# ---- retry ----


def test_a_retry_moves_the_photo_from_the_one_post_to_the_other(records: Records) -> None:
    post = failed(records, "sunrise", "second")
    again = following(post)
    assert records.ledger.retry(post, again) is Retrial.DONE
    assert records.ledger.get(DEFAULT, NOON) == again
    assert records.ledger.get(DEFAULT, NINE) == post.as_retried(NOON, again.created_at)
    assert photo_in(records).post_slot == NOON
    assert queue(records) == [a_photo_id("second")]
    assert records.personas.get(DEFAULT) == a_persona()


def test_the_photo_is_in_no_queue_at_any_moment_of_a_retry(dynamo: DynamoImplementation) -> None:
    post = failed(dynamo)
    dynamo.asked.clear()
    assert dynamo.ledger.retry(post, following(post)) is Retrial.DONE
    assert [asked.operation for asked in dynamo.asked] == ["TransactWriteItems"]
    assert not {"queued_for", "rank"} & dynamo.item("PhotosTable", post.photo_id).keys()


def test_the_new_post_is_seen_to_by_the_reconciler(records: Records) -> None:
    post = failed(records)
    again = following(post)
    records.ledger.retry(post, again)
    assert list(records.ledger.open_posts(again.lease.until + timedelta(seconds=1))) == [(DEFAULT, NOON)]


def test_a_failed_post_is_retried_once(records: Records) -> None:
    post = failed(records)
    assert records.ledger.retry(post, following(post)) is Retrial.DONE
    standing = records.everything()
    assert records.ledger.retry(post, following(post, TEN)) is Retrial.NOT_FAILED
    assert records.everything() == standing


def test_a_retry_that_failed_is_retried_in_its_turn(records: Records) -> None:
    post = failed(records)
    again = following(post)
    records.ledger.retry(post, again)
    failed_again = again.as_failed(FAULT, again.updated_at)
    assert records.ledger.advance(again, failed_again) is True
    third = following(failed_again, Slot(NOON.start + timedelta(hours=1)))
    assert records.ledger.retry(failed_again, third) is Retrial.DONE
    assert photo_in(records).post_slot == third.slot


def test_a_post_that_was_retried_is_not_retried_though_its_photo_came_back(dynamo: DynamoImplementation) -> None:
    """The photo's own condition holds; the old post's does not."""
    post = failed(dynamo)
    dynamo.ledger.retry(post, following(post))
    dynamo.raw.update_item(
        TableName=dynamo.names["PhotosTable"],
        Key={"persona_id": {"S": DEFAULT}, "photo_id": {"S": post.photo_id}},
        UpdateExpression="SET post_slot = :slot",
        ExpressionAttributeValues={":slot": {"S": str(NINE)}},
    )
    standing = dynamo.everything()
    assert dynamo.ledger.retry(post, following(post, TEN)) is Retrial.NOT_FAILED
    assert dynamo.everything() == standing


def _posting(records: Records) -> Post:
    return claimed(records)


def _posted(records: Records) -> Post:
    post = claimed(records)
    after = post.as_posted(MEDIA, A_MINUTE_LATER)
    records.ledger.advance(post, after)
    return after


def _unconfirmed(records: Records) -> Post:
    furnish(records)
    return unconfirmed(records)


@pytest.mark.parametrize("scene", [_posting, _posted, _unconfirmed])
def test_a_post_that_is_not_failed_is_not_retried(records: Records, scene: Callable[[Records], Post]) -> None:
    post = scene(records)
    standing = records.everything()
    assert records.ledger.retry(post, following(post)) is Retrial.NOT_FAILED
    assert records.everything() == standing


def test_a_post_that_does_not_exist_is_not_retried(records: Records) -> None:
    furnish(records)
    standing = records.everything()
    assert records.ledger.retry(a_post(), following(a_post())) is Retrial.NOT_FAILED
    assert records.everything() == standing


def test_a_photo_that_is_back_in_the_queue_is_not_retried(records: Records) -> None:
    post = claimed(records)
    after = post.as_failed(FAULT, A_MINUTE_LATER)
    records.ledger.settle(post, after, requeue=photo_in(records))
    standing = records.everything()
    assert records.ledger.retry(after, following(after)) is Retrial.PHOTO_GONE
    assert records.everything() == standing


def test_a_photo_that_has_another_post_by_now_is_not_retried(records: Records) -> None:
    post = claimed(records)
    after = post.as_failed(FAULT, A_MINUTE_LATER)
    records.ledger.settle(post, after, requeue=photo_in(records))
    assert records.ledger.claim(a_post(slot=TEN)) is Claim.WON
    standing = records.everything()
    assert records.ledger.retry(after, following(after)) is Retrial.PHOTO_GONE
    assert records.everything() == standing


def test_nothing_is_retried_while_the_persona_is_paused(records: Records) -> None:
    post = failed(records)
    records.personas.pause(DEFAULT, WHY)
    standing = records.everything()
    assert records.ledger.retry(post, following(post)) is Retrial.PERSONA_PAUSED
    assert records.everything() == standing


def test_a_retry_takes_no_slot_that_has_a_post(records: Records) -> None:
    post = failed(records, "sunrise", "second")
    assert records.ledger.claim(a_post(slot=TEN, photo_id=a_photo_id("second"))) is Claim.WON
    standing = records.everything()
    assert records.ledger.retry(post, following(post, TEN)) is Retrial.SLOT_TAKEN
    assert records.everything() == standing


def test_a_retry_that_is_made_again_is_done(records: Records) -> None:
    post = failed(records)
    assert records.ledger.retry(post, following(post)) is Retrial.DONE
    standing = records.everything()
    assert records.ledger.retry(post, following(post)) is Retrial.DONE
    assert records.everything() == standing


def test_another_runs_retry_at_the_same_second_is_not_ours(records: Records) -> None:
    post = failed(records)
    assert records.ledger.retry(post, following(post)) is Retrial.DONE
    assert records.ledger.retry(post, replace(following(post), lease=a_post().lease)) is Retrial.SLOT_TAKEN


# ---- resolve ----


@pytest.mark.parametrize("word", ["posted", "not posted"])
def test_the_owners_word_is_written_as_it_was_meant(records: Records, word: str) -> None:
    furnish(records)
    post = unconfirmed(records)
    after = words(post)[word]
    assert records.ledger.resolve(post, after) is Resolution.DONE
    assert records.ledger.get(DEFAULT, NINE) == after
    assert after.evidence == post.evidence
    assert photo_in(records).post_slot == NINE
    assert queue(records) == []
    assert list(records.ledger.open_posts(A_DAY_LATER + CONTAINER_LIFE)) == []


def test_a_post_that_is_not_live_after_all_can_be_retried(records: Records) -> None:
    furnish(records)
    post = unconfirmed(records)
    after = words(post)["not posted"]
    records.ledger.resolve(post, after)
    assert records.ledger.retry(after, following(after)) is Retrial.DONE


@pytest.mark.parametrize("word", ["posted", "not posted"])
@pytest.mark.parametrize("other", ["posted", "not posted"])
def test_the_first_word_counts(records: Records, word: str, other: str) -> None:
    furnish(records)
    post = unconfirmed(records)
    assert records.ledger.resolve(post, words(post)[word]) is Resolution.DONE
    standing = records.everything()
    later = replace(words(post)[other], updated_at=A_DAY_LATER + timedelta(hours=1))
    assert records.ledger.resolve(post, later) is Resolution.NOT_UNCONFIRMED
    assert records.everything() == standing


@pytest.mark.parametrize("word", ["posted", "not posted"])
def test_the_same_word_written_again_is_done(records: Records, word: str) -> None:
    furnish(records)
    post = unconfirmed(records)
    records.ledger.resolve(post, words(post)[word])
    assert records.ledger.resolve(post, words(post)[word]) is Resolution.DONE


@pytest.mark.parametrize("scene", [_posting, _posted, failed])
@pytest.mark.parametrize("word", ["posted", "not posted"])
def test_a_post_that_is_not_unconfirmed_is_not_resolved(
    records: Records, scene: Callable[[Records], Post], word: str
) -> None:
    scene(records)
    sent = a_post().as_fenced(CONTAINER, A_MINUTE_LATER)
    meant = words(sent.as_unconfirmed(FAULT, Evidence("FINISHED"), A_DAY_LATER))[word]
    standing = records.everything()
    assert records.ledger.resolve(sent, meant) is Resolution.NOT_UNCONFIRMED
    assert records.everything() == standing


def test_one_media_is_not_two_posts(records: Records) -> None:
    furnish(records, "sunrise", "second")
    first, second = unconfirmed(records), unconfirmed(records, "second", TEN)
    assert records.ledger.resolve(first, words(first)["posted"]) is Resolution.DONE
    standing = records.everything()
    assert records.ledger.resolve(second, words(second)["posted"]) is Resolution.MEDIA_TAKEN
    assert records.everything() == standing
    other = second.as_resolved_posted(ANOTHER_MEDIA, None, A_DAY_LATER)
    assert records.ledger.resolve(second, other) is Resolution.DONE


def test_another_personas_media_is_none_of_this_ones(records: Records) -> None:
    other = PersonaId("other")
    records.personas.add(a_persona(persona_id=other))
    records.library.add(a_photo(persona_id=other))
    theirs = a_post(persona_id=other)
    records.ledger.claim(theirs)
    records.ledger.advance(theirs, theirs.as_posted(MEDIA, A_MINUTE_LATER))
    furnish(records)
    post = unconfirmed(records)
    assert records.ledger.resolve(post, words(post)["posted"]) is Resolution.DONE


def test_one_media_does_not_become_two_posts_at_the_same_moment(
    dynamo: DynamoImplementation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are told the same media, and each has looked before the other wrote."""
    furnish(dynamo, "sunrise", "second")
    first, second = unconfirmed(dynamo), unconfirmed(dynamo, "second", TEN)
    seen = dynamo.ledger._others_of(second, MEDIA)
    assert dynamo.ledger.resolve(first, words(first)["posted"]) is Resolution.DONE
    monkeypatch.setattr(dynamo.ledger, "_others_of", lambda *_: seen)
    standing = dynamo.everything()
    assert dynamo.ledger.resolve(second, words(second)["posted"]) is Resolution.MEDIA_TAKEN
    assert dynamo.everything() == standing


def test_another_post_that_is_told_another_media_meanwhile_is_no_hindrance(
    dynamo: DynamoImplementation, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(dynamo, "sunrise", "second")
    first, second = unconfirmed(dynamo), unconfirmed(dynamo, "second", TEN)
    seen = dynamo.ledger._others_of(second, MEDIA)
    other = first.as_resolved_posted(ANOTHER_MEDIA, None, A_DAY_LATER)
    assert dynamo.ledger.resolve(first, other) is Resolution.DONE
    monkeypatch.setattr(dynamo.ledger, "_others_of", lambda *_: seen)
    assert dynamo.ledger.resolve(second, words(second)["posted"]) is Resolution.DONE


# ---- pause and resume ----


def test_a_persona_is_paused_for_the_reason_that_was_given(records: Records) -> None:
    furnish(records)
    assert records.personas.pause(DEFAULT, WHY) == WHY
    assert records.personas.get(DEFAULT) == a_persona(paused_reason=WHY)
    assert records.ledger.claim(a_post()) is Claim.PERSONA_PAUSED


def test_the_first_reason_of_a_pause_stays(records: Records) -> None:
    records.personas.add(a_persona(paused_reason=WHY))
    assert records.personas.pause(DEFAULT, "A holiday.") == WHY
    assert records.personas.get(DEFAULT) == a_persona(paused_reason=WHY)


def test_pausing_an_unknown_persona_makes_none(records: Records) -> None:
    before = records.everything()
    assert records.personas.pause(DEFAULT, WHY) is None
    assert records.everything() == before


def test_only_the_pause_that_was_seen_is_lifted(records: Records) -> None:
    records.personas.add(a_persona(paused_reason=WHY))
    assert records.personas.resume(DEFAULT, seen="A holiday.") is False
    assert records.personas.get(DEFAULT) == a_persona(paused_reason=WHY)
    assert records.personas.resume(DEFAULT, seen=WHY) is True
    assert records.personas.get(DEFAULT) == a_persona()
    assert records.personas.resume(DEFAULT, seen=WHY) is False


# ---- what the owner looks for in the library ----


def test_photos_are_found_by_how_their_id_begins(records: Records) -> None:
    first, second = (PhotoId("abcdef" + digit * 58) for digit in "01")
    for photo_id in (second, first):
        records.library.add(a_photo(photo_id=photo_id))
    records.library.add(a_photo(photo_id=PhotoId("abcdee" + "0" * 58)))
    records.library.add(a_photo(photo_id=PhotoId("abcdef" + "2" * 58), persona_id=PersonaId("other")))
    for prefix, limit, found in (
        ("abcdef", 9, [first, second]),
        ("abcdef", 1, [first]),
        (first, 2, [first]),
        ("abcdef3", 2, []),
    ):
        photos = records.library.beginning_with(DEFAULT, prefix, limit=limit)
        assert [photo.photo_id for photo in photos] == found


def test_the_queue_is_counted_from_the_minimum_score_on_and_no_further_than_asked(records: Records) -> None:
    furnish(records, "nine", "eight", "seven", "six")
    records.library.add(a_photo("unscored", score=None))
    records.library.hold_back(DEFAULT, a_photo_id("nine"), HeldBack(HeldBackFor.SKIPPED))
    for minimum, most, count in ((0.0, 1000, 3), (7.0, 1000, 2), (7.1, 1000, 1), (9.5, 1000, 0), (0.0, 2, 2)):
        assert records.library.count_queued(DEFAULT, minimum_score=minimum, most=most) == count
    assert records.library.count_queued(PersonaId("other"), minimum_score=0.0, most=9) == 0
