"""The contract of PostLedger's settle: the end of a post and what comes with it, all of it or nothing."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from contract.implementations import DynamoImplementation, Records
from contract.scenes import (
    A_MINUTE_LATER,
    CONTAINER,
    FAULT,
    LEASE_OVER,
    OTHER_LEASE,
    TEN,
    claimed,
    fenced,
    furnish,
    moved,
    next_post,
    photo_in,
    queue,
)
from domain.ids import PersonaId
from domain.ports import Claim, Settlement
from domain.posts import Post
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post

COMBINATIONS = ["nothing", "requeue", "pause", "requeue and pause", "next post", "next post and requeue"]


def end(records: Records, post: Post, what: str) -> Mapping[str, Any]:
    """The arguments of a settlement that ends ``post`` with ``what``."""
    arguments: Mapping[str, Mapping[str, Any]] = {
        "nothing": {},
        "requeue": {"requeue": photo_in(records, "first")},
        "pause": {"pause": "The token has expired."},
        "requeue and pause": {"requeue": photo_in(records, "first"), "pause": "The token has expired."},
        "next post": {"goes_on_with": next_post(of=post)},
        "next post and requeue": {"goes_on_with": next_post(of=post), "requeue": photo_in(records, "first")},
    }
    return arguments[what]


def failed(post: Post) -> Post:
    return post.as_failed(FAULT, A_MINUTE_LATER)


# ---- done ----


@pytest.mark.parametrize("is_sent", [False, True], ids=["not sent", "sent"])
@pytest.mark.parametrize("what", COMBINATIONS)
def test_all_of_a_settlement_is_written(records: Records, what: str, is_sent: bool) -> None:
    post = fenced(records, "first", "second") if is_sent else claimed(records, "first", "second")
    arguments = end(records, post, what)
    assert records.ledger.settle(post, failed(post), **arguments) is Settlement.DONE
    assert records.ledger.get(DEFAULT, NINE) == failed(post)
    is_back = "requeue" in arguments
    assert photo_in(records, "first") == a_photo("first", score=9.0, post_slot=None if is_back else NINE)
    assert records.personas.get(DEFAULT) == a_persona(paused_reason=arguments.get("pause"))
    following = arguments.get("goes_on_with")
    assert records.ledger.get(DEFAULT, next_post(of=post).slot) == following
    assert photo_in(records, "second").post_slot == (following.slot if following else None)
    assert queue(records) == [a_photo_id("first")] * is_back + [a_photo_id("second")] * (following is None)


def test_a_photo_that_is_back_has_its_old_place_in_the_queue(records: Records) -> None:
    post = claimed(records, "first", "second", "third")
    records.ledger.settle(post, failed(post), requeue=photo_in(records, "first"))
    assert queue(records) == [a_photo_id(name) for name in ("first", "second", "third")]


def test_a_photo_that_is_back_may_be_claimed_by_a_later_slot(records: Records) -> None:
    post = claimed(records)
    records.ledger.settle(post, failed(post), requeue=photo_in(records))
    assert records.ledger.claim(a_post(slot=TEN)) is Claim.WON
    assert photo_in(records).post_slot == TEN


def test_a_photo_that_is_another_posts_by_now_stays_with_that_post(records: Records) -> None:
    post = claimed(records, "first", "second")
    assert records.ledger.claim(a_post(slot=TEN, photo_id=a_photo_id("second"))) is Claim.WON
    settled = records.ledger.settle(post, failed(post), requeue=photo_in(records, "second"), pause="A pause.")
    assert settled is Settlement.DONE
    assert records.ledger.get(DEFAULT, NINE) == failed(post)
    assert photo_in(records, "second").post_slot == TEN
    assert records.personas.get(DEFAULT) == a_persona(paused_reason="A pause.")
    assert queue(records) == []


def test_a_photo_that_was_deleted_meanwhile_does_not_come_back(dynamo: DynamoImplementation) -> None:
    post = claimed(dynamo)
    photo = photo_in(dynamo)
    dynamo.raw.delete_item(
        TableName=dynamo.names["PhotosTable"],
        Key={"persona_id": {"S": DEFAULT}, "photo_id": {"S": photo.photo_id}},
    )
    assert dynamo.ledger.settle(post, failed(post), requeue=photo) is Settlement.DONE
    assert dynamo.items("PhotosTable") == []


def test_a_paused_persona_gets_the_newer_reason(records: Records) -> None:
    post = claimed(records)
    records.ledger.refuse(a_post(slot=TEN), pause="An older reason.")
    assert records.ledger.settle(post, failed(post), pause="A newer reason.") is Settlement.DONE
    assert records.personas.get(DEFAULT) == a_persona(paused_reason="A newer reason.")


def test_a_post_ends_in_any_way_with_a_pause(records: Records) -> None:
    post = fenced(records)
    unresolved = post.as_unresolved(FAULT, A_MINUTE_LATER)
    assert records.ledger.settle(post, unresolved, pause="Blocked as spam.") is Settlement.DONE
    assert records.ledger.get(DEFAULT, NINE) == unresolved
    assert records.personas.get(DEFAULT) == a_persona(paused_reason="Blocked as spam.")


# ---- the lease is lost ----


@pytest.mark.parametrize(
    ("loss", "what"),
    [("taken over", what) for what in COMBINATIONS]
    + list(product(("ended", "fenced", "fenced again", "gone"), ("requeue and pause", "next post"))),
)
def test_who_lost_the_lease_settles_nothing(records: Records, loss: str, what: str) -> None:
    if loss == "gone":
        furnish(records, "first", "second")
        post = a_post(photo_id=a_photo_id("first"))
    else:
        post = claimed(records, "first", "second")
    if loss == "taken over":
        assert records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER) is not None
    elif loss == "ended":
        moved(records, post, post.as_posted(None, A_MINUTE_LATER))
    elif loss == "fenced":
        moved(records, post, post.as_fenced(CONTAINER, A_MINUTE_LATER))
    elif loss == "fenced again":
        post = moved(records, post, replace(post, publish_attempts=1, publish_sent_at=A_MINUTE_LATER))
        moved(records, post, replace(post, publish_attempts=2))
    arguments = end(records, post, what)
    standing = records.everything()
    assert records.ledger.settle(post, failed(post), **arguments) is Settlement.LEASE_LOST
    assert records.everything() == standing


# ---- the slot cannot go on as meant ----


def test_a_next_photo_that_is_taken_settles_nothing(records: Records) -> None:
    post = claimed(records, "first", "second")
    assert records.ledger.claim(a_post(slot=TEN, photo_id=a_photo_id("second"))) is Claim.WON
    standing = records.everything()
    settled = records.ledger.settle(post, failed(post), goes_on_with=next_post(of=post))
    assert settled is Settlement.NEXT_PHOTO_TAKEN
    assert records.everything() == standing


def test_a_next_photo_that_does_not_exist_settles_nothing(records: Records) -> None:
    post = claimed(records, "first")
    standing = records.everything()
    settled = records.ledger.settle(post, failed(post), goes_on_with=next_post("unknown", of=post))
    assert settled is Settlement.NEXT_PHOTO_TAKEN
    assert records.everything() == standing


def test_a_next_slot_that_has_a_post_settles_nothing(records: Records) -> None:
    post = claimed(records, "first", "second", "third")
    other = replace(next_post("third", of=post), lease=OTHER_LEASE)
    assert records.ledger.claim(other) is Claim.WON
    standing = records.everything()
    settled = records.ledger.settle(post, failed(post), goes_on_with=next_post(of=post))
    assert settled is Settlement.NEXT_SLOT_CLOSED
    assert records.everything() == standing


def test_a_slot_does_not_go_on_for_a_persona_that_is_paused(records: Records) -> None:
    post = claimed(records, "first", "second")
    records.ledger.refuse(a_post(slot=TEN), pause="A pause.")
    standing = records.everything()
    settled = records.ledger.settle(post, failed(post), goes_on_with=next_post(of=post))
    assert settled is Settlement.NEXT_SLOT_CLOSED
    assert records.everything() == standing


def test_a_lost_lease_counts_more_than_a_slot_that_cannot_go_on(records: Records) -> None:
    post = claimed(records, "first", "second")
    assert records.ledger.claim(a_post(slot=TEN, photo_id=a_photo_id("second"))) is Claim.WON
    assert records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER) is not None
    settled = records.ledger.settle(post, failed(post), goes_on_with=next_post(of=post))
    assert settled is Settlement.LEASE_LOST


def test_a_slot_whose_next_photo_is_taken_goes_on_with_the_one_after(records: Records) -> None:
    post = claimed(records, "first", "second", "third")
    records.ledger.claim(a_post(slot=TEN, photo_id=a_photo_id("second")))
    records.ledger.settle(post, failed(post), goes_on_with=next_post("second", of=post))
    assert records.ledger.settle(post, failed(post), goes_on_with=next_post("third", of=post)) is Settlement.DONE
    assert photo_in(records, "third").post_slot == next_post(of=post).slot


# ---- repeated ----


@pytest.mark.parametrize("what", COMBINATIONS)
def test_a_repeated_settlement_is_done_and_does_nothing_twice(records: Records, what: str) -> None:
    post = claimed(records, "first", "second")
    arguments = end(records, post, what)
    records.ledger.settle(post, failed(post), **arguments)
    records.personas.resume(DEFAULT)
    if "requeue" in what:
        records.ledger.claim(a_post(slot=TEN, photo_id=a_photo_id("first")))
    standing = records.everything()
    assert records.ledger.settle(post, failed(post), **arguments) is Settlement.DONE
    assert records.everything() == standing


def test_another_end_than_the_one_on_record_is_a_lost_lease(records: Records) -> None:
    post = claimed(records, "first", "second")
    moved(records, post, replace(failed(post), updated_at=LEASE_OVER))
    standing = records.everything()
    settled = records.ledger.settle(post, failed(post), goes_on_with=next_post(of=post))
    assert settled is Settlement.LEASE_LOST
    assert records.everything() == standing


def test_another_personas_records_are_not_touched(records: Records) -> None:
    other = PersonaId("other")
    records.personas.add(a_persona(persona_id=other))
    records.library.add(a_photo("first", persona_id=other))
    records.ledger.claim(a_post(persona_id=other, photo_id=a_photo_id("first")))
    post = claimed(records, "first")
    records.ledger.settle(post, failed(post), requeue=photo_in(records, "first"), pause="A pause.")
    assert records.personas.get(other) == a_persona(persona_id=other)
    assert records.ledger.get(other, NINE) == a_post(persona_id=other, photo_id=a_photo_id("first"))
    assert records.library.get(other, a_photo_id("first")) == a_photo("first", persona_id=other, post_slot=NINE)


def test_a_post_ends_also_when_the_persona_to_pause_was_removed(dynamo: DynamoImplementation) -> None:
    post = claimed(dynamo)
    dynamo.raw.delete_item(TableName=dynamo.names["PersonasTable"], Key={"persona_id": {"S": DEFAULT}})
    settled = dynamo.ledger.settle(post, failed(post), requeue=photo_in(dynamo), pause="The token has expired.")
    assert settled is Settlement.DONE
    assert dynamo.ledger.get(DEFAULT, NINE) == failed(post)
    assert queue(dynamo) == [post.photo_id]
    assert dynamo.personas.get(DEFAULT) is None


def test_a_pause_and_a_next_post_exclude_each_other(records: Records) -> None:
    post = claimed(records, "first", "second")
    before = records.everything()
    with pytest.raises(ValueError, match="cannot go on"):
        records.ledger.settle(post, failed(post), pause="A pause.", goes_on_with=next_post(of=post))
    assert records.everything() == before


def test_a_refusal_for_a_persona_that_is_not_there_writes_nothing(records: Records) -> None:
    before = records.everything()
    assert records.ledger.refuse(failed(a_post()), pause="A pause.") is False
    assert records.everything() == before
