"""The one error of this package."""

from enum import StrEnum


class Rejection(StrEnum):
    """Why a file cannot be used, in one word: for counting and for a record. What to do about it is in the reason."""

    EMPTY = "empty"
    NOT_AN_IMAGE = "not-an-image"
    DAMAGED = "damaged"
    """It starts like a picture and cannot be read to its end."""
    TOO_MANY_PIXELS = "too-many-pixels"
    """Of megapixels: a decompression bomb, or next to one."""
    TOO_LARGE = "too-large"
    """Of bytes."""
    TOO_NARROW = "too-narrow"
    UNSUPPORTED = "unsupported"
    """A picture of a kind, a depth or a density of detail that is not taken here."""


class UnusableImageError(Exception):
    """This file can never be posted as it is; trying again does not help.

    `reason` is a sentence for the photo's owner: what is wrong, and what to do about it.
    """

    def __init__(self, reason: str, kind: Rejection) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
