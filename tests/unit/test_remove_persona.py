"""Taking a persona out of service: in which order, what stays, and that a broken-off removal can be repeated."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.faults import Defer, Unresolved
from domain.ids import ContainerId, PersonaId
from domain.outcomes import Outcome
from domain.photos import Photo
from domain.post_driver import PERSONA_REMOVED
from domain.posts import Evidence, Post, PostStatus
from domain.remove_persona import REASON, Removal, RemovePersona
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, Engine, a_persona, a_photo, a_photo_id
from fakes.records import FakePostLedger

OTHER = PersonaId("other")
TEN = Slot(NINE.start + timedelta(hours=1))


class KilledError(Exception):
    """The command was broken off."""


@dataclass
class Outside:
    """The schedules and the secrets."""

    scheduled: set[PersonaId] = field(default_factory=lambda: {DEFAULT, OTHER})
    known: set[PersonaId] = field(default_factory=lambda: {DEFAULT, OTHER})

    def delete(self, persona_id: PersonaId) -> bool:
        was_there = persona_id in self.scheduled
        self.scheduled.discard(persona_id)
        return was_there

    def forget(self, persona_id: PersonaId) -> None:
        self.known.discard(persona_id)


class Killing:
    """Hands calls on until it has made so many, then breaks off: before that call, or after it took effect."""

    def __init__(self, wrapped: Any, calls: list[str], at: int, *, after: bool) -> None:
        self._wrapped, self._calls, self._at, self._after = wrapped, calls, at, after

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self._calls.append(name)
            if len(self._calls) == self._at and not self._after:
                raise KilledError(name)
            answer = getattr(self._wrapped, name)(*arguments, **named)
            if len(self._calls) == self._at:
                raise KilledError(name)
            return answer

        return call


@pytest.fixture
def engine() -> Engine:
    """Two personas, each with photos in its queue, and one post of the first."""
    engine = Engine(*(a_photo(f"photo {number}", score=float(number)) for number in range(4)))
    engine.personas.add(a_persona(persona_id=OTHER))
    engine.library.add(a_photo("theirs", persona_id=OTHER))
    assert engine.deliver().outcome is Outcome.POSTED
    return engine


@pytest.fixture
def outside() -> Outside:
    return Outside()


def use_case(engine: Engine, outside: Outside, wrap: Callable[[Any], Any] = lambda port: port) -> RemovePersona:
    return RemovePersona(
        schedules=wrap(outside),
        secrets=wrap(outside),
        personas=wrap(engine.personas),
        library=wrap(engine.library),
        ledger=wrap(engine.ledger),
        driver=engine.driver,
        clock=engine.clock,
        start_run=engine.start_run,
    )


def what_stands(engine: Engine, outside: Outside) -> tuple[object, ...]:
    records = engine.records
    queued = {photo.photo_id for photo in records.photos.values() if records.is_queued(photo)}
    return set(records.personas), dict(records.posts), set(records.photos), queued, outside


def test_schedule_token_queue_and_record_go_and_history_and_photos_stay(engine: Engine, outside: Outside) -> None:
    posts, photos = dict(engine.records.posts), set(engine.records.photos)
    assert use_case(engine, outside)(DEFAULT) == Removal(done=True, unscheduled=True, unqueued=3)
    assert what_stands(engine, outside) == (
        {OTHER},
        posts,
        photos,
        {a_photo_id("theirs")},
        Outside({OTHER}, {OTHER}),
    )


def test_removing_again_changes_nothing(engine: Engine, outside: Outside) -> None:
    use_case(engine, outside)(DEFAULT)
    before = what_stands(engine, outside)
    assert use_case(engine, outside)(DEFAULT) == Removal(done=True, unscheduled=False, was_there=False)
    assert what_stands(engine, outside) == before


def test_a_pause_for_another_reason_does_not_keep_it_from_being_removed(engine: Engine, outside: Outside) -> None:
    engine.personas.pause(DEFAULT, "The token has expired.")
    assert use_case(engine, outside)(DEFAULT).done
    assert DEFAULT not in engine.records.personas


def test_a_post_under_way_keeps_token_queue_and_record_and_nothing_new_begins(engine: Engine, outside: Outside) -> None:
    engine.claim("photo 2", slot=TEN, run=engine.start_run())
    assert use_case(engine, outside)(DEFAULT) == Removal(done=False, unscheduled=True, open_slots=(TEN,))
    assert outside == Outside({OTHER}, {DEFAULT, OTHER})
    assert engine.persona.paused_reason == REASON
    assert engine.queue() == [a_photo_id("photo 1"), a_photo_id("photo 0")]
    engine.clock.advance(timedelta(hours=24))
    report = engine.take_over_and_drive(TEN)
    assert report is not None
    assert report.outcome is Outcome.FAILED, "where nobody gives the command again, it waits out its deadline"
    assert use_case(engine, outside)(DEFAULT) == Removal(done=True, unscheduled=False, unqueued=3)


def test_a_post_that_was_never_sent_and_that_no_run_has_in_hand_ends_with_its_persona(
    engine: Engine, outside: Outside
) -> None:
    engine.claim("photo 2", slot=TEN, run=engine.start_run())
    engine.clock.advance(timedelta(minutes=6))
    assert use_case(engine, outside)(DEFAULT) == Removal(done=True, unscheduled=True, unqueued=3)
    post = engine.post(TEN)
    assert (post.status, post.fault and post.fault.kind) == (PostStatus.FAILED, PERSONA_REMOVED)
    photo = engine.photo("photo 2")
    assert (photo.post_slot, photo.awaits_linking, engine.queue()) == (None, True, [])


def test_its_photo_leaves_the_queue_also_where_the_index_does_not_have_it_yet(engine: Engine, outside: Outside) -> None:
    engine.claim("photo 2", slot=TEN, run=engine.start_run())
    engine.clock.advance(timedelta(minutes=6))
    removal = use_case(engine, outside, lambda port: Lagging(port) if port is engine.library else port)
    assert removal(DEFAULT).done
    assert engine.photo("photo 2").awaits_linking
    assert a_photo_id("photo 2") not in engine.queue()


class Lagging:
    """A library whose queue's index has nothing yet."""

    def __init__(self, library: Any) -> None:
        self.unqueue = library.unqueue

    def best_first(self, *_: object, **__: object) -> Iterator[Photo]:
        return iter(())


def test_a_post_that_was_sent_once_and_refused_for_now_waits_for_its_deadline(engine: Engine, outside: Outside) -> None:
    engine.publisher.fail("publish", Defer("Not now."))
    assert engine.deliver(TEN).outcome is Outcome.DEFERRED
    engine.clock.advance(timedelta(minutes=6))
    before = engine.post(TEN)
    assert (before.is_fenced, before.publish_attempts) == (False, 1)
    assert use_case(engine, outside)(DEFAULT).open_slots == (TEN,)
    assert engine.post(TEN) == before, "what Instagram refused may be live all the same"


class Behind(FakePostLedger):
    """A ledger in which something happens to the post of ten between the look at all posts and the next step."""

    def __init__(self, engine: Engine, meanwhile: Callable[[], None]) -> None:
        super().__init__(engine.records)
        self._meanwhile = meanwhile

    def posts_since(self, persona_id: PersonaId, start: datetime) -> Sequence[Post]:
        posts = super().posts_since(persona_id, start)
        self._meanwhile()
        return posts


@pytest.mark.parametrize("what", ["is in another run's hand", "was sent, and put off"])
def test_a_post_that_another_run_came_by_at_this_moment_is_left_alone(
    engine: Engine, outside: Outside, what: str
) -> None:
    engine.claim("photo 2", slot=TEN, run=engine.start_run())
    engine.clock.advance(timedelta(minutes=6))

    def meanwhile() -> None:
        engine.lose_lease(TEN)
        if what == "was sent, and put off":
            fenced, now = engine.post(TEN).as_fenced(ContainerId("178"), engine.clock.now()), engine.clock.now()
            put_off = fenced.as_deferred(Defer("Not now.").record, now, now, fenced.container_id)
            engine.records.posts[DEFAULT, TEN] = put_off
            engine.clock.advance(timedelta(seconds=1))

    behind = Behind(engine, meanwhile)
    removal = use_case(engine, outside, lambda port: behind if port is engine.ledger else port)(DEFAULT)
    assert removal.open_slots == (TEN,)
    assert engine.post(TEN).status is PostStatus.POSTING


def test_a_post_of_which_nobody_knows_whether_it_is_live_keeps_its_persona_until_its_owner_says(
    engine: Engine, outside: Outside
) -> None:
    sent = replace(engine.post(), slot=TEN, status=PostStatus.POSTING, provider_post_id=None, posted_at=None)
    lost = sent.as_unconfirmed(Unresolved("Lost.").record, Evidence("FINISHED"), engine.clock.now())
    engine.records.posts[DEFAULT, TEN] = lost
    expected = Removal(done=False, unscheduled=True, unconfirmed_slots=(TEN,))
    assert use_case(engine, outside)(DEFAULT) == expected
    assert DEFAULT in outside.known
    assert DEFAULT in engine.records.personas
    engine.clock.advance(timedelta(hours=25))
    engine.records.posts[DEFAULT, TEN] = lost.as_resolved_not_posted(engine.clock.now())
    assert use_case(engine, outside)(DEFAULT).done


def test_a_post_that_was_sent_is_still_asked_for_and_ends_as_posted(engine: Engine, outside: Outside) -> None:
    engine.publisher.fail("publish", Unresolved("No answer."), after_effect=True)
    # Instagram falls silent as soon as the request is out.
    engine.publisher.before_call = lambda method: (
        engine.publisher.fail("container_status", Defer("Not now."), times=20) if method == "publish" else None
    )
    assert engine.claim_and_drive("photo 2", slot=TEN).outcome is Outcome.UNRESOLVED
    assert use_case(engine, outside)(DEFAULT).open_slots == (TEN,)
    engine.publisher.orders.clear()
    engine.clock.advance(timedelta(minutes=10))
    engine.take_over_and_drive(TEN)
    assert engine.post(TEN).status is PostStatus.POSTED
    assert use_case(engine, outside)(DEFAULT).done


def test_a_live_post_that_still_lacks_its_media_id_is_under_way_too(engine: Engine, outside: Outside) -> None:
    post = engine.post()
    assert post.status is PostStatus.POSTED
    engine.records.posts[DEFAULT, NINE] = replace(post, provider_post_id=None)
    assert engine.post().wants_another_look
    assert use_case(engine, outside)(DEFAULT).open_slots == (NINE,)


def test_a_persona_that_is_resumed_at_the_same_moment_is_kept(engine: Engine, outside: Outside) -> None:
    class Resumed(Outside):
        def forget(self, persona_id: PersonaId) -> None:
            engine.personas.resume(persona_id)

    assert use_case(engine, Resumed())(DEFAULT).done is False
    assert DEFAULT in engine.records.personas


def _begun(engine: Engine) -> None:
    """A run claimed a photo, and was killed."""
    engine.claim("photo 2", slot=TEN, run=engine.start_run())
    engine.clock.advance(timedelta(minutes=6))


def _calls_of_a_removal() -> int:
    calls: list[str] = []
    engine = Engine(*(a_photo(f"photo {number}", score=float(number)) for number in range(3)))
    _begun(engine)
    use_case(engine, Outside(), lambda port: Killing(port, calls, 0, after=False))(DEFAULT)
    assert "take_over" in calls
    return len(calls)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, _calls_of_a_removal() + 1))
def test_a_removal_that_was_broken_off_anywhere_comes_to_the_same_end_when_it_is_repeated(
    engine: Engine, outside: Outside, at: int, after: bool
) -> None:
    calls: list[str] = []
    _begun(engine)
    with pytest.raises(KilledError):
        use_case(engine, outside, lambda port: Killing(port, calls, at, after=after))(DEFAULT)
    engine.clock.advance(timedelta(minutes=6))
    assert use_case(engine, outside)(DEFAULT).done
    personas, _, _, queued, left = what_stands(engine, outside)
    assert (personas, queued, left) == ({OTHER}, {a_photo_id("theirs")}, Outside({OTHER}, {OTHER}))
