"""The contract of PostLedger's claim and refusal: one transaction, and only a won one writes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from contract.implementations import DynamoImplementation, FakeImplementation, Records
from contract.scenes import (
    A_MINUTE_LATER,
    CLAIMED_AT,
    CONTAINER,
    FAULT,
    LEASE_OVER,
    OTHER_LEASE,
    TEN,
    claimed,
    ended,
    furnish,
    moved,
    photo_in,
    queue,
)
from domain.faults import FaultRecord
from domain.ids import ContainerId, MediaId, PersonaId, RunId
from domain.ports import Claim
from domain.posts import Evidence, Lease, Post, PostStatus
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post

ANOTHER_RUN = Lease(RunId("run-2"), a_post().lease.until)


# ---- won ----


def test_a_claim_puts_the_post_as_it_was_meant(records: Records) -> None:
    furnish(records)
    post = a_post()
    assert records.ledger.claim(post) is Claim.WON
    assert records.ledger.get(DEFAULT, NINE) == post


def test_every_fact_of_a_post_is_kept(records: Records) -> None:
    furnish(records)
    full = a_post(
        slot=Slot(NINE.start, 3),
        caption="Mörning\n#sun 📷",
        container_id=CONTAINER,
        publish_sent_at=A_MINUTE_LATER + timedelta(milliseconds=125),
        publish_attempts=2,
        provider_post_id=MediaId("17920238422030506"),
        permalink="https://www.instagram.com/p/abc/",
        posted_at=A_MINUTE_LATER,
        fault=FaultRecord("Unresolved", "No answer.", -2, 2207003),
        evidence=Evidence("IN_PROGRESS", (MediaId("1"), MediaId("2"))),
        retried_in=TEN,
    )
    assert records.ledger.claim(full) is Claim.WON
    assert records.ledger.get(DEFAULT, full.slot) == full


def test_facts_that_are_not_known_stay_unknown(records: Records) -> None:
    furnish(records)
    bare = a_post(caption="", fault=FaultRecord("Unresolved", "No answer."), evidence=Evidence("nothing"))
    assert records.ledger.claim(bare) is Claim.WON
    assert records.ledger.get(DEFAULT, NINE) == bare


def test_a_claim_takes_the_photo_out_of_the_queue_and_changes_nothing_else(records: Records) -> None:
    records.personas.add(a_persona())
    photo = a_photo(caption="Mine", alt_text="A lake.")
    records.library.add(photo)
    records.library.add(a_photo("other", score=1.0))
    records.ledger.claim(a_post())
    assert photo_in(records) == replace(photo, post_slot=NINE)
    assert queue(records) == [a_photo_id("other")]
    assert records.personas.get(DEFAULT) == a_persona()


def test_a_claimed_photo_has_no_place_in_the_index(dynamo: DynamoImplementation) -> None:
    claimed(dynamo)
    item = dynamo.item("PhotosTable", a_photo().photo_id)
    assert item["post_slot"] == {"S": str(NINE)}
    assert not {"queued_for", "rank"} & item.keys()


def test_a_photo_that_is_not_in_the_queue_cannot_be_claimed(records: Records) -> None:
    """The index may still show a photo that was held back, or that has a better one in its burst by now."""
    records.personas.add(a_persona())
    records.library.add(a_photo(awaits_linking=True))
    before = records.everything()
    assert records.ledger.claim(a_post()) is Claim.PHOTO_TAKEN
    assert records.everything() == before


def test_a_photo_that_has_a_post_cannot_be_claimed_wherever_it_stands(dynamo: DynamoImplementation) -> None:
    """Whatever a slip left in the queue."""
    furnish(dynamo)
    dynamo.raw.update_item(
        TableName=dynamo.names["PhotosTable"],
        Key={"persona_id": {"S": DEFAULT}, "photo_id": {"S": a_photo_id("sunrise")}},
        UpdateExpression="SET post_slot = :slot",
        ExpressionAttributeValues={":slot": {"S": "2026-11-01T09:00:00Z"}},
    )
    assert dynamo.ledger.claim(a_post()) is Claim.PHOTO_TAKEN


def test_a_post_that_failed_before_its_claim_takes_its_photo_all_the_same(records: Records) -> None:
    furnish(records)
    failed = a_post().as_failed(FAULT, CLAIMED_AT)
    assert records.ledger.claim(failed) is Claim.WON
    assert records.ledger.get(DEFAULT, NINE) == failed
    assert queue(records) == []


# ---- refused ----


def _slot_taken(records: Records) -> None:
    claimed(records, "other", "sunrise")


def _slot_done(records: Records) -> None:
    post = claimed(records, "other", "sunrise")
    moved(records, post, post.as_posted(MediaId("1"), A_MINUTE_LATER))


def _photo_taken(records: Records) -> None:
    furnish(records)
    assert records.ledger.claim(a_post(slot=TEN)) is Claim.WON


def _photo_unknown(records: Records) -> None:
    furnish(records, "other")


def _persona_paused(records: Records) -> None:
    records.personas.add(a_persona(paused_reason="The token has expired."))
    records.library.add(a_photo())


def _persona_unknown(records: Records) -> None:
    records.library.add(a_photo())


def _paused_and_photo_taken(records: Records) -> None:
    _photo_taken(records)
    assert records.ledger.refuse(a_post(slot=Slot(NINE.start - timedelta(days=1))), pause="A pause.") is True


def _paused_and_slot_taken(records: Records) -> None:
    _slot_taken(records)
    assert records.ledger.refuse(a_post(slot=Slot(NINE.start - timedelta(days=1))), pause="A pause.") is True


def _slot_and_photo_taken(records: Records) -> None:
    claimed(records, "other", "sunrise")
    assert records.ledger.claim(a_post(slot=TEN)) is Claim.WON


def _all_at_once(records: Records) -> None:
    _slot_and_photo_taken(records)
    assert records.ledger.refuse(a_post(slot=Slot(NINE.start - timedelta(days=1))), pause="A pause.") is True


@pytest.mark.parametrize(
    ("scene", "answer"),
    [
        (_slot_taken, Claim.SLOT_TAKEN),
        (_slot_done, Claim.SLOT_TAKEN),
        (_photo_taken, Claim.PHOTO_TAKEN),
        (_photo_unknown, Claim.PHOTO_TAKEN),
        (_persona_paused, Claim.PERSONA_PAUSED),
        (_persona_unknown, Claim.PERSONA_PAUSED),
        (_paused_and_photo_taken, Claim.PERSONA_PAUSED),
        (_paused_and_slot_taken, Claim.SLOT_TAKEN),
        (_slot_and_photo_taken, Claim.SLOT_TAKEN),
        (_all_at_once, Claim.SLOT_TAKEN),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else value.name,
)
def test_a_refused_claim_says_why_and_writes_nothing(
    records: Records, scene: Callable[[Records], None], answer: Claim
) -> None:
    scene(records)
    before = records.everything()
    assert records.ledger.claim(a_post(lease=ANOTHER_RUN)) is answer
    assert records.everything() == before


def test_another_personas_slot_does_not_count(records: Records) -> None:
    claimed(records)
    records.personas.add(a_persona(persona_id=PersonaId("other")))
    records.library.add(a_photo(persona_id=PersonaId("other")))
    assert records.ledger.claim(a_post(persona_id=PersonaId("other"))) is Claim.WON


def test_each_attempt_of_a_slot_is_claimed_by_itself(records: Records) -> None:
    claimed(records, "first", "second")
    second = a_post(slot=Slot(NINE.start, 2), photo_id=a_photo_id("second"))
    assert records.ledger.claim(second) is Claim.WON


# ---- repeated ----


def test_a_repeated_claim_finds_that_it_was_won(records: Records) -> None:
    post = claimed(records)
    before = records.everything()
    assert records.ledger.claim(post) is Claim.WON
    assert records.everything() == before


def test_a_repeated_claim_is_won_though_the_persona_was_paused_since(records: Records) -> None:
    post = claimed(records)
    records.ledger.refuse(a_post(slot=TEN), pause="A pause.")
    assert records.ledger.claim(post) is Claim.WON


def test_the_same_claim_by_another_run_is_refused(records: Records) -> None:
    post = claimed(records)
    before = records.everything()
    assert records.ledger.claim(replace(post, lease=ANOTHER_RUN)) is Claim.SLOT_TAKEN
    assert records.everything() == before


def test_a_claim_that_was_taken_over_is_not_won_again(records: Records) -> None:
    post = claimed(records)
    assert records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER) is not None
    before = records.everything()
    assert records.ledger.claim(post) is Claim.SLOT_TAKEN
    assert records.everything() == before


@pytest.mark.parametrize("end", ["posted", "failed", "unconfirmed"])
def test_a_claim_whose_post_has_ended_is_not_won_again(records: Records, end: str) -> None:
    post = claimed(records)
    moved(records, post, ended(post)[end])
    before = records.everything()
    assert records.ledger.claim(post) is Claim.SLOT_TAKEN
    assert records.everything() == before


def test_a_claim_whose_post_was_sent_is_not_won_again(records: Records) -> None:
    post = claimed(records)
    moved(records, post, post.as_fenced(ContainerId("1"), A_MINUTE_LATER))
    assert records.ledger.claim(post) is Claim.SLOT_TAKEN


# ---- racing ----


@pytest.fixture(params=["fake", "dynamodb-local"])
def raced(request: pytest.FixtureRequest) -> Records:
    """moto's transactions are not isolated from each other, so a race on it proves nothing."""
    if request.param == "fake":
        return FakeImplementation()
    request.getfixturevalue("aws_environment")
    return DynamoImplementation(request.getfixturevalue("dynamodb_local_url"))


def _race(records: Records, posts: list[Post]) -> list[Claim]:
    with ThreadPoolExecutor(len(posts)) as runs:
        return list(runs.map(records.ledger.claim, posts))


def test_of_many_slots_that_race_for_a_photo_one_gets_it(raced: Records) -> None:
    furnish(raced)
    posts = [
        a_post(slot=Slot(NINE.start + timedelta(minutes=number)), lease=Lease(RunId(f"run-{number}"), LEASE_OVER))
        for number in range(6)
    ]
    answers = _race(raced, posts)
    assert sorted(answer.name for answer in answers) == ["PHOTO_TAKEN"] * 5 + ["WON"]
    winner = posts[answers.index(Claim.WON)]
    assert photo_in(raced).post_slot == winner.slot
    assert raced.ledger.history(DEFAULT, limit=10) == [winner]


def test_of_many_runs_that_race_for_a_slot_one_gets_it_and_no_photo_is_lost(raced: Records) -> None:
    names = [f"photo {number}" for number in range(6)]
    furnish(raced, *names)
    posts = [a_post(photo_id=a_photo_id(name), lease=Lease(RunId(f"run of {name}"), LEASE_OVER)) for name in names]
    answers = _race(raced, posts)
    assert sorted(answer.name for answer in answers) == ["SLOT_TAKEN"] * 5 + ["WON"]
    winner = posts[answers.index(Claim.WON)]
    assert raced.ledger.history(DEFAULT, limit=10) == [winner]
    assert set(queue(raced)) == {post.photo_id for post in posts} - {winner.photo_id}


# ---- a post that is refused before anything is sent ----


def test_a_refused_post_is_on_record_its_photo_stays_and_the_persona_is_paused(records: Records) -> None:
    furnish(records)
    failed = a_post().as_failed(FAULT, CLAIMED_AT)
    assert records.ledger.refuse(failed, pause="The caption is too long.") is True
    assert records.ledger.get(DEFAULT, NINE) == failed
    assert photo_in(records) == a_photo(score=9.0)
    assert queue(records) == [a_photo().photo_id]
    assert records.personas.get(DEFAULT) == a_persona(paused_reason="The caption is too long.")


def test_a_post_is_refused_though_the_persona_is_paused_already(records: Records) -> None:
    records.personas.add(a_persona(paused_reason="An older reason."))
    assert records.ledger.refuse(a_post().as_failed(FAULT, CLAIMED_AT), pause="A new reason.") is True
    assert records.personas.get(DEFAULT) == a_persona(paused_reason="A new reason.")


def test_a_refusal_for_a_slot_that_has_a_post_writes_nothing(records: Records) -> None:
    claimed(records)
    before = records.everything()
    assert records.ledger.refuse(a_post(lease=ANOTHER_RUN).as_failed(FAULT, CLAIMED_AT), pause="A pause.") is False
    assert records.everything() == before


def test_a_repeated_refusal_is_done_and_pauses_nobody_again(records: Records) -> None:
    furnish(records)
    failed = a_post().as_failed(FAULT, CLAIMED_AT)
    records.ledger.refuse(failed, pause="A pause.")
    records.personas.resume(DEFAULT)
    before = records.everything()
    assert records.ledger.refuse(failed, pause="A pause.") is True
    assert records.everything() == before


def test_a_refused_post_of_a_persona_that_does_not_exist_is_not_recorded(dynamo: DynamoImplementation) -> None:
    before = dynamo.everything()
    assert dynamo.ledger.refuse(a_post().as_failed(FAULT, CLAIMED_AT), pause="A pause.") is False
    assert dynamo.everything() == before


def test_the_statuses_of_claimed_and_refused_posts_are_as_given(dynamo: DynamoImplementation) -> None:
    furnish(dynamo)
    dynamo.ledger.claim(a_post())
    dynamo.ledger.refuse(a_post(slot=TEN).as_failed(FAULT, CLAIMED_AT), pause="A pause.")
    statuses = {item["slot"]["S"]: item["status"]["S"] for item in dynamo.items("PostsTable")}
    assert statuses == {str(NINE): PostStatus.POSTING.value, str(TEN): PostStatus.FAILED.value}
