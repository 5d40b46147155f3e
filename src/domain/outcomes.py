"""What a run did for one slot, as its caller is told."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from domain.ids import MediaId, PersonaId, PhotoId
from domain.posts import Post
from domain.slots import Slot


class Outcome(StrEnum):
    POSTED = "posted"
    ALREADY_DONE = "already_done"
    IN_PROGRESS = "in_progress"
    NOTHING_TO_POST = "nothing_to_post"
    FAILED = "failed"
    DEFERRED = "deferred"
    UNRESOLVED = "unresolved"
    UNCONFIRMED = "unconfirmed"
    PAUSED = "paused"
    TOO_LATE = "too_late"
    DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True)
class Report:
    """One post's outcome. ``earlier`` has the reports of the same slot's refused photos, first to last."""

    outcome: Outcome
    persona_id: PersonaId
    slot: Slot
    photo_id: PhotoId | None = None
    provider_post_id: MediaId | None = None
    reason: str | None = None
    sent_at: datetime | None = None
    """When the publish request was sent, aware UTC, where one was."""
    waits_until: datetime | None = None
    """When a deferred post is tried again at the earliest, aware UTC; None for every other outcome."""
    earlier: tuple["Report", ...] = field(default=())

    @classmethod
    def of(cls, outcome: Outcome, post: Post, reason: str | None = None) -> Self:
        return cls(
            outcome,
            post.persona_id,
            post.slot,
            post.photo_id,
            post.provider_post_id,
            reason,
            post.publish_sent_at,
            post.lease.until if outcome is Outcome.DEFERRED else None,
        )
