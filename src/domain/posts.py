"""The post: one photo's way to the account, its states, and what each step makes of its record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.faults import Defer, FaultRecord
from domain.ids import ContainerId, MediaId, PersonaId, PhotoId, RunId
from domain.slots import Slot

DEADLINE: Final = timedelta(hours=23)
"""After its slot, a post that was never sent is given up. Below a day, so that daily slots do not pile up."""

CONTAINER_LIFE: Final = timedelta(hours=24)
"""An unpublished container expires after this (Instagram Platform, content publishing): nothing can land any more."""

NOT_POSTED: Final = "NotPosted"
"""The kind of fault on record of a post of which its owner says that it is not live."""


DEFERRED: Final = Defer.__name__
"""The kind of fault on record of a post that was put off."""


class PostStatus(StrEnum):
    POSTING = "posting"
    POSTED = "posted"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    """It may be live: a person must look."""


TRANSITIONS: Final[Mapping[PostStatus, frozenset[PostStatus]]] = {
    PostStatus.POSTING: frozenset({PostStatus.POSTED, PostStatus.FAILED, PostStatus.UNCONFIRMED}),
    PostStatus.UNCONFIRMED: frozenset({PostStatus.POSTED, PostStatus.FAILED}),
    PostStatus.POSTED: frozenset(),
    PostStatus.FAILED: frozenset(),
}


class IllegalTransitionError(Exception):
    """A post was to move between two states that ``TRANSITIONS`` does not join. A defect in the caller."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to move a post forward. ``until`` lies a margin after the owner's own hard deadline."""

    owner: RunId
    until: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen of a post that nobody can vouch for: the container's last word, and media that might be it."""

    container_status: str
    candidate_media: tuple[MediaId, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """The record of one slot's post. Each ``as_…`` method gives the record after a step; nothing changes in place."""

    persona_id: PersonaId
    slot: Slot
    photo_id: PhotoId
    caption: str
    lease: Lease
    created_at: datetime
    updated_at: datetime
    status: PostStatus = PostStatus.POSTING
    container_id: ContainerId | None = None
    publish_sent_at: datetime | None = None
    """The fence: set *before* the publish request leaves. While it is set, nothing may ever be sent again."""
    publish_attempts: int = 0
    """How often the post was fenced; the number under which a write after a fence is made."""
    provider_post_id: MediaId | None = None
    permalink: str | None = None
    posted_at: datetime | None = None
    fault: FaultRecord | None = None
    evidence: Evidence | None = None
    retried_in: Slot | None = None
    """The slot of the post in which its owner had its photo tried once more."""
    retry_of: Slot | None = None
    """The slot of the failed post whose photo this one tries once more, by its owner's word: that photo, no other."""

    @property
    def is_fenced(self) -> bool:
        return self.publish_sent_at is not None

    @property
    def deadline(self) -> datetime:
        """When a post that was never sent is given up. Counted from its creation where the slot lies in the future."""
        return min(self.slot.start, self.created_at) + DEADLINE

    @property
    def cannot_land_after(self) -> datetime | None:
        """From then on nothing that was sent can become live any more; None where nothing was sent.

        An unconfirmed post may lack the time at which it was sent, when another program wrote its record: nothing was
        sent after the record was last changed.
        """
        sent_at = self._sent_by if self.status is PostStatus.UNCONFIRMED else self.publish_sent_at
        return None if sent_at is None else sent_at + CONTAINER_LIFE

    @property
    def _sent_by(self) -> datetime:
        """When a post that was sent was sent at the latest."""
        return self.publish_sent_at or max(self.created_at, self.updated_at)

    @property
    def waits_for(self) -> FaultRecord | None:
        """Why it was put off; None for every other post. It is tried again once its lease is over, by itself."""
        is_put_off = self.status is PostStatus.POSTING and not self.is_fenced
        return self.fault if is_put_off and self.fault is not None and self.fault.kind == DEFERRED else None

    @property
    def wants_another_look(self) -> bool:
        """Something is still open: the post itself, or the media id of one that was found to be live."""
        return self.status is PostStatus.POSTING or (
            self.status is PostStatus.POSTED and self.provider_post_id is None and self.evidence is None
        )

    def _moved(self, status: PostStatus, at: datetime) -> "Post":
        if status not in TRANSITIONS[self.status]:
            raise IllegalTransitionError(f"post {self.persona_id} {self.slot} cannot go from {self.status} to {status}")
        return replace(self, status=status, updated_at=at)

    def _still_posting(self, at: datetime) -> "Post":
        if self.status is not PostStatus.POSTING:
            raise IllegalTransitionError(f"post {self.persona_id} {self.slot} is {self.status}, no longer posting")
        return replace(self, updated_at=at)

    def as_fenced(self, container_id: ContainerId, at: datetime) -> "Post":
        """About to be sent. Raises IllegalTransitionError when it is fenced already or its deadline has passed."""
        if self.is_fenced or at >= self.deadline:
            raise IllegalTransitionError(f"post {self.persona_id} {self.slot} must not be sent (again)")
        return replace(
            self._still_posting(at),
            container_id=container_id,
            publish_sent_at=at,
            publish_attempts=self.publish_attempts + 1,
        )

    def as_deferred(
        self, fault: FaultRecord, at: datetime, look_again_at: datetime, container_id: ContainerId | None
    ) -> "Post":
        """Provably not published: the fence is open again, the lease ends, and a later run tries again."""
        return replace(
            self._still_posting(at),
            container_id=container_id,
            publish_sent_at=None,
            fault=fault,
            lease=replace(self.lease, until=look_again_at),
        )

    def as_unresolved(self, fault: FaultRecord, at: datetime) -> "Post":
        """It may be live. The fence stays; the lease ends, so that the next reconcile asks the container."""
        return replace(self._still_posting(at), fault=fault, lease=replace(self.lease, until=at))

    def as_posted(self, media_id: MediaId | None, at: datetime, permalink: str | None = None) -> "Post":
        """It is live. ``media_id`` is None when the container says so but the media could not be told apart."""
        return replace(
            self._moved(PostStatus.POSTED, at),
            provider_post_id=media_id,
            permalink=permalink,
            posted_at=self.publish_sent_at or at,
            fault=None,
        )

    def as_identified(self, media_id: MediaId, permalink: str | None, at: datetime) -> "Post":
        """Its media id was found after all."""
        self._must_lack_its_media_id()
        return replace(self, provider_post_id=media_id, permalink=permalink, updated_at=at)

    def as_unidentified(self, evidence: Evidence, at: datetime) -> "Post":
        """It is live, and its media id could not be told apart in a day: it is looked for no more."""
        self._must_lack_its_media_id()
        return replace(self, evidence=evidence, updated_at=at)

    def _must_lack_its_media_id(self) -> None:
        if self.status is not PostStatus.POSTED or not self.wants_another_look:
            raise IllegalTransitionError(f"post {self.persona_id} {self.slot} does not lack its media id")

    def as_failed(self, fault: FaultRecord, at: datetime) -> "Post":
        """It is not live and never will be."""
        return replace(self._moved(PostStatus.FAILED, at), fault=fault)

    def as_unconfirmed(self, fault: FaultRecord, evidence: Evidence, at: datetime) -> "Post":
        """Nobody can say whether it is live: a person must look at the evidence."""
        return replace(self._moved(PostStatus.UNCONFIRMED, at), fault=fault, evidence=evidence)

    # ---- by the owner's word ----

    def as_retried(self, following: Slot, at: datetime) -> "Post":
        """Its photo is tried once more, in the post of ``following``. A post is retried once; then that one may be."""
        if self.status is not PostStatus.FAILED or self.retried_in is not None:
            raise IllegalTransitionError(f"post {self.persona_id} {self.slot} is no failed post that was never retried")
        return replace(self, retried_in=following, updated_at=at)

    def as_resolved_posted(self, media_id: MediaId, permalink: str | None, at: datetime) -> "Post":
        """Its owner has seen that it is live, as this media."""
        self._must_be_unconfirmed()
        posted = self.as_posted(media_id, at, permalink)
        return replace(posted, posted_at=self._sent_by, evidence=self.evidence)

    def as_resolved_not_posted(self, at: datetime) -> "Post":
        """Its owner has seen that it is not live. Only once it cannot become so any more, on whatever late request."""
        self._must_be_unconfirmed()
        if self.cannot_land_after is None or at < self.cannot_land_after:
            raise IllegalTransitionError(f"post {self.persona_id} {self.slot} may become live yet")
        before = f" Before: {self.fault.message}" if self.fault else ""
        return self.as_failed(FaultRecord(NOT_POSTED, f"Its owner looked, and it is not live.{before}"), at)

    def _must_be_unconfirmed(self) -> None:
        if self.status is not PostStatus.UNCONFIRMED:
            raise IllegalTransitionError(f"post {self.persona_id} {self.slot} is {self.status}, not unconfirmed")


def why_it_waits(post: Post) -> str | None:
    """Until when a post was put off, and why, for its owner; None for every other post."""
    if post.waits_for is None:
        return None
    again, end = (f"{at:%Y-%m-%d %H:%M} UTC" for at in (post.lease.until, post.deadline))
    if post.lease.until >= post.deadline:
        return f"put off, and not tried again before it is given up, at {end}. Why: {post.waits_for.message}"
    return f"put off; tried again by itself from {again} on, given up at {end}. Why: {post.waits_for.message}"
