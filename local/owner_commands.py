"""The owner's command, `fluffy-train`, run on the local stack as the owner would: in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from local.environment import ACCOUNT_ID, PERSONA, TOKEN, Addresses, extras, isolated, settings

ROOT: Final = Path(__file__).resolve().parent.parent


class CommandError(Exception):
    """A command could not do what it was asked for. It has said why."""


class OwnerCommands:
    """Shows on ``console`` what is run."""

    def __init__(self, addresses: Addresses, console: Console) -> None:
        self.environment: Final[Mapping[str, str]] = isolated({**settings(addresses), **extras(addresses)})
        self._console = console

    def run(self, *words: str, token: str | None = None) -> None:
        """Let the command speak for itself, of what it left out as well. Raises CommandError."""
        self._console.print(f"[dim]$ fluffy-train {' '.join(words)}[/]")
        command = [sys.executable, "-m", "cli", *words]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, input=token, text=True, check=False)
        if done.returncode not in {0, 1}:
            raise CommandError(f"fluffy-train {words[0]} ended with status {done.returncode}.")

    def answer(self, *words: str) -> Any:
        """What the command prints with ``--json``. Raises CalledProcessError."""
        command = [sys.executable, "-m", "cli", *words, "--json"]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)

    def add_persona(self) -> None:
        """Add the default persona with the emulator's account, unless it is there."""
        if not any(persona["persona_id"] == PERSONA for persona in self.answer("persona", "list")):
            self.run("persona", "add", PERSONA, "--instagram-user-id", ACCOUNT_ID, token=TOKEN)
