"""Guards of the protocol that show only in one place, each with a test that fails without it (`make mutants`)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest

from domain.faults import AccountFault, Fault, PhotoFault, Unresolved
from domain.ids import PersonaId
from domain.outcomes import Outcome
from domain.photos import Photo
from domain.ports import Claim, ContainerStatus, Settlement
from domain.post_driver import PostDriver
from domain.post_next_best import PostNextBest, Request
from domain.posts import Lease, Post, PostStatus
from domain.quota import QuotaKeeper
from domain.reconcile import Reconcile
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, Engine, a_photo
from fakes.records import FakePostLedger, FakeRecords
from handlers import post_next_best, reconcile
from local.lambda_context import LambdaContext

AGAIN: Final = Slot(NINE.start, 2)


class Killed(BaseException):
    """SIGKILL: nothing in the product may catch it."""


# ---- the fresh owner ----


def test_two_runs_with_one_request_id_are_two_owners(on_fakes: Callable[..., None]) -> None:
    """Two deliveries of one event share Lambda's request id, and one environment may serve both."""
    engine = Engine(a_photo("first"), a_photo("second"), a_photo("third"))
    on_fakes(engine)
    context = LambdaContext(aws_request_id="00000000-0000-4000-8000-00000000000a")
    for hour in ("07", "08", "09"):
        post_next_best.handler({"persona_id": "default", "time": f"2026-11-22T{hour}:00:00Z"}, context)
    owners = {post.lease.owner for post in engine.records.posts.values()}
    assert len(owners) == len(engine.records.posts) == 3
    assert not any(context.aws_request_id in owner for owner in owners)


def test_a_reconciler_is_another_owner_than_the_run_before_it(on_fakes: Callable[..., None]) -> None:
    engine = Engine(a_photo())
    on_fakes(engine)
    engine.publisher.fail("publish", Unresolved("Lost."))
    post_next_best.handler({"persona_id": "default", "time": "2026-11-22T09:00:00Z"}, LambdaContext())
    first = engine.post().lease.owner
    engine.clock.advance(timedelta(minutes=10))
    reconcile.handler({}, LambdaContext())
    assert engine.post().lease.owner != first


# ---- what the take-over returns ----


class LateFence(FakePostLedger):
    """A killed run's last write lands just before its post is taken over, and its request with it."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.records)
        self._engine = engine

    def take_over(self, persona_id: PersonaId, slot: Slot, lease: Lease, now: datetime) -> Post | None:
        engine, post = self._engine, self._engine.post()
        if not post.is_fenced:
            container_id = engine.publisher.create_container(
                engine.persona, "https://bucket.example/a.jpg", post.caption, None, within=timedelta(seconds=1)
            )
            engine.publisher.publish(engine.persona, container_id, within=timedelta(seconds=1))
            assert self.advance(post, post.as_fenced(container_id, engine.clock.now()))
        return super().take_over(persona_id, slot, lease, now)


def _with_ledger(engine: Engine, ledger: FakePostLedger) -> tuple[PostNextBest, Reconcile]:
    driver = PostDriver(
        ledger=ledger,
        library=engine.library,
        publisher=engine.publisher,
        renditions=engine.renditions,
        quota=QuotaKeeper(engine.personas, ledger, engine.publisher, engine.clock, engine.log),
        clock=engine.clock,
        log=engine.log,
    )
    return (
        PostNextBest(
            personas=engine.personas,
            library=engine.library,
            ledger=ledger,
            driver=driver,
            clock=engine.clock,
            log=engine.log,
        ),
        Reconcile(personas=engine.personas, ledger=ledger, driver=driver, clock=engine.clock, log=engine.log),
    )


@pytest.fixture
def left_over() -> Engine:
    """A post whose run was killed before its fence, and whose lease is over."""
    engine = Engine(a_photo("sunrise"), a_photo("another", score=4.0))
    engine.claim(run=engine.start_run())
    engine.clock.advance(timedelta(minutes=10))
    return engine


def test_the_reconciler_goes_by_what_its_take_over_returned(left_over: Engine) -> None:
    _, reconcile_all = _with_ledger(left_over, LateFence(left_over))
    (report,) = reconcile_all(left_over.start_run()).reports
    assert report.outcome is Outcome.POSTED
    assert len(left_over.publisher.live) == 1
    assert left_over.post().provider_post_id == left_over.publisher.live[0].media_id


def test_a_repeated_delivery_goes_by_what_its_take_over_returned(left_over: Engine) -> None:
    post_again, _ = _with_ledger(left_over, LateFence(left_over))
    report = post_again(Request(DEFAULT, NINE), left_over.start_run)
    assert report.outcome is Outcome.POSTED
    assert len(left_over.publisher.live) == 1
    assert left_over.post().provider_post_id == left_over.publisher.live[0].media_id


# ---- what belongs together is written together ----


class DyingLedger(FakePostLedger):
    """Its run is killed right after the write of this number took effect."""

    def __init__(self, records: FakeRecords, writes: int) -> None:
        super().__init__(records)
        self._left = writes

    def claim(self, post: Post) -> Claim:
        answer = super().claim(post)
        self._count()
        return answer

    def settle(
        self,
        before: Post,
        after: Post,
        *,
        requeue: Photo | None = None,
        pause: str | None = None,
        goes_on_with: Post | None = None,
    ) -> Settlement:
        answer = super().settle(before, after, requeue=requeue, pause=pause, goes_on_with=goes_on_with)
        self._count()
        return answer

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed


def _killed_after(writes: int, method: str, fault: Fault) -> Engine | None:
    """What the records are when the run is killed right after so many writes; None when it makes fewer."""
    engine = Engine(a_photo("sunrise"), a_photo("another", score=4.0))
    engine.publisher.fail(method, fault)
    post_once, _ = _with_ledger(engine, DyingLedger(engine.records, writes))
    try:
        post_once(Request(DEFAULT, NINE), engine.start_run)
    except Killed:
        return engine
    return None


def _every_kill(method: str, fault: Fault) -> list[Engine]:
    engines = [_killed_after(writes, method, fault) for writes in range(1, 12)]
    assert engines[-1] is None, "the run makes more writes than are tried"
    return [engine for engine in engines if engine is not None]


@pytest.mark.parametrize("method", ["create_container", "container_status", "publish"])
def test_no_kill_parts_a_refused_photo_from_the_slots_next_claim(method: str) -> None:
    engines = _every_kill(method, PhotoFault("The photo is refused."))
    failed = [engine for engine in engines if engine.post().status is PostStatus.FAILED]
    assert failed
    for engine in failed:
        assert engine.post(AGAIN).photo_id == a_photo("another").photo_id
        assert engine.photo("another").post_slot == AGAIN
    for engine in engines:
        assert (DEFAULT, AGAIN) not in engine.records.posts or engine in failed, "both were under way at once"


@pytest.mark.parametrize("method", ["create_container", "container_status", "publish"])
def test_no_kill_parts_a_refused_account_from_its_photo_and_its_pause(method: str) -> None:
    engines = _every_kill(method, AccountFault("The token is dead."))
    assert any(engine.post().status is PostStatus.FAILED for engine in engines)
    for engine in engines:
        is_failed = engine.post().status is PostStatus.FAILED
        assert (engine.photo().photo_id in engine.queue()) == is_failed
        assert (engine.persona.paused_reason is not None) == is_failed


# ---- nothing but the container decides ----


def test_a_media_of_the_same_caption_does_not_make_an_unresolved_post_live() -> None:
    """The owner posted the same words by hand, in the same minute."""
    engine = Engine(a_photo(caption="Good morning"))
    by_hand = Engine(a_photo(caption="Good morning"))
    by_hand.deliver()
    engine.publisher.live = by_hand.publisher.live
    engine.publisher.fail("publish", Unresolved("Lost."))
    assert engine.deliver().outcome is Outcome.UNRESOLVED
    for _ in range(3):
        engine.clock.advance(timedelta(hours=7))
        report = engine.take_over_and_drive()
        assert report is not None
        assert report.outcome is Outcome.UNRESOLVED
    engine.clock.advance(timedelta(hours=7))
    report = engine.take_over_and_drive()
    assert report is not None
    assert report.outcome is Outcome.UNCONFIRMED
    assert engine.post().evidence is not None
    assert engine.post().provider_post_id is None


@pytest.mark.parametrize("status", [ContainerStatus.FINISHED, ContainerStatus.IN_PROGRESS, ContainerStatus.EXPIRED])
def test_no_other_status_ends_an_unresolved_post(status: ContainerStatus) -> None:
    engine = Engine(a_photo(), a_photo("another", score=4.0))
    engine.publisher.fail("publish", Unresolved("Lost."))
    engine.deliver()
    (container,) = engine.publisher.containers.values()
    container.status = status
    before = engine.post()
    engine.clock.advance(timedelta(hours=23, minutes=30))
    report = engine.take_over_and_drive()
    assert report is not None
    assert report.outcome is Outcome.UNRESOLVED
    assert replace(engine.post(), lease=before.lease, updated_at=before.updated_at) == before
    assert engine.photo().post_slot == NINE
    assert engine.publisher.calls.count("publish") == 1
    assert len(engine.publisher.containers) == 1
