"""Which failed posts the owner is shown, and which of them need anything."""

from datetime import timedelta
from typing import Final

import pytest

from cli.failed_posts import SHOWN_FOR, FailedPost, failed_posts
from domain.faults import FaultRecord
from domain.photos import Photo
from domain.post_driver import DEADLINE_MISSED
from domain.post_next_best import CAPTION_REFUSED
from domain.posts import NOT_POSTED, Post, PostStatus
from domain.slots import Slot
from fakes.library import NINE, a_photo, a_post
from fakes.records import FakePhotoLibrary, FakeRecords

NOW: Final = NINE.start + timedelta(hours=5)
NAME: Final = f"default/{NINE}"


def failed(kind: str = "PhotoFault", **changes: object) -> Post:
    facts = {
        "slot": NINE,
        "status": PostStatus.FAILED,
        "fault": FaultRecord(kind, "It was refused."),
        "updated_at": NOW,
    }
    return a_post(**facts | changes)


def seen(*posts: Post, photo: Photo | None = None) -> tuple[FailedPost, ...]:
    """What is seen of ``posts`` whose one photo is ``photo``, by default one that stayed with the post of nine."""
    records = FakeRecords()
    held = a_photo(post_slot=NINE) if photo is None else photo
    records.photos[held.persona_id, held.photo_id] = held
    return failed_posts(posts, FakePhotoLibrary(records), NOW)


@pytest.mark.parametrize("status", [one for one in PostStatus if one is not PostStatus.FAILED])
def test_a_post_that_did_not_fail_is_none_of_them(status: PostStatus) -> None:
    assert seen(failed(status=status)) == ()


def test_one_that_was_retried_is_looked_after_in_its_retry() -> None:
    assert seen(failed(retried_in=Slot(NOW))) == ()


def test_after_a_week_it_is_history() -> None:
    assert len(seen(failed(updated_at=NOW - SHOWN_FOR))) == 1
    assert seen(failed(updated_at=NOW - SHOWN_FOR - timedelta(seconds=1))) == ()


@pytest.mark.parametrize("kind", ["AccountFault", DEADLINE_MISSED])
def test_one_whose_photo_went_back_needs_nothing(kind: str) -> None:
    (one,) = seen(failed(kind), photo=a_photo())
    assert (one.what, one.want) == ("its photo is free again", None)


def test_one_whose_photo_was_posted_since_needs_nothing() -> None:
    (one,) = seen(failed(), photo=a_photo(post_slot=Slot(NOW)))
    assert (one.what, one.want) == (f"its photo has another post, {Slot(NOW)}", None)


def test_one_whose_photo_is_gone_needs_nothing() -> None:
    (one,) = seen(failed(), photo=a_photo("another"))
    assert (one.what, one.want) == ("its photo is no longer in the library", None)


def test_one_that_its_owner_said_is_not_live_needs_nothing() -> None:
    (one,) = seen(failed(NOT_POSTED))
    assert (one.what, one.want) == ("not live, as you said", None)


def test_a_refused_photo_whose_slot_went_on_with_the_next_best_needs_nothing() -> None:
    next_best = a_post(slot=NINE.following, status=PostStatus.POSTED)
    (one,) = seen(failed(), next_best)
    assert (one.what, one.want) == ("refused, and the next best photo had its turn", None)


@pytest.mark.parametrize(
    ("kind", "commands"),
    [
        ("PhotoFault", ["fluffy-train history", f"fluffy-train retry {NAME}"]),
        (DEADLINE_MISSED, [f"fluffy-train retry {NAME}"]),
        (CAPTION_REFUSED, ["fluffy-train photos import FOLDER --persona default", f"fluffy-train retry {NAME}"]),
    ],
)
def test_one_that_keeps_its_photo_and_posted_nothing_names_the_commands_that_help(
    kind: str, commands: list[str]
) -> None:
    (one,) = seen(failed(kind))
    assert one.want is not None
    assert one.want.startswith(f"{NAME} ")
    assert [word for word in one.want.split("`") if word.startswith("fluffy-train")] == commands


def test_a_caption_is_to_be_mended_though_the_slot_went_on() -> None:
    (one,) = seen(failed(CAPTION_REFUSED), a_post(slot=NINE.following, status=PostStatus.POSTED))
    assert one.want is not None
