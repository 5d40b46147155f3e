"""The owner's commands against each other and against the engine, on DynamoDB Local: many at once, and one wins."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any, Final, TypeVar

import pytest

from contract.implementations import DynamoImplementation
from contract.scenes import A_MINUTE_LATER, CONTAINER, FAULT, MEDIA, OTHER_LEASE, claimed, furnish, queue
from contract.servers import aws_environment, dynamodb_local_url
from domain.ids import MediaId, PersonaId, RunId
from domain.personas import Persona
from domain.photos import HeldBack, HeldBackFor
from domain.ports import Claim, Resolution, Retrial, Settlement
from domain.post_driver import PostDriver
from domain.posts import CONTAINER_LIFE, Evidence, Lease, Post, PostStatus
from domain.quota import QuotaKeeper
from domain.remove_persona import RemovePersona
from domain.runs import Run
from domain.slots import Slot
from fakes.clock import FakeClock
from fakes.instagram import FakePublisher, FakeRenditions
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post
from fakes.run_log import FakeRunLog

__all__ = ["aws_environment", "dynamodb_local_url"]

AT_ONCE: Final = 8
ROUNDS: Final = 3
A_DAY_LATER: Final = A_MINUTE_LATER + CONTAINER_LIFE

T = TypeVar("T")


@pytest.fixture
def records(dynamodb_local_url: str, aws_environment: None) -> DynamoImplementation:
    return DynamoImplementation(dynamodb_local_url)


def all_at_once(*work: Callable[[], T]) -> Sequence[T]:
    gate = Barrier(len(work))

    def run(one: Callable[[], T]) -> T:
        gate.wait()
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def a_slot(number: int) -> Slot:
    return Slot(NINE.start + timedelta(hours=3, seconds=number))


def following(post: Post, number: int, *, slot: Slot | None = None) -> Post:
    lease = Lease(RunId(f"owner-{number}"), OTHER_LEASE.until)
    return a_post(slot=slot or a_slot(number), photo_id=post.photo_id, lease=lease, retry_of=post.slot)


def standing(records: DynamoImplementation, slot: Slot = NINE) -> Post:
    post = records.ledger.get(DEFAULT, slot)
    assert post is not None
    return post


@pytest.mark.parametrize("in_one_second", [True, False])
def test_many_retries_of_one_post_give_one_post(records: DynamoImplementation, in_one_second: bool) -> None:
    post = claimed(records)
    for number in range(ROUNDS):
        failed = post.as_failed(FAULT, A_MINUTE_LATER)
        assert records.ledger.advance(post, failed)
        offers = [
            following(post, 100 * number + one, slot=a_slot(100 * number) if in_one_second else None)
            for one in range(AT_ONCE)
        ]
        answers = all_at_once(*(partial(records.ledger.retry, failed, offer) for offer in offers))
        assert answers.count(Retrial.DONE) == 1
        won = offers[answers.index(Retrial.DONE)]
        assert {post.slot for post in records.ledger.history(DEFAULT, limit=99)} >= {won.slot}
        assert len(records.ledger.history(DEFAULT, limit=99)) == number + 2
        assert standing(records, failed.slot).retried_in == won.slot
        photo = records.library.get(DEFAULT, post.photo_id)
        assert photo is not None
        assert photo.post_slot == won.slot
        assert standing(records, won.slot) == won
        post = won


def test_a_retry_and_a_reconciler_that_puts_the_photo_back_do_not_both_have_it(records: DynamoImplementation) -> None:
    """The reconciler ends the post by its deadline as the owner, who took it for failed, retries it."""
    for number in range(ROUNDS):
        slot = Slot(NINE.start + timedelta(minutes=number))
        furnish(records)
        post = a_post(slot=slot)
        assert records.ledger.claim(post) is Claim.WON
        failed = post.as_failed(FAULT, A_MINUTE_LATER)
        photo = records.library.get(DEFAULT, post.photo_id)
        settled, retried = all_at_once(
            partial(records.ledger.settle, post, failed, requeue=photo),
            partial(records.ledger.retry, failed, following(post, number)),
        )
        assert (settled, retried) == (Settlement.DONE, retried)
        assert retried in {Retrial.NOT_FAILED, Retrial.PHOTO_GONE}
        assert queue(records) == [a_photo_id("sunrise")]


def test_a_retried_post_is_the_retrys_or_the_reconcilers(records: DynamoImplementation) -> None:
    """Its lease has ended as it is taken over and fenced by two: one of both sends."""
    post = claimed(records)
    failed = post.as_failed(FAULT, A_MINUTE_LATER)
    records.ledger.advance(post, failed)
    again = following(post, 1)
    assert records.ledger.retry(failed, again) is Retrial.DONE
    late = again.lease.until + timedelta(seconds=1)
    reconciler = Lease(RunId("reconciler"), late + timedelta(minutes=5))

    def reconcile() -> bool:
        taken = records.ledger.take_over(DEFAULT, again.slot, reconciler, late)
        return (
            taken is not None
            and not taken.is_fenced
            and records.ledger.advance(taken, taken.as_fenced(CONTAINER, late))
        )

    sent = all_at_once(reconcile, lambda: records.ledger.advance(again, again.as_fenced(CONTAINER, late)))
    assert sum(sent) == 1
    assert standing(records, again.slot).publish_attempts == 1


def unconfirmed(records: DynamoImplementation, name: str, slot: Slot) -> Post:
    post = a_post(slot=slot, photo_id=a_photo_id(name))
    assert records.ledger.claim(post) is Claim.WON
    sent = post.as_fenced(CONTAINER, A_MINUTE_LATER)
    after = sent.as_unconfirmed(FAULT, Evidence("FINISHED", (MEDIA,)), A_DAY_LATER)
    assert records.ledger.advance(post, sent)
    assert records.ledger.advance(sent, after)
    return after


def test_of_two_words_on_one_post_one_counts(records: DynamoImplementation) -> None:
    furnish(records, *(f"photo {number}" for number in range(ROUNDS)))
    for number in range(ROUNDS):
        post = unconfirmed(records, f"photo {number}", a_slot(number))
        words = [
            post.as_resolved_posted(MediaId(f"17{number}"), None, A_DAY_LATER),
            post.as_resolved_not_posted(A_DAY_LATER),
        ] * 2
        words = [replace(word, updated_at=A_DAY_LATER + timedelta(seconds=one)) for one, word in enumerate(words)]
        answers = all_at_once(*(partial(records.ledger.resolve, post, word) for word in words))
        assert sorted(answers, key=str) == sorted([Resolution.DONE, *[Resolution.NOT_UNCONFIRMED] * 3], key=str)
        assert standing(records, post.slot) == words[answers.index(Resolution.DONE)]


def test_one_media_told_of_two_posts_at_once_is_one_posts(records: DynamoImplementation) -> None:
    names = [f"photo {number}" for number in range(2 * ROUNDS)]
    furnish(records, *names)
    for number in range(ROUNDS):
        posts = [unconfirmed(records, names[2 * number + one], a_slot(2 * number + one)) for one in (0, 1)]
        words = [post.as_resolved_posted(MediaId(f"17{number}"), None, A_DAY_LATER) for post in posts]
        answers = all_at_once(*(partial(records.ledger.resolve, *pair) for pair in zip(posts, words, strict=True)))
        assert sorted(answers, key=str) == [Resolution.DONE, Resolution.MEDIA_TAKEN]
        (other,) = (post for post, answer in zip(posts, answers, strict=True) if answer is not Resolution.DONE)
        assert records.ledger.resolve(other, other.as_resolved_not_posted(A_DAY_LATER)) is Resolution.DONE


def test_a_word_and_a_retry_at_once_make_no_post_of_what_is_live(records: DynamoImplementation) -> None:
    furnish(records)
    post = unconfirmed(records, "sunrise", NINE)
    live = post.as_resolved_posted(MEDIA, None, A_DAY_LATER)
    said, retried = all_at_once(
        lambda: records.ledger.resolve(post, live), lambda: records.ledger.retry(post, following(post, 1))
    )
    assert (said, retried) == (Resolution.DONE, Retrial.NOT_FAILED)


def test_a_photo_is_skipped_or_claimed(records: DynamoImplementation) -> None:
    names = [f"photo {number}" for number in range(2 * ROUNDS)]
    furnish(records, *names)
    for number, name in enumerate(names):
        photo_id = a_photo_id(name)
        work: list[Callable[[], Any]] = [
            partial(records.library.hold_back, DEFAULT, photo_id, HeldBack(HeldBackFor.SKIPPED)),
            partial(records.ledger.claim, a_post(slot=a_slot(number), photo_id=photo_id)),
        ]
        is_skipped, claim = all_at_once(*work)
        assert (is_skipped, claim) in {(True, Claim.PHOTO_TAKEN), (False, Claim.WON)}
        photo = records.library.get(DEFAULT, photo_id)
        assert photo is not None
        assert (photo.held_back is not None, photo.post_slot is not None) == (is_skipped, not is_skipped)
        assert photo_id not in queue(records)


def test_two_pauses_at_once_agree_on_the_reason(records: DynamoImplementation) -> None:
    records.personas.add(a_persona())
    for _ in range(ROUNDS):
        reasons = [f"Reason {number}." for number in range(AT_ONCE)]
        answers = all_at_once(*(partial(records.personas.pause, DEFAULT, why) for why in reasons))
        (agreed,) = set(answers)
        assert records.personas.get(DEFAULT) == a_persona(paused_reason=agreed)
        assert all_at_once(*[partial(records.personas.resume, DEFAULT, seen=agreed)] * 2).count(True) == 1


class NoSecrets:
    """Neither schedule nor token: what a removal has to do besides."""

    def delete(self, persona_id: PersonaId) -> bool:
        return False

    def forget(self, persona_id: PersonaId) -> None:
        pass


def test_a_post_ends_with_its_persona_or_is_sent_and_never_both(records: DynamoImplementation) -> None:
    """The reconciler read the persona a moment before the removal paused it, and comes for the same post."""
    for number in range(2 * ROUNDS):
        persona = a_persona(persona_id=PersonaId(f"persona-{number}"))
        records.personas.add(persona)
        records.library.add(a_photo(persona_id=persona.persona_id))
        assert records.ledger.claim(a_post(persona_id=persona.persona_id)) is Claim.WON
        publisher = FakePublisher(FakeClock())

        def driver(clock: FakeClock, publisher: FakePublisher = publisher) -> PostDriver:
            clock.advance(timedelta(minutes=10))
            log = FakeRunLog()
            return PostDriver(
                ledger=records.ledger,
                library=records.library,
                publisher=publisher,
                renditions=FakeRenditions(),
                quota=QuotaKeeper(records.personas, records.ledger, publisher, clock, log),
                clock=clock,
                log=log,
            )

        def reconcile(persona: Persona = persona, make: Callable[[FakeClock], PostDriver] = driver) -> object:
            clock = FakeClock()
            engine = make(clock)
            run = Run(RunId("reconciler"), clock.now() + timedelta(minutes=5))
            taken = records.ledger.take_over(persona.persona_id, NINE, run.lease, clock.now())
            return None if taken is None else engine.drive(run, persona, taken).outcome

        def remove(persona: Persona = persona, make: Callable[[FakeClock], PostDriver] = driver) -> object:
            clock = FakeClock()
            return RemovePersona(
                schedules=NoSecrets(),
                secrets=NoSecrets(),
                personas=records.personas,
                library=records.library,
                ledger=records.ledger,
                driver=make(clock),
                clock=clock,
                start_run=lambda: Run(RunId("removal"), clock.now() + timedelta(minutes=5)),
            )(persona.persona_id)

        all_at_once(reconcile, remove)
        post = records.ledger.get(persona.persona_id, NINE)
        assert post is not None
        assert (post.status, len(publisher.live)) in {(PostStatus.FAILED, 0), (PostStatus.POSTED, 1)}
        assert list(records.library.best_first(persona.persona_id)) == []
