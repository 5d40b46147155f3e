"""The owner of the simulation: looks now and then, and puts paused personas right."""

import random
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from domain.ids import PersonaId
from local.soak.simulation import Simulation
from local.soak.world import World

LOOKS_EVERY: Final = timedelta(minutes=30)
UNNOTICED: Final = timedelta(hours=3)
"""How long a token may be dead before the owner sees it, even where nothing is posted that would tell."""
LONGEST_DELAY: Final = timedelta(hours=3)


class Owner:
    """Finds each persona that is paused or whose token is dead, and hours later gives it a new one and resumes it."""

    def __init__(self, world: World, simulation: Simulation) -> None:
        self._world = world
        self._simulation = simulation
        self._seen: set[str] = set()
        self.mended = 0
        self.expired_tokens = 0

    def look(self) -> None:
        """See which personas need something done."""
        noticed_by = self._simulation.now - UNNOTICED
        for persona in self._world.directory.all():
            is_cut_off = self._world.token_expires_at[persona.persona_id] < noticed_by
            if (is_cut_off or persona.paused_reason is not None) and persona.persona_id not in self._seen:
                self._seen.add(persona.persona_id)
                dice = random.Random(f"{self._world.soak.seed}/owner/{self.mended}")  # noqa: S311 - guards nothing
                delay = LONGEST_DELAY * dice.random()
                self._simulation.at(self._simulation.now + delay, partial(self._mend, persona.persona_id, dice))

    def _mend(self, persona_id: str, dice: random.Random) -> None:
        now: datetime = self._simulation.now
        if self._world.token_expires_at[persona_id] <= now:
            self.expired_tokens += 1
        span = self._world.soak.last_slot_at - now
        self._world.give_token(persona_id, now, max(span, timedelta(hours=4)) * dice.uniform(0.3, 3))
        self._world.directory.resume(PersonaId(persona_id))
        self._seen.discard(persona_id)
        self.mended += 1
