"""How much an account did in a span of time: what quotas and usage headers count."""

from bisect import bisect_right
from datetime import datetime, timedelta

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)


class RollingWindow:
    """Counts events in the span that ends now."""

    def __init__(self, span: timedelta) -> None:
        self._span = span
        self._times: list[datetime] = []

    def add(self, at: datetime) -> None:
        self._times.append(at)

    def count(self, now: datetime) -> int:
        return len(self._times) - bisect_right(self._times, now - self._span)

    def minutes_until_free(self, now: datetime) -> int:
        """Return the whole minutes, at least 1, until the oldest counted event leaves the span."""
        oldest = bisect_right(self._times, now - self._span)
        if oldest == len(self._times):
            return 1
        return max(1, -(-(self._times[oldest] + self._span - now) // timedelta(minutes=1)))


class AccountActivity:
    """What an account used up."""

    def __init__(self) -> None:
        self.calls = RollingWindow(HOUR)
        self.containers = RollingWindow(DAY)
        self.publishes = RollingWindow(DAY)
