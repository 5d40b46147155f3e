"""The local stack as a process in the background: started, found again and ended by the folder that it writes to."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from local.environment import Addresses
from local.stack import STATE

ROOT: Final = Path(__file__).resolve().parent.parent
START_SECONDS: Final = 60
END_SECONDS: Final = 30


class StackError(Exception):
    """The stack did not start, or did not end. The text says where to look."""


def running_stack(folder: Path) -> Addresses | None:
    """Where the stack of this folder listens; None where none runs."""
    state = _state(folder)
    return None if state is None else Addresses(state["aws"], state["instagram"], state["functions"])


def start_stack(folder: Path, host: str) -> Addresses:
    """Start one that listens on ``host``, an address of this machine, and wait for it. Raises StackError.

    It outlives this process, until ``end_stack``.
    """
    command = [sys.executable, "-m", "local.stack", "--folder", str(folder), "--host", host]
    with (folder / "stack.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    give_up_at = time.monotonic() + START_SECONDS
    while (addresses := running_stack(folder)) is None:
        if process.poll() is not None or time.monotonic() > give_up_at:
            process.kill()
            raise StackError(f"The local stack did not start; {folder / 'stack.log'} says why.")
        time.sleep(0.1)
    return addresses


def end_stack(folder: Path) -> bool:
    """End it and wait until it has let go of all; whether there was one. Raises StackError."""
    state = _state(folder)
    if state is None:
        return False
    os.kill(state["pid"], signal.SIGTERM)
    give_up_at = time.monotonic() + END_SECONDS
    # It removes its state last. (Its process may stay for a while as this one's, which has not asked how it ended.)
    while _state(folder) is not None:
        if time.monotonic() > give_up_at:
            raise StackError(f"The local stack, process {state['pid']}, does not end; end it by `kill -9`.")
        time.sleep(0.1)
    return True


def _state(folder: Path) -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = json.loads((folder / STATE).read_text(encoding="utf-8"))
        os.kill(state["pid"], 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return state
