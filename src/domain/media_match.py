"""Which of the account's recent media a published container became, when Instagram's answer was lost.

Nothing in a container names its media, so this is a search, and only a unique match counts. A caption is evidence, no
proof: whether the post is live at all is decided by the container's own status and never here.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Final

from domain.ids import MediaId
from domain.ports import RecentMedia
from domain.posts import Post

BEFORE_CREATION: Final = timedelta(minutes=5)
AFTER_PUBLISH: Final = timedelta(minutes=15)
COMPARED_CHARACTERS: Final = 2000


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
        if media.media_type == "IMAGE"
        and post.created_at - BEFORE_CREATION <= media.published_at <= sent_at + AFTER_PUBLISH
        and _folded(media.caption) == caption
        and media.media_id not in recorded
    )


def _folded(caption: str) -> str:
    """Instagram folds white space, and a mention comes back with or without its @."""
    return " ".join(caption.replace("@", "").split())[:COMPARED_CHARACTERS]
