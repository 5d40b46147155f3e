"""The real SAM CLI, as `make sam` installs it, on this project's template."""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SAM: Final = ROOT / ".venv-sam" / "bin" / "sam"


class SamError(Exception):
    """The command failed. The text is all that it printed, and its status."""


def run_sam(environment: Mapping[str, str], *words: str) -> float:
    """Run it in ``environment``, which has a ``PATH``; the seconds that it took. Raises SamError."""
    began = time.monotonic()
    # Beside it the interpreter that compiles the package's bytecode, where src/Makefile looks for one.
    path = f"{ROOT / '.venv-lambda' / 'bin'}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [SAM, *words],
        cwd=ROOT,
        env={**environment, "PATH": path, "SAM_CLI_TELEMETRY": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SamError(f"{done.stdout}\n`sam {' '.join(words)}` ended with status {done.returncode}.")
    return time.monotonic() - began
