"""A clock that moves only when it is told to, or when somebody sleeps by it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 22, 9, 0, 3, tzinfo=UTC)


class FakeClock:
    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self.slept: list[timedelta] = []
        self.on_sleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self._now

    def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration)
        self.advance(duration)
        self.on_sleep()

    def advance(self, duration: timedelta) -> None:
        self._now += duration
