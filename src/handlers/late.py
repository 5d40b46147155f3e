"""Adapters that are imported and built when they are first asked for anything.

A run that finds its slot done, its persona paused or its queue empty needs neither S3 nor SSM nor Instagram, and one
that claims a photo needs them after its claim. What is imported before the first read of DynamoDB, every cold start
pays for.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any, Final, TypeVar, cast

T = TypeVar("T")


def late(build: Callable[[], T]) -> T:
    """Stands for what ``build`` makes, which is called once, at the first look at one of its attributes.

    ``build`` may import; what it raises comes out of that first look, and the next one tries again.
    """
    return cast("T", _Late(build))


class _Late:
    __slots__ = ("_build", "_built", "_lock")

    def __init__(self, build: Callable[[], object]) -> None:
        self._build: Final = build
        self._built: object | None = None
        self._lock: Final = Lock()  # an import of photos asks from several threads at once

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._built is None:
                self._built = self._build()
        return getattr(self._built, name)
