"""The use case that tells early that a library runs dry: how many photos are left, persona by persona."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Final

from domain.curators_choice import CuratorsChoice
from domain.ids import PersonaId
from domain.personas import Persona
from domain.ports import Clock, PersonaDirectory, PhotoLibrary, RunLog
from domain.runs import Run

ENOUGH: Final = 14
"""Photos in a queue: at one post a day, two weeks in which the owner can bring more. Nobody counts beyond it."""

TIME_TO_STOP: Final = timedelta(seconds=15)
"""What is left of a run when the counting ends: one count may take four tries of 4 s."""


@dataclass(frozen=True, slots=True)
class Stock:
    """How many photos each persona has left, ``ENOUGH`` at the most. ``complete``: there was time for all of them."""

    left: Mapping[PersonaId, int]
    complete: bool = True

    @property
    def fewest(self) -> int | None:
        """Of the persona that has the fewest; None where no persona is posted for."""
        return min(self.left.values(), default=None)


class TakeStock:
    """Counts the queue of every persona that is posted for: one that is paused uses up nothing."""

    def __init__(self, *, personas: PersonaDirectory, library: PhotoLibrary, clock: Clock, log: RunLog) -> None:
        self._personas = personas
        self._library = library
        self._clock = clock
        self._log = log

    def __call__(self, run: Run) -> Stock:
        """Count until the run's time is up. Writes nothing. Raises RecordsUnavailableError."""
        left: dict[PersonaId, int] = {}
        for persona in self._personas.all():
            if persona.paused_reason is not None:
                continue
            if run.ends_at - self._clock.now() < TIME_TO_STOP:
                self._log.warning("There was no time to count what every persona has left.", counted=len(left))
                return Stock(left, complete=False)
            count = left[persona.persona_id] = self._count(persona)
            if count < ENOUGH:
                self._log.about(persona_id=persona.persona_id, slot=None, photo_id=None, post_status=None)
                self._log.warning(f"Fewer than {ENOUGH} photos are left; import more.", photos_left=count)
        return Stock(left)

    def _count(self, persona: Persona) -> int:
        """One Query, however long the queue is: 3.5 read units for 14 photos of 2 KB."""
        queue = self._library.best_first(persona.persona_id, page_size=ENOUGH)
        return sum(1 for _ in islice(CuratorsChoice(persona).candidates(queue), ENOUGH))
