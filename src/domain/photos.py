"""The photo, its analysis, and the rank that puts it in its place in the queue."""

import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.ids import MediaId, PersonaId, PhotoId
from domain.slots import Slot

HIGHEST_SCORE: Final = 10.0

GIVEN: Final = "given"
"""The scorer of a score that the owner gave, in a CSV or with the file. It wins over every other."""

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MOST_QUOTED: Final = 40  # characters: a sentence must not grow with the text that it quotes
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MILLISECOND: Final = 10**13 - 1
_MIRRORED_HEX: Final = str.maketrans("0123456789abcdef", "fedcba9876543210")


@dataclass(frozen=True, slots=True)
class PhotoAnalysis:
    """How good a photo is. ``aesthetic_score`` runs from 0 to 10; ``scorer`` names what made it, with its version."""

    aesthetic_score: float
    scorer: str
    analysed_at: datetime
    sharpness: float | None = None
    exposure: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.aesthetic_score) and 0.0 <= self.aesthetic_score <= HIGHEST_SCORE):
            raise ValueError(f"an aesthetic score runs from 0 to 10, not {self.aesthetic_score}")


class HeldBackFor(StrEnum):
    SKIPPED = "skipped"
    """The owner does not want it posted."""
    POSTED_ELSEWHERE = "posted_elsewhere"
    """It is on the account already, and not by us."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Why a photo is kept out of the queue though it has no post; ``media_id`` is what is on the account already."""

    reason: HeldBackFor
    media_id: MediaId | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture of a persona's library. ``object_key`` is its rendition in the bucket; sizes are in pixels."""

    persona_id: PersonaId
    photo_id: PhotoId
    object_key: str
    width: int
    height: int
    imported_at: datetime
    caption: str | None = None
    alt_text: str | None = None
    analysis: PhotoAnalysis | None = None
    post_slot: Slot | None = None
    """The slot whose post has this photo. While it is set the photo is out of the queue."""
    perceptual_hashes: tuple[str, ...] = ()
    """64 bits each, as 16 hexadecimal digits: of the whole picture, and of the rendition where that was cropped."""
    awaits_linking: bool = False
    """It is being taken in, and nobody knows yet whether it looks like another: it is not in the queue."""
    burst: PhotoId | None = None
    """The burst that it was linked to, by the id of a photo. Of a burst only the best one may be in the queue."""
    held_back: HeldBack | None = None

    @property
    def is_free(self) -> bool:
        """Nothing keeps it out of the queue by itself. Of a burst, the best one's place is decided elsewhere."""
        return self.post_slot is None and self.held_back is None and self.burst is None and not self.awaits_linking

    @property
    def rank(self) -> str | None:
        """The photo's place in the queue, or None while it has no analysis."""
        if self.analysis is None:
            return None
        return rank(self.analysis.aesthetic_score, self.imported_at, self.photo_id)


def newer_analysis(known: PhotoAnalysis | None, other: PhotoAnalysis | None) -> PhotoAnalysis | None:
    """The analysis that counts of what is ``known`` and what comes later: what the owner gave is never overwritten by
    a scorer, and one that says the same, but for when it was made, is none.
    """
    if other is None or known is None:
        return other or known
    if known.scorer == GIVEN != other.scorer or replace(other, analysed_at=known.analysed_at) == known:
        return known
    return other


def parse_score(text: str) -> float:
    """The score that an owner wrote as ``text``, as fine as ``rank`` tells scores apart.

    Raises ValueError for anything but a number from 0 to 10 with a decimal point; its text goes on from "the score is".
    """
    written = text.strip()
    if _NUMBER.fullmatch(written) is None:
        hint = ", with a point and no comma" if "," in written else ""
        raise ValueError(f"{written[:_MOST_QUOTED]!r}, which is no number; give 0 to 10{hint}")
    score = float(written)
    if not 0.0 <= score <= HIGHEST_SCORE:
        raise ValueError(f"{written[:_MOST_QUOTED]}; it runs from 0 to 10")
    # Adding zero takes the sign off a negative zero.
    return round(score, 6) + 0.0


def rank(aesthetic_score: float, imported_at: datetime, photo_id: PhotoId) -> str:
    """A text whose *descending* order is: higher score, then older import, then lower photo id.

    Scores that agree to a millionth tie. The later parts are mirrored, since DynamoDB reads an index in one direction.
    """
    older_is_greater = _LAST_MILLISECOND - (imported_at - _EPOCH) // timedelta(milliseconds=1)
    # Adding zero takes the sign off a negative zero.
    return f"{aesthetic_score + 0.0:09.6f}/{older_is_greater:013d}/{photo_id.translate(_MIRRORED_HEX)}"


def lowest_rank(aesthetic_score: float) -> str:
    """What no rank of this score, or of a higher one, comes before."""
    return f"{aesthetic_score + 0.0:09.6f}"
