"""The function's process, so that a real one can be killed by a real SIGKILL, and cheaply.

``Worker`` is the test's side. It starts this module as a process of a single thread that has imported the handlers
and built the real wiring, which opens no connection, and that forks a child for each job. The child runs the real
handler by a clock that stands still until somebody sleeps by it, and writes its answer to a pipe.
"""

import contextlib
import gc
import itertools
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final
from unittest import mock

from adapters.dynamo import Tables
from fakes.clock import FakeClock
from handlers import post_next_best, reconcile, wiring
from least_privilege.recorder import recorder_asked_for
from local.environment import Addresses, isolated, settings
from local.lambda_context import LambdaContext

HANDLERS: Final[Mapping[str, Callable[[Any, Any], dict[str, Any]]]] = {
    "PostNextBest": post_next_best.handler,
    "Reconcile": reconcile.handler,
}

MOST_SECONDS: Final = 120.0
"""No job takes longer, by real time. One that does is a defect of the tests or of the product."""

_TESTS: Final = Path(__file__).resolve().parent.parent
_READY: Final = b"\x01"
_RESULT: Final = b"\x00"
_RECORDER: Final = recorder_asked_for() if __name__ == "__main__" else None
_NOWHERE: Final = Addresses("http://127.0.0.1:9", "http://127.0.0.1:9")


@dataclass(frozen=True, slots=True)
class Job:
    """One invocation. ``seconds`` is the function's timeout; jobs of one ``gate`` wait for each other at the start."""

    function: str
    event: Mapping[str, Any]
    now: datetime
    environment: Mapping[str, str] = field(repr=False)
    seconds: float = 180.0
    gate: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How an invocation ended: with an answer, by an exception, or killed. ``log`` is what it printed until then."""

    answer: Mapping[str, Any] | None = None
    raised: str | None = None
    log: str = field(default="", repr=False)

    @property
    def is_killed(self) -> bool:
        return self.answer is None and self.raised is None

    @property
    def outcome(self) -> str:
        """PostNextBest's outcome, or in a word how else it ended."""
        if self.answer is not None:
            return str(self.answer.get("outcome", "answered"))
        return "killed" if self.raised is None else f"raised {self.raised}"


class RunningJob:
    """An invocation under way in a process of its own."""

    def __init__(self) -> None:
        self.started: Future[int] = Future()
        self.ready: Future[None] = Future()
        self.ended: Future[Ending] = Future()

    def kill(self) -> None:
        """SIGKILL; returns when the process is gone."""
        os.kill(self.started.result(MOST_SECONDS), signal.SIGKILL)
        self.ended.result(MOST_SECONDS)

    def wait(self) -> Ending:
        return self.ended.result(MOST_SECONDS)


class Worker:
    """The process that forks. As a context manager it lives until the block ends, and at the latest as long as we."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._jobs: dict[int, RunningJob] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "Worker":
        root = _TESTS.parent
        paths = os.pathsep.join(map(str, (root / "src", root, _TESTS)))
        environment = isolated({**settings(_NOWHERE), "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.worker"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def start(self, job: Job) -> RunningJob:
        running = RunningJob()
        with self._lock:
            number = next(self._numbers)
            self._jobs[number] = running
        self._say({"number": number, **asdict(job), "now": job.now.isoformat()})
        return running

    def open_gate(self, gate: str) -> None:
        """Let the jobs that wait at this gate go, all at once."""
        self._say({"open": gate})

    def _say(self, message: Mapping[str, Any]) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the worker has ended")
        with self._lock:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _read(self, lines: IO[bytes]) -> None:
        for line in lines:
            message = json.loads(line)
            job = self._jobs[message["number"]]
            if "pid" in message:
                job.started.set_result(message["pid"])
            elif "ready" in message:
                job.ready.set_result(None)
            else:
                job.ended.set_result(Ending(**message["ending"]))
                del self._jobs[message["number"]]
        for job in self._jobs.values():
            job.ended.set_exception(RuntimeError("the worker has ended; its standard error says why"))


# ---- the forking process ----


@dataclass
class _Child:
    number: int
    pid: int
    printed: bytearray = field(default_factory=bytearray)


class _Zygote:
    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(0, selectors.EVENT_READ)
        self._gates: dict[str, tuple[int, int]] = {}
        self._stacks: dict[str, wiring.Stack] = {}
        self._unread = b""

    def serve(self) -> None:
        """Until standard input ends. Children that still run then are killed."""
        while True:
            for key, _ in self._selector.select():
                if key.data is not None:
                    self._hear(key.fd, key.data)
                elif not self._take_orders():
                    self._kill_children()
                    return

    def _take_orders(self) -> bool:
        received = os.read(0, 1 << 16)
        *lines, self._unread = (self._unread + received).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if "open" in order:
                for end in self._gates.pop(order["open"]):
                    os.close(end)
            else:
                self._fork(order)
        return bool(received)

    def _fork(self, order: dict[str, Any]) -> None:
        gate = order["gate"]
        if gate is not None and gate not in self._gates:
            self._gates[gate] = os.pipe()
        stack = self._stack(order["environment"])
        ours, childs = os.pipe()
        pid = os.fork()
        if pid == 0:
            for printed in (1, 2):
                os.dup2(childs, printed)
            for end in (ours, childs, *(write for _, write in self._gates.values())):
                os.close(end)
            _be_the_function(order, stack, self._gates[gate][0] if gate is not None else None)
        os.close(childs)
        self._selector.register(ours, selectors.EVENT_READ, _Child(order["number"], pid))
        _tell(order["number"], pid=pid)

    def _stack(self, environment: Mapping[str, str]) -> wiring.Stack:
        """The wiring of this environment, which stays this process's. Building it is what costs the most."""
        os.environ.clear()
        os.environ.update(environment)
        key = json.dumps(environment, sort_keys=True)
        if key not in self._stacks:
            wiring.build.cache_clear()
            with mock.patch.object(Tables, "named", _named_and_opened):
                self._stacks[key] = wiring.build(wiring.Settings.of(os.environ))
            gc.collect()
            gc.freeze()
        return self._stacks[key]

    def _hear(self, pipe: int, child: _Child) -> None:
        said = os.read(pipe, 1 << 16)
        if said:
            child.printed += said
            if _READY in said:
                _tell(child.number, ready=True)
            return
        self._selector.unregister(pipe)
        os.close(pipe)
        os.waitpid(child.pid, 0)
        log, _, result = bytes(child.printed).replace(_READY, b"").partition(_RESULT)
        ending = json.loads(result) if result.endswith(b"\n") else {}
        _tell(child.number, ending={**ending, "log": log.decode(errors="replace")})

    def _kill_children(self) -> None:
        for key in tuple(self._selector.get_map().values()):
            if key.data is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(key.data.pid, signal.SIGKILL)


def _tell(number: int, **facts: Any) -> None:
    os.write(1, json.dumps({"number": number, **facts}).encode() + b"\n")


def _be_the_function(order: Mapping[str, Any], stack: wiring.Stack, gate: int | None) -> None:
    """The child's whole life: one invocation."""
    at_virtual_time = replace(stack, clock=FakeClock(datetime.fromisoformat(order["now"])))
    if gate is not None:
        os.write(1, _READY)
        os.read(gate, 1)
    context = LambdaContext(function_name=order["function"], seconds=order["seconds"])
    ending: dict[str, Any]
    # Nobody is raced without a gate, so that the SDK need not wait before it tries again.
    no_waiting = mock.patch.object(time, "sleep") if gate is None else contextlib.nullcontext()
    recording = _RECORDER.running(order["function"]) if _RECORDER is not None else contextlib.nullcontext()
    with mock.patch.object(wiring, "build", return_value=at_virtual_time), no_waiting, recording:
        try:
            ending = {"answer": HANDLERS[order["function"]](order["event"], context)}
        except Exception as error:  # noqa: BLE001 - Lambda's runtime catches all, and so repeats the event
            ending = {"raised": f"{type(error).__name__}: {error}"}
            traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    with os.fdopen(1, "wb", closefd=False) as out:
        out.write(_RESULT + json.dumps(ending).encode() + b"\n")
    os._exit(0)


def _named_and_opened(**names: str) -> Tables:
    """``Tables.named`` with its client made at once, which the first call would make. It connects to nobody yet."""
    tables = _tables_named(**names)
    tables.connection.client  # noqa: B018 - makes the client
    return tables


_tables_named: Final = Tables.named

if __name__ == "__main__":
    _Zygote().serve()
