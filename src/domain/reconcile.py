"""The use case that finishes what a run left open: killed, deferred, unresolved, or live without its media id."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, TypeGuard

from domain.ids import PersonaId
from domain.outcomes import Report
from domain.personas import Persona
from domain.ports import Clock, PersonaDirectory, PostLedger, RecordsUnavailableError, RunLog
from domain.post_driver import PUBLISH_RESERVE, PostDriver
from domain.posts import Post, PostStatus
from domain.runs import Run
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

    def __call__(self, run: Run, on_report: Callable[[Report], None] = lambda _: None) -> Reconciliation:
        """Go through the open posts once. A record that cannot be read does not keep the others from being seen to.

        ``on_report`` is told of each post as soon as it is done, so that a run that is killed has told of what it did.
        Raises RecordsUnavailableError only when the list of open posts cannot be read at all.
        """
        reports: list[Report] = []
        lacking: list[tuple[Persona, Post]] = []
        unreadable = 0
        # Only what is open now: a post that this run defers comes back in the next run, not in this one.
        keys = self._ledger.open_posts(self._clock.now())
        while True:
            try:
                key = next(keys, None)
            except RecordsUnavailableError as error:
                if not reports and not lacking and not unreadable:
                    raise
                self._log.error("The rest of the open posts cannot be listed.", reason=str(error))
                unreadable += 1
                break
            if key is None:
                break
            if self._time_is_up(run):
                return Reconciliation(tuple(reports), unreadable, left_for_later=True)
            try:
                seen = self._see_to(run, *key)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next post must have its turn
                unreadable += 1
                self._tell_of_trouble(key, error)
                continue
            if isinstance(seen, Report):
                reports.append(seen)
                on_report(seen)
            elif seen is not None:
                lacking.append(seen)
        # Last, since nothing depends on it: an account whose media cannot be listed takes nobody else's time.
        for persona, post in lacking:
            if self._time_is_up(run):
                return Reconciliation(tuple(reports), unreadable, left_for_later=True)
            try:
                self._identify(run, persona, post)
            except Exception as error:  # noqa: BLE001 - as above
                unreadable += 1
                self._tell_of_trouble((post.persona_id, post.slot), error)
        return Reconciliation(tuple(reports), unreadable)

    def _time_is_up(self, run: Run) -> bool:
        if run.ends_at - self._clock.now() >= PUBLISH_RESERVE * 2:
            return False
        self._log.info("The run's time is up; the next run goes on.")
        return True

    def _tell_of_trouble(self, key: tuple[PersonaId, Slot], error: Exception) -> None:
        # The text of an exception that nobody foresaw may quote what was sent.
        reason = str(error) if isinstance(error, RecordsUnavailableError) else type(error).__name__
        self._log.error("A post could not be seen to.", persona_id=key[0], slot=str(key[1]), reason=reason)

    def _see_to(self, run: Run, persona_id: PersonaId, slot: Slot) -> Report | tuple[Persona, Post] | None:
        """The post's report, or the post itself where it is live and lacks nothing but its media id."""
        self._log.about(persona_id=persona_id, slot=str(slot), photo_id=None, post_status=None)
        now = self._clock.now()
        run = replace(run, works_until=min(run.ends_at, now + TIME_FOR_ONE))
        persona = self._personas.get(persona_id)
        if persona is None:
            return self._see_to_orphan(run, persona_id, slot)
        # By what this write returns, never by the index's copy, which may be old.
        post = self._ledger.take_over(persona_id, slot, run.lease, now)
        if post is not None:
            return self._driver.drive(run, persona, post)
        post = self._ledger.get(persona_id, slot)
        return (persona, post) if _lacks_its_media_id(post) else None

    def _see_to_orphan(self, run: Run, persona_id: PersonaId, slot: Slot) -> Report | None:
        """A post whose persona was removed. It ends when its time has come, as every other does."""
        post = self._ledger.get(persona_id, slot)
        if post is None or not self._driver.is_over_without_persona(post):
            self._log.error("An open post has no persona any more; add it again, or look at the post.")
            return None
        if _lacks_its_media_id(post):
            self._driver.give_up_identifying(post)
            return None
        taken = self._ledger.take_over(persona_id, slot, run.lease, self._clock.now())
        return None if taken is None else self._driver.end_without_persona(taken)

    def _identify(self, run: Run, persona: Persona, post: Post) -> None:
        self._log.about(persona_id=post.persona_id, slot=str(post.slot), photo_id=post.photo_id, post_status=None)
        run = replace(run, works_until=min(run.ends_at, self._clock.now() + TIME_FOR_ONE))
        if self._driver.identify(run, persona, post):
            self._log.info("A live post's missing media id is settled.")


def _lacks_its_media_id(post: Post | None) -> TypeGuard[Post]:
    return post is not None and post.status is PostStatus.POSTED and post.wants_another_look
