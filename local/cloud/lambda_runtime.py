"""Runs a deployed function from its package, by Lambda's own runtime interface.

Amazon's emulator of that interface (aws-lambda-rie, which the SAM CLI's wheel carries) starts Amazon's runtime client
for Python (awslambdaric) under the interpreter that the function is deployed for.
"""

import json
import os
import platform
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Self

import requests

from local.cloud.account import Account
from local.cloud.delivery import Invocation

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


class LambdaRuntime:
    """Each invocation is a cold start, in a process of its own that ends with it.

    ``folder`` is where packages are unpacked; ``endpoints`` are variables beside the function's own, as a cloud has its
    own ways to its services.
    """

    def __init__(self, account: Account, tools: Tools, folder: Path, endpoints: Mapping[str, str]) -> None:
        self._account, self._tools, self._folder, self._endpoints = account, tools, folder, endpoints

    def invoke(self, function_arn: str, event: Any) -> Invocation:
        function = self._account.client("lambda").get_function(FunctionName=function_arn)["Configuration"]
        task = self._unpacked(function_arn)
        layers = [self._unpacked(layer["Arn"]) / "python" for layer in function.get("Layers", ())]
        environment = self._environment(function, task, layers)
        with self._serving(function, task, environment) as (url, log):
            answered = requests.post(url, data=json.dumps(event), timeout=(5, function["Timeout"] + 10))
        try:
            answer = answered.json()
        except ValueError:
            answer = answered.text  # as when it ran out of time
        failed = not answered.ok or not isinstance(answer, dict) or "errorType" in answer
        return Invocation(answer, failed, log.read_text(encoding="utf-8"))

    def _environment(self, function: Mapping[str, Any], task: Path, layers: list[Path]) -> dict[str, str]:
        """What Lambda gives (developer guide, "Defined runtime environment variables"), and nothing of this process."""
        given = {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": self._account.region,
            "AWS_DEFAULT_REGION": self._account.region,
            "AWS_LAMBDA_FUNCTION_NAME": function["FunctionName"],
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function["Timeout"]),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "LAMBDA_TASK_ROOT": str(task),
            "LANG": "en_US.UTF-8",
            "PATH": os.defpath,
            "PYTHONDONTWRITEBYTECODE": "1",  # /var/task is read-only
            "PYTHONPATH": os.pathsep.join(map(str, [task, *layers])),
            "TZ": ":UTC",
            "_HANDLER": function["Handler"],
        }
        declared: Mapping[str, str] = function.get("Environment", {}).get("Variables", {})
        return {**given, **declared, **self._endpoints}

    def _unpacked(self, arn: str) -> Path:
        folder = self._folder / arn.replace(":", "-")
        if not folder.exists():
            bucket, key = self._account.packages[arn]
            package = self._account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
            unfinished = folder.with_suffix(".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            zipfile.ZipFile(BytesIO(package)).extractall(unfinished)
            unfinished.rename(folder)
        return folder

    @contextmanager
    def _serving(
        self, function: Mapping[str, Any], task: Path, environment: Mapping[str, str]
    ) -> Iterator[tuple[str, Path]]:
        invoked_at, runtime_at = (f"127.0.0.1:{port}" for port in _free_ports())
        log = self._folder / f"{function['FunctionName']}.log"
        command = [
            *(self._tools.emulator, "--log-level", "error", "--runtime-interface-emulator-address", invoked_at),
            *("--runtime-api-address", runtime_at, self._tools.python, "-m", "awslambdaric", function["Handler"]),
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=task, env=environment, stdout=output, stderr=output)
            try:
                _wait_until_it_listens(process, invoked_at)
                yield f"http://{invoked_at}{_ANSWERS_AT}", log
            finally:
                process.terminate()
                process.wait()


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
