"""How many posts an account may still make: known only to Instagram, and asked for only when it may matter.

Source: Instagram Platform, content publishing limit: a quota of 25 to 100 posts (Meta's pages differ) in any 24 hours,
which counts what is posted by hand as well. An account that posts a few times a day never comes near it, so nothing is
asked until Instagram has once refused a post for it, or has told that few are left.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.faults import Fault, QuotaUsed
from domain.ids import PersonaId
from domain.personas import Persona, Quota
from domain.ports import Clock, PersonaDirectory, PostLedger, Publisher, RecordsUnavailableError, RunLog
from domain.posts import Post

WINDOW: Final = timedelta(hours=24)

FEW_LEFT: Final = 5
"""With so many left, or fewer, at the last reading within ``WINDOW``, Instagram is asked before each post."""

LOOK_AGAIN_AFTER: Final = timedelta(hours=1)
"""Where none of our own posts tells when the quota frees: the account was posted to by hand."""

LONGEST_WAIT: Final = timedelta(hours=3)
"""Posts by hand count as well, and we do not know when they were made: one may free the quota before any of ours.

A look costs two requests, so a post that waits out its deadline makes eight of them.
"""


@dataclass(frozen=True, slots=True)
class QuotaKeeper:
    """Keeps on the persona's record how many posts were left when Instagram last told."""

    personas: PersonaDirectory
    ledger: PostLedger
    publisher: Publisher
    clock: Clock
    log: RunLog

    def might_be_used_up(self, persona: Persona) -> bool:
        quota = persona.quota
        return quota is not None and quota.left <= FEW_LEFT and self.clock.now() - quota.read_at < WINDOW

    def refuse_if_used_up(self, persona: Persona, *, within: timedelta) -> None:
        """Ask Instagram. Raises QuotaUsed where nothing is left.

        No answer refuses nothing: the publish itself is then refused, which does no harm.
        """
        try:
            left = self.publisher.quota_left(persona, within=within)
        except Fault as fault:
            self.log.warning("The publishing quota cannot be read; the post is tried.", reason=fault.message)
            return
        if left <= 0:
            raise QuotaUsed("The account's publishing quota is used up; the post waits until it frees.")
        # This post takes one.
        self._note(persona.persona_id, left - 1)

    def note_used_up(self, persona_id: PersonaId) -> None:
        self._note(persona_id, 0)

    def looks_again_in(self, persona_id: PersonaId) -> timedelta:
        """How long a post waits where nothing is left: until our oldest one of the last 24 hours no longer counts.

        ``LONGEST_WAIT`` at the most.
        """
        now = self.clock.now()
        try:
            posts = self.ledger.posts_since(persona_id, now - 2 * WINDOW)
        except RecordsUnavailableError as error:
            # The refusal itself must be written down first of all.
            self.log.warning("When the publishing quota frees cannot be told.", reason=str(error))
            return LOOK_AGAIN_AFTER
        frees_at = frees_by(posts, now)
        return LOOK_AGAIN_AFTER if frees_at is None else min(frees_at - now, LONGEST_WAIT)

    def _note(self, persona_id: PersonaId, left: int) -> None:
        """A note that is lost costs a question, or a refused publish."""
        try:
            self.personas.note_quota(persona_id, Quota(left, self.clock.now()))
        except RecordsUnavailableError as error:
            self.log.warning("What is left of the publishing quota cannot be noted.", reason=str(error))


def frees_by(posts: Iterable[Post], now: datetime, window: timedelta = WINDOW) -> datetime | None:
    """When the oldest of ``posts`` that counts no longer does: a quota that is used up frees then, or before.

    None where none of them counts.
    """
    posted = [post.posted_at for post in posts if post.posted_at is not None and now - post.posted_at < window]
    return min(posted) + window if posted else None
