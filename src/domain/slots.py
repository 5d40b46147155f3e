"""The slot: the scheduled moment that a post belongs to, and so the key that makes a repeated delivery harmless."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from domain import instants

MOST_ATTEMPTS: Final = 3
"""A slot whose photo was refused goes on with the next best photo, three photos at the most."""

_KEY: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)(?:#([23]))?")


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One attempt at one scheduled moment, written ``2026-11-22T09:00:00Z``; later attempts ``…Z#2`` and ``…Z#3``."""

    start: datetime
    attempt: int = 1

    def __post_init__(self) -> None:
        if self.start.tzinfo != UTC or self.start.microsecond:
            raise ValueError(f"a slot starts at a whole second in UTC, not {self.start.isoformat()}")
        if not 1 <= self.attempt <= MOST_ATTEMPTS:
            raise ValueError(f"a slot has attempts 1 to {MOST_ATTEMPTS}, not {self.attempt}")

    def __str__(self) -> str:
        start = self.start.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
        return start if self.attempt == 1 else f"{start}#{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> "Slot":
        """The slot of a record's key. Raises ValueError when ``text`` is not one."""
        match = _KEY.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no slot; a slot looks like 2026-11-22T09:00:00Z or 2026-11-22T09:00:00Z#2")
        return cls(instants.from_text(match[1]), int(match[2] or 1))

    @classmethod
    def scheduled(cls, time: datetime) -> "Slot":
        """The slot of a schedule's event: its scheduled minute, so that each delivery names the same one."""
        return cls(time.astimezone(UTC).replace(second=0, microsecond=0))

    @classmethod
    def by_hand(cls, now: datetime) -> "Slot":
        """The slot of a post that a person asked for: now, to the second."""
        return cls(now.astimezone(UTC).replace(microsecond=0))

    @property
    def first(self) -> "Slot":
        """The first attempt at this moment."""
        return Slot(self.start)

    @property
    def following(self) -> "Slot | None":
        """The next attempt at this moment, or None after the last."""
        return Slot(self.start, self.attempt + 1) if self.attempt < MOST_ATTEMPTS else None
