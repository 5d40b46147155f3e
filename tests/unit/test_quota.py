"""The publishing quota: read only where it may matter, and a post waits until it frees."""

from datetime import timedelta

import pytest

from domain.faults import QuotaUsed, Retry
from domain.outcomes import Outcome
from domain.personas import Quota
from domain.posts import PostStatus
from domain.quota import FEW_LEFT, LONGEST_WAIT, LOOK_AGAIN_AFTER
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, Engine, a_persona, a_photo, a_photo_id

REFUSED = QuotaUsed("Instagram refused: the account's publishing quota is used up.", code=9, subcode=2207042)


@pytest.fixture
def engine() -> Engine:
    return Engine(a_photo("first", score=9.0), a_photo("second", score=8.0))


def later(engine: Engine, hours: float) -> Slot:
    engine.clock.advance(timedelta(hours=hours))
    return Slot.by_hand(engine.clock.now())


def note(engine: Engine, left: int, *, ago: timedelta = timedelta(hours=1)) -> None:
    engine.personas.note_quota(DEFAULT, Quota(left, engine.clock.now() - ago))


def test_nothing_is_asked_while_nobody_has_reason_to(engine: Engine) -> None:
    assert engine.deliver().outcome is Outcome.POSTED
    assert "quota_left" not in engine.publisher.calls
    assert engine.persona.quota is None


@pytest.mark.parametrize(("left", "asked"), [(0, True), (FEW_LEFT, True), (FEW_LEFT + 1, False)])
def test_it_is_asked_for_when_few_were_left(engine: Engine, left: int, asked: bool) -> None:
    note(engine, left)
    assert engine.deliver().outcome is Outcome.POSTED
    assert ("quota_left" in engine.publisher.calls) is asked


def test_what_was_left_a_day_ago_says_nothing(engine: Engine) -> None:
    note(engine, 0, ago=timedelta(hours=24))
    engine.deliver()
    assert "quota_left" not in engine.publisher.calls


def test_what_is_left_is_noted_before_the_post_takes_one(engine: Engine) -> None:
    note(engine, 1)
    engine.publisher.left = 3
    assert engine.deliver().outcome is Outcome.POSTED
    assert engine.persona.quota is not None
    assert engine.persona.quota.left == 2


def test_a_used_up_quota_sends_nothing_and_waits_until_our_oldest_post_no_longer_counts(engine: Engine) -> None:
    assert engine.deliver().outcome is Outcome.POSTED
    posted_at = engine.post().posted_at
    assert posted_at is not None
    slot = later(engine, 22)
    note(engine, 0)
    engine.publisher.left = 0
    report = engine.deliver(slot)
    assert report.outcome is Outcome.DEFERRED
    assert "quota is used up" in (report.reason or "")
    assert engine.publisher.calls.count("publish") == 1
    assert engine.post(slot).is_fenced is False
    assert engine.post(slot).lease.until == posted_at + timedelta(hours=24)
    assert report.waits_until == engine.post(slot).lease.until

    engine.clock.advance(timedelta(hours=2))
    engine.publisher.left = 50
    later_report = engine.take_over_and_drive(slot)
    assert later_report is not None
    assert later_report.outcome is Outcome.POSTED


def test_a_quota_that_posts_by_hand_used_up_is_looked_at_again_in_a_few_hours(engine: Engine) -> None:
    assert engine.deliver().outcome is Outcome.POSTED
    slot = later(engine, 1)
    note(engine, 0)
    engine.publisher.left = 0
    assert engine.deliver(slot).outcome is Outcome.DEFERRED
    assert engine.post(slot).lease.until == engine.clock.now() + LONGEST_WAIT, "ours would count for 23 hours more"
    again = engine.deliver(slot)
    assert (again.outcome, "quota is used up" in (again.reason or "")) == (Outcome.IN_PROGRESS, True)
    engine.clock.advance(LONGEST_WAIT + timedelta(minutes=1))
    engine.publisher.left = 1
    report = engine.take_over_and_drive(slot)
    assert report is not None
    assert report.outcome is Outcome.POSTED


def test_a_refused_publish_is_noted_so_that_the_next_post_asks_first(engine: Engine) -> None:
    engine.publisher.fail("publish", REFUSED)
    assert engine.deliver().outcome is Outcome.DEFERRED
    post = engine.post()
    assert (post.status, post.is_fenced) == (PostStatus.POSTING, False)
    assert post.lease.until == engine.clock.now() + LOOK_AGAIN_AFTER
    assert engine.persona.quota == Quota(0, engine.clock.now())
    engine.publisher.left = 0
    assert engine.deliver(later(engine, 0.5)).outcome is Outcome.DEFERRED
    assert engine.publisher.calls.count("publish") == 1


def test_instagrams_own_word_on_when_it_frees_is_taken(engine: Engine) -> None:
    told = QuotaUsed("Used up.", code=9, subcode=2207042, after=timedelta(minutes=17))
    engine.publisher.fail("publish", told)
    engine.deliver()
    assert engine.post().lease.until == engine.clock.now() + timedelta(minutes=17)


def test_a_quota_that_cannot_be_read_keeps_nobody_from_posting(engine: Engine) -> None:
    note(engine, 0)
    engine.publisher.fail("quota_left", Retry("Instagram had an error of its own."))
    assert engine.deliver().outcome is Outcome.POSTED


def test_a_quota_that_never_frees_ends_at_the_deadline(engine: Engine) -> None:
    note(engine, 0)
    engine.publisher.left = 0
    assert engine.deliver().outcome is Outcome.DEFERRED
    engine.clock.advance(timedelta(hours=23))
    report = engine.take_over_and_drive(NINE)
    assert report is not None
    assert report.outcome is Outcome.FAILED
    assert engine.queue()[0] == a_photo_id("first")


def test_the_note_is_the_personas_own(engine: Engine) -> None:
    note(engine, 2)
    assert engine.persona == a_persona(quota=Quota(2, engine.clock.now() - timedelta(hours=1)))
