"""The crash matrix: every remote call of every path, struck before it takes effect, after it did, and its answer lost.

Each path is first run without a strike and its calls are recorded; each call is then a cell of its own, so that a call
which the product makes tomorrow has its cells tomorrow. A cell is a real process, killed by a real SIGKILL; after it
time passes, Lambda delivers again, and the reconciler runs until nothing is in flight.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pytest

from domain.posts import CONTAINER_LIFE, Post, PostStatus
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, a_photo_id
from faults.interposer import Call, Moment
from faults.worker import MOST_SECONDS
from faults.world import (
    BEST,
    CLAIM,
    FENCE,
    NINE_CALLS,
    PHOTOS,
    PUBLISH,
    RECONCILE_EVERY,
    TOWER,
    Records,
    World,
    photo_of,
    world,
)
from local.instagram import Fault

__all__ = ["world"]

WRITES: Final = frozenset({CLAIM, FENCE})
"""What changes a record: the fence, and by the same operations everything else."""

READ_AGAIN: Final = frozenset({"DynamoDB GetItem", "DynamoDB Query", "SSM GetParameters"})
"""Where the process lives on, the SDK repeats these by itself: a lost answer is nothing to anybody."""

TOMORROW: Final = Slot(NINE.start + timedelta(days=1))

Check = Callable[[World, Records], None]


@dataclass(frozen=True, slots=True)
class Path:
    """What the world does to the slot, and how it must end. ``end`` is for the cells that leave no fence behind."""

    name: str
    end: Check
    fewest_calls: int
    arrange: Callable[[World], None] = lambda world: world.begin_anew()
    act: Callable[[World], object] = lambda world: world.deliver_with_retries()
    unconfirmed: Check | None = None
    """How a cell must end whose fence stands though Instagram has nothing."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Cell:
    call: Call
    moment: Moment
    broken: str | None = None

    def __str__(self) -> str:
        return f"{self.call!s:34} {self.moment.value:14} {'holds' if self.broken is None else self.broken}"


# ---- how a slot may end ----


def posted(slot: Slot = NINE, name: str = BEST, *, also: Mapping[Slot, str] | None = None) -> Check:
    """One live post, on record with its media id; its photo out of the queue; nothing else touched.

    ``also`` names the photos of other posts of this path, whose fate is checked elsewhere.
    """

    def check(world: World, before: Records) -> None:
        (live,) = world.live()
        assert photo_of(live) == name
        post = _record(world, slot)
        assert (post.status, post.provider_post_id) == (PostStatus.POSTED, live.media_id)
        _holds_its_photo(world, post, name)
        _nothing_else_is_touched(world, before, {slot: name, **(also or {})})
        assert world.persona().paused_reason is None

    return check


def unconfirmed(slot: Slot = NINE, name: str = BEST, *, also: Mapping[Slot, str] | None = None) -> Check:
    """Nothing live, and the record asks for a person's look, a day after the fence and with what was seen."""

    def check(world: World, before: Records) -> None:
        assert not world.live()
        post = _record(world, slot)
        assert post.status is PostStatus.UNCONFIRMED
        assert post.publish_sent_at is not None
        assert post.publish_sent_at + CONTAINER_LIFE <= post.updated_at
        assert post.updated_at <= post.publish_sent_at + CONTAINER_LIFE + 2 * RECONCILE_EVERY
        assert post.evidence is not None
        assert post.evidence.container_status
        assert post.evidence.candidate_media == ()
        assert post.fault is not None
        _holds_its_photo(world, post, name)
        _nothing_else_is_touched(world, before, {slot: name, **(also or {})})

    return check


def after_the_tower(end: Callable[..., Check]) -> Check:
    """The tower's post failed for its shape, the slot's second post ended as it must, and the tower stays out."""
    second = NINE.following
    assert second is not None

    def check(world: World, before: Records) -> None:
        refused = _record(world, NINE)
        assert (refused.status, refused.publish_sent_at) == (PostStatus.FAILED, None)
        assert refused.fault is not None
        assert (refused.fault.code, refused.fault.subcode) == (36003, 2207009)
        _holds_its_photo(world, refused, TOWER)
        end(second, BEST, also={NINE: TOWER})(world, before)

    return check


def account_at_fault(world: World, before: Records) -> None:
    """Failed, the photo back in its place, the persona paused, nothing live; and once it is resumed, posted."""
    assert not world.live()
    failed = _record(world, NINE)
    assert (failed.status, failed.provider_post_id) == (PostStatus.FAILED, None)
    assert failed.fault is not None
    assert (failed.fault.code, failed.fault.subcode) == (190, 463)
    assert world.records()["PhotosTable"] == before["PhotosTable"]
    assert world.persona().paused_reason == failed.fault.message

    world.instagram.clear_faults()
    world.personas.resume(DEFAULT)
    _the_next_day_posts(world, BEST)


def account_at_fault_and_unconfirmed(world: World, before: Records) -> None:
    """The refusal was lost with the process, so nobody may say ``failed``; the next slot goes on with another photo."""
    unconfirmed()(world, before)
    world.instagram.clear_faults()
    world.personas.resume(DEFAULT)
    _the_next_day_posts(world, "harbour")


def _the_next_day_posts(world: World, name: str) -> None:
    world.now = max(world.now, TOMORROW.start) + timedelta(seconds=3)
    assert world.deliver(TOMORROW).outcome == "posted"
    (live,) = world.live()
    assert photo_of(live) == name
    assert _record(world, TOMORROW).provider_post_id == live.media_id


def _record(world: World, slot: Slot) -> Post:
    post = world.ledger.get(DEFAULT, slot)
    assert post is not None, f"there is no record of {slot}"
    return post


def _holds_its_photo(world: World, post: Post, name: str) -> None:
    assert post.photo_id == a_photo_id(name)
    assert world.photo(name).post_slot == post.slot
    assert not {"queued_for", "rank"} & world.photo_item(name).keys()


def _nothing_else_is_touched(world: World, before: Records, posts: Mapping[Slot, str]) -> None:
    """The slots' own photos and posts apart, every record is what it was."""
    ours = [{"S": a_photo_id(name)} for name in posts.values()]
    now = world.records()
    others = [item for item in now["PhotosTable"] if item["photo_id"] not in ours]
    assert others == [item for item in before["PhotosTable"] if item["photo_id"] not in ours]
    assert {post.slot for post in world.posts()} == posts.keys()
    assert list(world.queue()) == [a_photo_id(name) for name in PHOTOS if name not in posts.values()]


# ---- the paths ----


def _throttled_once(world: World) -> None:
    world.begin_anew()
    world.instagram.order_fault(Fault.error("media_publish", 4, status=403, regain_minutes=30))


def _status_fails_once(world: World) -> None:
    world.begin_anew()
    world.instagram.order_fault(Fault.body("container_status", b"", status=500))


def _a_tower_is_best(world: World) -> None:
    world.begin_anew({TOWER: 9.5, **PHOTOS})


def _token_expired(world: World) -> None:
    world.begin_anew()
    world.instagram.order_fault(Fault.error("*", 190, 463, times=None))


def _token_expires_before_the_publish(world: World) -> None:
    world.begin_anew()
    world.instagram.order_fault(Fault.error("media_publish", 190, 463, times=None))


def _killed_at(name: str, moment: Moment) -> Callable[[World], None]:
    """A first run that is killed there; what is recorded and struck are the reconciler's calls alone."""

    def arrange(world: World) -> None:
        world.begin_anew()
        world.interposer.strike(NINE_CALLS.index(name) + 1, moment)
        assert world.deliver().is_killed
        assert world.interposer.calls[-1].name == name
        world.interposer.forget()

    return arrange


def _reconcile_only(_: World) -> None:
    """The event is not delivered again: its retries find the lease, as the first path's cells show."""


PATHS: Final = (
    Path("a normal post", posted(), len(NINE_CALLS), unconfirmed=unconfirmed()),
    Path(
        "a photo that takes its time",
        posted(),
        len(NINE_CALLS) + 1,
        arrange=lambda world: world.begin_anew(polls=1),
        unconfirmed=unconfirmed(),
    ),
    Path("one retry", posted(), len(NINE_CALLS) + 1, arrange=_status_fails_once, unconfirmed=unconfirmed()),
    Path(
        "throttled, deferred and resumed",
        posted(),
        2 * len(NINE_CALLS),
        arrange=_throttled_once,
        unconfirmed=unconfirmed(),
    ),
    Path(
        "one photo fault",
        after_the_tower(posted),
        len(NINE_CALLS) + 3,
        arrange=_a_tower_is_best,
        unconfirmed=after_the_tower(unconfirmed),
    ),
    Path("an account fault", account_at_fault, 7, arrange=_token_expired),
    Path(
        "an account fault at the publish request",
        account_at_fault,
        len(NINE_CALLS) + 1,
        arrange=_token_expires_before_the_publish,
        unconfirmed=account_at_fault_and_unconfirmed,
    ),
    Path(
        "reconciled after the claim",
        posted(),
        len(NINE_CALLS),
        arrange=_killed_at(CLAIM, Moment.KILLED_AFTER),
        act=_reconcile_only,
        unconfirmed=unconfirmed(),
    ),
    Path(
        "reconciled after the container",
        posted(),
        len(NINE_CALLS),
        arrange=_killed_at("Instagram create_container", Moment.KILLED_AFTER),
        act=_reconcile_only,
        unconfirmed=unconfirmed(),
    ),
    Path(
        "reconciled after the fence",
        unconfirmed(),
        len(NINE_CALLS),
        arrange=_killed_at(PUBLISH, Moment.KILLED_BEFORE),
        act=_reconcile_only,
    ),
    Path(
        "reconciled after the publish request",
        posted(),
        len(NINE_CALLS),
        arrange=_killed_at(PUBLISH, Moment.KILLED_AFTER),
        act=_reconcile_only,
    ),
)


# ---- the matrix ----


def _play(world: World, path: Path) -> None:
    path.act(world)
    world.reconcile_until_quiet()


def _recorded(world: World, path: Path) -> Sequence[Call]:
    """The calls of the path without a strike, which must end well too."""
    path.arrange(world)
    before = world.records()
    _play(world, path)
    calls = world.interposer.calls
    path.end(world, before)
    return calls


def _fence_left_behind(calls: Sequence[Call], struck: Call, moment: Moment) -> bool:
    """Whether this cell ends with a fence on record and nothing at Instagram, as the recorded order of calls tells.

    That is so from the moment at which the fence takes effect until the publish request does; and where Instagram
    refused that request, until the fence is cleared.
    """
    for sent in (call for call in calls if call.name == PUBLISH):
        fence = calls[sent.number - 2]
        assert fence.name == FENCE, f"no fence before {sent}"
        refused = sent.status != 200
        cleared = next(call for call in calls[sent.number :] if call.name in WRITES)
        ends_at = (cleared if refused else sent).number
        took_effect = struck.number - 1 if moment in {Moment.KILLED_BEFORE, Moment.OUTAGE} else struck.number
        lives_on = moment is Moment.ANSWER_LOST and not (refused and struck == sent)
        if fence.number <= took_effect < ends_at and not lives_on:
            return True
    return False


def _end(path: Path, calls: Sequence[Call], struck: Call, moment: Moment) -> Check:
    """How this cell of the path must end."""
    if path.unconfirmed is not None and _fence_left_behind(calls, struck, moment):
        return path.unconfirmed
    return path.end


def _strike(world: World, path: Path, calls: Sequence[Call], call: Call, moment: Moment) -> Cell:
    path.arrange(world)
    before = world.records()
    world.interposer.strike(call.number, moment)
    try:
        _play(world, path)
        struck = world.interposer.calls[call.number - 1 :][:1]
        assert [each.name for each in struck] == [call.name], "this run does not come to that call"
        _end(path, calls, call, moment)(world, before)
    except AssertionError as broken:
        return Cell(call, moment, _first_line(broken))
    return Cell(call, moment)


def _first_line(error: AssertionError) -> str:
    return " ".join((str(error) or repr(error)).split())[:160]


MATRIX: Final = [
    pytest.param(path, moment, id=f"{path} - {moment.value}")
    for path in PATHS
    for moment in Moment
    # An outage leaves open what a kill leaves open. How each function bears one, a path of each shows.
    if moment is not Moment.OUTAGE or path.name in {"a normal post", "reconciled after the claim"}
]


@pytest.mark.parametrize(("path", "moment"), MATRIX)
def test_a_slot_ends_as_it_must_wherever_it_is_struck(world: World, path: Path, moment: Moment) -> None:
    calls = _recorded(world, path)
    assert len(calls) >= path.fewest_calls
    struck = [call for call in calls if moment is not Moment.ANSWER_LOST or call.name not in READ_AGAIN]
    cells = [_strike(world, path, calls, call, moment) for call in struck]
    if any(cell.broken for cell in cells):
        pytest.fail("\n".join([f"{path}:", *map(str, cells)]), pytrace=False)


def test_a_normal_post_makes_the_nine_calls(world: World) -> None:
    """What the matrix is counted against: fewer cells would prove less, and more calls cost more."""
    world.deliver()
    assert tuple(call.name for call in world.interposer.calls) == NINE_CALLS


# ---- what arrives late ----


def test_a_late_copy_of_a_write_changes_nothing(world: World) -> None:
    """A write gets no answer, the SDK repeats it, the run goes on and is killed; then the first copy arrives.

    The post is fenced twice, since Instagram was not ready at first: a copy that opened the second fence, or set the
    first once more, would be the beginning of a second live post, or of a lie.
    """
    path = Path("not ready at first", posted(), len(NINE_CALLS) + 3, arrange=_not_ready_once, unconfirmed=unconfirmed())
    writes = [call for call in _recorded(world, path) if call.name in WRITES]
    broken = []
    cells = 0
    for write in writes:
        path.arrange(world)
        world.interposer.hold(write.number, given_up=True)
        _play(world, path)
        calls = world.interposer.calls
        assert calls[write.number].name == write.name, "the SDK did not repeat it"
        for killed_at in calls[write.number + 1 :]:
            cell = _late_copy(world, path, calls, write, killed_at)
            cells += 1
            broken += [f"copy of {write}: {cell}"] if cell.broken else []
    assert cells >= len(NINE_CALLS)
    if broken:
        pytest.fail("\n".join(broken), pytrace=False)


def _not_ready_once(world: World) -> None:
    world.begin_anew()
    world.instagram.order_fault(Fault.error("media_publish", 9007, 2207027))


def _late_copy(world: World, path: Path, calls: Sequence[Call], write: Call, killed_at: Call) -> Cell:
    path.arrange(world)
    before = world.records()
    held = world.interposer.hold(write.number, given_up=True)
    world.interposer.strike(killed_at.number, Moment.KILLED_AFTER)
    try:
        assert world.deliver().is_killed
        world.let_go(held)
        world.reconcile_until_quiet()
        _end(path, calls, killed_at, Moment.KILLED_AFTER)(world, before)
    except AssertionError as broken:
        return Cell(killed_at, Moment.KILLED_AFTER, _first_line(broken))
    return Cell(killed_at, Moment.KILLED_AFTER)


@pytest.mark.parametrize(
    ("looks_at", "end", "has_media_id"),
    [
        ((timedelta(minutes=4), timedelta(minutes=14)), PostStatus.POSTED, True),
        ((timedelta(minutes=15), timedelta(minutes=30)), PostStatus.POSTED, False),
        ((timedelta(minutes=15), CONTAINER_LIFE + timedelta(minutes=15)), PostStatus.UNCONFIRMED, False),
    ],
    ids=["within minutes", "after half an hour", "after the last look"],
)
def test_a_publish_request_that_arrives_late_is_still_the_only_one(
    world: World, looks_at: tuple[timedelta, timedelta], end: PostStatus, has_media_id: bool
) -> None:
    """It is on its way while its sender is killed and the reconciler looks twice; then it arrives.

    The media of a request that took more than a quarter of an hour is not told apart from others of the same caption:
    such a post is known to be live, and its media id stays open.
    """
    held = world.interposer.hold(NINE_CALLS.index(PUBLISH) + 1)
    first = world.start_post()
    assert held.arrived.wait(MOST_SECONDS)
    first.kill()
    for look_at in looks_at:
        world.now = NINE.start + look_at
        world.reconcile()
        assert not world.live()
    world.let_go(held)
    world.reconcile_until_quiet()

    post = _record(world, NINE)
    live = world.live()
    assert post.status is end
    assert len(live) == (end is PostStatus.POSTED)
    assert post.provider_post_id == (live[0].media_id if has_media_id else None)
    assert [call.name for call in world.interposer.calls].count(PUBLISH) == 1
    _holds_its_photo(world, post, BEST)
