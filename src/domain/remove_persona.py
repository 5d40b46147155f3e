"""The use case that takes a persona out of service: schedule, token, queue and record. Its history stays."""

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Final, Protocol

from domain.ids import PersonaId, PhotoId
from domain.ports import Clock, PersonaDirectory, PhotoLibrary, PostLedger
from domain.post_driver import PostDriver
from domain.posts import Post, PostStatus
from domain.runs import Run
from domain.slots import Slot

REASON: Final = "It is being removed by `fluffy-train persona remove`."

_EVER: Final = datetime.min.replace(tzinfo=UTC)
_PAGE: Final = 100


class Schedules(Protocol):
    def delete(self, persona_id: PersonaId) -> bool:
        """Delete the persona's schedule; False where it has none."""
        ...


class Secrets(Protocol):
    def forget(self, persona_id: PersonaId) -> None:
        """Delete the persona's token and app secret, where there are any."""
        ...


@dataclass(frozen=True, slots=True)
class Removal:
    """What came of it. It is ``done``, or else posts are in its way, or it was resumed.

    ``open_slots`` has those that are under way, and end by themselves; ``unconfirmed_slots`` those that only their
    owner can settle.
    """

    done: bool
    unscheduled: bool
    unqueued: int = 0
    open_slots: tuple[Slot, ...] = ()
    unconfirmed_slots: tuple[Slot, ...] = ()
    was_there: bool = True
    """False: there was no such persona, or its record was gone before."""


class RemovePersona:
    """Each step may be repeated, and the record goes last: what a broken-off removal left, the next one finishes."""

    def __init__(
        self,
        *,
        schedules: Schedules,
        secrets: Secrets,
        personas: PersonaDirectory,
        library: PhotoLibrary,
        ledger: PostLedger,
        driver: PostDriver,
        clock: Clock,
        start_run: Callable[[], Run],
    ) -> None:
        """``start_run`` gives a fresh run."""
        self._schedules = schedules
        self._secrets = secrets
        self._personas = personas
        self._library = library
        self._ledger = ledger
        self._driver = driver
        self._clock = clock
        self._start_run = start_run

    def __call__(self, persona_id: PersonaId) -> Removal:
        """Remove it; one that is gone already as well. Raises RecordsUnavailableError, and what the two ports raise."""
        unscheduled = self._schedules.delete(persona_id)
        reason = self._personas.pause(persona_id, REASON)
        ended: set[PhotoId] = set()
        if reason is not None:
            # From here on nothing can be claimed for it: what is not open now never will be.
            open_slots: list[Slot] = []
            unconfirmed_slots: list[Slot] = []
            for post in self._ledger.posts_since(persona_id, _EVER):
                if post.status is PostStatus.UNCONFIRMED:
                    unconfirmed_slots.append(post.slot)
                elif post.wants_another_look and self._is_ended(post):
                    ended.add(post.photo_id)
                elif post.wants_another_look:
                    open_slots.append(post.slot)
            if open_slots or unconfirmed_slots:
                # They need the token, and Reconcile needs the record.
                return Removal(False, unscheduled, 0, tuple(open_slots), tuple(unconfirmed_slots))
        self._secrets.forget(persona_id)
        unqueued = self._empty_the_queue(persona_id, ended)
        is_removed = self._personas.remove(persona_id, paused_for=reason or REASON)
        if is_removed:
            # A refresh of the token that was under way may have stored a new one since.
            self._secrets.forget(persona_id)
        return Removal(is_removed, unscheduled, unqueued, was_there=reason is not None)

    def _is_ended(self, post: Post) -> bool:
        """End a post that was never sent and that no run has in hand. Nothing would ever send it, and it would wait
        for its deadline.
        """
        if post.status is not PostStatus.POSTING or post.publish_attempts:
            return False
        taken = self._ledger.take_over(post.persona_id, post.slot, self._start_run().lease, self._clock.now())
        return taken is not None and self._driver.end_before_sending(taken)

    def _empty_the_queue(self, persona_id: PersonaId, back_in_it: Set[PhotoId]) -> int:
        """``back_in_it``: photos that the queue's index may not have yet."""
        queue = self._library.best_first(persona_id, page_size=_PAGE)
        in_it = (photo.photo_id for photo in queue if photo.photo_id not in back_in_it)
        return sum(self._library.unqueue(persona_id, photo_id) for photo_id in chain(back_in_it, in_it))
