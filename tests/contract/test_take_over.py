"""The contract of PostLedger's take-over: an open post goes to a new run once its lease is over, and to one alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contract.implementations import DynamoImplementation, Records
from contract.scenes import A_MINUTE_LATER, CONTAINER, LEASE_OVER, OTHER_LEASE, claimed, ended, fenced, moved, reopened
from domain.ids import PersonaId, RunId
from domain.posts import Lease
from domain.slots import Slot
from fakes.library import DEFAULT, NINE

THIRD_LEASE = Lease(RunId("run-3"), OTHER_LEASE.until + timedelta(minutes=5))


def test_a_post_whose_lease_is_over_goes_to_the_run_that_takes_it(records: Records) -> None:
    post = claimed(records)
    taken = records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER)
    assert taken == replace(post, lease=OTHER_LEASE, updated_at=LEASE_OVER)
    assert records.ledger.get(DEFAULT, NINE) == taken


@pytest.mark.parametrize("early", [timedelta(0), timedelta(milliseconds=1), timedelta(minutes=4)])
def test_a_post_whose_lease_is_not_over_stays_with_its_run(records: Records, early: timedelta) -> None:
    post = claimed(records)
    before = records.everything()
    assert records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, post.lease.until - early) is None
    assert records.everything() == before


@pytest.mark.parametrize("end", ["posted", "failed", "unconfirmed"])
def test_a_post_that_has_ended_is_never_taken_over(records: Records, end: str) -> None:
    post = claimed(records)
    moved(records, post, ended(post)[end])
    before = records.everything()
    assert records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER) is None
    assert records.everything() == before


def test_a_slot_without_a_post_is_left_without(records: Records) -> None:
    claimed(records)
    before = records.everything()
    assert records.ledger.take_over(DEFAULT, Slot(NINE.start, 2), OTHER_LEASE, LEASE_OVER) is None
    assert records.ledger.take_over(PersonaId("other"), NINE, OTHER_LEASE, LEASE_OVER) is None
    assert records.everything() == before


def test_of_two_runs_only_the_first_takes_a_post_over(records: Records) -> None:
    claimed(records)
    taken = records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER)
    assert taken is not None
    assert records.ledger.take_over(DEFAULT, NINE, THIRD_LEASE, LEASE_OVER) is None
    assert records.ledger.get(DEFAULT, NINE) == taken


def test_a_post_may_be_taken_over_again_when_the_second_lease_is_over_too(records: Records) -> None:
    claimed(records)
    records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER)
    later = OTHER_LEASE.until + timedelta(seconds=1)
    taken = records.ledger.take_over(DEFAULT, NINE, THIRD_LEASE, later)
    assert taken is not None
    assert taken.lease == THIRD_LEASE


def test_a_repeated_take_over_finds_that_the_post_is_its_own(records: Records) -> None:
    claimed(records)
    taken = records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER)
    before = records.everything()
    assert taken is not None
    assert records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER) == taken
    assert records.everything() == before


@pytest.mark.parametrize("times_sent", [1, 2])
def test_the_run_that_takes_over_learns_what_the_record_says_by_then(records: Records, times_sent: int) -> None:
    post = fenced(records)
    if times_sent == 2:
        post = moved(records, post, reopened(post))
        post = moved(records, post, post.as_fenced(CONTAINER, A_MINUTE_LATER))
    taken = records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER)
    assert taken == replace(post, lease=OTHER_LEASE, updated_at=LEASE_OVER)
    assert taken.is_fenced
    assert taken.publish_attempts == times_sent


def test_the_former_run_writes_nothing_any_more(records: Records) -> None:
    post = claimed(records)
    records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER)
    before = records.everything()
    for after in ended(post).values():
        assert records.ledger.advance(post, after) is False
    assert records.everything() == before


def test_the_new_run_moves_the_post_on(records: Records) -> None:
    claimed(records)
    taken = records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER)
    assert taken is not None
    posted = moved(records, taken, ended(taken)["posted"])
    assert records.ledger.get(DEFAULT, NINE) == posted


def test_what_is_taken_over_is_what_the_write_returned(dynamo: DynamoImplementation) -> None:
    claimed(dynamo)
    dynamo.asked.clear()
    dynamo.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER)
    (asked,) = dynamo.asked
    assert asked.operation == "UpdateItem"
    assert asked.parameters["ReturnValues"] == "ALL_NEW"
