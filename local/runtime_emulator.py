"""One container of a function, on Lambda's real runtime interface without Docker: AWS's emulator of it, and its client.

``aws-lambda-rie`` comes with the SAM CLI, ``awslambdaric`` from PyPI; `make` puts both into environments of their own.
As in Lambda, the interpreter starts with the first event, and nothing is written beside the code.
"""

import json
import os
import platform
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import requests

ROOT: Final = Path(__file__).resolve().parent.parent
SAM_ENVIRONMENT: Final = ROOT / ".venv-sam"
RUNTIME_ENVIRONMENT: Final = ROOT / ".venv-lambda"
RUNTIME: Final = "3.13"  # as template.yaml and src/Makefile say

_READY_WITHIN: Final = 20.0  # seconds
_ANSWERS_WITHIN: Final = 300.0  # seconds


class NotThereError(Exception):
    """The runtime interface is not on this machine. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a container's interpreter has used up since it was started."""

    cpu_seconds: float
    peak_bytes: int


class Container:
    """A container whose interpreter has not been started yet: the first ``invoke`` is a cold start.

    ``package`` is the folder of a built function, ``layers`` those of its layers, which Lambda would unpack to /opt.
    ``environment`` is all that the function sees, but for what Lambda itself sets. Raises NotThereError.
    """

    def __init__(
        self,
        package: Path,
        handler: str,
        environment: Mapping[str, str],
        *,
        layers: tuple[Path, ...] = (),
        name: str = "Function",
        seconds: int = 180,
        megabytes: int = 512,
    ) -> None:
        python = RUNTIME_ENVIRONMENT / "bin" / "python"
        port, runtime_port = _free_port(), _free_port()
        self._url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        paths = [str(package), *(str(layer / "python") for layer in layers)]
        self._command = [
            str(_emulator()),
            "--log-level",
            "error",
            "--runtime-interface-emulator-address",
            f"127.0.0.1:{port}",
            "--runtime-api-address",
            f"127.0.0.1:{runtime_port}",
            str(python),
            "-m",
            "awslambdaric",
            handler,
        ]
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(megabytes),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(seconds),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "LAMBDA_TASK_ROOT": str(package),
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",  # /var/task is read-only
            **environment,
        }
        self._package = package
        self._port = port
        self._log: list[str] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=self._package,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        give_up_at = time.monotonic() + _READY_WITHIN
        while time.monotonic() < give_up_at:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return self
            time.sleep(0.01)
        self._end()
        raise NotThereError("The runtime interface emulator does not start.")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def invoke(self, event: object) -> Any:
        """What the handler answers, or ``{"errorType": …, "errorMessage": …}`` where it raised."""
        answer = requests.post(self._url, data=json.dumps(event), timeout=_ANSWERS_WITHIN)
        return answer.json()

    def cost(self) -> Cost:
        """What the interpreter has used so far; read from Linux's /proc."""
        (process,) = _children(self._process.pid)
        nanoseconds = sum(
            int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{process}/task").iterdir()
        )
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":" in line
        )
        return Cost(nanoseconds / 1e9, int(status["VmHWM"].split()[0]) * 1024)

    def _end(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _emulator() -> Path:
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    found = sorted(SAM_ENVIRONMENT.glob(f"lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"))
    if not found or not (RUNTIME_ENVIRONMENT / "bin" / "python").exists():
        raise NotThereError(
            f"Lambda's runtime interface is not here: `make lambda-runtime` (needs Python {RUNTIME} and Linux)."
        )
    return found[0]


def _children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task")
    return [int(child) for task in listed.iterdir() for child in (task / "children").read_text().split()]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
