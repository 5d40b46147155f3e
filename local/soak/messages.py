"""What the simulation and its workers say to each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Function = Literal["PostNextBest", "Reconcile"]


@dataclass(frozen=True, slots=True)
class Task:
    """One invocation. ``name`` is unlike any other's in this soak, and all of the run's draws come from it."""

    name: str
    function: Function
    event: Mapping[str, Any]
    seconds: float
    """What Lambda gives it: it is killed afterwards."""


@dataclass(frozen=True, slots=True)
class Begin:
    task: Task
    now: datetime


@dataclass(frozen=True, slots=True)
class Awake:
    now: datetime


@dataclass(frozen=True, slots=True)
class Asleep:
    """The run sleeps. The worker waits for ``Awake``."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault of our own side was met. Said before it happens, since it may be the last that is heard."""

    fault: str


@dataclass(frozen=True, slots=True)
class LateCopy:
    """A request that its sender believes lost, and that arrives all the same."""

    arrives_at: datetime
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: with an answer, with an error that the handler raised, or with neither when it was killed."""

    answer: Mapping[str, Any] | None = None
    error: str | None = None
    """The exception's class."""
    traceback: str = ""
