"""Runs a function's real handler in a process of its own, as Lambda does, and tells how it ended."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from local.tables import resources_of

ROOT: Final = Path(__file__).resolve().parent.parent
_RAISED: Final = re.compile(r"(?:\w+\.)*(\w+)(?:: (.*))?")


@dataclass(frozen=True, slots=True)
class Ended:
    """``payload`` is the handler's answer, or what Lambda says of its error: ``errorType`` and ``errorMessage``."""

    payload: Any
    is_error: bool = False

    @classmethod
    def by_error(cls, kind: str, message: str) -> "Ended":
        return cls({"errorType": kind, "errorMessage": message}, is_error=True)


class FunctionProcesses:
    """The functions that the template deploys without parameters, by logical id.

    Each process has this environment and no other; its log goes to the file ``log``. With the end of the block all that
    still run are ended.
    """

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = dict(environment)
        self._log = log
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._functions = {
            name: resource["Properties"]
            for name, resource in resources_of().items()
            if resource["Type"] == "AWS::Serverless::Function" and "Condition" not in resource
        }

    def __contains__(self, function: str) -> bool:
        return function in self._functions

    def keeps_what_fails(self, function: str) -> bool:
        """Whether the template sends the function's failed starts to the dead-letter queue."""
        return "DestinationConfig" in self._functions[function].get("EventInvokeConfig", {})

    def run(self, function: str, event: object) -> Ended:
        """Wait for the handler's end, for as long as the template allows it."""
        seconds = float(self._functions[function]["Timeout"])
        process = subprocess.Popen(
            [sys.executable, "-m", "local.invoke", function, "-e", "-"],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with self._lock:
            self._running.add(process)
        try:
            printed, told = process.communicate(json.dumps(event), timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            _, told = process.communicate()
            return Ended.by_error("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")
        finally:
            with self._lock:
                self._running.discard(process)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(told)
        return Ended(json.loads(printed)) if process.returncode == 0 else _error(told, process.returncode)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            for process in self._running:
                process.kill()


def _error(told: str, status: int) -> Ended:
    """By the last line of a traceback, where there is one."""
    _, traceback, raised = told.rpartition("Traceback (most recent call last):")
    match = _RAISED.fullmatch(raised.strip().splitlines()[-1]) if traceback and raised.strip() else None
    if match is None:
        return Ended.by_error("Runtime.ExitError", f"Runtime exited with error: exit status {status}")
    return Ended.by_error(match[1], match[2] or "")
