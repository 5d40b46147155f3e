"""The machine's clock."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """Implements ``domain.ports.Clock``."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, duration: timedelta) -> None:
        time.sleep(duration.total_seconds())
