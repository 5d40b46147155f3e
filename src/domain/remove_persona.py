"""The use case that takes a persona out of service: schedule, token, queue and record. Its history stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from domain.ids import PersonaId
from domain.ports import PersonaDirectory, PhotoLibrary, PostLedger
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
    """What came of it. It is ``done``, or else ``open_slots`` has posts that are under way, or it was resumed."""

    done: bool
    unscheduled: bool
    unqueued: int = 0
    open_slots: Sequence[Slot] = ()


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
    ) -> None:
        self._schedules = schedules
        self._secrets = secrets
        self._personas = personas
        self._library = library
        self._ledger = ledger

    def __call__(self, persona_id: PersonaId) -> Removal:
        """Remove it; one that is gone already as well. Raises RecordsUnavailableError, and what the two ports raise."""
        unscheduled = self._schedules.delete(persona_id)
        reason = self._personas.pause(persona_id, REASON)
        if reason is not None:
            # From here on nothing can be claimed for it: what is not open now never will be.
            open_slots = [post.slot for post in self._ledger.posts_since(persona_id, _EVER) if post.wants_another_look]
            if open_slots:
                # They need the token, and Reconcile needs the record.
                return Removal(False, unscheduled, open_slots=open_slots)
        self._secrets.forget(persona_id)
        unqueued = self._empty_the_queue(persona_id)
        is_removed = self._personas.remove(persona_id, paused_for=reason or REASON)
        if is_removed:
            # A refresh of the token that was under way may have stored a new one since.
            self._secrets.forget(persona_id)
        return Removal(is_removed, unscheduled, unqueued)

    def _empty_the_queue(self, persona_id: PersonaId) -> int:
        queue = self._library.best_first(persona_id, page_size=_PAGE)
        return sum(self._library.unqueue(persona_id, photo.photo_id) for photo in queue)
