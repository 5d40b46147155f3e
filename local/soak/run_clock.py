"""The clock of a run in a worker. It stands still while the run works and moves only while it sleeps."""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any

from local.soak.own_faults import OwnFaults
from local.soak.settings import BEGINS_AT


class RunClock:
    """Implements ``domain.ports.Clock``, and ends the run at its hard deadline, in the middle of whatever it does."""

    def __init__(self, sleep_until: Callable[[datetime], datetime]) -> None:
        self._sleep_until = sleep_until
        self._now = BEGINS_AT
        self._ends_at = BEGINS_AT
        self._faults: OwnFaults | None = None

    def begin(self, now: datetime, seconds: float, faults: OwnFaults) -> None:
        self._now = now
        self._ends_at = now + timedelta(seconds=seconds)
        self._faults = faults

    def now(self) -> datetime:
        return self._now

    def sleep(self, duration: timedelta) -> None:
        """As the product sleeps: one of its calls."""
        if self._faults is None:
            raise RuntimeError("no run has begun")
        self._faults.step(lambda _: self.pass_time(duration))

    def pass_time(self, duration: timedelta) -> None:
        """As time goes by during a call."""
        if self._faults is None:
            raise RuntimeError("no run has begun")
        if duration > timedelta(0):
            self._now = self._sleep_until(min(self._now + duration, self._ends_at))
        if self._now >= self._ends_at:
            self._faults.out_of_time()

    def milliseconds_left(self) -> int:
        return max(0, int((self._ends_at - self._now).total_seconds() * 1000))


class SdkTime:
    """Takes the place of the module ``time`` in botocore's endpoint: its waits between retries."""

    def __init__(self, clock: RunClock) -> None:
        self._clock = clock

    def sleep(self, seconds: float) -> None:
        self._clock.pass_time(timedelta(seconds=seconds))


def cache_time(clock: RunClock) -> type[datetime]:
    """Takes the place of ``datetime`` in Powertools' parameters: a token's time in the cache is the run's."""

    class CacheTime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return clock.now().replace(tzinfo=tz)

    return CacheTime
