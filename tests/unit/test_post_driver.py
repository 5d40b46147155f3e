"""The driver: what becomes of a post from wherever its record stands, whatever Instagram answers."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.faults import AccountFault, Defer, Fault, FaultRecord, ImageNotFetched, PhotoFault, Retry, Unresolved
from domain.ids import MediaId, PersonaId
from domain.outcomes import Outcome, Report
from domain.photos import Photo
from domain.ports import ContainerStatus, RecentMedia
from domain.post_driver import MOST_DEADLINES_MISSED, MOST_RETRIES
from domain.posts import Evidence, Post, PostStatus
from domain.runs import LEASE_MARGIN
from domain.slots import Slot
from fakes.instagram import FakeRenditions
from fakes.library import DEFAULT, NINE, Engine, a_persona, a_photo, a_photo_id, a_post
from fakes.records import FakePhotoLibrary, FakeRecords

SECOND, THIRD = Slot(NINE.start, 2), Slot(NINE.start, 3)
TOO_LARGE = PhotoFault("Instagram refused: the photo is too large.", code=36000, subcode=2207004)
BAD_TOKEN = AccountFault("The token has expired.", code=190, subcode=463)
HICCUP = Retry("Instagram had an error of its own.", code=-1, subcode=2207001)
THROTTLED = Defer("The account is throttled.", code=4, after=timedelta(minutes=40))
NO_ANSWER = Unresolved("Instagram gave no answer to the publish request.")
SPAM = Unresolved("Blocked as spam.", code=4, subcode=2207051, account_too=True)
NOT_FETCHED = ImageNotFetched("Instagram could not fetch the photo.", code=9004, subcode=2207052)


@pytest.fixture
def engine() -> Engine:
    """One photo in the queue."""
    return Engine(a_photo(caption="Sunrise over the bay", alt_text="An orange sky"))


@pytest.fixture
def three_more() -> Engine:
    """Four photos in the queue: best, second, third, fourth."""
    names = ("best", "second", "third", "fourth")
    return Engine(*(a_photo(name, score=9.0 - place) for place, name in enumerate(names)))


def captions_live(engine: Engine) -> list[str]:
    return [media.caption for media in engine.publisher.live]


def state(engine: Engine) -> tuple[dict[Any, Any], dict[Any, Any], dict[Any, Any]]:
    records = engine.records
    return dict(records.personas), dict(records.photos), dict(records.posts)


def when(engine: Engine, method: str, act: Any) -> None:
    """Do ``act`` once, just before Instagram gets the next call of ``method``."""
    done = False

    def before_call(called: str) -> None:
        nonlocal done
        if called == method and not done:
            done = True
            act()

    engine.publisher.before_call = before_call


def everything_in_progress(engine: Engine) -> None:
    """Instagram never gets done with a container."""

    def before_call(_: str) -> None:
        for container in engine.publisher.containers.values():
            container.status = ContainerStatus.IN_PROGRESS

    engine.publisher.before_call = before_call


def taken_over(report: Report | None) -> Report:
    assert report is not None, "another run holds the lease"
    return report


# ---- the way that a post should go ----


def test_a_post_goes_live_and_is_recorded(engine: Engine) -> None:
    report = engine.claim_and_drive()
    (media,) = engine.publisher.live
    sent_at = media.published_at
    assert report == Report(Outcome.POSTED, DEFAULT, NINE, a_photo_id("sunrise"), media.media_id, sent_at=sent_at)
    post = engine.post()
    assert post.status is PostStatus.POSTED
    assert post.provider_post_id == media.media_id
    assert post.posted_at == post.publish_sent_at == sent_at
    assert (post.publish_attempts, post.fault) == (1, None)
    assert list(engine.publisher.containers) == [post.container_id]
    assert engine.photo().post_slot == NINE
    assert engine.queue() == []


def test_instagram_gets_the_photos_link_caption_and_alternative_text(engine: Engine) -> None:
    engine.claim_and_drive()
    (container,) = engine.publisher.containers.values()
    assert container.image_url == engine.renditions.link(engine.photo().object_key)
    assert (container.caption, container.alt_text) == ("Sunrise over the bay", "An orange sky")


def test_the_caption_that_was_claimed_is_the_caption_that_is_sent(engine: Engine) -> None:
    run = engine.start_run()
    post = engine.claim(run=run)
    engine.library.add(a_photo(caption="Changed since"))
    engine.driver.drive(run, engine.persona, post)
    assert captions_live(engine) == ["Sunrise over the bay"]


def test_the_fence_is_on_record_before_the_publish_request_leaves(engine: Engine) -> None:
    seen: list[Post] = []
    when(engine, "publish", lambda: seen.append(engine.post()))
    engine.claim_and_drive()
    (fenced,) = seen
    assert fenced.status is PostStatus.POSTING
    assert fenced.publish_sent_at == engine.clock.now()
    assert (fenced.publish_attempts, fenced.container_id) == (1, next(iter(engine.publisher.containers)))


def test_a_good_post_makes_three_calls_to_instagram(engine: Engine) -> None:
    engine.claim_and_drive()
    assert engine.publisher.calls == ["create_container", "container_status", "publish"]


def test_a_container_that_takes_its_time_is_polled_until_it_is_finished(engine: Engine) -> None:
    engine.publisher.statuses = [ContainerStatus.IN_PROGRESS] * 6
    assert engine.claim_and_drive().outcome is Outcome.POSTED
    assert [pause.total_seconds() for pause in engine.clock.slept] == [1, 2, 4, 8, 15, 15, 15]
    assert len(engine.publisher.containers) == 1


def test_the_lines_of_a_run_say_which_post_they_are_about(engine: Engine) -> None:
    engine.claim_and_drive()
    assert engine.log.lines
    for _, _, facts in engine.log.lines:
        assert facts["slot"] == "2026-11-22T09:00:00Z"
        assert facts["photo_id"] == a_photo_id("sunrise")
        assert facts["post_status"] == "posting"


def test_no_line_and_no_record_has_the_photos_link(engine: Engine) -> None:
    engine.publisher.fail("create_container", HICCUP)
    engine.claim_and_drive()
    assert "signature" not in repr(engine.log.lines) + repr(engine.records)


def test_a_lease_outlives_its_run_by_a_margin() -> None:
    run = Engine().start_run(timedelta(minutes=3))
    assert run.lease.owner == run.run_id
    assert run.lease.until == run.ends_at + LEASE_MARGIN
    assert timedelta(seconds=30) <= LEASE_MARGIN


# ---- retries, in the same run ----


@pytest.mark.parametrize("method", ["create_container", "container_status"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_call_that_fails_for_the_moment_is_tried_again(engine: Engine, method: str, times: int) -> None:
    engine.publisher.fail(method, HICCUP, times=times)
    assert engine.claim_and_drive().outcome is Outcome.POSTED
    assert len(engine.publisher.containers) == len(engine.publisher.live) == 1
    assert engine.post().fault is None


def test_the_pauses_between_retries_double(engine: Engine) -> None:
    engine.publisher.fail("create_container", HICCUP, times=4)
    engine.claim_and_drive()
    assert [pause.total_seconds() for pause in engine.clock.slept] == [2, 4, 8]


def test_a_retry_waits_as_long_as_its_fault_says(engine: Engine) -> None:
    engine.publisher.fail("create_container", Retry("Wait.", after=timedelta(seconds=31)))
    engine.claim_and_drive()
    assert engine.clock.slept[0] == timedelta(seconds=31)


def test_a_lost_answer_to_a_containers_creation_leaves_an_orphan_and_one_post(engine: Engine) -> None:
    engine.publisher.fail("create_container", HICCUP, after_effect=True)
    assert engine.claim_and_drive().outcome is Outcome.POSTED
    assert len(engine.publisher.containers) == 2
    assert len(engine.publisher.live) == 1


@pytest.mark.parametrize("method", ["create_container", "container_status"])
def test_a_post_whose_retries_are_used_up_waits_for_a_later_run(engine: Engine, method: str) -> None:
    engine.publisher.fail(method, HICCUP, times=4)
    report = engine.claim_and_drive()
    assert report.outcome is Outcome.DEFERRED
    assert report.reason == HICCUP.message
    post = engine.post()
    assert post.status is PostStatus.POSTING
    assert post.fault == FaultRecord("Defer", HICCUP.message, -1, 2207001)
    assert (post.publish_sent_at, post.publish_attempts) == (None, 0)
    assert post.lease.until == engine.clock.now()
    assert engine.photo().post_slot == NINE
    assert engine.publisher.live == []


def test_a_deferred_post_keeps_its_container_and_a_later_run_goes_on_with_it(engine: Engine) -> None:
    engine.publisher.fail("container_status", HICCUP, times=4)
    engine.claim_and_drive()
    (container_id,) = engine.publisher.containers
    assert engine.post().container_id == container_id
    engine.clock.advance(timedelta(minutes=15))
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.POSTED
    assert list(engine.publisher.containers) == [container_id]
    assert len(engine.publisher.live) == 1


def test_a_retry_that_needs_a_new_container_gets_one(engine: Engine) -> None:
    engine.publisher.fail("container_status", Retry("Spent.", new_container=True))
    assert engine.claim_and_drive().outcome is Outcome.POSTED
    spent, used = engine.publisher.containers
    assert engine.post().container_id == used
    assert engine.publisher.containers[spent].status is ContainerStatus.FINISHED


def test_a_spent_container_is_not_kept_when_the_retries_are_used_up(engine: Engine) -> None:
    engine.publisher.fail("container_status", Retry("Spent.", new_container=True), times=4)
    assert engine.claim_and_drive().outcome is Outcome.DEFERRED
    assert engine.post().container_id is None


def test_retries_end_with_the_time_of_the_run(engine: Engine) -> None:
    engine.publisher.fail("create_container", Retry("Wait.", after=timedelta(seconds=40)))
    assert engine.claim_and_drive(lasting=timedelta(seconds=59)).outcome is Outcome.DEFERRED
    assert engine.clock.slept == []


# ---- deferred, for a later run ----


@pytest.mark.parametrize("method", ["create_container", "container_status", "publish"])
def test_a_throttled_post_waits_at_least_as_long_as_it_is_told(engine: Engine, method: str) -> None:
    engine.publisher.fail(method, THROTTLED)
    report = engine.claim_and_drive()
    assert (report.outcome, report.reason) == (Outcome.DEFERRED, THROTTLED.message)
    assert engine.post().fault == FaultRecord("Defer", THROTTLED.message, 4)
    assert engine.post().lease.until == engine.clock.now() + timedelta(minutes=40)
    engine.clock.advance(timedelta(minutes=40))
    assert engine.take_over_and_drive() is None
    engine.clock.advance(timedelta(milliseconds=1))
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.POSTED
    assert len(engine.publisher.live) == 1


def test_a_post_never_waits_past_its_deadline(engine: Engine) -> None:
    engine.publisher.fail("create_container", Defer("Quota.", after=timedelta(hours=40)))
    engine.claim_and_drive()
    assert engine.post().lease.until == engine.post().deadline


def test_a_container_that_never_finishes_is_kept_for_the_next_run(engine: Engine) -> None:
    everything_in_progress(engine)
    report = engine.claim_and_drive()
    (container_id,) = engine.publisher.containers
    assert report.outcome is Outcome.DEFERRED
    assert (engine.post().container_id, engine.post().is_fenced) == (container_id, False)
    assert engine.post().fault is not None
    # The run leaves itself time to write that down.
    assert engine.clock.now() < NINE.start + timedelta(minutes=5)

    engine.clock.advance(timedelta(minutes=15))
    taken_over(engine.take_over_and_drive())
    engine.publisher.before_call = lambda _: None
    engine.publisher.containers[container_id].status = ContainerStatus.FINISHED
    engine.clock.advance(timedelta(minutes=15))
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.POSTED
    assert list(engine.publisher.containers) == [container_id]


def test_an_expired_container_is_replaced(engine: Engine) -> None:
    engine.publisher.fail("container_status", THROTTLED)
    engine.claim_and_drive()
    (old,) = engine.publisher.containers
    engine.publisher.containers[old].status = ContainerStatus.EXPIRED
    engine.clock.advance(timedelta(hours=1))
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.POSTED
    assert engine.post().container_id != old
    assert engine.publisher.containers[old].status is ContainerStatus.EXPIRED
    assert len(engine.publisher.live) == 1


def test_a_paused_persona_defers_a_post_that_was_not_sent(engine: Engine) -> None:
    engine.publisher.fail("container_status", THROTTLED)
    engine.claim_and_drive()
    (container_id,) = engine.publisher.containers
    engine.records.personas[DEFAULT] = a_persona(paused_reason="The token has expired.")
    engine.clock.advance(timedelta(hours=1))
    calls = list(engine.publisher.calls)

    report = taken_over(engine.take_over_and_drive())

    assert report.outcome is Outcome.DEFERRED
    assert "The token has expired." in (report.reason or "")
    assert engine.publisher.calls == calls
    assert (engine.post().status, engine.post().container_id) == (PostStatus.POSTING, container_id)
    assert engine.photo().post_slot == NINE


def test_a_container_that_turns_out_to_be_live_without_a_fence_is_recorded_and_not_sent_again(engine: Engine) -> None:
    """Instagram refused for now, and published all the same."""
    engine.publisher.fail("publish", THROTTLED, after_effect=True)
    assert engine.claim_and_drive().outcome is Outcome.DEFERRED
    (media,) = engine.publisher.live
    engine.clock.advance(timedelta(hours=1))
    report = taken_over(engine.take_over_and_drive())
    assert (report.outcome, report.provider_post_id) == (Outcome.POSTED, media.media_id)
    assert engine.publisher.live == [media]
    assert engine.post().permalink == media.permalink


def test_a_new_container_that_is_live_at_once_is_on_record(engine: Engine) -> None:
    engine.publisher.statuses = [ContainerStatus.PUBLISHED]
    assert engine.claim_and_drive().outcome is Outcome.POSTED
    assert [engine.post().container_id] == list(engine.publisher.containers)
    assert engine.publisher.live == []


# ---- time ----


def test_a_run_with_others_to_see_to_stops_in_time_and_keeps_its_lease_to_its_own_end(engine: Engine) -> None:
    everything_in_progress(engine)
    run = replace(engine.start_run(), works_until=engine.clock.now() + timedelta(minutes=1))
    report = engine.driver.drive(run, engine.persona, engine.claim(run=run))
    assert report.outcome is Outcome.DEFERRED
    assert engine.clock.now() <= run.works_until  # type: ignore[operator]
    assert run.lease.until == run.ends_at + LEASE_MARGIN


@pytest.mark.parametrize("lasting", [timedelta(0), timedelta(seconds=5), timedelta(seconds=20)])
def test_a_run_with_too_little_time_left_calls_nobody(engine: Engine, lasting: timedelta) -> None:
    report = engine.claim_and_drive(lasting=lasting)
    assert report.outcome is Outcome.DEFERRED
    assert engine.publisher.calls == []
    assert engine.post().status is PostStatus.POSTING


def test_nothing_is_published_when_the_status_took_too_long(engine: Engine) -> None:
    when(engine, "container_status", lambda: engine.clock.advance(timedelta(seconds=30)))
    report = engine.claim_and_drive(lasting=timedelta(seconds=45))
    assert report.outcome is Outcome.DEFERRED
    assert (engine.publisher.live, engine.post().is_fenced) == ([], False)
    assert engine.post().container_id in engine.publisher.containers


def test_nothing_is_published_when_the_fence_took_too_long(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    advance = engine.ledger.advance

    def slowly(before: Post, after: Post) -> bool:
        engine.clock.advance(timedelta(seconds=20))
        return advance(before, after)

    monkeypatch.setattr(engine.ledger, "advance", slowly)
    report = engine.claim_and_drive(lasting=timedelta(seconds=25))
    assert report.outcome is Outcome.DEFERRED
    assert (engine.publisher.live, engine.post().is_fenced) == ([], False)


def test_a_post_at_its_deadline_fails_and_its_photo_is_back_in_the_queue(engine: Engine) -> None:
    rank = engine.photo().rank
    engine.publisher.fail("create_container", HICCUP, times=4)
    engine.claim_and_drive()
    engine.clock.advance(NINE.start + timedelta(hours=23) - engine.clock.now())

    report = taken_over(engine.take_over_and_drive())

    assert report.outcome is Outcome.FAILED
    assert engine.post().status is PostStatus.FAILED
    assert engine.post().fault == FaultRecord("DeadlineMissed", report.reason or "", -1, 2207001)
    assert HICCUP.message in (report.reason or "")
    assert engine.photo().post_slot is None
    assert (engine.queue(), engine.photo().rank) == ([a_photo_id("sunrise")], rank)
    assert engine.persona.paused_reason is None
    assert engine.publisher.live == []


def test_a_run_that_gave_its_lease_up_did_not_lose_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to its deferral is lost, and the next run has taken over before this one could look."""
    engine.publisher.fail("container_status", THROTTLED)
    advance = engine.ledger.advance

    def overtaken(before: Post, after: Post) -> bool:
        assert advance(before, after)
        engine.lose_lease()
        return False

    monkeypatch.setattr(engine.ledger, "advance", overtaken)
    assert engine.claim_and_drive().outcome is Outcome.IN_PROGRESS
    assert [message for message in engine.log.messages("warning") if "gone on with this post" in message]
    assert not [message for message in engine.log.messages("warning") if "lease is lost" in message]


def test_a_photo_that_missed_three_deadlines_makes_room_for_the_next(engine: Engine) -> None:
    for misses in range(1, MOST_DEADLINES_MISSED + 1):
        slot = Slot.by_hand(NINE.start + timedelta(days=misses))
        engine.clock.advance(slot.start - engine.clock.now())
        engine.publisher.fail("container_status", Retry("Spent.", new_container=True), times=MOST_RETRIES + 1)
        assert engine.claim_and_drive(slot=slot).outcome is Outcome.DEFERRED
        engine.clock.advance(timedelta(hours=23))
        report = taken_over(engine.take_over_and_drive(slot=slot))
        assert (report.outcome, engine.post(slot).fault) == (
            Outcome.FAILED,
            FaultRecord("DeadlineMissed", report.reason or ""),
        )
        assert ("stays out of the queue" in (report.reason or "")) is (misses == MOST_DEADLINES_MISSED)
        is_set_aside = misses == MOST_DEADLINES_MISSED
        assert engine.photo().post_slot == (slot if is_set_aside else None)
        assert engine.queue() == ([] if is_set_aside else [a_photo_id("sunrise")])


def test_another_photos_missed_deadlines_do_not_count(engine: Engine) -> None:
    for misses in range(MOST_DEADLINES_MISSED - 1):
        slot = Slot.by_hand(NINE.start - timedelta(days=1 + misses))
        other = a_post(slot=slot, photo_id=a_photo_id("other"))
        missed = other.as_failed(FaultRecord("DeadlineMissed", "Missed."), slot.start + timedelta(hours=23))
        engine.records.posts[DEFAULT, slot] = missed
    engine.claim_and_drive(lasting=timedelta(seconds=1))
    engine.clock.advance(timedelta(hours=23))
    taken_over(engine.take_over_and_drive())
    assert (engine.post().status, engine.queue()) == (PostStatus.FAILED, [a_photo_id("sunrise")])


def test_a_post_whose_containers_were_all_spent_rests_before_the_next(engine: Engine) -> None:
    """An account may make 400 containers a day (Instagram Platform, rate limits), and each try takes four."""
    engine.publisher.fail("container_status", Retry("Spent.", new_container=True), times=MOST_RETRIES + 1)
    engine.claim_and_drive()
    assert engine.post().lease.until == engine.clock.now() + timedelta(minutes=30)


def test_a_post_is_sent_up_to_its_deadline(engine: Engine) -> None:
    engine.publisher.fail("container_status", HICCUP, times=4)
    engine.claim_and_drive()
    engine.clock.advance(NINE.start + timedelta(hours=23, milliseconds=-1) - engine.clock.now())
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.POSTED


def test_a_deadline_that_passes_during_the_run_is_kept(engine: Engine) -> None:
    when(engine, "container_status", lambda: engine.clock.advance(timedelta(hours=23)))
    report = engine.claim_and_drive(lasting=timedelta(days=3))
    assert report.outcome is Outcome.FAILED
    assert engine.post().fault == FaultRecord("DeadlineMissed", report.reason or "")
    assert (engine.publisher.live, engine.photo().post_slot) == ([], None)


def test_a_paused_persona_does_not_keep_a_post_past_its_deadline(engine: Engine) -> None:
    engine.publisher.fail("create_container", HICCUP, times=4)
    engine.claim_and_drive()
    engine.records.personas[DEFAULT] = a_persona(paused_reason="The token has expired.")
    engine.clock.advance(timedelta(hours=23))
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.FAILED
    assert engine.persona.paused_reason == "The token has expired."


@pytest.mark.parametrize("later", [timedelta(hours=23), timedelta(hours=23, minutes=59)])
def test_a_post_that_may_be_live_never_fails_at_its_deadline(engine: Engine, later: timedelta) -> None:
    engine.publisher.fail("publish", NO_ANSWER)
    engine.claim_and_drive()
    engine.clock.advance(later)
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.UNRESOLVED
    assert (engine.post().status, engine.post().is_fenced) == (PostStatus.POSTING, True)
    assert engine.photo().post_slot == NINE


# ---- a photo that will never pass ----


def test_a_slot_whose_photo_is_refused_goes_on_with_the_next_best(three_more: Engine) -> None:
    engine = three_more
    engine.publisher.fail("create_container", TOO_LARGE)
    report = engine.claim_and_drive("best")
    assert (report.outcome, report.slot, report.photo_id) == (Outcome.POSTED, SECOND, a_photo_id("second"))
    assert report.earlier == (Report(Outcome.FAILED, DEFAULT, NINE, a_photo_id("best"), reason=TOO_LARGE.message),)
    assert engine.post().status is PostStatus.FAILED
    assert engine.post().fault == FaultRecord("PhotoFault", TOO_LARGE.message, 36000, 2207004)
    assert engine.post(SECOND).status is PostStatus.POSTED
    assert (engine.photo("best").post_slot, engine.photo("second").post_slot) == (NINE, SECOND)
    assert engine.queue() == [a_photo_id("third"), a_photo_id("fourth")]
    assert len(engine.publisher.live) == 1


def test_a_slot_tries_three_photos_at_the_most(three_more: Engine) -> None:
    engine = three_more
    engine.publisher.fail("create_container", TOO_LARGE, times=9)
    report = engine.claim_and_drive("best")
    assert (report.outcome, report.slot, report.photo_id) == (Outcome.FAILED, THIRD, a_photo_id("third"))
    assert [(one.slot, one.photo_id, one.outcome) for one in report.earlier] == [
        (NINE, a_photo_id("best"), Outcome.FAILED),
        (SECOND, a_photo_id("second"), Outcome.FAILED),
    ]
    assert {post.status for post in engine.records.posts.values()} == {PostStatus.FAILED}
    assert len(engine.records.posts) == 3
    assert engine.queue() == [a_photo_id("fourth")]
    assert engine.publisher.live == []


def test_the_third_photo_of_a_slot_can_go_live(three_more: Engine) -> None:
    engine = three_more
    engine.publisher.fail("create_container", TOO_LARGE, times=2)
    report = engine.claim_and_drive("best")
    assert (report.outcome, report.slot, len(report.earlier)) == (Outcome.POSTED, THIRD, 2)


@pytest.mark.parametrize("method", ["create_container", "container_status", "publish"])
def test_a_refused_photo_without_a_successor_ends_the_slot(engine: Engine, method: str) -> None:
    engine.publisher.fail(method, TOO_LARGE)
    report = engine.claim_and_drive()
    assert (report.outcome, report.slot, report.reason) == (Outcome.FAILED, NINE, TOO_LARGE.message)
    assert (report.photo_id, report.provider_post_id, report.earlier) == (a_photo_id("sunrise"), None, ())
    assert list(engine.records.posts) == [(DEFAULT, NINE)]
    assert engine.post().fault == FaultRecord("PhotoFault", TOO_LARGE.message, 36000, 2207004)
    assert engine.photo().post_slot == NINE
    assert engine.queue() == []
    assert engine.persona.paused_reason is None


@pytest.mark.parametrize("method", ["container_status", "publish"])
def test_a_photo_refused_after_its_container_was_created_is_followed_too(three_more: Engine, method: str) -> None:
    engine = three_more
    engine.publisher.fail(method, TOO_LARGE)
    report = engine.claim_and_drive("best")
    assert (report.outcome, report.slot) == (Outcome.POSTED, SECOND)
    first, second = engine.publisher.containers
    assert engine.post(SECOND).container_id == second != first
    assert [engine.post(SECOND).photo_id] == [a_photo_id("second")]
    assert (engine.post().status, engine.post(SECOND).publish_attempts) == (PostStatus.FAILED, 1)
    assert len(engine.publisher.live) == 1


def test_the_next_photo_of_a_slot_has_to_be_good_enough_too() -> None:
    engine = Engine(a_photo("best", score=9.0), a_photo("poor", score=3.0), persona=a_persona(minimum_score=5.0))
    engine.publisher.fail("create_container", TOO_LARGE)
    assert engine.claim_and_drive("best").outcome is Outcome.FAILED
    assert engine.photo("poor").post_slot is None


def test_a_next_photo_whose_caption_is_too_long_is_passed_over() -> None:
    engine = Engine(
        a_photo("best", score=9.0), a_photo("wordy", score=8.0, caption="x" * 2201), a_photo("third", score=7.0)
    )
    engine.publisher.fail("create_container", TOO_LARGE)
    report = engine.claim_and_drive("best")
    assert (report.outcome, report.slot, report.photo_id) == (Outcome.POSTED, SECOND, a_photo_id("third"))
    assert engine.photo("wordy").post_slot is None


def test_a_personas_caption_that_is_too_long_does_not_make_the_slot_read_the_whole_queue() -> None:
    engine = Engine(
        a_photo("best", score=9.0, caption="Its own"),
        *(a_photo(str(number), score=5.0) for number in range(50)),
        persona=a_persona(caption="x" * 2201),
    )
    engine.publisher.fail("create_container", TOO_LARGE)
    pages = engine.library.pages_read
    engine.claim_and_drive("best")
    assert engine.library.pages_read - pages <= 3


class LaggingLibrary(FakePhotoLibrary):
    """The queue's index is behind: it still has photos that got a post since."""

    def __init__(self, records: FakeRecords) -> None:
        super().__init__(records)
        self.behind: list[Photo] = []

    def best_first(self, persona_id: PersonaId, *, page_size: int = 1) -> Iterator[Photo]:
        yield from self.behind
        yield from super().best_first(persona_id, page_size=page_size)


def test_a_next_photo_that_another_slot_took_meanwhile_is_passed_over() -> None:
    index: list[LaggingLibrary] = []

    def lagging(records: FakeRecords) -> LaggingLibrary:
        index.append(LaggingLibrary(records))
        return index[0]

    engine = Engine(a_photo("best", score=9.0), a_photo("gone", score=8.0), a_photo("free", score=7.0), library=lagging)
    index[0].behind = [engine.photo("gone")]
    elsewhere = Slot(NINE.start + timedelta(minutes=1))
    engine.claim("gone", slot=elsewhere, run=engine.start_run())
    engine.publisher.fail("create_container", TOO_LARGE)

    report = engine.claim_and_drive("best")

    assert (report.outcome, report.slot, report.photo_id) == (Outcome.POSTED, SECOND, a_photo_id("free"))
    assert engine.photo("gone").post_slot == elsewhere


def test_a_slot_does_not_go_on_for_a_persona_that_was_paused_meanwhile(three_more: Engine) -> None:
    engine = three_more
    engine.publisher.fail("create_container", TOO_LARGE)
    paused = a_persona(paused_reason="Stop.")
    when(engine, "create_container", lambda: engine.records.personas.update({DEFAULT: paused}))
    report = engine.claim_and_drive("best")
    assert (report.outcome, report.slot, report.reason) == (Outcome.FAILED, NINE, TOO_LARGE.message)
    assert engine.post().status is PostStatus.FAILED
    assert list(engine.records.posts) == [(DEFAULT, NINE)]
    assert engine.photo("second").post_slot is None
    assert engine.library.pages_read == 1


def test_a_slot_does_not_go_on_when_the_next_attempt_is_on_record_already(three_more: Engine) -> None:
    engine = three_more
    run = engine.start_run()
    post = engine.claim("best", run=run)
    engine.claim("third", slot=SECOND, run=engine.start_run())
    engine.publisher.fail("create_container", TOO_LARGE)
    report = engine.driver.drive(run, engine.persona, post)
    assert (report.outcome, report.slot) == (Outcome.FAILED, NINE)
    assert engine.post(SECOND).photo_id == a_photo_id("third")
    assert engine.photo("second").post_slot is None
    assert engine.library.pages_read == 1


def test_a_slot_goes_on_in_a_later_run_where_this_one_has_no_time_for_another_photo(three_more: Engine) -> None:
    engine = three_more
    engine.publisher.fail("create_container", TOO_LARGE)
    when(engine, "create_container", lambda: engine.clock.advance(timedelta(seconds=20)))
    report = engine.claim_and_drive("best", lasting=timedelta(seconds=39))
    assert (report.outcome, report.slot) == (Outcome.DEFERRED, SECOND)
    assert engine.photo("second").post_slot == SECOND
    engine.clock.advance(timedelta(minutes=15))
    later = taken_over(engine.take_over_and_drive(SECOND))
    assert later.outcome is Outcome.POSTED
    assert [(one.outcome, one.slot) for one in later.earlier] == [(Outcome.FAILED, NINE)]


def test_a_photo_that_left_the_library_is_a_photo_fault(engine: Engine) -> None:
    run = engine.start_run()
    post = engine.claim(run=run)
    del engine.records.photos[DEFAULT, post.photo_id]
    report = engine.driver.drive(run, engine.persona, post)
    assert report.outcome is Outcome.FAILED
    fault = engine.post().fault
    assert fault is not None
    assert (fault.kind, fault.message) == ("PhotoFault", report.reason)
    assert "no longer in the library" in fault.message


def test_an_image_that_instagram_could_not_fetch_is_tried_again(engine: Engine) -> None:
    engine.publisher.fail("create_container", NOT_FETCHED, times=2)
    assert engine.claim_and_drive().outcome is Outcome.POSTED


def test_an_image_that_is_not_in_the_bucket_is_a_photo_fault(three_more: Engine) -> None:
    engine = three_more
    engine.renditions.missing.add(engine.photo("best").object_key)
    engine.publisher.fail("create_container", NOT_FETCHED, times=4)
    report = engine.claim_and_drive("best")
    assert (report.outcome, report.slot) == (Outcome.POSTED, SECOND)
    fault = engine.post().fault
    assert fault is not None
    assert fault.kind == "PhotoFault"
    assert engine.photo("best").object_key in fault.message


def test_an_image_that_is_in_the_bucket_waits_for_a_later_run(engine: Engine) -> None:
    engine.publisher.fail("create_container", NOT_FETCHED, times=4)
    report = engine.claim_and_drive()
    assert (report.outcome, report.reason) == (Outcome.DEFERRED, NOT_FETCHED.message)
    assert engine.post().fault == FaultRecord("Defer", NOT_FETCHED.message, 9004, 2207052)
    assert engine.photo().post_slot == NINE


class SilentRenditions(FakeRenditions):
    def exists(self, object_key: str) -> bool:
        raise Defer("The bucket cannot be reached for the moment.")


def test_a_bucket_that_does_not_answer_condemns_no_photo() -> None:
    engine = Engine(a_photo(), renditions=SilentRenditions())
    engine.publisher.fail("create_container", NOT_FETCHED, times=4)
    report = engine.claim_and_drive()
    assert (report.outcome, report.reason) == (Outcome.DEFERRED, "The bucket cannot be reached for the moment.")
    assert engine.photo().post_slot == NINE


# ---- an account that needs a person ----


@pytest.mark.parametrize("method", ["create_container", "container_status", "publish"])
def test_an_account_fault_burns_no_photo_and_pauses_the_persona(three_more: Engine, method: str) -> None:
    engine = three_more
    before = dict(engine.records.photos)
    queue = engine.queue()
    engine.publisher.fail(method, BAD_TOKEN)

    report = engine.claim_and_drive("best")

    assert (report.outcome, report.slot, report.reason) == (Outcome.FAILED, NINE, BAD_TOKEN.message)
    assert (report.photo_id, report.provider_post_id, report.earlier) == (a_photo_id("best"), None, ())
    assert engine.post().status is PostStatus.FAILED
    assert engine.post().fault == FaultRecord("AccountFault", BAD_TOKEN.message, 190, 463)
    assert engine.persona.paused_reason == BAD_TOKEN.message
    assert engine.records.photos == before
    assert engine.queue() == queue
    assert list(engine.records.posts) == [(DEFAULT, NINE)]
    assert engine.publisher.live == []


# ---- past the fence ----


@pytest.mark.parametrize("times", [1, 3])
def test_a_publish_request_that_was_not_sent_is_sent_again_in_the_same_run(engine: Engine, times: int) -> None:
    engine.publisher.fail("publish", Retry("No connection."), times=times)
    assert engine.claim_and_drive().outcome is Outcome.POSTED
    assert len(engine.publisher.live) == len(engine.publisher.containers) == 1
    assert (engine.post().publish_attempts, engine.post().fault) == (times + 1, None)


def test_the_fence_is_open_while_a_run_waits_to_send_again(engine: Engine) -> None:
    seen: list[Post] = []
    engine.clock.on_sleep = lambda: seen.append(engine.post())
    engine.publisher.fail("publish", Retry("No connection."))
    engine.claim_and_drive()
    waiting = seen[1]
    assert (waiting.is_fenced, waiting.publish_attempts, waiting.fault) == (
        False,
        1,
        FaultRecord("Retry", "No connection."),
    )
    assert waiting.lease == engine.post().lease
    assert waiting.lease.until > engine.clock.now()


def test_a_publish_request_that_is_never_sent_is_left_for_a_later_run(engine: Engine) -> None:
    engine.publisher.fail("publish", Retry("No connection."), times=4)
    report = engine.claim_and_drive()
    assert (report.outcome, report.reason) == (Outcome.DEFERRED, "No connection.")
    assert (engine.post().is_fenced, engine.post().publish_attempts) == (False, 4)
    assert engine.post().container_id in engine.publisher.containers
    assert engine.publisher.live == []


def test_retries_before_and_at_the_fence_count_together(engine: Engine) -> None:
    engine.publisher.fail("create_container", HICCUP, times=2)
    engine.publisher.fail("publish", Retry("No connection."), times=2)
    assert engine.claim_and_drive().outcome is Outcome.DEFERRED
    assert engine.post().publish_attempts == 2


def test_a_throttled_publish_is_fenced_again_as_the_second_attempt_by_a_later_run(engine: Engine) -> None:
    engine.publisher.fail("publish", THROTTLED)
    assert engine.claim_and_drive().outcome is Outcome.DEFERRED
    deferred = engine.post()
    assert (deferred.publish_sent_at, deferred.publish_attempts) == (None, 1)
    engine.clock.advance(timedelta(hours=1))
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.POSTED
    assert (engine.post().publish_attempts, engine.post().container_id) == (2, deferred.container_id)
    assert len(engine.publisher.live) == 1


# ---- unresolved: it may be live ----


def test_a_lost_answer_is_resolved_by_the_container_and_a_unique_match(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER, after_effect=True)
    report = engine.claim_and_drive()
    (media,) = engine.publisher.live
    assert (report.outcome, report.provider_post_id) == (Outcome.POSTED, media.media_id)
    assert engine.post().status is PostStatus.POSTED
    assert (engine.post().provider_post_id, engine.post().permalink) == (media.media_id, media.permalink)
    assert (engine.post().posted_at, engine.post().fault) == (engine.post().publish_sent_at, None)


def test_two_media_that_match_leave_the_post_without_an_id(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER, after_effect=True)
    twin = RecentMedia(MediaId("17800000000000001"), "Sunrise over the bay", "IMAGE", engine.clock.now())
    engine.publisher.live.append(twin)
    report = engine.claim_and_drive()
    assert (report.outcome, report.provider_post_id) == (Outcome.POSTED, None)
    assert (engine.post().status, engine.post().provider_post_id) == (PostStatus.POSTED, None)
    assert engine.post().wants_another_look


def test_a_media_that_another_post_has_recorded_is_not_taken_for_this_one(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER, after_effect=True)
    twin = RecentMedia(MediaId("17800000000000001"), "Sunrise over the bay", "IMAGE", engine.clock.now())
    engine.publisher.live.append(twin)
    earlier = Slot(NINE.start - timedelta(minutes=1))
    engine.records.posts[DEFAULT, earlier] = a_post(
        slot=earlier, status=PostStatus.POSTED, provider_post_id=twin.media_id
    )
    report = engine.claim_and_drive()
    assert report.provider_post_id == engine.publisher.live[0].media_id != twin.media_id


def test_a_media_of_a_slot_of_the_day_before_is_not_taken_for_a_post_that_was_long_deferred(engine: Engine) -> None:
    """The other post was sent 22 h 58 min after its slot, a minute before this one was claimed."""
    engine.publisher.fail("create_container", HICCUP, times=4)
    other = Slot(NINE.start - timedelta(hours=22, minutes=59))
    twin = RecentMedia(MediaId("17800000000000001"), "Sunrise over the bay", "IMAGE", NINE.start - timedelta(minutes=1))
    engine.publisher.live.append(twin)
    engine.records.posts[DEFAULT, other] = a_post(slot=other, status=PostStatus.POSTED, provider_post_id=twin.media_id)
    engine.claim_and_drive()
    engine.clock.advance(timedelta(hours=22))
    engine.publisher.fail("publish", NO_ANSWER, after_effect=True)

    report = taken_over(engine.take_over_and_drive())

    assert (report.outcome, report.provider_post_id) == (Outcome.POSTED, engine.publisher.live[0].media_id)


def test_a_single_media_is_not_taken_while_another_post_of_its_caption_lacks_its_own(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER, after_effect=True)
    earlier = Slot(NINE.start - timedelta(minutes=1))
    rival = a_post(slot=earlier, caption="Sunrise over the bay", status=PostStatus.UNCONFIRMED)
    engine.records.posts[DEFAULT, earlier] = rival
    report = engine.claim_and_drive()
    assert (report.outcome, report.provider_post_id) == (Outcome.POSTED, None)
    assert engine.post().wants_another_look


def test_a_list_of_media_that_cannot_be_read_does_not_unpost_a_post(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER, after_effect=True)
    engine.publisher.fail("recent_media", BAD_TOKEN)
    report = engine.claim_and_drive()
    assert (report.outcome, report.provider_post_id) == (Outcome.POSTED, None)
    assert engine.persona.paused_reason is None


def test_a_post_that_may_be_live_is_unresolved_and_never_sent_again(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER)
    report = engine.claim_and_drive()
    assert report.outcome is Outcome.UNRESOLVED
    assert report.reason is not None
    assert NO_ANSWER.message in report.reason
    assert "FINISHED" in report.reason
    unresolved = engine.post()
    assert (unresolved.status, unresolved.is_fenced) == (PostStatus.POSTING, True)
    assert unresolved.fault == FaultRecord("Unresolved", NO_ANSWER.message)
    assert unresolved.lease.until == engine.clock.now()
    assert (engine.photo().post_slot, engine.queue()) == (NINE, [])

    for _ in range(3):
        engine.clock.advance(timedelta(hours=7))
        assert taken_over(engine.take_over_and_drive()).outcome is Outcome.UNRESOLVED
    assert engine.publisher.live == []
    assert len(engine.publisher.containers) == 1
    assert engine.publisher.calls.count("publish") == 1


def test_a_publish_that_lands_late_is_found_by_a_later_run(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER)
    engine.claim_and_drive()
    (container_id,) = engine.publisher.containers
    late = RecentMedia(
        MediaId("17800000000000001"),
        "Sunrise over the bay",
        "IMAGE",
        engine.clock.now() + timedelta(minutes=2),
        "https://www.instagram.com/p/x/",
    )
    engine.publisher.containers[container_id].status = ContainerStatus.PUBLISHED
    engine.publisher.live.append(late)
    engine.clock.advance(timedelta(minutes=15))
    report = taken_over(engine.take_over_and_drive())
    assert (report.outcome, report.provider_post_id) == (Outcome.POSTED, late.media_id)
    assert engine.post().permalink == late.permalink


def test_a_run_that_was_killed_after_the_fence_is_resolved_by_the_next(engine: Engine) -> None:
    run = engine.start_run()
    post = engine.claim(run=run)
    container_id = engine.publisher.create_container(
        engine.persona, "https://x", post.caption, None, within=timedelta(seconds=1)
    )
    engine.ledger.advance(post, post.as_fenced(container_id, engine.clock.now()))
    engine.clock.advance(timedelta(minutes=15))

    report = taken_over(engine.take_over_and_drive())

    assert report.outcome is Outcome.UNRESOLVED
    assert "ended before it could record" in (report.reason or "")
    assert engine.publisher.live == []
    assert engine.publisher.calls.count("publish") == 0


def test_a_paused_persona_does_not_keep_a_sent_post_from_being_resolved(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER)
    engine.claim_and_drive()
    (container_id,) = engine.publisher.containers
    engine.publisher.containers[container_id].status = ContainerStatus.PUBLISHED
    engine.records.personas[DEFAULT] = a_persona(paused_reason="Stop.")
    engine.clock.advance(timedelta(minutes=15))
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.POSTED


@pytest.mark.parametrize("fault", [HICCUP, THROTTLED, TOO_LARGE, BAD_TOKEN, NOT_FETCHED])
def test_a_container_that_cannot_be_read_proves_nothing(engine: Engine, fault: Fault) -> None:
    engine.publisher.fail("publish", NO_ANSWER, after_effect=True)
    when(engine, "publish", lambda: engine.publisher.fail("container_status", fault))
    report = engine.claim_and_drive()
    assert report.outcome is Outcome.UNRESOLVED
    assert fault.message in (report.reason or "")
    assert (engine.post().status, engine.post().is_fenced) == (PostStatus.POSTING, True)
    assert engine.photo().post_slot == NINE
    assert engine.persona.paused_reason is None


@pytest.mark.parametrize(
    "status", [ContainerStatus.FINISHED, ContainerStatus.EXPIRED, ContainerStatus.IN_PROGRESS], ids=lambda s: s.value
)
def test_24_hours_after_the_fence_a_post_that_nobody_can_vouch_for_is_unconfirmed(
    engine: Engine, status: ContainerStatus
) -> None:
    engine.publisher.fail("publish", NO_ANSWER)
    engine.claim_and_drive()
    (container,) = engine.publisher.containers.values()
    container.status = status
    twin = RecentMedia(MediaId("17800000000000001"), "Sunrise over the bay", "IMAGE", engine.clock.now())
    other = RecentMedia(MediaId("17800000000000002"), "Another caption", "IMAGE", engine.clock.now())
    engine.publisher.live += [twin, other]
    sent_at = engine.post().publish_sent_at
    assert sent_at is not None

    engine.clock.advance(sent_at + timedelta(hours=24) - engine.clock.now())
    report = taken_over(engine.take_over_and_drive())

    assert report.outcome is Outcome.UNCONFIRMED
    assert "It may be live" in (report.reason or "")
    assert engine.post().status is PostStatus.UNCONFIRMED
    assert engine.post().evidence == Evidence(status.value, (twin.media_id,))
    assert engine.post().fault == FaultRecord("Unresolved", NO_ANSWER.message)
    assert engine.photo().post_slot == NINE
    assert engine.publisher.calls.count("publish") == 1


def test_a_millisecond_before_24_hours_a_post_is_still_unresolved(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER)
    engine.claim_and_drive()
    sent_at = engine.post().publish_sent_at
    assert sent_at is not None
    engine.clock.advance(sent_at + timedelta(hours=24, milliseconds=-1) - engine.clock.now())
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.UNRESOLVED


def test_after_24_hours_a_container_that_says_published_still_decides(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER)
    engine.claim_and_drive()
    (container,) = engine.publisher.containers.values()
    container.status = ContainerStatus.PUBLISHED
    engine.clock.advance(timedelta(days=3))
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.POSTED


def test_what_could_not_be_read_is_the_evidence_of_an_unconfirmed_post(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER)
    engine.claim_and_drive()
    engine.clock.advance(timedelta(hours=25))
    engine.publisher.fail("container_status", BAD_TOKEN)
    engine.publisher.fail("recent_media", BAD_TOKEN)
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.UNCONFIRMED
    evidence = engine.post().evidence
    assert evidence is not None
    assert BAD_TOKEN.message in evidence.container_status
    assert evidence.candidate_media == ()


@pytest.mark.parametrize(
    ("is_live", "outcome", "status"),
    [(True, Outcome.POSTED, PostStatus.POSTED), (False, Outcome.UNRESOLVED, PostStatus.POSTING)],
)
def test_a_publish_blocked_as_spam_may_be_live_and_pauses_the_persona(
    engine: Engine, is_live: bool, outcome: Outcome, status: PostStatus
) -> None:
    engine.publisher.fail("publish", SPAM, after_effect=is_live)
    assert engine.claim_and_drive().outcome is outcome
    assert (engine.post().status, engine.post().is_fenced) == (status, True)
    assert engine.persona.paused_reason == SPAM.message
    assert engine.photo().post_slot == NINE
    assert engine.publisher.calls.count("publish") == 1


# ---- the media id of a post that was found to be live ----


def a_live_post_without_its_id(engine: Engine) -> Post:
    engine.publisher.fail("publish", NO_ANSWER, after_effect=True)
    engine.publisher.fail("recent_media", HICCUP)
    engine.claim_and_drive()
    assert engine.post().wants_another_look
    return engine.post()


def test_a_media_id_that_was_not_found_at_first_is_filled_in_later(engine: Engine) -> None:
    post = a_live_post_without_its_id(engine)
    (media,) = engine.publisher.live
    engine.clock.advance(timedelta(minutes=15))
    assert engine.driver.identify(engine.start_run(), engine.persona, post)
    assert engine.post() == replace(
        post, provider_post_id=media.media_id, permalink=media.permalink, updated_at=engine.clock.now()
    )


def test_two_media_that_match_are_looked_at_again_for_a_day_and_then_recorded_as_evidence(engine: Engine) -> None:
    post = a_live_post_without_its_id(engine)
    assert post.publish_sent_at is not None
    twin = RecentMedia(MediaId("17800000000000001"), "Sunrise over the bay", "IMAGE", post.publish_sent_at)
    engine.publisher.live.append(twin)
    engine.clock.advance(post.publish_sent_at + timedelta(hours=24, milliseconds=-1) - engine.clock.now())
    assert not engine.driver.identify(engine.start_run(), engine.persona, post)
    assert engine.post() == post

    engine.clock.advance(timedelta(milliseconds=1))
    assert engine.driver.identify(engine.start_run(), engine.persona, post)
    both = tuple(media.media_id for media in engine.publisher.live)
    assert engine.post() == replace(post, evidence=Evidence("PUBLISHED", both), updated_at=engine.clock.now())
    assert not engine.post().wants_another_look


def test_a_media_id_that_another_run_found_first_is_left_as_it_is(engine: Engine) -> None:
    post = a_live_post_without_its_id(engine)
    found = post.as_identified(MediaId("17800000000000009"), None, engine.clock.now())
    engine.records.posts[DEFAULT, NINE] = found
    assert not engine.driver.identify(engine.start_run(), engine.persona, post)
    assert engine.post() == found


# ---- the lease ----


def test_a_run_that_lost_its_lease_before_the_fence_publishes_nothing(engine: Engine) -> None:
    when(engine, "container_status", engine.lose_lease)
    report = engine.claim_and_drive()
    assert report.outcome is Outcome.IN_PROGRESS
    assert engine.publisher.live == []
    assert engine.post() == replace(engine.post(), container_id=None, publish_sent_at=None, publish_attempts=0)
    assert engine.post().lease.owner == "another run"


def test_a_run_that_lost_its_lease_while_it_published_leaves_the_record_to_the_other(engine: Engine) -> None:
    when(engine, "publish", engine.lose_lease)
    report = engine.claim_and_drive()
    assert (report.outcome, report.provider_post_id) == (Outcome.IN_PROGRESS, None)
    assert len(engine.publisher.live) == 1
    assert (engine.post().status, engine.post().is_fenced) == (PostStatus.POSTING, True)
    assert engine.post().lease.owner == "another run"


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("create_container", TOO_LARGE),
        ("create_container", BAD_TOKEN),
        ("create_container", THROTTLED),
        ("container_status", TOO_LARGE),
        ("container_status", BAD_TOKEN),
        ("container_status", THROTTLED),
        ("publish", TOO_LARGE),
        ("publish", BAD_TOKEN),
        ("publish", THROTTLED),
        ("publish", Retry("No connection.")),
        ("publish", NO_ANSWER),
        ("publish", SPAM),
    ],
)
def test_a_run_that_lost_its_lease_writes_nothing_whatever_instagram_answers(
    three_more: Engine, method: str, fault: Fault
) -> None:
    engine = three_more
    at_loss: list[Any] = []

    def lose() -> None:
        engine.lose_lease()
        at_loss.append(state(engine))

    when(engine, method, lose)
    engine.publisher.fail(method, fault)
    report = engine.claim_and_drive("best")
    assert report.outcome is Outcome.IN_PROGRESS
    assert [state(engine)] == at_loss
    assert engine.publisher.live == []
    assert engine.library.pages_read <= 1


@pytest.mark.parametrize(
    "changes",
    [{"status": PostStatus.POSTED}, {"status": PostStatus.FAILED}, {"publish_attempts": 5}],
    ids=["posted", "failed", "fenced since"],
)
def test_a_run_whose_post_was_moved_on_meanwhile_publishes_nothing(engine: Engine, changes: dict[str, Any]) -> None:
    moved: list[Post] = []

    def move_on() -> None:
        moved.append(replace(engine.post(), **changes))
        engine.records.posts[DEFAULT, NINE] = moved[0]

    when(engine, "container_status", move_on)
    assert engine.claim_and_drive().outcome is Outcome.IN_PROGRESS
    assert engine.publisher.live == []
    assert engine.post() == moved[0]


def test_a_lease_that_holds_is_not_taken_over(engine: Engine) -> None:
    run = engine.start_run()
    engine.claim(run=run)
    engine.clock.advance(run.lease.until - engine.clock.now())
    assert engine.take_over_and_drive() is None
    engine.clock.advance(timedelta(milliseconds=1))
    assert taken_over(engine.take_over_and_drive()).outcome is Outcome.POSTED
    assert len(engine.publisher.live) == 1


def test_a_container_that_ended_while_the_quota_was_used_up_is_not_kept(engine: Engine) -> None:
    engine.publisher.fail("container_status", Defer("The quota is used up.", new_container=True))
    assert engine.claim_and_drive().outcome is Outcome.DEFERRED
    assert engine.post().container_id is None


def test_a_media_id_is_not_given_up_while_the_list_cannot_be_read(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER, after_effect=True)
    engine.publisher.fail("recent_media", BAD_TOKEN, times=2)
    engine.claim_and_drive()
    engine.clock.advance(timedelta(hours=25))
    run = engine.start_run()
    assert not engine.driver.identify(run, engine.persona, engine.post())
    assert engine.post().wants_another_look
    assert engine.driver.identify(run, engine.persona, engine.post())
    assert engine.post().provider_post_id == engine.publisher.live[0].media_id
