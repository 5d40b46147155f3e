"""The use case behind `resolve`: what can be seen of an unconfirmed post, and its owner's word on it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from domain import media_match
from domain.faults import Fault
from domain.ids import MediaId
from domain.personas import Persona
from domain.ports import Clock, ContainerStatus, PostLedger, Publisher, RecentMedia, Resolution
from domain.posts import CONTAINER_LIFE, NOT_POSTED, Post, PostStatus, why_it_waits

LOOK_LIMIT: Final = timedelta(seconds=15)

_REMOVED: Final = "The persona was removed, and its token with it."


@dataclass(frozen=True, slots=True)
class Sight:
    """What Instagram shows of a post now. ``is_published``: its container says so, which proves that it is live."""

    container: str
    is_published: bool
    candidates: tuple[RecentMedia, ...]
    why_no_candidates: str | None = None
    """Why the account's media could not be read; None where they were."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The record as it stands now; ``was_before``: somebody had said the same already, and nothing was written."""

    post: Post
    was_before: bool = False


@dataclass(frozen=True, slots=True)
class NotResolved:
    """Nothing was written. ``reason`` says why, and what to do, for the owner."""

    reason: str


class ResolvePost:
    def __init__(self, *, ledger: PostLedger, publisher: Publisher, clock: Clock) -> None:
        self._ledger = ledger
        self._publisher = publisher
        self._clock = clock

    def look(self, persona: Persona | None, post: Post) -> Sight:
        """Ask for the container's status and the media that may be the post. Writes nothing, raises no Fault.

        Without a persona, which was removed and its token with it, nobody can be asked.
        """
        if persona is None:
            return Sight(f"cannot be read: {_REMOVED}", is_published=False, candidates=(), why_no_candidates=_REMOVED)
        try:
            if post.container_id is None:
                container, is_published = "its id is not on record", False
            else:
                status = self._publisher.container_status(persona, post.container_id, within=LOOK_LIMIT)
                container, is_published = status.value, status is ContainerStatus.PUBLISHED
        except Fault as fault:
            container, is_published = f"cannot be read now: {fault.message}", False
        try:
            recent = self._publisher.recent_media(persona, within=LOOK_LIMIT)
        except Fault as fault:
            return Sight(container, is_published, (), fault.message)
        since = post.created_at - media_match.BEFORE_CREATION - CONTAINER_LIFE
        found = media_match.match(post, recent, self._ledger.posts_since(post.persona_id, since))
        return Sight(container, is_published, found.candidates)

    def find(self, persona: Persona, media_id: MediaId) -> str:
        """The media's permalink, which proves that the account has it. Raises a Fault where Instagram does not tell."""
        return self._publisher.permalink(persona, media_id, within=LOOK_LIMIT)

    def posted(self, post: Post, media_id: MediaId, permalink: str | None) -> Resolved | NotResolved:
        """Record that it is live as this media. Raises RecordsUnavailableError."""
        if post.status is PostStatus.POSTED and post.provider_post_id == media_id:
            return Resolved(post, was_before=True)
        if (refusal := why_not_unconfirmed(post)) is not None:
            return NotResolved(refusal)
        return self._write(post, post.as_resolved_posted(media_id, permalink, self._clock.now()))

    def not_posted(self, post: Post, sight: Sight) -> Resolved | NotResolved:
        """Record that it is not live. Refused while it may become so, and where its container says that it is.

        Its photo stays with the post, so that nothing but a retry posts it. Raises RecordsUnavailableError.
        """
        if post.status is PostStatus.FAILED and post.fault is not None and post.fault.kind == NOT_POSTED:
            return Resolved(post, was_before=True)
        if (refusal := why_not_unconfirmed(post)) is not None:
            return NotResolved(refusal)
        if sight.is_published:
            return NotResolved(
                "Its container says PUBLISHED, so it is live: give its media id with --posted. If you deleted it from "
                "the account, give the id that it had."
            )
        now = self._clock.now()
        cannot_land_after = post.cannot_land_after
        if cannot_land_after is not None and now < cannot_land_after:
            return NotResolved(f"It may become live until {cannot_land_after:%Y-%m-%d %H:%M} UTC: say it after that.")
        return self._write(post, post.as_resolved_not_posted(now))

    def _write(self, before: Post, after: Post) -> Resolved | NotResolved:
        match self._ledger.resolve(before, after):
            case Resolution.DONE:
                return Resolved(after)
            case Resolution.MEDIA_TAKEN:
                return NotResolved(
                    f"Media {after.provider_post_id} is another post's (`fluffy-train history` shows whose)."
                )
            case Resolution.NOT_UNCONFIRMED:
                standing = self._ledger.get(before.persona_id, before.slot)
                if standing is None:
                    return NotResolved("The post is gone from the records.")
                is_the_same = (standing.status, standing.provider_post_id) == (after.status, after.provider_post_id)
                if is_the_same:
                    return Resolved(standing, was_before=True)
                return NotResolved(why_not_unconfirmed(standing) or "It changed meanwhile; look again.")


def why_not_unconfirmed(post: Post) -> str | None:
    """Why there is nothing to resolve; None for an unconfirmed post."""
    name = f"{post.persona_id}/{post.slot}"
    match post.status:
        case PostStatus.UNCONFIRMED:
            return None
        case PostStatus.POSTING if post.cannot_land_after is not None:
            return (
                f"{name} is still looked after: its container is asked every 15 minutes. If Instagram keeps silent, it "
                f"is unconfirmed, and yours to resolve, after {post.cannot_land_after:%Y-%m-%d %H:%M} UTC."
            )
        case PostStatus.POSTING:
            waits = why_it_waits(post) or "the reconciler goes on with it every 15 minutes."
            return f"{name} is still under way, and was not sent: {waits}"
        case PostStatus.POSTED:
            media = f", as media {post.provider_post_id}" if post.provider_post_id else ""
            return f"{name} is posted{media}: there is nothing to resolve."
        case PostStatus.FAILED:
            return (
                f"{name} is failed, and so not live: there is nothing to resolve. `fluffy-train retry {name}` posts it."
            )
