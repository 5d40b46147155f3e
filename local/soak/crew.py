"""The workers, as processes that may be killed at any time and are replaced at once."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

from local.soak.messages import Asleep, Awake, Begin, Ended, Task
from local.soak.worker import work

PRELOADED: Final = [
    "aws_lambda_powertools.utilities.parameters",
    "boto3",
    "pynamodb.models",
    "pynamodb.transactions",
    "local.soak.worker",
]
"""What every worker needs and takes long to import. Nothing of it reads the environment."""

OnEnd = Callable[[Ended], None]


@dataclass(eq=False, slots=True)
class Worker:
    process: ForkServerProcess
    line: Connection
    on_end: OnEnd | None = None


@dataclass
class Crew:
    """At any moment each worker is idle, busy, or asleep with its run. Only the busy ones have something to say."""

    workers: int
    environment: Mapping[str, str]
    logs: Path
    probability: float
    idle: list[Worker] = field(default_factory=list)
    busy: set[Worker] = field(default_factory=set)
    _hired: int = 0

    def __enter__(self) -> "Crew":
        # Forked from a process that has the libraries and nothing else, so that a killed worker is soon replaced.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        self._all = {self._hire() for _ in range(self.workers)}
        self.idle = sorted(self._all, key=id)
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all:
            if worker in self.idle:
                with suppress(OSError):
                    worker.line.send(None)
            else:
                worker.process.kill()
            worker.process.join()
            worker.line.close()

    def begin(self, task: Task, now: datetime, on_end: OnEnd) -> None:
        """Give ``task`` to an idle worker. ``on_end`` hears how it ended."""
        worker = self.idle.pop(0)
        worker.on_end = on_end
        self._tell(worker, Begin(task, now))

    def wake(self, worker: Worker, now: datetime) -> None:
        self._tell(worker, Awake(now))

    def hear(self) -> Iterator[tuple[Worker, Any]]:
        """Wait until busy workers say something. A worker that went to sleep or ended its run is busy no longer."""
        lines = {worker.line: worker for worker in self.busy}
        for line in wait(list(lines)):
            worker = lines[line]  # type: ignore[index]  # wait returns what it was given
            try:
                message = worker.line.recv()
            except (EOFError, ConnectionResetError):
                self._replace(worker)
                message = Ended()
            else:
                if isinstance(message, Asleep):
                    self.busy.discard(worker)
                elif isinstance(message, Ended):
                    self.busy.discard(worker)
                    self.idle.append(worker)
            yield worker, message

    def _tell(self, worker: Worker, message: Begin | Awake) -> None:
        self.busy.add(worker)
        # A worker that is gone is found out when its end of the line is read.
        with suppress(OSError):
            worker.line.send(message)

    def _replace(self, dead: Worker) -> None:
        self.busy.discard(dead)
        self._all.discard(dead)
        dead.line.close()
        dead.process.join()
        successor = self._hire()
        self._all.add(successor)
        self.idle.append(successor)

    def _hire(self) -> Worker:
        ours, theirs = self._context.Pipe()
        self._hired += 1
        log = self.logs / f"worker-{self._hired:04}.log"
        process = self._context.Process(
            target=work, args=(theirs, self.environment, log, self.probability), daemon=True, name=log.stem
        )
        process.start()
        theirs.close()
        return Worker(process, ours)
