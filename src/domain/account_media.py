"""What there is on an account already, whoever posted it: the ports that `persona adopt` reads it by."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from domain.ids import MediaId
from domain.personas import Persona


@dataclass(frozen=True, slots=True)
class LiveMedia:
    """One media of the account. An album has several pictures."""

    media_id: MediaId
    addresses: tuple[str | None, ...] = field(repr=False)
    """Where its pictures can be fetched without signing in, one for each; None where Instagram tells none. A secret."""
    others: int = 0
    """How many of its parts are no pictures, but films."""
    permalink: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MediaPage:
    """Some of an account's media, newest first. ``after`` is where the next page begins; None on the last one."""

    media: Sequence[LiveMedia]
    after: str | None = None


class AccountMedia(Protocol):
    def page(self, persona: Persona, after: str | None, *, within: timedelta) -> MediaPage:
        """One request that ends ``within`` the given time and does no harm twice. Raises a Fault, nothing else."""
        ...


class PictureUnavailableError(Exception):
    """A picture of the account cannot be had, and asking again is no use. The text says why, without its address."""


class LivePictures(Protocol):
    """The files of the account's pictures."""

    def fetch(self, address: str, *, within: timedelta) -> bytes:
        """A picture's bytes. Raises PictureUnavailableError, and Retry where another try may help."""
        ...


class Eye(Protocol):
    """What tells pictures apart by what they show."""

    def perceptual_hash(self, source: bytes) -> str:
        """The hash of the whole picture in a file's bytes. Raises UnusablePhotoError."""
        ...
