"""The failed posts of the last days that were not retried: what became of each photo, and which need the owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.photos import Photo
from domain.ports import PhotoLibrary
from domain.post_driver import DEADLINE_MISSED
from domain.post_next_best import CAPTION_REFUSED
from domain.posts import NOT_POSTED, Post, PostStatus

SHOWN_FOR: Final = timedelta(days=7)
"""After that a failed post is history, where it stands for good."""


@dataclass(frozen=True, slots=True)
class FailedPost:
    """``what`` says what became of its photo. ``want`` is what its owner should do; None where nothing has to be."""

    post: Post
    what: str
    want: str | None = None


def failed_posts(recent: Sequence[Post], library: PhotoLibrary, now: datetime) -> tuple[FailedPost, ...]:
    """Those of ``recent`` that count, in its order. Raises RecordsUnavailableError."""
    slots = {post.slot for post in recent}
    return tuple(
        _judge(post, library.get(post.persona_id, post.photo_id), went_on=post.slot.following in slots)
        for post in recent
        if post.status is PostStatus.FAILED and post.retried_in is None and now - post.updated_at <= SHOWN_FOR
    )


def _judge(post: Post, photo: Photo | None, *, went_on: bool) -> FailedPost:
    """``went_on``: the slot has a later post, of the next best photo."""
    name = f"{post.persona_id}/{post.slot}"
    if photo is None:
        return FailedPost(post, "its photo is no longer in the library")
    if photo.post_slot is None:
        return FailedPost(post, "its photo is free again")
    if photo.post_slot != post.slot:
        return FailedPost(post, f"its photo has another post, {photo.post_slot}")
    kind = None if post.fault is None else post.fault.kind
    retry = f"`fluffy-train retry {name}`"
    if kind == NOT_POSTED:
        return FailedPost(post, "not live, as you said")
    if kind == DEADLINE_MISSED:
        want = f"{name} came to nothing by its deadline, as its photo did before, and stays out of the queue: {retry}."
        return FailedPost(post, "its photo has missed too many deadlines", want)
    if kind == CAPTION_REFUSED:
        again = f"`fluffy-train photos import FOLDER --persona {post.persona_id}`"
        want = f"{name} has a caption that Instagram would refuse: give a shorter one with {again}, then {retry}."
        return FailedPost(post, "its caption is at fault", want)
    if went_on:
        return FailedPost(post, "refused, and the next best photo had its turn")
    want = f"{name} was refused, and no other photo was posted for it: `fluffy-train history` says why, and {retry} "
    return FailedPost(post, "refused, and nothing was posted for it", f"{want}tries that photo once more.")
