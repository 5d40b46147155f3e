"""The emulator's one clock, so that a test moves time instead of sleeping."""

import threading
from datetime import UTC, datetime, timedelta


class EmulatorClock:
    """Real time plus what was advanced; or, once frozen, a fixed instant plus what was advanced."""

    def __init__(self, frozen_at: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._frozen_at = _aware(frozen_at) if frozen_at else None
        self._shift = timedelta()

    def now(self) -> datetime:
        """Return the emulated time, aware, in UTC."""
        with self._lock:
            return (self._frozen_at or datetime.now(UTC)) + self._shift

    def advance(self, seconds: float) -> datetime:
        """Move the clock forward and return the new time. Time never runs backwards: negative seconds raise."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        with self._lock:
            self._shift += timedelta(seconds=seconds)
        return self.now()

    def freeze(self, at: datetime | None = None) -> datetime:
        """Stop at `at`, or at the present emulated time; from then on only `advance` moves the clock."""
        instant = _aware(at) if at else self.now()
        with self._lock:
            self._frozen_at = instant
            self._shift = timedelta()
        return instant


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("the emulator's times are aware: give the time zone")
    return at.astimezone(UTC)
