"""Virtual time: an agenda of what is to happen, and runs that stand still, work, or sleep until their instant comes."""

import heapq
import itertools
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import requests

from local.instagram import EmulatorServer
from local.soak.crew import Crew, OnEnd, Worker
from local.soak.messages import Asleep, Ended, Injected, LateCopy, Task

LATE_COPY_TIMEOUT = 30.0  # real seconds


class Simulation:
    """Time goes on only when every run sleeps or has ended. The emulator's clock is kept in step."""

    def __init__(self, crew: Crew, emulator: EmulatorServer, begins_at: datetime) -> None:
        self.now = begins_at
        self.injected: Counter[str] = Counter()
        self.invocations: Counter[str] = Counter()
        self._crew = crew
        self._emulator = emulator
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._waiting: deque[tuple[Task, OnEnd]] = deque()
        self._session = requests.Session()
        self._session.trust_env = False

    def at(self, instant: datetime, action: Callable[[], None]) -> None:
        """Let ``action`` happen at ``instant``, or now if that has passed."""
        heapq.heappush(self._agenda, (max(instant, self.now), next(self._order), action))

    def invoke(self, task: Task, on_end: OnEnd) -> None:
        """Start a run as soon as a worker is free."""
        self.invocations[task.function] += 1
        self._waiting.append((task, on_end))

    def run(self) -> None:
        """Go on until nothing is left to happen."""
        while True:
            while self._waiting and self._crew.idle:
                task, on_end = self._waiting.popleft()
                self._crew.begin(task, self.now, on_end)
            if self._crew.busy:
                for worker, message in self._crew.hear():
                    self._take_in(worker, message)
            elif self._agenda:
                self._go_on()
            else:
                return

    def _go_on(self) -> None:
        """Move both clocks to the next instant, and let everything of that instant happen."""
        self.now = self._agenda[0][0]
        self._emulator.freeze(self.now)
        while self._agenda and self._agenda[0][0] <= self.now:
            _, _, action = heapq.heappop(self._agenda)
            action()

    def _take_in(self, worker: Worker, message: Any) -> None:
        match message:
            case Injected():
                self.injected[message.fault] += 1
            case Asleep():
                self.at(message.until, lambda: self._crew.wake(worker, self.now))
            case LateCopy():
                self.at(message.arrives_at, partial(self._deliver, message))
            case Ended() if worker.on_end is not None:
                worker.on_end(message)

    def _deliver(self, copy: LateCopy) -> None:
        """What becomes of it, nobody hears any more."""
        try:
            self._session.request(
                copy.method, copy.url, headers=copy.headers, data=copy.body, timeout=LATE_COPY_TIMEOUT
            ).close()
        except requests.RequestException:
            self.injected["a late copy got no answer"] += 1
