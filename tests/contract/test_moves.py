"""The contract of PostLedger's advance: a record moves only for the run whose it still is, in each part of *ours*."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contract.implementations import DynamoImplementation, Records
from contract.scenes import (
    A_MINUTE_LATER,
    CONTAINER,
    FAULT,
    LEASE_OVER,
    MEDIA,
    OTHER_LEASE,
    claimed,
    ended,
    fenced,
    furnish,
    moved,
    reopened,
)
from domain.faults import FaultRecord
from domain.ids import ContainerId, MediaId, PersonaId
from domain.posts import Evidence, Post
from fakes.library import DEFAULT, NINE, a_persona, a_post

AN_HOUR_LATER = A_MINUTE_LATER + timedelta(hours=1)
ATTRIBUTES = {
    "container_id",
    "publish_sent_at",
    "provider_post_id",
    "permalink",
    "posted_at",
    "fault",
    "evidence",
    "retried_in",
    "in_flight",
}


# ---- written ----


def test_a_fence_is_written_as_it_was_meant(records: Records) -> None:
    post = claimed(records)
    sent = post.as_fenced(CONTAINER, A_MINUTE_LATER)
    assert records.ledger.advance(post, sent) is True
    assert records.ledger.get(DEFAULT, NINE) == sent


@pytest.mark.parametrize("end", ["posted", "failed", "unconfirmed"])
@pytest.mark.parametrize("scene", [claimed, fenced])
def test_an_end_is_written_as_it_was_meant(records: Records, scene: object, end: str) -> None:
    post = fenced(records) if scene is fenced else claimed(records)
    after = ended(post)[end]
    assert records.ledger.advance(post, after) is True
    assert records.ledger.get(DEFAULT, NINE) == after


def test_a_post_that_was_not_sent_may_be_fenced_again(records: Records) -> None:
    post = fenced(records)
    for number in (1, 2, 3):
        assert post.publish_attempts == number
        post = moved(records, post, reopened(post))
        assert records.ledger.get(DEFAULT, NINE) == post
        post = moved(records, post, post.as_fenced(CONTAINER, A_MINUTE_LATER + timedelta(seconds=number)))
        assert records.ledger.get(DEFAULT, NINE) == post


def test_an_unresolved_post_keeps_its_fence_and_gives_up_its_lease(records: Records) -> None:
    post = fenced(records)
    after = moved(records, post, post.as_unresolved(FaultRecord("Unresolved", "No answer."), A_MINUTE_LATER))
    assert records.ledger.get(DEFAULT, NINE) == after
    assert records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, A_MINUTE_LATER + timedelta(seconds=1)) is not None


def test_a_move_touches_neither_photo_nor_persona(records: Records) -> None:
    post = fenced(records)
    photo, persona = records.library.get(DEFAULT, post.photo_id), records.personas.get(DEFAULT)
    moved(records, post, ended(post)["posted"])
    assert records.library.get(DEFAULT, post.photo_id) == photo
    assert records.personas.get(DEFAULT) == persona


def test_what_a_move_takes_away_is_gone_from_the_item(dynamo: DynamoImplementation) -> None:
    post = fenced(dynamo)
    deferred = moved(dynamo, post, reopened(post))
    assert ATTRIBUTES & dynamo.item("PostsTable", str(NINE)).keys() == {"container_id", "fault", "in_flight"}
    sent = moved(dynamo, deferred, deferred.as_fenced(CONTAINER, A_MINUTE_LATER))
    moved(dynamo, sent, sent.as_posted(MEDIA, A_MINUTE_LATER))
    assert ATTRIBUTES & dynamo.item("PostsTable", str(NINE)).keys() == {
        "container_id",
        "publish_sent_at",
        "provider_post_id",
        "posted_at",
    }


# ---- each part of *ours*, broken by itself ----


def _ended_meanwhile(records: Records) -> Post:
    """Same owner, same number, no fence; but the status is another."""
    post = claimed(records)
    moved(records, post, ended(post)["failed"])
    return post


def _ended_after_its_fence(records: Records) -> Post:
    """Same owner, same number, same fence; but the status is another."""
    post = fenced(records)
    moved(records, post, ended(post)["unconfirmed"])
    return post


def _taken_over(records: Records) -> Post:
    """Same status, same number, no fence; but the owner is another."""
    post = claimed(records)
    assert records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER) is not None
    return post


def _taken_over_after_its_fence(records: Records) -> Post:
    """Same status, same number, same fence; but the owner is another."""
    post = fenced(records)
    assert records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER) is not None
    return post


def _fenced_again(records: Records) -> Post:
    """Same status, same owner, a fence; but the number is another."""
    post = fenced(records)
    again = moved(records, post, reopened(post))
    moved(records, again, again.as_fenced(CONTAINER, A_MINUTE_LATER))
    return post


def _reopened_again(records: Records) -> Post:
    """Same status, same owner, no fence; but the number is another."""
    post = fenced(records)
    first = moved(records, post, reopened(post))
    again = moved(records, first, first.as_fenced(CONTAINER, A_MINUTE_LATER))
    moved(records, again, reopened(again))
    return first


def _fenced_since(records: Records) -> Post:
    """Same status, owner and number; but the record has a fence that we do not know of."""
    return replace(fenced(records), publish_sent_at=None)


def _reopened_since(records: Records) -> Post:
    """Same status, owner and number; but the fence that we know of is open."""
    post = fenced(records)
    moved(records, post, reopened(post))
    return post


def _gone(records: Records) -> Post:
    """There is no such record."""
    furnish(records)
    return a_post()


NOT_OURS = [
    _ended_meanwhile,
    _ended_after_its_fence,
    _taken_over,
    _taken_over_after_its_fence,
    _fenced_again,
    _reopened_again,
    _fenced_since,
    _reopened_since,
    _gone,
]


@pytest.mark.parametrize("end", ["posted", "unresolved"])
@pytest.mark.parametrize("scene", NOT_OURS, ids=lambda scene: scene.__name__.strip("_"))
def test_a_record_that_is_not_ours_any_more_is_left_as_it_is(records: Records, scene: object, end: str) -> None:
    assert callable(scene)
    before: Post = scene(records)
    standing = records.everything()
    other_fault = FaultRecord("PhotoFault", "Another fault than the one on record.")
    after = (ended(before) | {"unresolved": before.as_unresolved(FAULT, A_MINUTE_LATER)})[end]
    assert records.ledger.advance(before, replace(after, fault=other_fault)) is False
    assert records.everything() == standing


@pytest.mark.parametrize("scene", [_fenced_since, _ended_meanwhile, _taken_over, _reopened_again, _gone])
def test_a_fence_is_never_set_on_a_record_that_is_not_ours(records: Records, scene: object) -> None:
    assert callable(scene)
    before: Post = scene(records)
    standing = records.everything()
    late = before.as_fenced(ContainerId("another"), A_MINUTE_LATER + timedelta(minutes=1))
    assert records.ledger.advance(before, late) is False
    assert records.everything() == standing


def test_another_personas_post_of_the_same_slot_is_another_record(records: Records) -> None:
    post = claimed(records)
    records.personas.add(a_persona(persona_id=PersonaId("other")))
    standing = records.everything()
    theirs = replace(post, persona_id=PersonaId("other"))
    assert records.ledger.advance(theirs, theirs.as_posted(MEDIA, A_MINUTE_LATER)) is False
    assert records.everything() == standing


# ---- repeated ----


def test_a_repeated_move_finds_that_it_was_made(records: Records) -> None:
    post = claimed(records)
    sent = post.as_fenced(CONTAINER, A_MINUTE_LATER)
    records.ledger.advance(post, sent)
    standing = records.everything()
    assert records.ledger.advance(post, sent) is True
    assert records.everything() == standing


@pytest.mark.parametrize("end", ["posted", "failed", "unconfirmed"])
def test_a_repeated_end_finds_that_it_was_written(records: Records, end: str) -> None:
    post = fenced(records)
    after = moved(records, post, ended(post)[end])
    assert records.ledger.advance(post, after) is True


@pytest.mark.parametrize(
    "difference",
    [
        {"container_id": ContainerId("another")},
        {"publish_sent_at": A_MINUTE_LATER + timedelta(milliseconds=1)},
        {"publish_attempts": 2},
        {"lease": OTHER_LEASE},
        {"fault": FAULT},
        {"updated_at": A_MINUTE_LATER + timedelta(milliseconds=1)},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_a_fence_that_differs_in_anything_is_not_ours(records: Records, difference: dict[str, object]) -> None:
    post = claimed(records)
    sent = post.as_fenced(CONTAINER, A_MINUTE_LATER)
    moved(records, post, sent)
    standing = records.everything()
    assert records.ledger.advance(post, replace(sent, **difference)) is False  # type: ignore[arg-type]
    assert records.everything() == standing


def test_the_read_back_is_consistent(dynamo: DynamoImplementation) -> None:
    post = _taken_over(dynamo)
    dynamo.asked.clear()
    dynamo.ledger.advance(post, post.as_fenced(CONTAINER, A_MINUTE_LATER))
    assert [asked.operation for asked in dynamo.asked] == ["UpdateItem", "GetItem"]
    assert dynamo.asked[1].parameters["ConsistentRead"] is True


# ---- the media id of a live post, which may be found later ----


def _live_without_media(records: Records) -> Post:
    post = fenced(records)
    return moved(records, post, post.as_posted(None, A_MINUTE_LATER))


@pytest.mark.parametrize("permalink", ["https://www.instagram.com/p/abc/", None])
def test_a_media_id_that_is_found_is_written_as_it_was_meant(records: Records, permalink: str | None) -> None:
    found = _live_without_media(records).as_identified(MEDIA, permalink, AN_HOUR_LATER)
    assert records.ledger.complete(found) is True
    assert records.ledger.get(DEFAULT, NINE) == found


@pytest.mark.parametrize("media", [(), (MEDIA, MediaId("1"))])
def test_what_was_seen_instead_of_a_media_id_is_written(records: Records, media: tuple[MediaId, ...]) -> None:
    unidentified = _live_without_media(records).as_unidentified(Evidence("PUBLISHED", media), AN_HOUR_LATER)
    assert records.ledger.complete(unidentified) is True
    assert records.ledger.get(DEFAULT, NINE) == unidentified


def test_a_post_that_is_complete_is_left_as_it_is(records: Records) -> None:
    post = _live_without_media(records)
    assert records.ledger.complete(post.as_identified(MEDIA, None, AN_HOUR_LATER)) is True
    standing = records.everything()
    assert records.ledger.complete(post.as_identified(MediaId("1"), None, AN_HOUR_LATER)) is False
    assert records.ledger.complete(post.as_unidentified(Evidence("PUBLISHED"), AN_HOUR_LATER)) is False
    assert records.everything() == standing


def test_a_post_that_nobody_looks_for_any_more_is_left_as_it_is(records: Records) -> None:
    post = _live_without_media(records)
    assert records.ledger.complete(post.as_unidentified(Evidence("PUBLISHED"), AN_HOUR_LATER)) is True
    standing = records.everything()
    assert records.ledger.complete(post.as_identified(MEDIA, None, AN_HOUR_LATER)) is False
    assert records.everything() == standing


@pytest.mark.parametrize("end", ["failed", "unconfirmed", "posting", "gone"])
def test_a_post_that_is_not_live_is_not_completed(records: Records, end: str) -> None:
    post = replace(a_post().as_fenced(CONTAINER, A_MINUTE_LATER), provider_post_id=None)
    if end != "gone":
        post = fenced(records)
    if end in {"failed", "unconfirmed"}:
        moved(records, post, ended(post)[end])
    standing = records.everything()
    found = post.as_posted(None, A_MINUTE_LATER).as_identified(MEDIA, None, AN_HOUR_LATER)
    assert records.ledger.complete(found) is False
    assert records.everything() == standing


def test_a_repeated_completion_finds_that_it_was_made(records: Records) -> None:
    found = _live_without_media(records).as_identified(MEDIA, None, AN_HOUR_LATER)
    records.ledger.complete(found)
    standing = records.everything()
    assert records.ledger.complete(found) is True
    assert records.everything() == standing


# ---- the permalink, which comes after the end ----


def test_the_permalink_of_a_live_post_is_noted_and_nothing_else(records: Records) -> None:
    post = fenced(records)
    posted = moved(records, post, post.as_posted(MEDIA, A_MINUTE_LATER))
    records.ledger.set_permalink(posted, "https://www.instagram.com/p/abc/")
    assert records.ledger.get(DEFAULT, NINE) == replace(posted, permalink="https://www.instagram.com/p/abc/")


def test_a_permalink_of_another_media_is_not_noted(records: Records) -> None:
    post = fenced(records)
    posted = moved(records, post, post.as_posted(MEDIA, A_MINUTE_LATER))
    standing = records.everything()
    records.ledger.set_permalink(replace(posted, provider_post_id=MediaId("1")), "https://www.instagram.com/p/abc/")
    records.ledger.set_permalink(replace(posted, persona_id=PersonaId("other")), "https://www.instagram.com/p/abc/")
    assert records.everything() == standing


@pytest.mark.parametrize("end", ["failed", "unconfirmed", "posting"])
def test_a_post_that_is_not_live_gets_no_permalink(records: Records, end: str) -> None:
    post = fenced(records)
    if end != "posting":
        post = moved(records, post, ended(post)[end])
    standing = records.everything()
    records.ledger.set_permalink(replace(post, provider_post_id=MEDIA), "https://www.instagram.com/p/abc/")
    assert records.everything() == standing


def test_a_live_post_without_a_media_id_gets_no_permalink(records: Records) -> None:
    post = fenced(records)
    posted = moved(records, post, post.as_posted(None, A_MINUTE_LATER))
    standing = records.everything()
    records.ledger.set_permalink(posted, "https://www.instagram.com/p/abc/")
    assert records.everything() == standing
