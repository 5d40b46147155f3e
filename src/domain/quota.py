"""How many posts an account may still make: known only to Instagram, and asked for only when it may matter.

Source: Instagram Platform, content publishing limit: a quota of 25 to 100 posts (Meta's pages differ) in any 24 hours,
which counts what is posted by hand as well. An account that posts a few times a day never comes near it, so nothing is
asked until Instagram has once refused a post for it, or has told that few are left.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from domain.faults import Fault, QuotaUsed
from domain.ids import PersonaId
from domain.personas import Persona, Quota
from domain.ports import Clock, PersonaDirectory, PostLedger, Publisher, RecordsUnavailableError, RunLog

WINDOW: Final = timedelta(hours=24)

FEW_LEFT: Final = 5
"""With so many left, or fewer, at the last reading within ``WINDOW``, Instagram is asked before each post."""

LOOK_AGAIN_AFTER: Final = timedelta(hours=1)
"""Where none of our own posts tells when the quota frees: the account was posted to by hand."""


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

    def frees_in(self, persona_id: PersonaId) -> timedelta:
        """How long until the oldest post of the last 24 hours no longer counts."""
        now = self.clock.now()
        try:
            posts = self.ledger.posts_since(persona_id, now - 2 * WINDOW)
        except RecordsUnavailableError as error:
            # The refusal itself must be written down first of all.
            self.log.warning("When the publishing quota frees cannot be told.", reason=str(error))
            return LOOK_AGAIN_AFTER
        posted = [post.posted_at for post in posts if post.posted_at is not None and now - post.posted_at < WINDOW]
        return min(posted) + WINDOW - now if posted else LOOK_AGAIN_AFTER

    def _note(self, persona_id: PersonaId, left: int) -> None:
        """A note that is lost costs a question, or a refused publish."""
        try:
            self.personas.note_quota(persona_id, Quota(left, self.clock.now()))
        except RecordsUnavailableError as error:
            self.log.warning("What is left of the publishing quota cannot be noted.", reason=str(error))
