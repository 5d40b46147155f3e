"""One container of a function, on Lambda's real runtime interface without Docker: AWS's emulator of it, and its client.

``aws-lambda-rie`` comes with the SAM CLI, ``awslambdaric`` from PyPI; `make` puts both into environments of their own.
As in Lambda, the interpreter starts with the first event, and nothing is written beside the code.
"""

import json
import os
import platform
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import requests

_READY_WITHIN: Final = 30.0  # seconds
_ANSWERS_AT: Final = "/2015-03-31/functions/function/invocations"


class NotThereError(Exception):
    """What functions are run by is not on this machine. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Amazon's emulator of the runtime interface, and a Python with Amazon's runtime client in it."""

    emulator: Path
    python: Path

    @classmethod
    def found_in(cls, project: Path) -> Self:
        """Those that `make` puts there. Raises NotThereError."""
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            raise NotThereError("The package is built for Linux on x86_64: elsewhere it cannot be run.")
        emulators = sorted(
            project.glob(".venv-sam/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64")
        )
        if not emulators:
            raise NotThereError("The SAM CLI, which carries aws-lambda-rie, is not there: `make .venv-sam/ready`.")
        python = project / ".venv-lambda" / "bin" / "python"
        if not python.exists():
            raise NotThereError("Python 3.13 with awslambdaric is not there: `make .venv-lambda/ready`.")
        return cls(emulators[-1], python)


@dataclass(frozen=True, slots=True)
class Function:
    """A function as it was built: where Lambda would unpack it and its layers, and what it would tell it.

    ``layers`` are the folders whose ``python`` Lambda has on the import path. ``variables`` are the function's own, and
    go before Lambda's.
    """

    name: str
    handler: str
    task: Path
    variables: Mapping[str, str]
    layers: Sequence[Path] = ()
    seconds: int = 180
    megabytes: int = 512
    region: str = "eu-central-1"

    @property
    def environment(self) -> dict[str, str]:
        """What Lambda gives (developer guide, "Defined runtime environment variables"), and nothing of this process."""
        given = {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",  # an emulator's # nosec B105
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.megabytes),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self.seconds),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "LAMBDA_TASK_ROOT": str(self.task),
            "LANG": "en_US.UTF-8",
            "PATH": os.defpath,
            "PYTHONDONTWRITEBYTECODE": "1",  # /var/task is read-only
            "PYTHONPATH": os.pathsep.join(map(str, [self.task, *(layer / "python" for layer in self.layers)])),
            "TZ": ":UTC",
            "_HANDLER": self.handler,
        }
        return {**given, **self.variables}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a container's interpreter has used up since it was started."""

    cpu_seconds: float
    peak_bytes: int


class Container:
    """A container of ``function``, which is there for the ``with`` block; its first ``invoke`` is a cold start.

    What the function writes goes to the file ``log``. Raises NotThereError.
    """

    def __init__(self, tools: Tools, function: Function, log: Path) -> None:
        self._tools, self._function, self._log = tools, function, log

    def __enter__(self) -> Self:
        at, runtime_at = (f"127.0.0.1:{port}" for port in _free_ports())
        self._url = f"http://{at}{_ANSWERS_AT}"
        command: list[str | Path] = [
            *(self._tools.emulator, "--log-level", "error", "--runtime-interface-emulator-address", at),
            *("--runtime-api-address", runtime_at, self._tools.python, "-m", "awslambdaric", self._function.handler),
        ]
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self._function.task,
                env=self._function.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            _wait_until_it_listens(self._process, at)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def invoke(self, event: Any) -> requests.Response:
        """What the handler answers; an object with ``errorType`` where it raised, a text where it ran out of time."""
        return requests.post(self._url, data=json.dumps(event), timeout=(5, self._function.seconds + 10))

    def cost(self) -> Cost:
        """What the interpreter has used so far, as Linux's /proc tells. Only after an ``invoke``."""
        (interpreter,) = _children(self._process.pid)
        tasks = Path(f"/proc/{interpreter}/task").iterdir()
        nanoseconds = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)
        lines = Path(f"/proc/{interpreter}/status").read_text().splitlines()
        (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
        return Cost(nanoseconds / 1e9, int(peak) * 1024)

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait()


def _children(parent: int) -> list[int]:
    tasks = Path(f"/proc/{parent}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _wait_until_it_listens(process: subprocess.Popen[bytes], address: str) -> None:
    host, port = address.split(":")
    give_up_at = time.monotonic() + _READY_WITHIN
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise NotThereError("aws-lambda-rie does not start.")
