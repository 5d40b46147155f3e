"""Ports whose calls are counted, and at one of which something happens: the run is killed, or another one comes by."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

P = TypeVar("P")


class KilledError(Exception):
    """The run ends here, as a process that is killed."""


@dataclass
class Strike:
    """Counts the calls of every port that it stands ``over``. What is set for call ``number`` happens once."""

    number: int = 0
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    calls: list[str] = field(default_factory=list)

    @classmethod
    def kill(cls, number: int, *, after: bool) -> "Strike":
        return cls(number, after=_kill) if after else cls(number, before=_kill)

    def over(self, port: P) -> P:
        return cast("P", _Counted(port, self))

    def call(self, method: Callable[..., Any], name: str, *arguments: Any, **named: Any) -> Any:
        self.calls.append(name)
        is_struck = len(self.calls) == self.number
        if is_struck:
            self.before()
        try:
            return method(*arguments, **named)
        finally:
            if is_struck:
                self.after()


def _kill() -> None:
    raise KilledError


class _Counted:
    def __init__(self, port: object, strike: Strike) -> None:
        self._port = port
        self._strike = strike

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        if not callable(value):
            return value
        return lambda *arguments, **named: self._strike.call(value, name, *arguments, **named)
