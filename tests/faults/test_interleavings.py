"""Random interleavings of deliveries, reconcilers, crashes and clock steps, with the promises checked after each step.

Each run is a thread that moves only while it has the turn. It stops before every call of a port, and the machine then
says what becomes of the call: it is made, it fails, its answer is lost, it lands late, or the run is killed at it.
The records and Instagram are the fakes, and Instagram publishes a container as often as it is asked to.
"""

import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import partial
from itertools import count
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domain.faults import AccountFault, Defer, ImageNotFetched, PhotoFault, Retry, Unresolved
from domain.ids import ContainerId, MediaId, PhotoId, RunId
from domain.outcomes import Outcome, Report
from domain.personas import Persona
from domain.photos import HeldBack, HeldBackFor, Photo
from domain.ports import Claim, ContainerStatus, RecordsUnavailableError
from domain.post_driver import PostDriver
from domain.post_next_best import PostNextBest, Request
from domain.posts import CONTAINER_LIFE, TRANSITIONS, Evidence, Post, PostStatus
from domain.quota import QuotaKeeper
from domain.reconcile import Reconcile
from domain.resolve_post import Resolved, ResolvePost
from domain.retry_post import RetryPost
from domain.runs import Run, new_post
from domain.slots import Slot
from fakes.clock import FakeClock
from fakes.instagram import FakePublisher, FakeRenditions
from fakes.library import DEFAULT, NINE, a_persona, a_photo
from fakes.records import FakePersonaDirectory, FakePhotoLibrary, FakePostLedger, FakeRecords
from fakes.run_log import FakeRunLog

SEVEN: Final = Slot(datetime(2026, 11, 21, 7, tzinfo=UTC))
EIGHT: Final = Slot(datetime(2026, 11, 22, 8, tzinfo=UTC))
MOST_RUNS: Final = 3
TURN_LIMIT: Final = 30.0  # seconds of real time; a run that has not stopped by then hangs

PHOTOS: Final = (
    a_photo("first", score=9.0, caption="The first of them"),
    a_photo("second", score=8.0, caption="The second of them"),
    a_photo("wordy", score=7.5, caption="#tag " * 31),
    a_photo("third", score=7.0, caption="The third of them"),
    a_photo("fourth", score=6.0, caption="The fourth of them"),
    a_photo("fifth", score=5.0, caption="The fifth of them"),
)


class Killed(BaseException):
    """SIGKILL, as far as a thread can show it: nothing in the product may catch it."""


class Effect(Enum):
    """When the effect of a call comes about, whatever the caller is told."""

    NOW = auto()
    NEVER = auto()
    LATE = auto()
    NOW_AND_LATE = auto()
    """The SDK repeated it, and the first copy is still on its way."""


class _RealAnswer:
    """Stands for: the answer is what the call gave."""


REAL: Final = _RealAnswer()


@dataclass(frozen=True)
class Fate:
    """What becomes of the call at which a run stands. ``raised`` or ``answer`` is what the run gets back."""

    name: str
    effect: Effect = Effect.NOW
    raised: BaseException | None = None
    answer: object = REAL

    def __repr__(self) -> str:
        return self.name


GOES_ON: Final = Fate("goes on")
KILLED_BEFORE: Final = Fate("killed before", Effect.NEVER, Killed())
KILLED_AFTER: Final = Fate("killed after", Effect.NOW, Killed())
KILLED_LATE: Final = Fate("killed, and the request lands late", Effect.LATE, Killed())
NO_RECORDS: Final = RecordsUnavailableError("ordered")
UNREADABLE: Final = Fate("records unavailable", Effect.NEVER, NO_RECORDS)

GOALS: Final = (
    *("claim", "create_container", "container_status", "publish", "publish", "publish", "advance", "advance"),
    *("settle", "take_over", "recent_media", "exists", "complete", "sleep", "posts_since"),
)

READS: Final = {"get", "latest", "best_first", "open_posts", "posts_since"}
SINGLE_WRITES: Final = {"take_over", "advance", "complete"}
"""A transaction's client token keeps a late copy of it from taking effect; these have none."""


def _fails(*faults: Exception) -> list[Fate]:
    """The faults that say: nothing took effect."""
    return [Fate(repr(fault), Effect.NEVER, fault) for fault in faults]


_LATER: Final = Defer("ordered", after=timedelta(minutes=30))
_WRITE_FATES: Final = [
    UNREADABLE,
    Fate("answer lost", Effect.NOW, NO_RECORDS),
    Fate("records unavailable, and the write lands late", Effect.LATE, NO_RECORDS),
    KILLED_LATE,
]
_CALL_FATES: Final = {
    "create_container": [
        *_fails(Retry("ordered"), _LATER, PhotoFault("ordered"), AccountFault("ordered")),
        *_fails(ImageNotFetched("ordered", after=timedelta(seconds=10))),
        Fate("created, and the answer lost", Effect.NOW, Retry("ordered")),
    ],
    "container_status": [
        *_fails(Retry("ordered"), Retry("ordered", new_container=True), _LATER),
        *_fails(PhotoFault("ordered"), AccountFault("ordered")),
        Fate("says IN_PROGRESS", Effect.NEVER, answer=ContainerStatus.IN_PROGRESS),
        Fate("says FINISHED", Effect.NEVER, answer=ContainerStatus.FINISHED),
    ],
    "publish": [
        *_fails(Retry("ordered", after=timedelta(seconds=2)), _LATER, PhotoFault("ordered"), AccountFault("ordered")),
        *_fails(Unresolved("ordered"), Unresolved("ordered", account_too=True)),
        Fate("published, and the answer lost", Effect.NOW, Unresolved("ordered")),
        Fate("published, and told to be spam", Effect.NOW, Unresolved("ordered", account_too=True)),
        Fate("published late", Effect.LATE, Unresolved("ordered")),
        KILLED_LATE,
    ],
    "recent_media": [*_fails(Retry("ordered")), Fate("lists nothing yet", Effect.NEVER, answer=[])],
    "exists": [*_fails(Defer("ordered")), Fate("says no", Effect.NEVER, answer=False)],
    "sleep": [],
    "link": [],
}
DEFINITE: Final = (Retry, Defer, PhotoFault, AccountFault)


def fates_of(method: str) -> list[Fate]:
    """All that can honestly become of a call of this method."""
    if method in _CALL_FATES:
        special = _CALL_FATES[method]
    elif method in READS:
        special = [UNREADABLE]
    else:
        special = list(_WRITE_FATES)
        if method in SINGLE_WRITES:
            special.append(Fate("repeated, and the first copy lands late", Effect.NOW_AND_LATE))
    return [GOES_ON, KILLED_BEFORE, KILLED_AFTER, *special]


@dataclass
class PublishRequest:
    """One publish request that left a run, for the post whose record had the container then."""

    container_id: ContainerId
    slot: Slot
    photo_id: PhotoId
    is_refused: bool
    """Instagram said for certain that it did nothing."""


class Instagram(FakePublisher):
    """Counts containers' lives, and knows which media each container became."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.created_at: dict[ContainerId, datetime] = {}
        self.media_of: dict[ContainerId, list[MediaId]] = {}

    def create_container(self, *arguments: Any, **named: Any) -> ContainerId:
        container_id = super().create_container(*arguments, **named)
        self.created_at[container_id] = self.clock.now()
        return container_id

    def container_status(self, persona: Persona, container_id: ContainerId, *, within: timedelta) -> ContainerStatus:
        status = super().container_status(persona, container_id, within=within)
        is_spent = status is not ContainerStatus.PUBLISHED and self.is_expired(container_id)
        return ContainerStatus.EXPIRED if is_spent else status

    def publish(self, persona: Persona, container_id: ContainerId, *, within: timedelta) -> MediaId:
        if self.is_expired(container_id):
            raise Unresolved("expired", code=24, subcode=2207008)
        media_id = super().publish(persona, container_id, within=within)
        self.media_of.setdefault(container_id, []).append(media_id)
        return media_id

    def is_expired(self, container_id: ContainerId) -> bool:
        return self.clock.now() >= self.created_at[container_id] + CONTAINER_LIFE


class World:
    """What all runs share, and what is known of it that no run can know."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.records = FakeRecords()
        self.personas = FakePersonaDirectory(self.records)
        self.library = FakePhotoLibrary(self.records)
        self.ledger = FakePostLedger(self.records)
        self.instagram = Instagram(self.clock)
        self.renditions = FakeRenditions()
        self.requests: list[PublishRequest] = []
        self.underway: list[Callable[[], object]] = []
        self.breaches: list[str] = []
        self.personas.add(a_persona())
        for photo in PHOTOS:
            self.library.add(photo)

    @property
    def persona(self) -> Persona:
        return self.records.personas[DEFAULT]

    def posts(self) -> dict[Slot, Post]:
        return {slot: post for (_, slot), post in self.records.posts.items()}

    def photo(self, photo_id: PhotoId) -> Photo:
        return self.records.photos[DEFAULT, photo_id]

    def live(self) -> list[tuple[PublishRequest, MediaId]]:
        """Every live media, with the first request for its container."""
        return [
            (next(request for request in self.requests if request.container_id == container_id), media_id)
            for container_id, media_ids in self.instagram.media_of.items()
            for media_id in media_ids
        ]

    def with_status(self, status: PostStatus) -> list[Post]:
        return [post for _, post in sorted(self.posts().items()) if post.status is status]

    def worth_a_retry(self) -> list[Post]:
        """The failed posts that keep their photos, or did so until they were retried."""
        failed = self.with_status(PostStatus.FAILED)
        return [post for post in failed if post.retried_in or self.photo(post.photo_id).post_slot == post.slot]

    def note_absent(self, post: Post) -> None:
        """A day after it was sent, nothing of this post can land any more: it may be sent again."""
        for request in self.requests:
            if request.slot == post.slot:
                request.is_refused = True

    def note_request(self, run_id: RunId, container_id: ContainerId, *, is_refused: bool) -> None:
        """A publish request leaves a run: is there a record that vouches for it, and was none sent before?"""
        fenced = [
            post
            for post in self.posts().values()
            if post.container_id == container_id
            and post.is_fenced
            and post.status is PostStatus.POSTING
            and post.lease.owner == run_id
        ]
        if len(fenced) != 1:
            self.breaches.append(f"{run_id} publishes {container_id}, and no record of its own is fenced with that")
            return
        (post,) = fenced
        for earlier in self.requests:
            same = earlier.slot.start == post.slot.start or earlier.photo_id == post.photo_id
            if same and not earlier.is_refused:
                self.breaches.append(f"{post.slot} is sent again, and {earlier} may be live")
        self.requests.append(PublishRequest(container_id, post.slot, post.photo_id, is_refused))


class RunThread:
    """One run in its own thread, that moves only while it has the turn."""

    def __init__(self, world: World, run: Run, work: "Callable[[RunThread], Sequence[Report]]") -> None:
        self.run = run
        self.method = ""
        """The port's method at whose call the run stands; empty when it is over."""
        self.reports: Sequence[Report] = ()
        self._world = world
        self._fate = GOES_ON
        self._has_turn = threading.Semaphore(0)
        self._has_stopped = threading.Semaphore(0)
        threading.Thread(target=self._live, args=(work,), daemon=True).start()
        self._wait()

    @property
    def is_over(self) -> bool:
        return not self.method

    def take_turn(self, fate: Fate) -> None:
        """Let the call at which it stands come to ``fate``, and the run go on to its next call or its end."""
        self._fate = fate
        self._has_turn.release()
        self._wait()

    def call(self, method: str, function: Callable[[], Any], container_id: ContainerId | None = None) -> Any:
        """In the run's thread: stop before a port's call, then meet its fate."""
        self.method = method
        self._has_stopped.release()
        if not self._has_turn.acquire(timeout=TURN_LIMIT):
            raise Killed
        fate = self._fate
        if container_id is not None and fate is not KILLED_BEFORE:
            self._world.note_request(self.run.run_id, container_id, is_refused=isinstance(fate.raised, DEFINITE))
        given = function() if fate.effect in {Effect.NOW, Effect.NOW_AND_LATE} else None
        if fate.effect in {Effect.LATE, Effect.NOW_AND_LATE}:
            self._world.underway.append(function)
        if fate.raised is not None:
            raise fate.raised.with_traceback(None)
        return given if fate.answer is REAL else fate.answer

    def _live(self, work: "Callable[[RunThread], Sequence[Report]]") -> None:
        try:
            self.reports = work(self)
        except (Killed, RecordsUnavailableError):
            pass
        except BaseException:  # noqa: BLE001 - told as a breach by the machine, in its own thread
            self._world.breaches.append(traceback.format_exc())
        self.method = ""
        self._has_stopped.release()

    def _wait(self) -> None:
        if not self._has_stopped.acquire(timeout=TURN_LIMIT):
            raise TimeoutError("a run has neither stopped nor ended")


class Stepped:
    """A port whose every call, and every item of a lazy answer, waits for its run's turn."""

    def __init__(self, thread: RunThread, port: object) -> None:
        self._thread = thread
        self._port = port

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def stepped(*arguments: Any, **named: Any) -> Any:
            if name in {"best_first", "open_posts"}:
                return self._lazily(name, method(*arguments, **named))
            container_id = arguments[1] if name == "publish" else None
            return self._thread.call(name, partial(method, *arguments, **named), container_id)

        return stepped

    def _lazily(self, name: str, items: Iterator[Any]) -> Iterator[Any]:
        end = object()
        while (item := self._thread.call(name, lambda: next(items, end))) is not end:
            yield item


class SteppedClock:
    """A sleep waits for its run's turn; the others may have moved the clock past its end by then."""

    def __init__(self, thread: RunThread, clock: FakeClock) -> None:
        self._thread = thread
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    def sleep(self, duration: timedelta) -> None:
        wakes_at = self.now() + duration
        self._thread.call("sleep", lambda: self._clock.advance(max(timedelta(0), wakes_at - self.now())))


def _joined(world: World, thread: RunThread) -> tuple[PostNextBest, Reconcile, RetryPost]:
    """The use cases, as ``handlers.wiring`` joins them, on stepped ports."""
    personas: Any = Stepped(thread, world.personas)
    library: Any = Stepped(thread, world.library)
    ledger: Any = Stepped(thread, world.ledger)
    publisher: Any = Stepped(thread, world.instagram)
    renditions: Any = Stepped(thread, world.renditions)
    clock = SteppedClock(thread, world.clock)
    log = FakeRunLog()
    driver = PostDriver(
        ledger=ledger,
        library=library,
        publisher=publisher,
        renditions=renditions,
        quota=QuotaKeeper(personas, ledger, publisher, clock, log),
        clock=clock,
        log=log,
    )
    return (
        PostNextBest(personas=personas, library=library, ledger=ledger, driver=driver, clock=clock, log=log),
        Reconcile(personas=personas, ledger=ledger, driver=driver, clock=clock, log=log),
        RetryPost(library=library, ledger=ledger, driver=driver, clock=clock),
    )


class Interleavings(RuleBasedStateMachine):
    """Deliveries of two or more slots and reconcilers, in every order, with every fate of every call."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.runs: list[RunThread] = []
        self.run_numbers = count(1)
        self.seen: dict[Slot, Post] = {}
        self.was_paused = False

    # ---- what may happen ----

    @initialize(
        left=st.sampled_from(
            ["nothing", "nothing", "a refused photo", "a refused photo", "an unconfirmed post", "a live one"]
        )
    )
    def begin(self, left: str) -> None:
        """What an earlier day left to its owner."""
        if left == "nothing":
            return
        world, at = self.world, SEVEN.start
        run = Run(RunId("an earlier run"), at)
        post = new_post(run, world.persona, SEVEN, world.photo(PHOTOS[0].photo_id), at)
        assert world.ledger.claim(post) is Claim.WON
        if left == "a refused photo":
            assert world.ledger.advance(post, post.as_failed(PhotoFault("ordered").record, at))
            return
        within = timedelta(seconds=1)
        container_id = world.instagram.create_container(world.persona, "", post.caption, None, within=within)
        sent = post.as_fenced(container_id, at)
        assert world.ledger.advance(post, sent)
        world.note_request(run.run_id, container_id, is_refused=False)
        if left == "a live one":
            world.instagram.publish(world.persona, container_id, within=within)
        world.instagram.created_at[container_id] = at
        unconfirmed = sent.as_unconfirmed(Unresolved("ordered").record, Evidence("FINISHED"), at + CONTAINER_LIFE)
        assert world.ledger.advance(sent, unconfirmed)

    @precondition(lambda self: len(self.runs) < MOST_RUNS)
    @rule(
        which=st.sampled_from(["nine", "nine", "eight", "this hour"]),
        lasting=st.sampled_from([180, 180, 45]),
        goal=st.sampled_from(GOALS),
    )
    def deliver(self, which: str, lasting: int, goal: str) -> None:
        this_hour = Slot(self.world.clock.now().replace(minute=0, second=0, microsecond=0))
        request = Request(DEFAULT, {"nine": NINE, "eight": EIGHT, "this hour": this_hour}[which])

        def post_next_best(thread: RunThread) -> Sequence[Report]:
            return [_joined(self.world, thread)[0](request, lambda: thread.run)]

        self._go_on_to(self._begin(lasting, post_next_best), goal)

    @precondition(lambda self: len(self.runs) < MOST_RUNS)
    @rule(lasting=st.sampled_from([180, 60]), goal=st.sampled_from(["take_over", *GOALS]))
    def reconcile(self, lasting: int, goal: str) -> None:
        self._go_on_to(self._begin(lasting, lambda thread: _joined(self.world, thread)[1](thread.run).reports), goal)

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, MOST_RUNS - 1), goal=st.sampled_from(GOALS), data=st.data())
    def go_on(self, which: int, goal: str, data: st.DataObject) -> None:
        """One run meets the fate of its call, and goes on to the next call of interest."""
        run = self.runs[which % len(self.runs)]
        self._take_turn(run, data.draw(st.sampled_from(fates_of(run.method)), label=f"{run.run.run_id}'s {run.method}"))
        self._go_on_to(run, goal)

    @rule(minutes=st.sampled_from([0.05, 0.5, 2, 4]))
    def let_minutes_pass(self, minutes: float) -> None:
        self.world.clock.advance(timedelta(minutes=minutes))

    @precondition(lambda self: not self.runs)
    @rule(minutes=st.sampled_from([16, 16, 60, 7 * 60, 22 * 60, 25 * 60]))
    def let_hours_pass(self, minutes: float) -> None:
        self.world.clock.advance(timedelta(minutes=minutes))

    @precondition(lambda self: self.world.underway)
    @rule(which=st.integers(0, 2**16))
    def let_a_late_request_land(self, which: int) -> None:
        late = self.world.underway.pop(which % len(self.world.underway))
        # Nobody hears the answer any more.
        with suppress(Unresolved):
            late()

    @rule(photo=st.none() | st.sampled_from(PHOTOS))
    def let_the_owner_act(self, photo: Photo | None) -> None:
        """Import a photo again, or lift the pause."""
        if photo is not None:
            self.world.library.add(photo)
        else:
            self.world.personas.resume(DEFAULT)

    @rule(photo=st.none() | st.sampled_from(PHOTOS), is_skipped=st.booleans())
    def let_the_owner_hold_back(self, photo: Photo | None, is_skipped: bool) -> None:
        """Pause the persona, or skip a photo, or let one in again."""
        if photo is None:
            self.world.personas.pause(DEFAULT, "Paused by its owner.")
        elif is_skipped:
            self.world.library.hold_back(DEFAULT, photo.photo_id, HeldBack(HeldBackFor.SKIPPED))
        else:
            self.world.library.release(DEFAULT, photo.photo_id)
            self.world.library.admit(self.world.photo(photo.photo_id))

    @precondition(lambda self: len(self.runs) < MOST_RUNS and self.world.worth_a_retry())
    @rule(
        which=st.integers(0, 2**16),
        lasting=st.sampled_from([180, 45]),
        goal=st.sampled_from(["retry", "retry", "publish", "publish", "advance", "its end"]),
    )
    def retry(self, which: int, lasting: int, goal: str) -> None:
        """The owner has a failed post's photo tried once more; two may do so at once."""
        failed = self.world.worth_a_retry()
        post = failed[which % len(failed)]

        def retry_post(thread: RunThread) -> Sequence[Report]:
            answer = _joined(self.world, thread)[2](self.world.persona, post, lambda: thread.run)
            return [answer] if isinstance(answer, Report) else []

        self._go_on_to(self._begin(lasting, retry_post), goal)

    @precondition(lambda self: self.world.with_status(PostStatus.UNCONFIRMED))
    @rule(which=st.integers(0, 2**16))
    def resolve(self, which: int) -> None:
        """The owner looks at the account and says what is there; the word may be refused."""
        unconfirmed = self.world.with_status(PostStatus.UNCONFIRMED)
        post = unconfirmed[which % len(unconfirmed)]
        media = {request.slot: media_id for request, media_id in self.world.live()}
        use_case = ResolvePost(ledger=self.world.ledger, publisher=self.world.instagram, clock=self.world.clock)
        if post.slot in media:
            use_case.posted(post, media[post.slot], None)
        elif isinstance(use_case.not_posted(post, use_case.look(self.world.persona, post)), Resolved):
            # The owner's word is kept as what is known: should it still land, it is live beside a failed post.
            self.world.note_absent(post)

    # ---- what must hold after each of them ----

    @invariant()
    def look(self) -> None:
        """One look at everything, since what must hold also holds between the turns of one rule."""
        self._end_what_is_out_of_time()
        assert not self.world.breaches, self.world.breaches[0]
        posts = self.world.posts()
        live = self.world.live()
        self._check_what_is_live(posts, live)
        for slot, post in posts.items():
            self._check_move(self.seen.get(slot), post)
            self._check_photo(post)
        self.seen = posts
        self.was_paused = self.world.persona.paused_reason is not None

    def _check_what_is_live(self, posts: dict[Slot, Post], live: list[tuple[PublishRequest, MediaId]]) -> None:
        photos = [request.photo_id for request, _ in live]
        assert len(set(photos)) == len(photos), "a photo is live twice"
        moments = [request.slot.start for request, _ in live]
        assert len(set(moments)) == len(moments), "a slot has two live posts"
        media_of = {request.slot: media_id for request, media_id in live}
        for slot in media_of:
            assert posts[slot].status is not PostStatus.FAILED, f"{slot} is failed, and it is live"
            assert posts[slot].is_fenced, f"{slot} is live, and its fence is open"
        for slot, post in posts.items():
            if post.status is PostStatus.POSTED:
                assert slot in media_of, f"{slot} is posted, and it is not live"
                assert post.provider_post_id in {None, media_of[slot]}, f"{slot} has another post's media id"
        for request in self.world.requests:
            if not request.is_refused:
                post = posts[request.slot]
                assert post.status is not PostStatus.FAILED, f"{request} may be live or land yet, and it is failed"
                assert post.is_fenced, f"{request} may be live or land yet, and its fence is open"

    def _check_move(self, before: Post | None, after: Post) -> None:
        if before is None:
            assert after.status is not PostStatus.POSTING or not self.was_paused, "claimed while the persona is paused"
            return
        if before == after:
            return
        # What happens to a post between two looks is one write, or two where a late copy landed.
        assert after.status is before.status or after.status in TRANSITIONS[before.status], f"{before} became {after}"
        assert (after.photo_id, after.caption, after.created_at) == (before.photo_id, before.caption, before.created_at)
        assert 0 <= after.publish_attempts - before.publish_attempts <= 1, f"{before} became {after}"
        if after.is_fenced and not before.is_fenced:
            assert after.publish_attempts == before.publish_attempts + 1, "fenced without a number"
            assert after.publish_sent_at is not None
            assert after.publish_sent_at < after.deadline, "fenced after the deadline"
        if after.status is PostStatus.UNCONFIRMED and before.status is PostStatus.POSTING:
            assert after.publish_sent_at is not None
            assert after.updated_at - after.publish_sent_at >= CONTAINER_LIFE, "unconfirmed before it is a day old"
            assert after.evidence is not None, "unconfirmed without evidence"
        assert after.status is PostStatus.POSTING or after.fault or after.status is PostStatus.POSTED, "no reason"

    def _check_photo(self, post: Post) -> None:
        if post.status is not PostStatus.FAILED:
            photo = self.world.photo(post.photo_id)
            assert photo.post_slot == post.slot, f"{post.slot} is {post.status}, and its photo is another's or queued"

    # ---- turns ----

    def _begin(self, lasting: int, work: Callable[[RunThread], Sequence[Report]]) -> RunThread:
        ends_at = self.world.clock.now() + timedelta(seconds=lasting)
        thread = RunThread(self.world, Run(RunId(f"run-{next(self.run_numbers)}"), ends_at), work)
        self.runs.append(thread)
        self._let_go(thread)
        return thread

    def _go_on_to(self, thread: RunThread, goal: str) -> None:
        """Until it stands at a call of this method, or is over."""
        while thread in self.runs and thread.method != goal:
            self._take_turn(thread, GOES_ON)
            self.look()

    def _take_turn(self, thread: RunThread, fate: Fate) -> None:
        thread.take_turn(fate)
        self._let_go(thread)

    def _let_go(self, thread: RunThread) -> None:
        """Forget a run that is over, after a look at what it told its caller."""
        if not thread.is_over:
            return
        self.runs.remove(thread)
        live = {request.slot for request, _ in self.world.live()}
        for report in (each for one in thread.reports for each in (*one.earlier, one)):
            assert report.outcome is not Outcome.POSTED or report.slot in live, f"{report}, and it is not live"
            assert report.outcome is not Outcome.FAILED or report.slot not in live, f"{report}, and it is live"

    def _end_what_is_out_of_time(self) -> None:
        """Lambda kills a run at its hard deadline, wherever it stands."""
        for thread in list(self.runs):
            if self.world.clock.now() >= thread.run.ends_at:
                self._take_turn(thread, KILLED_BEFORE)

    # ---- the end ----

    def teardown(self) -> None:
        """All runs are killed, nothing fails any more, and the reconciler comes by until it has no more to do."""
        for thread in list(self.runs):
            self._take_turn(thread, KILLED_BEFORE)
        self.look()
        now = self.world.clock.now()
        live = {request.slot for request, _ in self.world.live()}
        must_be_found = [
            slot
            for slot, post in self.world.posts().items()
            if post.status is PostStatus.POSTING
            and slot in live
            and now + timedelta(minutes=6) < (post.publish_sent_at or now) + CONTAINER_LIFE
        ]
        self.world.personas.resume(DEFAULT)
        for minutes in (6, 30, 16, 16, 24 * 60, 16, 24 * 60, 16):
            self.let_hours_pass(minutes)
            self.reconcile(180, "its end")
        posts = self.world.posts()
        open_still = [post for post in posts.values() if post.wants_another_look]
        assert not open_still, f"never ended: {open_still}"
        lost = [posts[slot] for slot in must_be_found if posts[slot].status is not PostStatus.POSTED]
        assert not lost, f"live, with an honest Instagram, and not recorded as posted: {lost}"


def test_no_interleaving_breaks_a_promise() -> None:
    run_state_machine_as_test(Interleavings, settings=settings.get_profile("interleavings"))
