"""Writes down what each function asks of AWS while a test runs its handler, as botocore's events tell it.

``provide-client-params`` comes before each call, and before an address is presigned, which is a grant of the same
action. Calls that are made while no handler runs are the tests' own, and are nobody's.
"""

import functools
import importlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import botocore.session

from least_privilege.actions import Need, UnknownOperationError, needs
from least_privilege.names import Names

FOLDER_VARIABLE: Final = "FLUFFY_TRAIN_AWS_CALLS"
"""Names the folder that each process writes its file to. Without it nothing is recorded."""

HANDLERS: Final[Mapping[str, str]] = {
    "PostNextBest": "handlers.post_next_best.handler",
    "Reconcile": "handlers.reconcile.handler",
    "RefreshTokens": "handlers.refresh_tokens.handler",
    "IngestPhoto": "handlers.ingest_photo.handler",
    "Webhook": "handlers.webhook.handler",
}
"""As in the template, which a process of the fault suite need not read for that."""


class Recorder:
    """One process's. A child that it forks goes on recording, in a file of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # boto3 copies by threads of its own, so that which function runs is the process's and not the thread's.
        self._running: list[tuple[str, Names]] = []
        self._lock = threading.Lock()
        self._written: set[str] = set()

    def listen(self) -> None:
        """Hear every client that is made from now on."""
        create = botocore.session.Session.create_client

        @functools.wraps(create)
        def create_and_hear(session: Any, *arguments: Any, **named: Any) -> Any:
            client = create(session, *arguments, **named)
            # First, so that the parameters are still those that the product gave.
            client.meta.events.register_first("provide-client-params", self._hear)
            return client

        botocore.session.Session.create_client = create_and_hear

    def attend(self, handlers: Mapping[str, str]) -> None:
        """From now on a run of a handler is known as its function's; ``handlers`` has them by function."""
        for function, path in handlers.items():
            module_name, _, attribute = path.rpartition(".")
            module = importlib.import_module(module_name)
            setattr(module, attribute, self._attended(function, getattr(module, attribute)))

    @contextmanager
    def running(self, function: str) -> Iterator[None]:
        """What is asked in this block is the function's, in the environment of its beginning."""
        run = (function, Names.of(os.environ))
        with self._lock:
            self._running.append(run)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(run)

    def _attended(self, function: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def run(*arguments: Any, **named: Any) -> Any:
            with self.running(function):
                return handler(*arguments, **named)

        return run

    def _hear(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        with self._lock:
            running = list(self._running)
        functions = {function for function, _ in running}
        if not functions:
            return
        call = {"operation": f"{model.service_model.service_name} {model.name}"}
        if len(functions) > 1:
            self._write({**call, "problem": f"made while {' and '.join(sorted(functions))} ran: whose is it?"})
            return
        function, names = running[-1]
        call["function"] = function
        try:
            for need in needs(model.service_model.service_name, model.name, params, names):
                self._write({**call, "action": need.action, "resource": need.resource})
        except UnknownOperationError as error:
            # Told by the check: an exception of a listener would look like a failure of the call.
            self._write({**call, "problem": str(error)})

    def _write(self, facts: Mapping[str, str]) -> None:
        """At once, since the process may be killed by its next call."""
        line = json.dumps(facts, sort_keys=True) + "\n"
        with self._lock:
            if line in self._written:
                return
            self._written.add(line)
        with (self._folder / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(line)


def recorder_asked_for() -> Recorder | None:
    """A recorder that listens already, where the environment asks for one."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return None
    recorder = Recorder(Path(folder))
    recorder.listen()
    return recorder


@dataclass(frozen=True, slots=True)
class Recorded:
    """What each function asked for, with one operation that needed it; all operations; what was not understood."""

    needs: Mapping[str, Mapping[Need, str]]
    operations: Set[str]
    problems: Sequence[str]


def recorded(folder: Path) -> Recorded:
    """All that was written down in ``folder``."""
    calls: dict[str, dict[Need, str]] = {}
    operations: set[str] = set()
    problems: set[str] = set()
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            facts = json.loads(line)
            operations.add(facts["operation"])
            if "problem" in facts:
                problems.add(f"{facts['operation']}: {facts['problem']}")
            else:
                need = Need(facts["action"], facts["resource"])
                calls.setdefault(facts["function"], {})[need] = facts["operation"]
    return Recorded(calls, operations, sorted(problems))
