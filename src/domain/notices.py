"""The notice of a finished post, as the owner's own systems are told of it: what it says, and by what name."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from domain import instants
from domain.posts import Post, PostStatus

FINISHED: Final = frozenset({PostStatus.POSTED, PostStatus.FAILED, PostStatus.UNCONFIRMED})

TEST: Final = "webhook.test"

_FACTS: Final = ("persona_id", "slot", "photo_id", "provider_post_id", "permalink", "posted_at", "fault")


@dataclass(frozen=True, slots=True)
class Notice:
    """``id`` is the same however often the notice is sent, so that a receiver can drop repetitions. It is ASCII."""

    id: str
    payload: Mapping[str, Any]


def of_change(before: PostStatus | None, post: Post) -> Notice | None:
    """The notice of a post that was ``before`` and stands as ``post`` now; None where it did not end by that change.

    A permalink or a media id that is found later is no second end.
    """
    if post.status not in FINISHED or before is post.status:
        return None
    return _notice(post, f"post.{post.status.value}", f"{post.persona_id}/{post.slot}/{post.status.value}")


def of_test(now: datetime) -> Notice:
    """A notice of nothing, by which an owner sees whether the way to the receiver is open."""
    at = instants.to_text(now)
    return Notice(f"test/{at}", {"id": f"test/{at}", "event": TEST, **dict.fromkeys(_FACTS), "occurred_at": at})


def _notice(post: Post, event: str, name: str) -> Notice:
    facts = (
        post.persona_id,
        str(post.slot),
        post.photo_id,
        post.provider_post_id,
        post.permalink,
        instants.to_text(post.posted_at) if post.posted_at else None,
        asdict(post.fault) if post.fault else None,
    )
    told = dict(zip(_FACTS, facts, strict=True))
    return Notice(name, {"id": name, "event": event, **told, "occurred_at": instants.to_text(post.updated_at)})
