"""What the reconciler does with what an earlier run left open."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from domain.faults import AccountFault, Retry, Unresolved
from domain.ids import ContainerId, PersonaId
from domain.outcomes import Outcome, Report
from domain.personas import Persona
from domain.ports import ContainerStatus, RecordsUnavailableError
from domain.posts import PostStatus
from domain.reconcile import TIME_FOR_ONE, Reconcile, Reconciliation
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, Engine, a_persona, a_photo, a_photo_id, a_post
from fakes.records import FakePersonaDirectory, FakePostLedger

LASTING = timedelta(minutes=5)
HICCUP = Retry("Not now.")
NO_ANSWER = Unresolved("No answer.")
NAMES = ("best", "second", "third")


@pytest.fixture
def engine() -> Engine:
    return Engine(*(a_photo(name, score=9.0 - place, caption=name) for place, name in enumerate(NAMES)))


def reconcile(
    engine: Engine, *, lasting: timedelta = LASTING, personas: FakePersonaDirectory | None = None
) -> Reconciliation:
    use_case = Reconcile(
        personas=personas or engine.personas,
        ledger=engine.ledger,
        driver=engine.driver,
        clock=engine.clock,
        log=engine.log,
    )
    return use_case(engine.start_run(lasting))


def at(minutes: int) -> Slot:
    return Slot(NINE.start + timedelta(minutes=minutes))


def leave_open(engine: Engine) -> list[Slot]:
    """Three claims, each killed at once, a minute apart."""
    slots = []
    for minute, name in enumerate(NAMES):
        engine.claim(name, slot=at(minute), run=engine.start_run(LASTING))
        slots.append(at(minute))
        engine.clock.advance(timedelta(minutes=1))
    return slots


def outcomes(done: Reconciliation) -> list[Outcome]:
    return [report.outcome for report in done.reports]


def test_nothing_open_is_nothing_to_do(engine: Engine) -> None:
    assert reconcile(engine) == Reconciliation(())
    assert engine.publisher.calls == []


def test_a_post_whose_lease_stands_is_left_alone(engine: Engine) -> None:
    engine.claim("best", run=engine.start_run(LASTING))
    assert reconcile(engine) == Reconciliation(())


def test_posts_of_killed_runs_are_finished_oldest_lease_first(engine: Engine) -> None:
    slots = leave_open(engine)
    engine.clock.advance(timedelta(minutes=15))
    done = reconcile(engine)
    assert [report.slot for report in done.reports] == slots
    assert outcomes(done) == [Outcome.POSTED] * 3
    assert [media.caption for media in engine.publisher.live] == ["third", "second", "best"]


def test_what_the_time_does_not_allow_is_left_to_the_next_run(engine: Engine) -> None:
    slots = leave_open(engine)
    engine.clock.advance(timedelta(minutes=15))
    engine.publisher.before_call = lambda method: engine.clock.advance(timedelta(seconds=8))
    first = reconcile(engine, lasting=timedelta(seconds=70))
    assert first.left_for_later
    assert 0 < len(first.reports) < 3
    engine.clock.advance(timedelta(minutes=15))
    second = reconcile(engine)
    assert [report.slot for report in (*first.reports, *second.reports)] == slots
    assert len(engine.publisher.live) == 3


def test_one_stuck_container_does_not_take_the_others_time(engine: Engine) -> None:
    leave_open(engine)
    engine.clock.advance(timedelta(minutes=15))
    engine.publisher.statuses = [ContainerStatus.IN_PROGRESS] * 60
    began_at = engine.clock.now()
    done = reconcile(engine, lasting=timedelta(minutes=10))
    assert outcomes(done) == [Outcome.DEFERRED] * 3
    assert engine.clock.now() - began_at < 3 * TIME_FOR_ONE


def test_live_posts_without_a_media_id_take_no_other_posts_time(engine: Engine) -> None:
    """The account's media cannot be listed, and each try takes half a minute."""
    for number in range(12):
        post = a_post(slot=at(-60 - number), photo_id=a_photo_id(f"live {number}"))
        fenced = post.as_fenced(ContainerId(str(number)), NINE.start + timedelta(seconds=1))
        engine.records.posts[DEFAULT, post.slot] = fenced.as_posted(None, NINE.start + timedelta(seconds=2))
    slots = leave_open(engine)
    engine.clock.advance(timedelta(minutes=30))
    engine.publisher.fail("recent_media", HICCUP, times=1000)
    engine.publisher.before_call = lambda method: (
        engine.clock.advance(timedelta(seconds=30)) if method == "recent_media" else None
    )
    done = reconcile(engine)
    assert [(report.outcome, report.slot) for report in done.reports] == [(Outcome.POSTED, slot) for slot in slots]
    assert done.left_for_later

    engine.clock.advance(timedelta(hours=49))
    for _ in range(2):
        reconcile(engine)
    assert [key for key, post in engine.records.posts.items() if post.wants_another_look] == []


def test_each_report_is_told_before_the_next_post_is_seen_to(engine: Engine) -> None:
    leave_open(engine)
    engine.clock.advance(timedelta(minutes=15))
    told: list[Slot] = []
    live: list[int] = []

    def on_report(report: Report) -> None:
        told.append(report.slot)
        live.append(len(engine.publisher.live))

    use_case = Reconcile(
        personas=engine.personas, ledger=engine.ledger, driver=engine.driver, clock=engine.clock, log=engine.log
    )
    use_case(engine.start_run(LASTING), on_report)
    assert (told, live) == ([at(0), at(1), at(2)], [1, 2, 3])


class BreakingLedger(FakePostLedger):
    """The list of open posts breaks off after its first page."""

    def open_posts(self, now: datetime) -> Iterator[tuple[PersonaId, Slot]]:
        yield next(super().open_posts(now))
        raise RecordsUnavailableError("DynamoDB did not read the open posts.")


def test_what_was_done_is_told_also_where_the_list_breaks_off(engine: Engine) -> None:
    leave_open(engine)
    engine.clock.advance(timedelta(minutes=15))
    engine.ledger = BreakingLedger(engine.records)
    done = reconcile(engine)
    assert (outcomes(done), done.unreadable) == ([Outcome.POSTED], 1)


def test_an_error_that_nobody_foresaw_does_not_keep_the_others_from_being_seen_to(engine: Engine) -> None:
    leave_open(engine)
    engine.clock.advance(timedelta(minutes=15))
    calls = count()

    def before_call(_: str) -> None:
        if next(calls) == 0:
            raise UnicodeEncodeError("utf-8", "secret", 0, 1, "surrogates not allowed")

    engine.publisher.before_call = before_call
    done = reconcile(engine)
    assert (outcomes(done), done.unreadable) == ([Outcome.POSTED] * 2, 1)
    assert "secret" not in str(engine.log.lines)


def test_a_post_that_a_run_defers_is_not_seen_to_twice_by_it(engine: Engine) -> None:
    leave_open(engine)
    engine.clock.advance(timedelta(minutes=15))
    engine.publisher.fail("create_container", HICCUP, times=4)
    assert sorted(outcomes(reconcile(engine))) == [Outcome.DEFERRED, Outcome.POSTED, Outcome.POSTED]


class BrokenDirectory(FakePersonaDirectory):
    """One persona's record cannot be read."""

    def get(self, persona_id: PersonaId) -> Persona | None:
        if persona_id == "broken":
            raise RecordsUnavailableError("The record is damaged.")
        return super().get(persona_id)


def test_a_record_that_cannot_be_read_does_not_keep_the_others_from_being_seen_to(engine: Engine) -> None:
    engine.personas.add(a_persona(persona_id=PersonaId("broken")))
    first = engine.start_run(LASTING)
    engine.claim("best", slot=at(1), run=first)
    post = engine.records.posts.pop((DEFAULT, at(1)))
    engine.records.posts[PersonaId("broken"), at(1)] = replace(post, persona_id=PersonaId("broken"))
    engine.clock.advance(timedelta(minutes=1))
    engine.claim("second", slot=at(2), run=engine.start_run(LASTING))
    engine.clock.advance(timedelta(minutes=15))
    done = reconcile(engine, personas=BrokenDirectory(engine.records))
    assert (done.unreadable, outcomes(done)) == (1, [Outcome.POSTED])
    assert "A post could not be seen to." in engine.log.messages("error")


def test_an_open_post_without_its_persona_is_told_of_and_ends_at_its_deadline(engine: Engine) -> None:
    engine.claim("best", run=engine.start_run(LASTING))
    del engine.records.personas[DEFAULT]
    engine.clock.advance(timedelta(minutes=15))
    before = engine.post()
    assert reconcile(engine) == Reconciliation(())
    assert engine.post() == before
    assert engine.log.messages("error") == ["An open post has no persona any more; add it again, or look at the post."]
    engine.clock.advance(timedelta(hours=23))
    assert outcomes(reconcile(engine)) == [Outcome.FAILED]
    assert engine.photo("best").post_slot is None


def test_a_post_that_may_be_live_is_unconfirmed_a_day_later_also_without_its_persona(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER)
    engine.publisher.fail("container_status", HICCUP, times=2)
    engine.deliver()
    del engine.records.personas[DEFAULT]
    engine.clock.advance(timedelta(hours=24, seconds=1))
    assert outcomes(reconcile(engine)) == [Outcome.UNCONFIRMED]
    assert engine.post().evidence is not None


class LaggingLedger(FakePostLedger):
    """The index still has posts that have moved on."""

    def open_posts(self, now: object) -> Iterator[tuple[PersonaId, Slot]]:
        yield from list(self._records.posts)


def test_a_post_that_moved_on_since_the_index_was_written_is_left_as_it_is(engine: Engine) -> None:
    engine.deliver()
    posted = engine.post()
    engine.ledger = LaggingLedger(engine.records)
    engine.clock.advance(timedelta(hours=1))
    assert reconcile(engine) == Reconciliation(())
    assert engine.post() == posted
    assert len(engine.publisher.live) == 1


def test_a_live_post_gets_its_media_id_from_a_later_run(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER, after_effect=True)
    engine.publisher.fail("recent_media", HICCUP)
    engine.deliver()
    assert (engine.post().status, engine.post().provider_post_id) == (PostStatus.POSTED, None)
    engine.clock.advance(timedelta(minutes=15))
    assert reconcile(engine) == Reconciliation(())
    assert engine.post().provider_post_id == engine.publisher.live[0].media_id
    assert list(engine.ledger.open_posts(engine.clock.now() + timedelta(hours=1))) == []


def test_an_account_fault_found_by_the_reconciler_pauses_the_persona_for_the_others(engine: Engine) -> None:
    leave_open(engine)
    engine.clock.advance(timedelta(minutes=15))
    engine.publisher.fail("create_container", AccountFault("The token has expired."))
    assert outcomes(reconcile(engine)) == [Outcome.FAILED, Outcome.DEFERRED, Outcome.DEFERRED]
    assert engine.persona.paused_reason == "The token has expired."
    assert engine.publisher.live == []
