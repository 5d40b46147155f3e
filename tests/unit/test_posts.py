"""The post: its states over their full cross product, and what each step makes of its record."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from domain.faults import FaultRecord
from domain.ids import ContainerId, MediaId, RunId
from domain.posts import (
    CONTAINER_LIFE,
    DEADLINE,
    TRANSITIONS,
    Evidence,
    IllegalTransitionError,
    Lease,
    Post,
    PostStatus,
)
from domain.slots import Slot
from fakes.library import NINE, a_post

POSTING, POSTED = PostStatus.POSTING, PostStatus.POSTED
FAILED, UNCONFIRMED = PostStatus.FAILED, PostStatus.UNCONFIRMED

ALLOWED = {
    (POSTING, POSTED),
    (POSTING, FAILED),
    (POSTING, UNCONFIRMED),
    (UNCONFIRMED, POSTED),
    (UNCONFIRMED, FAILED),
}
"""Written out once more: a slip in the table must not pass for the rule."""

FAULT = FaultRecord("PhotoFault", "The photo is too large.", 36000, 2207004)
EVIDENCE = Evidence("FINISHED", (MediaId("17900000000000007"),))
CONTAINER = ContainerId("17900000000000001")
MEDIA = MediaId("17900000000000002")
LATER = a_post().created_at + timedelta(minutes=2)

MOVES: dict[PostStatus, Callable[[Post], Post]] = {
    POSTED: lambda post: post.as_posted(MEDIA, LATER),
    FAILED: lambda post: post.as_failed(FAULT, LATER),
    UNCONFIRMED: lambda post: post.as_unconfirmed(FAULT, EVIDENCE, LATER),
}

STEPS_WHILE_POSTING: dict[str, Callable[[Post], Post]] = {
    "fenced": lambda post: post.as_fenced(CONTAINER, LATER),
    "deferred": lambda post: post.as_deferred(FAULT, LATER, LATER, CONTAINER),
    "unresolved": lambda post: post.as_unresolved(FAULT, LATER),
}


def a_fenced_post() -> Post:
    return a_post().as_fenced(CONTAINER, LATER)


def test_the_table_joins_the_states_of_the_design_and_no_others() -> None:
    assert {(source, target) for source, targets in TRANSITIONS.items() for target in targets} == ALLOWED
    assert set(TRANSITIONS) == set(PostStatus)


@pytest.mark.parametrize(("source", "target"), sorted(ALLOWED))
def test_a_move_of_the_table_goes(source: PostStatus, target: PostStatus) -> None:
    moved = MOVES[target](a_post(status=source))
    assert (moved.status, moved.updated_at) == (target, LATER)


@pytest.mark.parametrize(("source", "target"), sorted(set(product(PostStatus, MOVES)) - ALLOWED))
def test_every_other_move_raises_and_names_both_states(source: PostStatus, target: PostStatus) -> None:
    with pytest.raises(IllegalTransitionError, match=f"from {source} to {target}"):
        MOVES[target](a_post(status=source))


@pytest.mark.parametrize("step", STEPS_WHILE_POSTING)
def test_a_step_of_a_post_that_is_still_posting_leaves_it_so(step: str) -> None:
    stepped = STEPS_WHILE_POSTING[step](a_post())
    assert (stepped.status, stepped.updated_at) == (POSTING, LATER)


@pytest.mark.parametrize(("step", "status"), [*product(STEPS_WHILE_POSTING, (POSTED, FAILED, UNCONFIRMED))])
def test_no_post_goes_back_to_posting(step: str, status: PostStatus) -> None:
    with pytest.raises(IllegalTransitionError, match="no longer posting"):
        STEPS_WHILE_POSTING[step](a_post(status=status))


def test_a_fence_puts_container_time_and_number_on_record() -> None:
    post = a_post()
    assert post.as_fenced(CONTAINER, LATER) == replace(
        post, container_id=CONTAINER, publish_sent_at=LATER, publish_attempts=1, updated_at=LATER
    )
    assert not post.is_fenced
    assert post.as_fenced(CONTAINER, LATER).is_fenced


def test_a_fence_cannot_be_set_twice() -> None:
    with pytest.raises(IllegalTransitionError, match="must not be sent"):
        a_fenced_post().as_fenced(CONTAINER, LATER)


def test_a_fence_can_be_set_until_the_deadline_and_not_at_it() -> None:
    post = a_post()
    last_moment = post.deadline - timedelta(microseconds=1)
    assert post.as_fenced(CONTAINER, last_moment).publish_sent_at == last_moment
    for too_late in (post.deadline, post.deadline + timedelta(hours=1)):
        with pytest.raises(IllegalTransitionError, match="must not be sent"):
            post.as_fenced(CONTAINER, too_late)


def test_a_deferred_post_is_open_again_and_counts_its_fences_on() -> None:
    deferred = a_fenced_post().as_deferred(FAULT, LATER, LATER + timedelta(hours=1), CONTAINER)
    assert deferred == replace(
        a_post(),
        container_id=CONTAINER,
        publish_sent_at=None,
        publish_attempts=1,
        fault=FAULT,
        updated_at=LATER,
        lease=Lease(RunId("run-1"), LATER + timedelta(hours=1)),
    )
    assert deferred.as_fenced(CONTAINER, LATER).publish_attempts == 2


def test_a_deferred_post_forgets_a_container_that_is_spent() -> None:
    assert a_post(container_id=CONTAINER).as_deferred(FAULT, LATER, LATER, None).container_id is None


def test_an_unresolved_post_keeps_its_fence_and_gives_up_its_lease() -> None:
    assert a_fenced_post().as_unresolved(FAULT, LATER + timedelta(minutes=1)) == replace(
        a_fenced_post(),
        fault=FAULT,
        lease=Lease(RunId("run-1"), LATER + timedelta(minutes=1)),
        updated_at=LATER + timedelta(minutes=1),
    )


def test_a_posted_post_has_its_media_its_link_and_the_time_at_which_it_was_sent() -> None:
    unresolved = a_fenced_post().as_unresolved(FAULT, LATER)
    hours_later = LATER + timedelta(hours=3)
    assert unresolved.as_posted(MEDIA, hours_later, "https://www.instagram.com/p/x/") == replace(
        unresolved,
        status=POSTED,
        provider_post_id=MEDIA,
        permalink="https://www.instagram.com/p/x/",
        posted_at=LATER,
        fault=None,
        updated_at=hours_later,
    )


def test_a_post_that_was_found_live_without_a_fence_has_the_time_of_the_finding() -> None:
    assert a_post().as_posted(None, LATER).posted_at == LATER


def test_a_failed_post_has_its_fault() -> None:
    assert a_fenced_post().as_failed(FAULT, LATER) == replace(
        a_fenced_post(), status=FAILED, fault=FAULT, updated_at=LATER
    )


def test_an_unconfirmed_post_has_its_fault_and_what_was_seen() -> None:
    assert a_fenced_post().as_unconfirmed(FAULT, EVIDENCE, LATER) == replace(
        a_fenced_post(), status=UNCONFIRMED, fault=FAULT, evidence=EVIDENCE, updated_at=LATER
    )


def a_live_post_without_its_id() -> Post:
    return a_fenced_post().as_posted(None, LATER)


def test_a_media_id_that_is_found_later_completes_the_record() -> None:
    post = a_live_post_without_its_id()
    assert post.as_identified(MEDIA, "https://www.instagram.com/p/x/", LATER + timedelta(hours=1)) == replace(
        post,
        provider_post_id=MEDIA,
        permalink="https://www.instagram.com/p/x/",
        updated_at=LATER + timedelta(hours=1),
    )


def test_a_media_id_that_is_never_found_leaves_what_was_seen() -> None:
    post = a_live_post_without_its_id()
    unidentified = post.as_unidentified(EVIDENCE, LATER + timedelta(days=1))
    assert unidentified == replace(post, evidence=EVIDENCE, updated_at=LATER + timedelta(days=1))
    assert not unidentified.wants_another_look


@pytest.mark.parametrize(
    "post",
    [
        a_post(),
        a_fenced_post(),
        a_fenced_post().as_posted(MEDIA, LATER),
        a_post().as_failed(FAULT, LATER),
        a_fenced_post().as_unconfirmed(FAULT, EVIDENCE, LATER),
        a_live_post_without_its_id().as_unidentified(EVIDENCE, LATER),
    ],
    ids=["posting", "fenced", "posted", "failed", "unconfirmed", "given up"],
)
def test_a_post_that_does_not_lack_its_media_id_gets_none(post: Post) -> None:
    with pytest.raises(IllegalTransitionError, match="does not lack its media id"):
        post.as_identified(MEDIA, None, LATER)
    with pytest.raises(IllegalTransitionError, match="does not lack its media id"):
        post.as_unidentified(EVIDENCE, LATER)


def test_no_step_changes_the_record_in_place() -> None:
    post = a_post()
    for step in (*MOVES.values(), *STEPS_WHILE_POSTING.values()):
        step(post)
    assert post == a_post()
    with pytest.raises(AttributeError):
        post.status = POSTED  # type: ignore[misc]


def test_a_post_is_given_up_23_hours_after_its_slot() -> None:
    assert a_post().deadline == NINE.start + timedelta(hours=23)
    assert a_post(created_at=NINE.start + timedelta(hours=5)).deadline == NINE.start + timedelta(hours=23)


def test_a_post_whose_slot_lies_in_the_future_is_given_up_23_hours_after_its_creation() -> None:
    post = a_post(slot=Slot(NINE.start + timedelta(days=3650)))
    assert post.deadline == post.created_at + timedelta(hours=23)


def test_a_post_that_is_given_up_has_made_room_for_the_next_daily_slot() -> None:
    assert timedelta(hours=23) == DEADLINE < timedelta(days=1)
    assert timedelta(hours=24) == CONTAINER_LIFE


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": POSTING}, True),
        ({"status": POSTING, "publish_sent_at": LATER}, True),
        ({"status": POSTED, "provider_post_id": None}, True),
        ({"status": POSTED, "provider_post_id": MEDIA}, False),
        ({"status": POSTED, "provider_post_id": None, "evidence": EVIDENCE}, False),
        ({"status": FAILED}, False),
        ({"status": UNCONFIRMED, "evidence": EVIDENCE}, False),
    ],
)
def test_a_post_wants_another_look_while_it_is_open_or_its_media_unknown(
    changes: dict[str, object], expected: bool
) -> None:
    assert a_post(**changes).wants_another_look is expected
