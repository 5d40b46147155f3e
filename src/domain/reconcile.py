"""The use case that finishes what a run left open: killed, deferred, unresolved, or live without its media id."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, TypeGuard

from domain.ids import PersonaId
from domain.outcomes import Report
from domain.ports import Clock, PersonaDirectory, PostLedger, RecordsUnavailableError, RunLog
from domain.post_driver import PUBLISH_RESERVE, PostDriver, Run
from domain.posts import Post, PostStatus
from domain.slots import Slot

TIME_FOR_ONE: Final = timedelta(seconds=60)
"""No post is worked on longer than this in one run, so that one stuck container does not starve the others."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a reconcile run did. ``unreadable`` counts the posts whose records could not be read or written."""

    reports: tuple[Report, ...]
    unreadable: int = 0
    left_for_later: bool = False


class Reconcile:
    """Sees to open posts whose lease has ended, oldest first, as many as its time allows."""

    def __init__(
        self, *, personas: PersonaDirectory, ledger: PostLedger, driver: PostDriver, clock: Clock, log: RunLog
    ) -> None:
        self._personas = personas
        self._ledger = ledger
        self._driver = driver
        self._clock = clock
        self._log = log

    def __call__(self, run: Run) -> Reconciliation:
        """Go through the open posts once. A record that cannot be read does not keep the others from being seen to.

        Raises RecordsUnavailableError only when the list of open posts cannot be read at all.
        """
        reports: list[Report] = []
        unreadable = 0
        # Only what is open now: a post that this run defers comes back in the next run, not in this one.
        for persona_id, slot in self._ledger.open_posts(self._clock.now()):
            if run.ends_at - self._clock.now() < PUBLISH_RESERVE * 2:
                self._log.info("The run's time is up; the next run goes on.")
                return Reconciliation(tuple(reports), unreadable, left_for_later=True)
            try:
                reports += self._see_to(run, persona_id, slot)
            except RecordsUnavailableError as error:
                unreadable += 1
                self._log.error(
                    "A post could not be seen to.", persona_id=persona_id, slot=str(slot), reason=str(error)
                )
        return Reconciliation(tuple(reports), unreadable)

    def _see_to(self, run: Run, persona_id: PersonaId, slot: Slot) -> Iterator[Report]:
        self._log.about(persona_id=persona_id, slot=str(slot), photo_id=None, post_status=None)
        now = self._clock.now()
        run = replace(run, works_until=min(run.ends_at, now + TIME_FOR_ONE))
        persona = self._personas.get(persona_id)
        if persona is None:
            self._log.error("An open post has no persona any more; add it again, or look at the post.")
            return
        # By what this write returns, never by the index's copy, which may be old.
        post = self._ledger.take_over(persona_id, slot, run.lease, now)
        if post is not None:
            yield self._driver.drive(run, persona, post)
            return
        post = self._ledger.get(persona_id, slot)
        if _lacks_its_media_id(post) and self._driver.identify(run, persona, post):
            self._log.info("A live post's missing media id is settled.")


def _lacks_its_media_id(post: Post | None) -> TypeGuard[Post]:
    return post is not None and post.status is PostStatus.POSTED and post.wants_another_look
