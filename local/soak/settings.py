"""What a soak is asked for, and how big it is."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

BEGINS_AT: Final = datetime(2036, 1, 1, tzinfo=UTC)
SLOT_EVERY: Final = timedelta(hours=1)
RECONCILE_EVERY: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class SoakSettings:
    """``slots`` are spread evenly over the personas, hourly for each; ``probability`` is that of a call to fail."""

    slots: int = 2000
    personas: int = 20
    probability: float = 0.2
    seed: int = 1
    workers: int = max(6, 3 * (os.cpu_count() or 2))

    def __post_init__(self) -> None:
        if min(self.slots, self.personas, self.workers) < 1 or not 0 <= self.probability <= 1:
            raise ValueError("slots, personas and workers are 1 or more, and a probability runs from 0 to 1")

    @property
    def slots_each(self) -> int:
        return -(-self.slots // self.personas)

    @property
    def last_slot_at(self) -> datetime:
        """No slot begins later than this."""
        return BEGINS_AT + SLOT_EVERY * (self.slots_each + 1)
