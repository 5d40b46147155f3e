"""What the owner may say of a post, and what comes of it: retry and resolve as use cases, on the fakes."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

import pytest

from domain.captions import MOST_HASHTAGS
from domain.faults import AccountFault, Defer, PhotoFault, Retry, Unresolved
from domain.ids import ContainerId, MediaId
from domain.outcomes import Outcome, Report
from domain.ports import ContainerStatus, Retrial
from domain.posts import CONTAINER_LIFE, NOT_POSTED, Evidence, IllegalTransitionError, Post, PostStatus
from domain.resolve_post import NotResolved, Resolved, ResolvePost, Sight
from domain.retry_post import NotRetried, RetryPost
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, Engine, a_persona, a_photo, a_post
from fakes.records import FakePostLedger

MEDIA: Final = MediaId("17920238422030506")
NOTHING_SEEN: Final = Sight("EXPIRED", is_published=False, candidates=())
LATER: Final = timedelta(hours=2)


def retry(engine: Engine, slot: Slot = NINE, *, ledger: FakePostLedger | None = None) -> Report | NotRetried:
    use_case = RetryPost(
        library=engine.library, ledger=ledger or engine.ledger, driver=engine.driver, clock=engine.clock
    )
    return use_case(engine.persona, engine.post(slot), engine.start_run)


def reason(answer: object) -> str:
    assert isinstance(answer, NotRetried | NotResolved)
    return answer.reason


def refused(*names: str, method: str = "create_container") -> Engine:
    """The best photo's post failed for the photo's sake, and it is two hours later."""
    engine = Engine(*(a_photo(name, score=9.0 - place) for place, name in enumerate(names or ("sunrise",))))
    engine.publisher.fail(method, PhotoFault("Instagram refused: the format."))
    engine.deliver()
    engine.clock.advance(LATER)
    return engine


# ---- retry ----


@pytest.mark.parametrize("method", ["create_container", "publish"])
def test_a_refused_photo_is_posted_when_it_is_retried(method: str) -> None:
    engine = refused(method=method)
    now = engine.clock.now()
    report = retry(engine)
    assert isinstance(report, Report)
    again = engine.post(report.slot)
    assert (report.outcome, again.status, again.retry_of) == (Outcome.POSTED, PostStatus.POSTED, NINE)
    assert report.slot == Slot.by_hand(now)
    assert (engine.post().status, engine.post().retried_in) == (PostStatus.FAILED, report.slot)
    assert engine.photo().post_slot == report.slot
    assert len(engine.publisher.live) == 1


def test_a_retry_that_is_refused_again_posts_no_other_photo() -> None:
    engine = refused("sunrise")
    engine.library.add(a_photo("another", score=4.0))
    engine.publisher.fail("create_container", PhotoFault("Instagram refused: the format."))
    report = retry(engine)
    assert isinstance(report, Report)
    assert (report.outcome, report.earlier) == (Outcome.FAILED, ())
    assert engine.publisher.live == []
    assert engine.photo("another").post_slot is None


def test_the_reconciler_goes_on_with_an_interrupted_retry() -> None:
    engine = refused()
    engine.publisher.fail("container_status", Retry("No answer."), times=9)
    report = retry(engine)
    assert isinstance(report, Report)
    assert report.outcome is Outcome.DEFERRED
    engine.publisher.orders.clear()
    engine.clock.advance(timedelta(minutes=15))
    taken = engine.take_over_and_drive(report.slot)
    assert taken is not None
    assert taken.outcome is Outcome.POSTED


def test_two_retries_of_one_post_give_one_post() -> None:
    engine = refused()
    first = retry(engine)
    assert isinstance(first, Report)
    assert f"was retried already, as {DEFAULT}/{first.slot}" in reason(retry(engine))
    assert len(engine.publisher.live) == 1


class SomebodyWasQuicker(FakePostLedger):
    """Another's retry is written just before ours."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.records)
        self._engine = engine

    def retry(self, failed: Post, following: Post) -> Retrial:
        if self._engine.post().retried_in is None:
            answer = retry(self._engine)
            assert isinstance(answer, Report)
        return super().retry(failed, following)


def test_who_comes_second_is_told_of_the_first() -> None:
    engine = refused()
    assert "was retried already" in reason(retry(engine, ledger=SomebodyWasQuicker(engine)))
    assert len(engine.publisher.live) == 1


def test_a_post_by_hand_in_the_same_second_moves_the_retry_on_by_one() -> None:
    engine = refused()
    engine.library.add(a_photo("another"))
    here = Slot.by_hand(engine.clock.now())
    engine.claim("another", slot=here, run=engine.start_run())
    report = retry(engine)
    assert isinstance(report, Report)
    assert report.slot.start == here.start + timedelta(seconds=1)


def test_a_photo_that_an_account_fault_put_back_goes_by_the_queue() -> None:
    engine = Engine(a_photo())
    engine.publisher.fail("create_container", AccountFault("The token has expired."))
    engine.deliver()
    engine.personas.resume(DEFAULT)
    assert "it goes by the queue" in reason(retry(engine))
    assert engine.photo().post_slot is None


def test_a_photo_that_another_post_has_by_now_is_not_retried() -> None:
    engine = Engine(a_photo())
    engine.publisher.fail("create_container", AccountFault("The token has expired."))
    engine.deliver()
    engine.personas.resume(DEFAULT)
    ten = Slot(NINE.start + timedelta(hours=1))
    engine.deliver(ten)
    assert f"has another post by now: {DEFAULT}/{ten}" in reason(retry(engine))


def test_nothing_is_retried_for_a_paused_persona() -> None:
    engine = refused()
    engine.personas.pause(DEFAULT, "A holiday.")
    assert f"`fluffy-train persona resume {DEFAULT}`" in reason(retry(engine))
    assert engine.post().retried_in is None


def test_nothing_is_retried_for_a_persona_that_is_paused_at_this_moment() -> None:
    engine = refused()

    class PausedJustNow(FakePostLedger):
        def retry(self, failed: Post, following: Post) -> Retrial:
            engine.personas.pause(DEFAULT, "A holiday.")
            return super().retry(failed, following)

    assert "was paused at this moment" in reason(retry(engine, ledger=PausedJustNow(engine.records)))


def test_a_photo_that_is_gone_is_to_be_imported_again() -> None:
    engine = refused()
    engine.records.photos.clear()
    assert "import it again" in reason(retry(engine))


@pytest.mark.parametrize("whose", ["photo", "persona"])
def test_a_caption_that_would_be_refused_again_is_to_be_mended_first(whose: str) -> None:
    engine = refused()
    too_many = "#tag " * (MOST_HASHTAGS + 1)
    if whose == "photo":
        engine.library.add(a_photo(caption=too_many))
    else:
        engine.personas.set_caption(DEFAULT, too_many)
    assert ("set-caption" in reason(retry(engine))) is (whose == "persona")
    assert engine.post().retried_in is None
    engine.library.add(a_photo(caption="Short."))
    assert isinstance(retry(engine), Report)
    assert engine.publisher.live[0].caption == "Short."


def test_what_is_no_failed_post_says_what_to_do_with_it() -> None:
    engine = unconfirmed()
    assert f"`fluffy-train resolve {DEFAULT}/{NINE} --posted MEDIA_ID`" in reason(retry(engine))
    engine = Engine(a_photo())
    engine.deliver()
    assert "is posted; there is nothing to retry" in reason(retry(engine))
    engine = Engine(a_photo())
    engine.claim(run=engine.start_run())
    assert "still under way" in reason(retry(engine))


# ---- resolve ----


def unconfirmed(*, is_live: bool = False) -> Engine:
    """A post whose answer was lost, and a day of looking told nothing."""
    engine = Engine(a_photo())
    engine.publisher.fail("publish", Unresolved("Lost."), after_effect=is_live)
    engine.publisher.statuses = [ContainerStatus.FINISHED] * 4
    engine.deliver()
    engine.clock.advance(CONTAINER_LIFE + timedelta(minutes=1))
    engine.take_over_and_drive()
    assert engine.post().status is PostStatus.UNCONFIRMED
    engine.publisher.statuses = []
    return engine


def resolving(engine: Engine) -> ResolvePost:
    return ResolvePost(ledger=engine.ledger, publisher=engine.publisher, clock=engine.clock)


def test_the_owner_says_that_it_is_live() -> None:
    engine = unconfirmed(is_live=True)
    resolve, post = resolving(engine), engine.post()
    sight = resolve.look(engine.persona, post)
    assert (sight.container, sight.is_published) == ("PUBLISHED", True)
    (media,) = sight.candidates
    permalink = resolve.find(engine.persona, media.media_id)
    answer = resolve.posted(post, media.media_id, permalink)
    assert answer == Resolved(engine.post())
    assert (engine.post().status, engine.post().provider_post_id) == (PostStatus.POSTED, media.media_id)
    assert (engine.post().permalink, engine.post().posted_at) == (permalink, post.publish_sent_at)
    assert resolve.posted(engine.post(), media.media_id, permalink) == Resolved(engine.post(), was_before=True)


def test_the_owner_says_that_it_is_not_live_and_has_it_retried() -> None:
    engine = unconfirmed()
    resolve = resolving(engine)
    answer = resolve.not_posted(engine.post(), NOTHING_SEEN)
    assert answer == Resolved(engine.post())
    fault = engine.post().fault
    assert fault is not None
    assert (engine.post().status, fault.kind) == (PostStatus.FAILED, NOT_POSTED)
    assert "Before: Lost." in fault.message
    assert engine.photo().post_slot == NINE
    assert engine.queue() == []
    assert resolve.not_posted(engine.post(), NOTHING_SEEN) == Resolved(engine.post(), was_before=True)
    report = retry(engine)
    assert isinstance(report, Report)
    assert report.outcome is Outcome.POSTED


def test_a_post_whose_container_was_published_is_not_said_to_be_absent() -> None:
    engine = unconfirmed(is_live=True)
    resolve = resolving(engine)
    answer = resolve.not_posted(engine.post(), resolve.look(engine.persona, engine.post()))
    assert "says PUBLISHED" in reason(answer)
    assert engine.post().status is PostStatus.UNCONFIRMED


def test_a_post_whose_container_was_published_is_not_to_be_waited_for() -> None:
    engine = unconfirmed(is_live=True)
    post = engine.post()
    assert post.cannot_land_after is not None
    engine.clock.advance(post.cannot_land_after - timedelta(hours=1) - engine.clock.now())
    seen = Sight("PUBLISHED", is_published=True, candidates=())
    assert "says PUBLISHED" in reason(resolving(engine).not_posted(post, seen))


@pytest.mark.parametrize("late", [timedelta(microseconds=-1), timedelta(0)])
def test_a_post_is_said_to_be_absent_only_when_nothing_can_land_any_more(late: timedelta) -> None:
    sent = a_post().as_fenced(a_container(), a_post().created_at)
    post = sent.as_unconfirmed(Unresolved("Lost.").record, Evidence("EXPIRED"), sent.created_at)
    engine = Engine(a_photo())
    engine.records.posts[DEFAULT, NINE] = post
    assert post.cannot_land_after is not None
    engine.clock.advance(post.cannot_land_after + late - engine.clock.now())
    answer = resolving(engine).not_posted(post, NOTHING_SEEN)
    if late:
        assert "It may become live until 2026-11-23 09:00 UTC" in reason(answer)
        assert engine.post() == post
    else:
        assert isinstance(answer, Resolved)


def test_the_second_of_two_words_is_told_of_the_first() -> None:
    engine = unconfirmed()
    resolve, post = resolving(engine), engine.post()
    resolve.not_posted(post, NOTHING_SEEN)
    engine.clock.advance(timedelta(seconds=1))
    assert resolve.not_posted(post, NOTHING_SEEN) == Resolved(engine.post(), was_before=True)
    assert "is failed, and so not live" in reason(resolve.posted(post, MEDIA, None))
    assert engine.post().status is PostStatus.FAILED


def test_a_media_that_is_another_posts_is_refused() -> None:
    engine = unconfirmed()
    engine.library.add(a_photo("another"))
    report = engine.deliver(Slot.by_hand(engine.clock.now()))
    assert report.provider_post_id is not None
    answer = resolving(engine).posted(engine.post(), report.provider_post_id, None)
    assert "is another post's" in reason(answer)


def test_what_instagram_does_not_tell_keeps_nobody_from_looking() -> None:
    engine = unconfirmed()
    engine.publisher.fail("container_status", Retry("No answer."))
    engine.publisher.fail("recent_media", AccountFault("The token has expired."))
    sight = resolving(engine).look(engine.persona, engine.post())
    assert not sight.is_published
    assert (sight.container, sight.why_no_candidates) == ("cannot be read now: No answer.", "The token has expired.")


def test_what_is_not_unconfirmed_says_when_it_will_be() -> None:
    engine = Engine(a_photo())
    engine.publisher.fail("publish", Unresolved("Lost."))
    engine.deliver()
    told = reason(resolving(engine).not_posted(engine.post(), NOTHING_SEEN))
    assert "unconfirmed, and yours to resolve, after 2026-11-23 09:00 UTC" in told
    engine = Engine(a_photo())
    engine.claim(run=engine.start_run())
    assert "was not sent" in reason(resolving(engine).posted(engine.post(), MEDIA, None))
    engine = Engine(a_photo())
    engine.deliver()
    assert "is posted, as media" in reason(resolving(engine).posted(engine.post(), MEDIA, None))


# ---- the records themselves ----


def a_container() -> ContainerId:
    return ContainerId("178")


@pytest.mark.parametrize("status", list(PostStatus))
def test_only_a_failed_post_is_retried_and_only_an_unconfirmed_one_resolved(status: PostStatus) -> None:
    post = a_post(status=status, publish_sent_at=a_post().created_at)
    at = a_post().created_at + CONTAINER_LIFE
    steps: list[tuple[Callable[[], Post], PostStatus]] = [
        (partial(post.as_retried, NINE, at), PostStatus.FAILED),
        (partial(post.as_resolved_posted, MEDIA, None, at), PostStatus.UNCONFIRMED),
        (partial(post.as_resolved_not_posted, at), PostStatus.UNCONFIRMED),
    ]
    for step, right in steps:
        if status is right:
            step()
        else:
            with pytest.raises(IllegalTransitionError):
                step()


def test_a_post_is_retried_once() -> None:
    post = a_post(status=PostStatus.FAILED).as_retried(NINE, a_post().created_at)
    with pytest.raises(IllegalTransitionError):
        post.as_retried(NINE, a_post().created_at)


def test_a_post_is_not_said_to_be_absent_while_it_may_land() -> None:
    post = a_post(status=PostStatus.UNCONFIRMED, publish_sent_at=a_post().created_at)
    with pytest.raises(IllegalTransitionError):
        post.as_resolved_not_posted(a_post().created_at + CONTAINER_LIFE - timedelta(seconds=1))


def test_an_unconfirmed_post_without_the_time_at_which_it_was_sent_is_settled_a_day_after_its_last_change() -> None:
    post = a_post(status=PostStatus.UNCONFIRMED, updated_at=a_post().created_at + timedelta(hours=3))
    engine = Engine(a_photo())
    engine.records.posts[DEFAULT, NINE] = post
    resolve = resolving(engine)
    engine.clock.advance(post.updated_at + CONTAINER_LIFE - timedelta(seconds=1) - engine.clock.now())
    assert "It may become live until 2026-11-23 12:00 UTC" in reason(resolve.not_posted(post, NOTHING_SEEN))
    with pytest.raises(IllegalTransitionError):
        post.as_resolved_not_posted(engine.clock.now())
    engine.clock.advance(timedelta(seconds=1))
    assert isinstance(resolve.not_posted(post, NOTHING_SEEN), Resolved)
    assert engine.post().status is PostStatus.FAILED


def test_a_post_without_the_time_at_which_it_was_sent_was_not_posted_when_its_owner_says_so() -> None:
    post = a_post(status=PostStatus.UNCONFIRMED, updated_at=a_post().created_at + timedelta(hours=3))
    live = post.as_resolved_posted(MEDIA, None, post.updated_at + timedelta(days=9))
    assert live.posted_at == post.updated_at


def test_a_post_whose_persona_was_removed_is_settled_by_the_ledger_alone() -> None:
    engine = unconfirmed()
    engine.records.personas.clear()
    resolve, post = resolving(engine), engine.post()
    asked = list(engine.publisher.calls)
    sight = resolve.look(None, post)
    assert (sight.is_published, sight.candidates) == (False, ())
    assert sight.container == f"cannot be read: {sight.why_no_candidates}"
    assert engine.publisher.calls == asked, "without a token nobody is asked"
    assert isinstance(resolve.not_posted(post, sight), Resolved)
    assert engine.post().status is PostStatus.FAILED


def test_a_post_that_was_put_off_says_until_when_and_why() -> None:
    engine = Engine(a_photo())
    engine.publisher.fail("create_container", Defer("Instagram wants fewer calls.", after=timedelta(hours=2)))
    engine.deliver()
    words = "tried again by itself from 2026-11-22 11:00 UTC on, given up at 2026-11-23 08:00 UTC. Why: Instagram wants"
    assert words in reason(retry(engine))
    assert words in reason(resolving(engine).posted(engine.post(), MEDIA, None))


def test_a_post_whose_turn_comes_too_late_is_not_said_to_be_tried_again() -> None:
    engine = Engine(a_photo())
    engine.publisher.fail("create_container", Defer("Instagram wants fewer calls.", after=timedelta(days=2)))
    engine.deliver()
    words = "put off, and not tried again before it is given up, at 2026-11-23 08:00 UTC. Why: Instagram wants"
    assert words in reason(retry(engine))


def test_a_persona_is_what_it_was_but_for_its_pause() -> None:
    engine = Engine(a_photo())
    engine.personas.pause(DEFAULT, "A holiday.")
    assert engine.persona == a_persona(paused_reason="A holiday.")
