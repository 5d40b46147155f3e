"""PostNextBest: one event in, one slot served, whatever came before it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, NoReturn

import pytest

from domain.curators_choice import DEFAULT_CAPTION
from domain.faults import AccountFault, Defer, FaultRecord, PhotoFault, Retry, Unresolved
from domain.ids import PersonaId
from domain.outcomes import Outcome, Report
from domain.photos import Photo
from domain.ports import Claim, RecordsUnavailableError
from domain.post_next_best import NOTHING_TO_POST, Request, UnknownPersonaError
from domain.posts import Post, PostStatus
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, Engine, a_persona, a_photo, a_photo_id
from fakes.records import FakePhotoLibrary, FakeRecords

SECOND, THIRD = Slot(NINE.start, 2), Slot(NINE.start, 3)
TOMORROW = Slot(NINE.start + timedelta(days=1))
TOO_LONG = "x" * 2201

TOO_LARGE = PhotoFault("Instagram refused: the photo is too large.", code=36000, subcode=2207004)
BAD_TOKEN = AccountFault("The token has expired.", code=190, subcode=463)
THROTTLED = Defer("The account is throttled.", code=4, after=timedelta(minutes=40))
NO_ANSWER = Unresolved("Instagram gave no answer to the publish request.")


@pytest.fixture
def engine() -> Engine:
    """Four photos in the queue: best, second, third, fourth."""
    names = ("best", "second", "third", "fourth")
    return Engine(*(a_photo(name, score=9.0 - place) for place, name in enumerate(names)))


def state(engine: Engine) -> tuple[dict[Any, Any], dict[Any, Any], dict[Any, Any]]:
    records = engine.records
    return dict(records.personas), dict(records.photos), dict(records.posts)


class LibraryWithASurprise(FakePhotoLibrary):
    """Something happens after the queue was read and before the photo can be claimed."""

    def __init__(self, records: FakeRecords) -> None:
        super().__init__(records)
        self.surprise: Callable[[Photo], None] = lambda _: None

    def best_first(self, persona_id: PersonaId, *, page_size: int = 1) -> Iterator[Photo]:
        for photo in super().best_first(persona_id, page_size=page_size):
            self.surprise(photo)
            yield photo


def engine_with_a_surprise(*photos: Photo, surprise: Callable[[Engine, Photo], None], **others: Any) -> Engine:
    libraries: list[LibraryWithASurprise] = []

    def make(records: FakeRecords) -> LibraryWithASurprise:
        libraries.append(LibraryWithASurprise(records))
        return libraries[0]

    engine = Engine(*photos, library=make, **others)
    libraries[0].surprise = lambda photo: surprise(engine, photo)
    return engine


# ---- a slot ----


def test_the_best_photo_is_posted(engine: Engine) -> None:
    report = engine.deliver()
    (media,) = engine.publisher.live
    assert (report.outcome, report.persona_id, report.slot) == (Outcome.POSTED, DEFAULT, NINE)
    assert (report.photo_id, report.provider_post_id) == (a_photo_id("best"), media.media_id)
    assert (report.reason, report.earlier) == (None, ())
    assert engine.post().photo_id == a_photo_id("best")
    assert engine.post().lease.owner == "run-1"
    assert engine.queue() == [a_photo_id("second"), a_photo_id("third"), a_photo_id("fourth")]


def test_each_slot_posts_the_next_best_until_nothing_is_left() -> None:
    engine = Engine(a_photo("low", score=3.0), a_photo("high", score=8.0))
    reports = []
    for day in range(3):
        slot = Slot(NINE.start + timedelta(days=day))
        engine.clock.advance(slot.start - engine.clock.now())
        reports.append(engine.deliver(slot))
    assert [(report.outcome, report.photo_id) for report in reports] == [
        (Outcome.POSTED, a_photo_id("high")),
        (Outcome.POSTED, a_photo_id("low")),
        (Outcome.NOTHING_TO_POST, None),
    ]
    assert len(engine.publisher.live) == 2


@pytest.mark.parametrize(
    ("of_photo", "of_persona", "expected"),
    [("photo's", "persona's", "photo's"), (None, "persona's", "persona's"), (None, None, DEFAULT_CAPTION)],
)
def test_the_post_says_what_photo_persona_or_default_say(
    of_photo: str | None, of_persona: str | None, expected: str
) -> None:
    engine = Engine(a_photo(caption=of_photo), persona=a_persona(caption=of_persona))
    engine.deliver()
    assert [media.caption for media in engine.publisher.live] == [expected]
    assert engine.post().caption == expected


def test_only_this_personas_photos_are_chosen() -> None:
    engine = Engine(a_photo("mine", score=1.0), a_photo("another's", score=9.0, persona_id=PersonaId("another")))
    assert engine.deliver().photo_id == a_photo_id("mine")


def test_an_empty_library_is_a_warning_and_no_failure() -> None:
    engine = Engine()
    assert engine.deliver() == Report(Outcome.NOTHING_TO_POST, DEFAULT, NINE, reason=NOTHING_TO_POST)
    assert engine.log.messages("warning") == ["No unposted photos available to schedule."]
    assert engine.log.messages("error") == []
    assert (engine.records.posts, engine.publisher.calls) == ({}, [])


def test_a_library_under_the_minimum_score_has_nothing_to_post() -> None:
    engine = Engine(a_photo("near", score=6.999), a_photo("far", score=1.0), persona=a_persona(minimum_score=7.0))
    report = engine.deliver()
    assert (report.outcome, report.reason) == (Outcome.NOTHING_TO_POST, "No unposted photos available to schedule.")
    assert engine.log.messages("warning") == ["No unposted photos available to schedule."]
    assert engine.records.posts == {}
    assert engine.library.pages_read == 1


def test_a_photo_at_the_minimum_score_is_posted() -> None:
    assert Engine(a_photo(score=7.0), persona=a_persona(minimum_score=7.0)).deliver().outcome is Outcome.POSTED


def test_choosing_reads_one_page_of_the_queue(engine: Engine) -> None:
    engine.deliver()
    assert engine.library.pages_read == 1


def test_a_persona_that_nobody_added_is_an_error_that_names_the_field() -> None:
    engine = Engine(a_photo())
    with pytest.raises(UnknownPersonaError, match=r"^persona_id: there is no persona 'nobody'"):
        engine.post_next_best(Request(PersonaId("nobody"), NINE), engine.start_run)
    assert engine.records.posts == {}


def test_a_paused_persona_posts_nothing_and_is_told_how_to_resume() -> None:
    engine = Engine(a_photo(), persona=a_persona(paused_reason="The token has expired."))
    before = state(engine)
    report = engine.deliver()
    assert report.outcome is Outcome.PAUSED
    assert "The token has expired." in (report.reason or "")
    assert "fluffy-train persona resume default" in (report.reason or "")
    assert (state(engine), engine.publisher.calls) == (before, [])


# ---- too late ----


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=5, minutes=59), timedelta(hours=6)])
def test_a_slot_is_served_up_to_6_hours_late(engine: Engine, late: timedelta) -> None:
    engine.clock.advance(NINE.start + late - engine.clock.now())
    assert engine.deliver().outcome is Outcome.POSTED


@pytest.mark.parametrize("late", [timedelta(hours=6, microseconds=1), timedelta(hours=7), timedelta(days=400)])
def test_a_slot_that_comes_more_than_6_hours_late_is_skipped_without_a_trace(engine: Engine, late: timedelta) -> None:
    before = state(engine)
    engine.clock.advance(NINE.start + late - engine.clock.now())
    report = engine.deliver()
    assert (report.outcome, report.photo_id) == (Outcome.TOO_LATE, None)
    assert "6 hours" in (report.reason or "")
    assert (state(engine), engine.publisher.calls) == (before, [])


def test_a_slot_in_the_future_is_served_now(engine: Engine) -> None:
    assert engine.deliver(Slot(NINE.start + timedelta(days=3650))).outcome is Outcome.POSTED


# ---- a second delivery ----


def test_a_second_delivery_of_a_posted_slot_posts_nothing(engine: Engine) -> None:
    first = engine.deliver()
    before = state(engine)
    again = engine.deliver()
    assert again == replace(first, outcome=Outcome.ALREADY_DONE, reason="This slot is done: posted.")
    assert state(engine) == before
    assert len(engine.publisher.live) == 1


def test_a_second_delivery_after_the_last_photo_is_already_done_and_not_nothing_to_post() -> None:
    engine = Engine(a_photo())
    first = engine.deliver()
    again = engine.deliver()
    assert (again.outcome, again.provider_post_id) == (Outcome.ALREADY_DONE, first.provider_post_id)
    assert NOTHING_TO_POST not in engine.log.messages("warning")


def test_a_second_delivery_of_a_failed_slot_tells_why_and_posts_nothing() -> None:
    engine = Engine(a_photo())
    engine.publisher.fail("create_container", TOO_LARGE)
    engine.deliver()
    engine.library.add(a_photo("new", score=9.0))
    again = engine.deliver()
    assert (again.outcome, again.photo_id) == (Outcome.ALREADY_DONE, a_photo_id("sunrise"))
    assert TOO_LARGE.message in (again.reason or "")
    assert engine.publisher.live == []


def test_a_slot_goes_on_whose_run_was_killed_between_a_refused_caption_and_the_next_claim() -> None:
    engine = Engine(a_photo("wordy", score=9.0, caption="x" * 2201), a_photo("second", score=8.0))
    claim, claims = engine.ledger.claim, count(1)

    def killed_at_the_second(post: Post) -> Claim:
        if next(claims) == 2:
            raise RecordsUnavailableError("The process is gone.")
        return claim(post)

    engine.ledger.claim = killed_at_the_second  # type: ignore[method-assign]
    with pytest.raises(RecordsUnavailableError):
        engine.deliver()
    engine.ledger.claim = claim  # type: ignore[method-assign]
    again = engine.deliver()
    assert (again.outcome, again.slot, again.photo_id) == (Outcome.POSTED, SECOND, a_photo_id("second"))


def test_a_slot_of_nothing_but_refused_captions_is_done(engine: Engine) -> None:
    engine = Engine(a_photo("wordy", caption="x" * 2201))
    assert engine.deliver().outcome is Outcome.FAILED
    assert engine.deliver().outcome is Outcome.ALREADY_DONE


def test_a_second_delivery_of_a_slot_that_went_on_tells_of_its_last_photo(engine: Engine) -> None:
    engine.publisher.fail("create_container", TOO_LARGE)
    posted = engine.deliver()
    again = engine.deliver()
    assert (again.outcome, again.slot, again.photo_id) == (Outcome.ALREADY_DONE, SECOND, a_photo_id("second"))
    assert again.provider_post_id == posted.provider_post_id is not None
    assert len(engine.publisher.live) == 1


def test_a_second_delivery_of_an_unconfirmed_slot_posts_nothing(engine: Engine) -> None:
    engine.deliver()
    engine.records.posts[DEFAULT, NINE] = replace(engine.post(), status=PostStatus.UNCONFIRMED, provider_post_id=None)
    again = engine.deliver()
    assert (again.outcome, again.reason) == (Outcome.ALREADY_DONE, "This slot is done: unconfirmed.")
    assert len(engine.publisher.live) == 1


def test_a_second_delivery_while_the_first_is_at_work_leaves_it_alone(engine: Engine) -> None:
    """The second one comes between the first one's steps, each time Instagram is called."""
    second: list[Report] = []
    engine.publisher.before_call = lambda _: second.append(engine.deliver())
    assert engine.deliver().outcome is Outcome.POSTED
    assert [report.outcome for report in second] == [Outcome.IN_PROGRESS] * 3
    assert {report.photo_id for report in second} == {a_photo_id("best")}
    assert len(engine.publisher.live) == len(engine.publisher.containers) == 1
    assert len(engine.records.posts) == 1


def test_a_second_delivery_takes_over_when_the_lease_is_over(engine: Engine) -> None:
    """The first was killed after its claim."""
    run = engine.start_run()
    engine.claim("best", run=run)
    engine.clock.advance(run.lease.until - engine.clock.now())
    assert engine.deliver().outcome is Outcome.IN_PROGRESS
    engine.clock.advance(timedelta(milliseconds=1))
    report = engine.deliver()
    assert (report.outcome, report.slot, report.photo_id) == (Outcome.POSTED, NINE, a_photo_id("best"))
    assert engine.post().lease.owner != run.run_id
    assert len(engine.publisher.live) == len(engine.records.posts) == 1


def test_a_second_delivery_resolves_what_the_first_left_unresolved(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER)
    assert engine.deliver().outcome is Outcome.UNRESOLVED
    engine.clock.advance(timedelta(minutes=1))
    assert engine.deliver().outcome is Outcome.UNRESOLVED
    assert engine.publisher.live == []
    assert engine.publisher.calls.count("publish") == 1
    assert engine.queue()[0] == a_photo_id("second")


def test_the_schedule_goes_on_while_a_post_is_unresolved(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER)
    engine.deliver()
    engine.clock.advance(timedelta(days=1))
    report = engine.deliver(TOMORROW)
    assert (report.outcome, report.photo_id) == (Outcome.POSTED, a_photo_id("second"))
    assert engine.post().status is PostStatus.POSTING


def test_a_deferred_slot_is_in_progress_until_it_may_be_looked_at(engine: Engine) -> None:
    engine.publisher.fail("publish", THROTTLED)
    assert engine.deliver().outcome is Outcome.DEFERRED
    assert engine.deliver().outcome is Outcome.IN_PROGRESS
    engine.clock.advance(timedelta(minutes=41))
    assert engine.deliver().outcome is Outcome.POSTED
    assert len(engine.publisher.live) == 1


# ---- a lost race ----


def test_a_photo_lost_to_another_slot_is_followed_by_the_next_best() -> None:
    other = Slot(NINE.start - timedelta(minutes=1))

    def take_the_best(engine: Engine, photo: Photo) -> None:
        if photo.photo_id == a_photo_id("best"):
            engine.claim("best", slot=other, run=engine.start_run())

    engine = engine_with_a_surprise(a_photo("best", score=9.0), a_photo("second", score=8.0), surprise=take_the_best)
    report = engine.deliver()
    assert (report.outcome, report.slot, report.photo_id) == (Outcome.POSTED, NINE, a_photo_id("second"))
    assert report.earlier == ()
    assert engine.photo("best").post_slot == other


def test_a_lost_last_photo_leaves_nothing_to_post() -> None:
    other = Slot(NINE.start - timedelta(minutes=1))

    def take_it(engine: Engine, _: Photo) -> None:
        engine.claim(slot=other, run=engine.start_run())

    engine = engine_with_a_surprise(a_photo(), surprise=take_it)
    assert engine.deliver().outcome is Outcome.NOTHING_TO_POST
    assert list(engine.records.posts) == [(DEFAULT, other)]


def test_a_slot_lost_to_another_delivery_is_in_progress() -> None:
    def claim_the_slot(engine: Engine, photo: Photo) -> None:
        if not engine.records.posts:
            engine.claim("second", run=engine.start_run())

    engine = engine_with_a_surprise(a_photo("best", score=9.0), a_photo("second", score=8.0), surprise=claim_the_slot)
    report = engine.deliver()
    assert (report.outcome, report.photo_id) == (Outcome.IN_PROGRESS, a_photo_id("second"))
    assert engine.photo("best").post_slot is None
    assert engine.publisher.calls == []


def test_a_persona_that_is_paused_while_the_run_starts_posts_nothing() -> None:
    def pause(engine: Engine, _: Photo) -> None:
        engine.records.personas[DEFAULT] = a_persona(paused_reason="Stop.")

    engine = engine_with_a_surprise(a_photo(), surprise=pause)
    assert engine.deliver().outcome is Outcome.PAUSED
    assert (engine.records.posts, engine.photo().post_slot, engine.publisher.calls) == ({}, None, [])


# ---- faults, as the event's sender is told ----


@pytest.mark.parametrize(
    ("method", "fault", "outcome", "recorded"),
    [
        ("create_container", TOO_LARGE, Outcome.FAILED, FaultRecord("PhotoFault", TOO_LARGE.message, 36000, 2207004)),
        ("publish", TOO_LARGE, Outcome.FAILED, FaultRecord("PhotoFault", TOO_LARGE.message, 36000, 2207004)),
        ("create_container", BAD_TOKEN, Outcome.FAILED, FaultRecord("AccountFault", BAD_TOKEN.message, 190, 463)),
        ("publish", BAD_TOKEN, Outcome.FAILED, FaultRecord("AccountFault", BAD_TOKEN.message, 190, 463)),
        ("create_container", THROTTLED, Outcome.DEFERRED, FaultRecord("Defer", THROTTLED.message, 4)),
        ("publish", THROTTLED, Outcome.DEFERRED, FaultRecord("Defer", THROTTLED.message, 4)),
        ("publish", NO_ANSWER, Outcome.UNRESOLVED, FaultRecord("Unresolved", NO_ANSWER.message)),
    ],
)
def test_a_fault_is_on_record_with_its_kind_and_its_numbers(
    method: str, fault: Any, outcome: Outcome, recorded: FaultRecord
) -> None:
    engine = Engine(a_photo())
    engine.publisher.fail(method, fault)
    assert engine.deliver().outcome is outcome
    assert engine.post().fault == recorded


def test_a_dead_token_burns_no_photo_however_often_the_schedule_fires(engine: Engine) -> None:
    before = dict(engine.records.photos)
    engine.publisher.fail("create_container", BAD_TOKEN, times=99)
    outcomes = []
    for day in range(5):
        engine.clock.advance(NINE.start + timedelta(days=day) - engine.clock.now())
        outcomes.append(engine.deliver(Slot(engine.clock.now())).outcome)
    assert outcomes == [Outcome.FAILED] + [Outcome.PAUSED] * 4
    assert engine.records.photos == before


def test_a_resumed_persona_posts_the_photo_that_was_put_back(engine: Engine) -> None:
    engine.publisher.fail("publish", BAD_TOKEN)
    engine.deliver()
    assert engine.personas.resume(DEFAULT)
    engine.clock.advance(timedelta(days=1))
    report = engine.deliver(TOMORROW)
    assert (report.outcome, report.photo_id) == (Outcome.POSTED, a_photo_id("best"))


# ---- captions that Instagram would not take ----


def test_a_photo_whose_own_caption_is_too_long_fails_and_the_next_best_is_posted() -> None:
    engine = Engine(a_photo("wordy", score=9.0, caption=TOO_LONG), a_photo("next", score=8.0))
    report = engine.deliver()
    assert (report.outcome, report.slot, report.photo_id) == (Outcome.POSTED, SECOND, a_photo_id("next"))
    (refused,) = report.earlier
    assert (refused.outcome, refused.slot, refused.photo_id) == (Outcome.FAILED, NINE, a_photo_id("wordy"))
    assert engine.post().status is PostStatus.FAILED
    fault = engine.post().fault
    assert fault is not None
    assert (fault.kind, fault.message) == ("CaptionRefused", refused.reason)
    assert "2201 characters" in fault.message
    assert engine.photo("wordy").post_slot == NINE
    assert len(engine.publisher.containers) == len(engine.publisher.live) == 1


def test_three_photos_with_captions_that_are_too_long_end_the_slot() -> None:
    names = ("one", "two", "three", "four")
    engine = Engine(*(a_photo(name, score=9.0 - place, caption=TOO_LONG) for place, name in enumerate(names)))
    report = engine.deliver()
    assert (report.outcome, report.slot, report.photo_id) == (Outcome.FAILED, THIRD, a_photo_id("three"))
    assert [one.slot for one in report.earlier] == [NINE, SECOND]
    assert engine.queue() == [a_photo_id("four")]
    assert engine.publisher.calls == []


def test_a_last_photo_whose_caption_is_too_long_fails_the_slot() -> None:
    engine = Engine(a_photo(caption=TOO_LONG))
    report = engine.deliver()
    assert (report.outcome, report.slot, report.earlier) == (Outcome.FAILED, NINE, ())
    assert engine.deliver().outcome is Outcome.ALREADY_DONE


def test_photos_refused_before_and_by_instagram_count_together() -> None:
    names = ("wordy", "large", "larger", "never tried")
    engine = Engine(*(a_photo(name, score=9.0 - place) for place, name in enumerate(names)))
    engine.library.add(a_photo("wordy", score=9.0, caption=TOO_LONG))
    engine.publisher.fail("create_container", TOO_LARGE, times=9)
    report = engine.deliver()
    assert (report.outcome, report.slot, report.photo_id) == (Outcome.FAILED, THIRD, a_photo_id("larger"))
    assert [(one.slot, one.photo_id) for one in report.earlier] == [
        (NINE, a_photo_id("wordy")),
        (SECOND, a_photo_id("large")),
    ]
    assert engine.queue() == [a_photo_id("never tried")]


def test_a_personas_caption_that_is_too_long_pauses_it_and_touches_no_photo() -> None:
    engine = Engine(a_photo("best", score=9.0), a_photo("second"), persona=a_persona(caption=TOO_LONG))
    before = dict(engine.records.photos)
    report = engine.deliver()
    assert (report.outcome, report.slot) == (Outcome.FAILED, NINE)
    assert "2201 characters" in (report.reason or "")
    assert engine.records.photos == before
    assert engine.persona.paused_reason == report.reason
    assert engine.post().status is PostStatus.FAILED
    assert engine.post().fault == FaultRecord("AccountFault", report.reason or "")
    assert engine.publisher.calls == []


def test_a_photos_own_caption_makes_up_for_the_personas() -> None:
    engine = Engine(a_photo(caption="Short"), persona=a_persona(caption=TOO_LONG))
    assert engine.deliver().outcome is Outcome.POSTED


def test_a_second_delivery_is_already_done_even_when_the_personas_caption_has_become_too_long(engine: Engine) -> None:
    engine.deliver()
    engine.records.personas[DEFAULT] = a_persona(caption=TOO_LONG)
    assert engine.deliver().outcome is Outcome.ALREADY_DONE


def test_a_refused_photo_is_told_of_even_when_the_slot_ends_with_the_personas_caption() -> None:
    engine = Engine(
        a_photo("wordy", score=9.0, caption=TOO_LONG), a_photo("next", score=8.0), persona=a_persona(caption=TOO_LONG)
    )
    report = engine.deliver()
    assert (report.outcome, report.slot) == (Outcome.FAILED, SECOND)
    assert [one.photo_id for one in report.earlier] == [a_photo_id("wordy")]


def test_a_refused_photo_is_told_of_even_when_the_persona_is_paused_meanwhile() -> None:
    def pause(engine: Engine, photo: Photo) -> None:
        if photo.photo_id == a_photo_id("next"):
            engine.records.personas[DEFAULT] = a_persona(paused_reason="Stop.")

    engine = engine_with_a_surprise(
        a_photo("wordy", score=9.0, caption=TOO_LONG), a_photo("next", score=8.0), surprise=pause
    )
    report = engine.deliver()
    assert Outcome.FAILED in {one.outcome for one in (report, *report.earlier)}


# ---- the dry run ----


def never() -> NoReturn:
    raise AssertionError("a dry run starts no run")


def rehearse(engine: Engine, slot: Slot = NINE) -> Report:
    before = state(engine)
    report = engine.post_next_best(Request(DEFAULT, slot, dry_run=True), never)
    assert state(engine) == before
    assert (engine.publisher.calls, engine.renditions.asked, engine.clock.slept) == ([], [], [])
    assert report.outcome is Outcome.DRY_RUN
    return report


def test_a_dry_run_says_what_would_be_posted_and_why(engine: Engine) -> None:
    report = rehearse(engine)
    assert report.photo_id == a_photo_id("best")
    assert "score 9, the highest in the queue" in (report.reason or "")
    assert f"{a_photo_id('second')} with 8" in (report.reason or "")


def test_a_dry_run_foretells_what_is_posted(engine: Engine) -> None:
    assert rehearse(engine).photo_id == engine.deliver().photo_id


def test_a_dry_run_of_a_single_photo_says_so() -> None:
    assert "the only photo in the queue" in (rehearse(Engine(a_photo())).reason or "")


def test_a_dry_run_of_an_empty_library_says_so() -> None:
    report = rehearse(Engine())
    assert (report.photo_id, report.reason) == (None, NOTHING_TO_POST)


def test_a_dry_run_respects_the_minimum_score() -> None:
    assert rehearse(Engine(a_photo(score=6.0), persona=a_persona(minimum_score=7.0))).photo_id is None


def test_a_dry_run_of_a_paused_persona_says_so_and_what_else_would_be_posted() -> None:
    report = rehearse(Engine(a_photo(), persona=a_persona(paused_reason="The token has expired.")))
    assert report.photo_id == a_photo_id("sunrise")
    assert "The token has expired." in (report.reason or "")


@pytest.mark.parametrize(
    "engine",
    [Engine(a_photo(caption=TOO_LONG)), Engine(a_photo(), persona=a_persona(caption=TOO_LONG))],
    ids=["photo's", "persona's"],
)
def test_a_dry_run_says_when_the_caption_would_be_refused(engine: Engine) -> None:
    assert "It would be refused: the caption has 2201 characters" in (rehearse(engine).reason or "")


def test_a_dry_run_can_be_made_for_a_slot_that_is_long_over(engine: Engine) -> None:
    assert rehearse(engine, Slot(NINE.start - timedelta(days=30))).photo_id == a_photo_id("best")


def test_a_dry_run_of_a_persona_that_nobody_added_is_an_error() -> None:
    with pytest.raises(UnknownPersonaError, match="persona_id"):
        Engine().post_next_best(Request(PersonaId("nobody"), NINE, dry_run=True), never)


def test_a_retry_does_not_show_in_what_the_sender_is_told(engine: Engine) -> None:
    engine.publisher.fail("create_container", Retry("Wait."))
    report = engine.deliver()
    assert (report.outcome, report.reason) == (Outcome.POSTED, None)
