"""Races on DynamoDB Local, between real processes: many deliveries of one slot, many slots at once, and two drivers of
one post.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pytest

from domain.posts import PostStatus
from domain.slots import Slot
from fakes.library import NINE, a_photo_id
from faults.interposer import Held
from faults.worker import MOST_SECONDS, Ending, RunningJob
from faults.world import BEST, CLAIM, LAMBDA_RETRIES, MANY_PHOTOS, NINE_CALLS, PHOTOS, World, checked, photo_of, world
from local.instagram import Fault

__all__ = ["world"]

RUNNERS: Final = len(MANY_PHOTOS)
ROUNDS_OF_ONE_SLOT: Final = 3

AFTER_THE_CLAIM: Final = range(NINE_CALLS.index(CLAIM) + 2, len(NINE_CALLS) + 1)
"""The calls of a first run at which it may stand still while it holds a post."""

PAST_THE_LEASE: Final = timedelta(minutes=6)
WITHIN_THE_LEASE: Final = timedelta(minutes=3)

PERSONA: Final = "DynamoDB GetItem"
"""What a reconciler reads of a post's persona before it takes the post over."""

TAKE_OVER: Final = "DynamoDB UpdateItem"
"""A reconciler's first write."""


# ---- many at once ----


def test_many_deliveries_of_one_slot_give_one_live_post(world: World) -> None:
    for _ in range(ROUNDS_OF_ONE_SLOT):
        world.begin_anew(MANY_PHOTOS)
        outcomes = _all_at_once(world, [NINE] * RUNNERS)
        world.reconcile_until_quiet()

        assert outcomes["posted"] <= 1
        assert outcomes.keys() <= {"posted", "in_progress", "already_done"}
        (live,) = world.live()
        (post,) = world.posts()
        assert (post.status, post.provider_post_id) == (PostStatus.POSTED, live.media_id)
        best, *others = MANY_PHOTOS
        assert photo_of(live) == best
        assert post.photo_id == a_photo_id(best)
        assert list(world.queue()) == [a_photo_id(name) for name in others]


def test_many_slots_at_once_give_as_many_photos(world: World) -> None:
    world.begin_anew(MANY_PHOTOS)
    slots = [Slot(NINE.start + timedelta(minutes=number)) for number in range(RUNNERS)]
    world.now = slots[-1].start + timedelta(seconds=3)
    outcomes = _all_at_once(world, slots)
    world.reconcile_until_quiet()

    assert outcomes.keys() <= {"posted", "in_progress", "already_done"}
    posts = world.posts()
    assert [post.slot for post in posts] == slots
    assert {post.status for post in posts} == {PostStatus.POSTED}
    assert {post.photo_id for post in posts} == set(map(a_photo_id, MANY_PHOTOS))
    assert {post.provider_post_id for post in posts} == {live.media_id for live in world.live()}
    assert sorted(map(photo_of, world.live())) == sorted(MANY_PHOTOS)
    assert not world.queue()
    assert {world.photo(name).post_slot for name in MANY_PHOTOS} == set(slots)


def _all_at_once(world: World, slots: Sequence[Slot]) -> Counter[str]:
    """The outcomes. A delivery that raised, as on a machine too slow for DynamoDB Local, is repeated by Lambda."""
    gate = world.a_gate()
    jobs = [world.start_post(slot, gate=gate) for slot in slots]
    world.open_gate(gate, jobs)
    endings = [checked(job.wait()) for job in jobs]
    world.pass_time(LAMBDA_RETRIES[0])
    repeated = [world.deliver(slot) for slot, ending in zip(slots, endings, strict=True) if ending.raised]
    return Counter(ending.outcome for ending in (*endings, *repeated) if not ending.raised)


# ---- two drivers of one post ----


@dataclass(frozen=True, slots=True)
class Slow:
    """A first run that stands still at one of its calls."""

    job: RunningJob
    held: Held


def _slow_run(world: World, at: int) -> Slow:
    held = world.interposer.hold(at)
    job = world.start_post()
    assert held.arrived.wait(MOST_SECONDS)
    return Slow(job, held)


def _goes_on(world: World, slow: Slow) -> Ending:
    world.let_go(slow.held)
    return slow.job.wait()


@pytest.mark.parametrize("at", AFTER_THE_CLAIM)
def test_a_run_is_left_alone_until_its_lease_ends(world: World, at: int) -> None:
    slow = _slow_run(world, at)
    before = world.records()
    world.now += WITHIN_THE_LEASE
    assert world.start_post(through=world.other_way).wait().outcome == "in_progress"
    assert world.start_reconcile(through=world.other_way).wait().answer == {"posts": [], "left_for_later": False}
    assert world.records() == before
    assert not [call for call in world.other_way.calls if call.name.startswith("Instagram")]

    assert _goes_on(world, slow).outcome == "posted"
    _one_post_is_live(world)


def test_a_run_that_was_starting_as_its_persona_was_paused_claims_nothing(world: World) -> None:
    slow = _slow_run(world, NINE_CALLS.index(CLAIM) + 1)
    world.instagram.order_fault(Fault.error("*", 190, 463, times=None))
    another_slot = Slot(NINE.start + timedelta(minutes=1))
    world.pass_time(timedelta(minutes=1))
    assert world.start_post(another_slot, through=world.other_way).wait().outcome == "failed"
    world.instagram.clear_faults()
    before = world.records()

    assert _goes_on(world, slow).outcome == "paused"
    assert world.records() == before
    assert not world.live()


@pytest.mark.parametrize("at", AFTER_THE_CLAIM)
def test_a_slow_run_finds_its_post_finished(world: World, at: int) -> None:
    """The reconciler takes the post over and does what it can, while the first run stands still at one of its calls."""
    slow = _slow_run(world, at)
    world.now += PAST_THE_LEASE
    world.start_reconcile(through=world.other_way).wait()
    left = world.records()["PostsTable"]

    assert _goes_on(world, slow).outcome == "in_progress"
    assert world.records()["PostsTable"] == left
    world.reconcile_until_quiet()
    _one_post_is_live(world)


@pytest.mark.parametrize("at", AFTER_THE_CLAIM)
def test_a_slow_run_writes_nothing_after_it_was_taken_over(world: World, at: int) -> None:
    """Now the reconciler stands still too, with nothing done but the take-over; the first run goes on and ends."""
    slow = _slow_run(world, at)
    world.now += PAST_THE_LEASE
    held = world.other_way.hold_after(TAKE_OVER)
    reconciler = world.start_reconcile(through=world.other_way)
    assert held.arrived.wait(MOST_SECONDS)
    left = world.records()["PostsTable"]

    assert _goes_on(world, slow).outcome == "in_progress"
    assert world.records()["PostsTable"] == left
    world.let_go(held)
    reconciler.wait()
    world.reconcile_until_quiet()
    _one_post_is_live(world)


@pytest.mark.parametrize("at", AFTER_THE_CLAIM)
def test_a_reconciler_that_comes_too_late_to_take_over_does_nothing(world: World, at: int) -> None:
    """It has found the post in the index and stands still; the slow run finishes; then the take-over arrives."""
    slow = _slow_run(world, at)
    world.now += PAST_THE_LEASE
    held = world.other_way.hold_after(PERSONA)
    reconciler = world.start_reconcile(through=world.other_way)
    assert held.arrived.wait(MOST_SECONDS)
    assert _goes_on(world, slow).outcome == "posted"
    left = world.records()

    world.let_go(held)
    assert checked(reconciler.wait()).answer == {"posts": [], "left_for_later": False}
    assert world.records() == left
    _one_post_is_live(world)


@pytest.mark.parametrize("at", AFTER_THE_CLAIM)
def test_reconcilers_and_a_slow_run_make_one_post(world: World, at: int) -> None:
    """The slow run goes on as two reconcilers and a repeated delivery start, and all of them run at once."""
    slow = _slow_run(world, at)
    world.now += PAST_THE_LEASE
    gate = world.a_gate()
    others = [
        world.start_reconcile(through=world.other_way, gate=gate),
        world.start_reconcile(through=world.other_way, gate=gate),
        world.start_post(through=world.other_way, gate=gate),
    ]
    world.open_gate(gate, others)
    slow.held.let_go()
    for job in (slow.job, *others):
        assert checked(job.wait()).answer is not None
    world.reconcile_until_quiet()
    _one_post_is_live(world)


def _one_post_is_live(world: World) -> None:
    (live,) = world.live()
    assert photo_of(live) == BEST
    (post,) = world.posts()
    assert (post.status, post.provider_post_id) == (PostStatus.POSTED, live.media_id)
    assert world.photo(BEST).post_slot == NINE
    assert list(world.queue()) == [a_photo_id(name) for name in PHOTOS if name != BEST]
