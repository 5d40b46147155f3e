"""Which of the account's recent media a published container became, when Instagram's answer was lost.

Nothing in a container names its media, so this is a search, and only a unique match counts. A caption is evidence, no
proof: whether the post is live at all is decided by the container's own status and never here.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from domain.ids import MediaId
from domain.ports import RecentMedia
from domain.posts import Post, PostStatus

BEFORE_CREATION: Final = timedelta(minutes=5)
AFTER_PUBLISH: Final = timedelta(minutes=15)
COMPARED_CHARACTERS: Final = 2000


@dataclass(frozen=True, slots=True)
class Match:
    """What was found. ``unique`` is the one media that the post must be, or None where it could be another."""

    candidates: tuple[RecentMedia, ...]
    unique: RecentMedia | None = None
    was_read: bool = True
    """Whether the account's list could be read at all."""

    @property
    def media_ids(self) -> tuple[MediaId, ...]:
        return tuple(media.media_id for media in self.candidates)


def match(post: Post, recent: Iterable[RecentMedia], posts: Collection[Post]) -> Match:
    """What ``post`` became, among the account's ``recent`` media. ``posts`` are the persona's of that time.

    Two posts of one caption whose media are both unknown cannot be told apart, even where the list, which lags, shows
    only one of them.
    """
    found = candidates(post, recent, {other.provider_post_id for other in posts if other.provider_post_id is not None})
    is_alone = not any(_is_rival(post, other) for other in posts)
    return Match(found, found[0] if len(found) == 1 and is_alone else None)


def _is_rival(post: Post, other: Post) -> bool:
    """Whether ``other`` may be live as well, under the same caption and with its media unknown."""
    may_be_live = other.is_fenced or other.status in {PostStatus.POSTED, PostStatus.UNCONFIRMED}
    return (
        other.slot != post.slot
        and other.provider_post_id is None
        and other.status is not PostStatus.FAILED
        and may_be_live
        and _folded(other.caption) == _folded(post.caption)
    )


def candidates(post: Post, recent: Iterable[RecentMedia], recorded: Collection[MediaId]) -> tuple[RecentMedia, ...]:
    """The media that ``post`` may have become: an image of its time and caption that no other post has recorded.

    ``created_at`` of the post stands for the container's creation, which comes after it; a post with an empty caption
    has no candidates, since an empty caption cannot be told from another.
    """
    caption = _folded(post.caption)
    if not caption:
        return ()
    sent_at = post.publish_sent_at or post.updated_at
    return tuple(
        media
        for media in recent
        if media.media_type in _IMAGE
        and post.created_at - BEFORE_CREATION <= media.published_at <= sent_at + AFTER_PUBLISH
        and _folded(media.caption) == caption
        and media.media_id not in recorded
    )


# The list may leave the type of a single image out, as a request does.
_IMAGE: Final = frozenset({"IMAGE", ""})


def _folded(caption: str) -> str:
    """Instagram folds white space, and a mention comes back with or without its @."""
    return " ".join(caption.replace("@", "").split())[:COMPARED_CHARACTERS]
