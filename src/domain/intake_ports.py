"""What taking photos in needs from the outside, besides ``domain.ports``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from domain.personas import Fit
from domain.ports import Renditions


@dataclass(frozen=True, slots=True)
class PreparedPhoto:
    """A rendition as Instagram takes it, sizes in pixels, and the hashes of what it shows."""

    jpeg: bytes
    width: int
    height: int
    perceptual_hashes: tuple[str, ...]


class UnusablePhotoError(Exception):
    """This file can never be posted as it is. ``kind`` is a word for it; ``reason`` says what to do, for its owner."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


class Darkroom(Protocol):
    """Where pictures are made ready."""

    def prepare(self, source: bytes, fit: Fit) -> PreparedPhoto:
        """The rendition of a file's bytes and its hashes. Deterministic. Raises UnusablePhotoError."""
        ...


class RenditionStore(Renditions, Protocol):
    """The same files, where they may be written too."""

    def put(self, object_key: str, jpeg: bytes) -> None:
        """Store a rendition; twice does no harm. Raises Defer when the bucket does not take it now."""
        ...


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that its owner uploaded. ``size`` is in bytes; ``version`` tells it from what takes its place later."""

    object_key: str
    size: int
    version: str | None
    metadata: Mapping[str, str]
    """What the owner says of it, by names in lower case."""


class InboxUnavailableError(Exception):
    """The bucket did not answer, or did not allow it. Trying again later may help; the text says what to look at."""


class Inbox(Protocol):
    """The uploaded files. Every method may be repeated, and raises InboxUnavailableError."""

    def look(self, object_key: str) -> Arrived | None:
        """What is known of a file without reading it; None where it is not there any more."""
        ...

    def read(self, arrived: Arrived) -> bytes | None:
        """The bytes of exactly this version, or None where it is not there any more."""
        ...

    def put_aside(self, arrived: Arrived, object_key: str, kind: str, reason: str) -> None:
        """Move exactly this version to ``object_key``, the reason in its tags. A newer upload is left alone."""
        ...
