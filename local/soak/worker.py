"""One worker: a process that runs the real handlers, one invocation at a time, as a Lambda environment does."""

import dataclasses
import logging
import os
import sys
import traceback
from collections.abc import Mapping
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

from local.lambda_context import LambdaContext
from local.soak.http_layers import HttpLayers
from local.soak.messages import Asleep, Awake, Begin, Ended, Injected, LateCopy
from local.soak.own_faults import OwnFaults, ProcessDeath
from local.soak.run_clock import RunClock

TRACEBACK: int = 6000  # characters


class WorkerLine:
    """The worker's end of its line to the simulation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_run(self) -> Begin | None:
        """None when there is nothing more to do."""
        begin: Begin | None = self._connection.recv()
        return begin

    def injected(self, fault: str) -> None:
        self._connection.send(Injected(fault))

    def late_copy(self, copy: LateCopy) -> None:
        self._connection.send(copy)

    def sleep_until(self, instant: datetime) -> datetime:
        self._connection.send(Asleep(instant))
        awake: Awake = self._connection.recv()
        return awake.now

    def ended(self, how: Ended) -> None:
        self._connection.send(how)


class RunContext(LambdaContext):
    """Lambda's context, by the run's own clock."""

    def __init__(self, begin: Begin, clock: RunClock) -> None:
        super().__init__(function_name=begin.task.function, seconds=begin.task.seconds)
        self._clock = clock

    def get_remaining_time_in_millis(self) -> int:
        return self._clock.milliseconds_left()


def work(connection: Connection, environment: Mapping[str, str], log: Path, probability: float) -> None:
    """Run what the line brings, until it brings None. Everything that is printed or logged goes to the file ``log``."""
    os.environ.clear()
    os.environ.update(environment)
    with log.open("ab") as printed:
        os.dup2(printed.fileno(), sys.stdout.fileno())
        os.dup2(printed.fileno(), sys.stderr.fileno())
    # Lambda's root logger has a handler. At DEBUG, so that what a library would give away is there to be found.
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
    line = WorkerLine(connection)
    clock = RunClock(line.sleep_until)
    layers = HttpLayers(clock, line)
    with layers.in_place():
        from handlers import wiring  # noqa: PLC0415 - Powertools reads the environment at import

        stack = dataclasses.replace(wiring.build(wiring.Settings.of(environment)), clock=clock)
        with mock.patch.object(wiring, "build", return_value=stack):
            while (begin := line.next_run()) is not None:
                line.ended(_run(begin, clock, layers, line, probability))


def _run(begin: Begin, clock: RunClock, layers: HttpLayers, line: WorkerLine, probability: float) -> Ended:
    from handlers import post_next_best, reconcile  # noqa: PLC0415

    handlers = {"PostNextBest": post_next_best.handler, "Reconcile": reconcile.handler}
    task = begin.task
    layers.faults = OwnFaults(task.name, probability, line)
    clock.begin(begin.now, task.seconds, layers.faults)
    context: Any = RunContext(begin, clock)
    try:
        return Ended(answer=handlers[task.function](dict(task.event), context))
    except ProcessDeath:
        return Ended()
    except Exception as error:  # noqa: BLE001 - what a handler raises is what is to be judged
        return Ended(error=type(error).__name__, traceback=traceback.format_exc()[-TRACEBACK:])
    finally:
        layers.faults = None
        sys.stdout.flush()
