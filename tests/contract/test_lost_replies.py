"""A write whose reply is lost on the way took effect all the same: the SDK's own repetition must find that out.

Every reply is lost on a real connection, after DynamoDB has written, so that what is repeated is the very same request.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from contract.implementations import DynamoImplementation
from contract.scenes import (
    A_MINUTE_LATER,
    CONTAINER,
    FAULT,
    LEASE_OVER,
    MEDIA,
    OTHER_LEASE,
    TEN,
    claimed,
    ended,
    fenced,
    furnish,
    next_post,
    photo_in,
    queue,
)
from contract.wire import Wire
from domain.ids import RunId
from domain.ports import Addition, Claim, RecordsUnavailableError, Resolution, Retrial, Settlement
from domain.posts import CONTAINER_LIFE, Evidence, Lease, Post
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post

ALL_TRIES = 4


@pytest.fixture
def wire(dynamo_url: str) -> Iterator[Wire]:
    with Wire(dynamo_url) as wire:
        yield wire


@pytest.fixture
def records(dynamo_url: str, wire: Wire, aws_environment: None) -> DynamoImplementation:
    return DynamoImplementation(dynamo_url, by_way_of=wire.url)


def lose(wire: Wire, operation: str, *, times: int = 1) -> None:
    wire.requests.clear()
    wire.lose_answer(f"DynamoDB {operation}", times=times)


# ---- the ledger's writes, each of them lost once ----


def test_a_claim_whose_reply_is_lost_is_won(records: DynamoImplementation, wire: Wire) -> None:
    furnish(records)
    lose(wire, "TransactWriteItems")
    assert records.ledger.claim(a_post()) is Claim.WON
    assert wire.names()[:2] == ["DynamoDB TransactWriteItems"] * 2
    assert records.ledger.get(DEFAULT, NINE) == a_post()
    assert photo_in(records).post_slot == NINE


def test_a_repetition_carries_the_same_client_token(records: DynamoImplementation, wire: Wire) -> None:
    furnish(records)
    lose(wire, "TransactWriteItems", times=2)
    records.ledger.claim(a_post())
    tokens = [request.body["ClientRequestToken"] for request in wire.requests[:3]]
    assert len(tokens) == 3
    assert len(set(tokens)) == 1
    assert len(tokens[0]) == 36


def test_a_claim_that_is_made_anew_after_a_lost_reply_is_won(records: DynamoImplementation, wire: Wire) -> None:
    """Another token than the first, as after a conflict: the post that stands there tells."""
    furnish(records)
    lose(wire, "TransactWriteItems", times=ALL_TRIES)
    with pytest.raises(RecordsUnavailableError):
        records.ledger.claim(a_post())
    assert records.ledger.claim(a_post()) is Claim.WON
    first, last = wire.requests[0], wire.requests[ALL_TRIES]
    assert first.body["ClientRequestToken"] != last.body["ClientRequestToken"]


def test_another_runs_claim_is_not_won_by_a_lost_reply(records: DynamoImplementation, wire: Wire) -> None:
    claimed(records)
    lose(wire, "TransactWriteItems")
    other = a_post(lease=Lease(RunId("run-2"), a_post().lease.until))
    assert records.ledger.claim(other) is Claim.SLOT_TAKEN
    assert records.ledger.get(DEFAULT, NINE) == a_post()


def test_a_refusal_whose_reply_is_lost_is_recorded(records: DynamoImplementation, wire: Wire) -> None:
    furnish(records)
    failed = a_post().as_failed(FAULT, A_MINUTE_LATER)
    lose(wire, "TransactWriteItems")
    assert records.ledger.refuse(failed, pause="A pause.") is True
    assert records.ledger.get(DEFAULT, NINE) == failed
    assert records.personas.get(DEFAULT) == a_persona(paused_reason="A pause.")


def test_a_take_over_whose_reply_is_lost_is_done(records: DynamoImplementation, wire: Wire) -> None:
    post = fenced(records)
    lose(wire, "UpdateItem")
    taken = records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER)
    assert taken == replace(post, lease=OTHER_LEASE, updated_at=LEASE_OVER)
    assert wire.names() == ["DynamoDB UpdateItem", "DynamoDB UpdateItem", "DynamoDB GetItem"]
    assert wire.requests[-1].body["ConsistentRead"] is True


def test_a_fence_whose_reply_is_lost_is_set_once(records: DynamoImplementation, wire: Wire) -> None:
    post = claimed(records)
    sent = post.as_fenced(CONTAINER, A_MINUTE_LATER)
    lose(wire, "UpdateItem")
    assert records.ledger.advance(post, sent) is True
    assert wire.names() == ["DynamoDB UpdateItem", "DynamoDB UpdateItem", "DynamoDB GetItem"]
    assert records.ledger.get(DEFAULT, NINE) == sent


@pytest.mark.parametrize("end", ["posted", "failed", "unconfirmed"])
def test_an_end_whose_reply_is_lost_is_written(records: DynamoImplementation, wire: Wire, end: str) -> None:
    post = fenced(records)
    after = ended(post)[end]
    lose(wire, "UpdateItem")
    assert records.ledger.advance(post, after) is True
    assert records.ledger.get(DEFAULT, NINE) == after


def test_a_fence_that_another_run_set_is_not_taken_for_a_lost_reply(records: DynamoImplementation, wire: Wire) -> None:
    post = claimed(records)
    taken = records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER)
    assert taken is not None
    assert records.ledger.advance(taken, taken.as_fenced(CONTAINER, A_MINUTE_LATER)) is True
    lose(wire, "UpdateItem")
    assert records.ledger.advance(post, post.as_fenced(CONTAINER, A_MINUTE_LATER)) is False


@pytest.mark.parametrize("what", ["requeue and pause", "next post", "pause"])
def test_a_settlement_whose_reply_is_lost_is_done(records: DynamoImplementation, wire: Wire, what: str) -> None:
    post = claimed(records, "first", "second")
    failed = post.as_failed(FAULT, A_MINUTE_LATER)
    arguments_of: Mapping[str, Mapping[str, Any]] = {
        "requeue and pause": {"requeue": photo_in(records, "first"), "pause": "A pause."},
        "next post": {"goes_on_with": next_post(of=post)},
        "pause": {"pause": "A pause."},
    }
    arguments = arguments_of[what]
    lose(wire, "TransactWriteItems")
    assert records.ledger.settle(post, failed, **arguments) is Settlement.DONE
    assert records.ledger.get(DEFAULT, NINE) == failed
    assert records.ledger.get(DEFAULT, next_post(of=post).slot) == arguments.get("goes_on_with")
    assert records.personas.get(DEFAULT) == a_persona(paused_reason=arguments.get("pause"))
    assert (a_photo_id("first") in queue(records)) is ("requeue" in arguments)


def test_a_settlement_that_is_made_anew_after_a_lost_reply_is_done(records: DynamoImplementation, wire: Wire) -> None:
    post = claimed(records, "first", "second")
    failed = post.as_failed(FAULT, A_MINUTE_LATER)
    lose(wire, "TransactWriteItems", times=ALL_TRIES)
    with pytest.raises(RecordsUnavailableError):
        records.ledger.settle(post, failed, goes_on_with=next_post(of=post))
    standing = records.everything()
    assert records.ledger.settle(post, failed, goes_on_with=next_post(of=post)) is Settlement.DONE
    assert records.everything() == standing


def test_a_write_whose_every_reply_is_lost_may_have_taken_effect(records: DynamoImplementation, wire: Wire) -> None:
    post = claimed(records)
    sent = post.as_fenced(CONTAINER, A_MINUTE_LATER)
    lose(wire, "UpdateItem", times=ALL_TRIES)
    with pytest.raises(RecordsUnavailableError):
        records.ledger.advance(post, sent)
    assert wire.names() == ["DynamoDB UpdateItem"] * ALL_TRIES
    assert records.ledger.get(DEFAULT, NINE) == sent


def test_a_read_back_that_is_lost_too_is_records_unavailable(records: DynamoImplementation, wire: Wire) -> None:
    post = claimed(records)
    lose(wire, "UpdateItem")
    wire.lose_answer("DynamoDB GetItem", times=ALL_TRIES)
    with pytest.raises(RecordsUnavailableError):
        records.ledger.advance(post, post.as_fenced(CONTAINER, A_MINUTE_LATER))


def test_a_media_id_whose_reply_is_lost_is_noted(records: DynamoImplementation, wire: Wire) -> None:
    post = fenced(records)
    live = post.as_posted(None, A_MINUTE_LATER)
    records.ledger.advance(post, live)
    lose(wire, "UpdateItem")
    assert records.ledger.complete(live.as_identified(MEDIA, None, LEASE_OVER)) is True
    assert records.ledger.get(DEFAULT, NINE) == live.as_identified(MEDIA, None, LEASE_OVER)


def test_a_permalink_whose_reply_is_lost_is_noted(records: DynamoImplementation, wire: Wire) -> None:
    post = fenced(records)
    posted = post.as_posted(MEDIA, A_MINUTE_LATER)
    records.ledger.advance(post, posted)
    lose(wire, "UpdateItem")
    records.ledger.set_permalink(posted, "https://www.instagram.com/p/abc/")
    assert records.ledger.get(DEFAULT, NINE) == replace(posted, permalink="https://www.instagram.com/p/abc/")


# ---- the library's and the directory's ----


def test_an_import_whose_reply_is_lost_is_in_the_queue_once(records: DynamoImplementation, wire: Wire) -> None:
    lose(wire, "PutItem")
    assert records.library.add(a_photo()) in {Addition.ADDED, Addition.UNCHANGED}
    assert queue(records) == [a_photo().photo_id]


def test_an_update_whose_reply_is_lost_is_made(records: DynamoImplementation, wire: Wire) -> None:
    records.library.add(a_photo())
    lose(wire, "UpdateItem")
    assert records.library.add(a_photo(caption="New")) in {Addition.UPDATED, Addition.UNCHANGED}
    assert photo_in(records).caption == "New"


def test_a_persona_whose_reply_is_lost_is_added(records: DynamoImplementation, wire: Wire) -> None:
    lose(wire, "PutItem")
    assert records.personas.add(a_persona()) is True
    assert records.personas.get(DEFAULT) == a_persona()


def test_a_resumption_whose_reply_is_lost_is_done(records: DynamoImplementation, wire: Wire) -> None:
    records.personas.add(a_persona(paused_reason="A pause."))
    lose(wire, "UpdateItem")
    assert records.personas.resume(DEFAULT) is True
    assert records.personas.get(DEFAULT) == a_persona()


# ---- conflicts, which cancel a write and say nothing of its conditions ----


def cancelled(*codes: str) -> Mapping[str, Any]:
    return {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": [{"Code": code, "Message": "A reason."} for code in codes],
    }


CONFLICT = {
    "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
    "message": "Transaction is ongoing for the item",
}
IN_PROGRESS = {
    "__type": "com.amazonaws.dynamodb.v20120810#TransactionInProgressException",
    "Message": "The transaction with the given request token is already in progress.",
}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_claim_that_meets_another_transaction_is_tried_again(
    records: DynamoImplementation, wire: Wire, place: int
) -> None:
    furnish(records)
    reasons = ["None", "None", "None"]
    reasons[place] = "TransactionConflict"
    wire.requests.clear()
    wire.answer("DynamoDB TransactWriteItems", 400, cancelled(*reasons), times=2)
    assert records.ledger.claim(a_post()) is Claim.WON
    assert wire.names() == ["DynamoDB TransactWriteItems"] * 3


def test_a_claim_whose_first_try_is_still_under_way_is_tried_again(records: DynamoImplementation, wire: Wire) -> None:
    furnish(records)
    wire.answer("DynamoDB TransactWriteItems", 400, IN_PROGRESS)
    assert records.ledger.claim(a_post()) is Claim.WON


@pytest.mark.parametrize(
    "write",
    [
        lambda records: records.ledger.advance(a_post(), a_post().as_fenced(CONTAINER, A_MINUTE_LATER)),
        lambda records: records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER) is not None,
        lambda records: records.library.add(a_photo(caption="New")) is Addition.UPDATED,
        lambda records: records.personas.resume(DEFAULT),
    ],
    ids=["advance", "take over", "update", "resume"],
)
def test_a_single_write_that_meets_a_transaction_is_tried_again(
    records: DynamoImplementation, wire: Wire, write: Callable[[DynamoImplementation], bool]
) -> None:
    claimed(records)
    wire.answer("DynamoDB UpdateItem", 400, CONFLICT, times=2)
    assert write(records) is True


def test_a_conflict_beside_a_condition_that_failed_is_a_refusal(records: DynamoImplementation, wire: Wire) -> None:
    furnish(records)
    wire.answer("DynamoDB TransactWriteItems", 400, cancelled("TransactionConflict", "None", "ConditionalCheckFailed"))
    assert records.ledger.claim(a_post(slot=TEN)) is Claim.PHOTO_TAKEN


def test_a_conflict_without_end_is_records_unavailable(
    records: DynamoImplementation, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.dynamo.calls.FIRST_CONFLICT_WAIT", 0.0)
    furnish(records)
    wire.requests.clear()
    wire.answer("DynamoDB TransactWriteItems", 400, cancelled("None", "None", "TransactionConflict"), times=100)
    with pytest.raises(RecordsUnavailableError):
        records.ledger.claim(a_post())
    assert len(wire.requests) == 9


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceeded", "ThrottlingError"])
def test_a_transaction_that_is_cancelled_for_want_of_room_is_records_unavailable(
    records: DynamoImplementation, wire: Wire, code: str
) -> None:
    furnish(records)
    wire.answer("DynamoDB TransactWriteItems", 400, cancelled("None", "None", code), times=10)
    with pytest.raises(RecordsUnavailableError):
        records.ledger.claim(a_post())


# ---- the owner's word ----


def a_failed_post(records: DynamoImplementation) -> Post:
    post = claimed(records)
    failed = post.as_failed(FAULT, A_MINUTE_LATER)
    records.ledger.advance(post, failed)
    return failed


@pytest.mark.parametrize("times", [1, ALL_TRIES])
def test_a_retry_whose_reply_is_lost_is_made_once(records: DynamoImplementation, wire: Wire, times: int) -> None:
    """Also where it is made anew under another client token: the post that stands there tells."""
    failed = a_failed_post(records)
    again = a_post(slot=TEN, retry_of=NINE)
    lose(wire, "TransactWriteItems", times=times)
    if times == ALL_TRIES:
        with pytest.raises(RecordsUnavailableError):
            records.ledger.retry(failed, again)
    assert records.ledger.retry(failed, again) is Retrial.DONE
    assert records.ledger.get(DEFAULT, TEN) == again
    assert records.ledger.get(DEFAULT, NINE) == failed.as_retried(TEN, again.created_at)
    assert photo_in(records).post_slot == TEN


@pytest.mark.parametrize("times", [1, ALL_TRIES])
@pytest.mark.parametrize("is_live", [True, False])
def test_a_word_whose_reply_is_lost_is_written(
    records: DynamoImplementation, wire: Wire, times: int, is_live: bool
) -> None:
    post = fenced(records)
    later = A_MINUTE_LATER + CONTAINER_LIFE
    unconfirmed = post.as_unconfirmed(FAULT, Evidence("FINISHED"), later)
    records.ledger.advance(post, unconfirmed)
    after = unconfirmed.as_resolved_posted(MEDIA, None, later) if is_live else unconfirmed.as_resolved_not_posted(later)
    lose(wire, "TransactWriteItems", times=times)
    if times == ALL_TRIES:
        with pytest.raises(RecordsUnavailableError):
            records.ledger.resolve(unconfirmed, after)
    assert records.ledger.resolve(unconfirmed, after) is Resolution.DONE
    assert records.ledger.get(DEFAULT, NINE) == after


def test_a_pause_whose_reply_is_lost_is_made(records: DynamoImplementation, wire: Wire) -> None:
    records.personas.add(a_persona())
    lose(wire, "UpdateItem")
    assert records.personas.pause(DEFAULT, "A holiday.") == "A holiday."
    assert records.personas.get(DEFAULT) == a_persona(paused_reason="A holiday.")
