"""What counts as the same shot, how such photos are found among millions, and which one of a burst may be posted.

A perceptual hash has 64 bits, and pictures that look alike differ in few of them. To find these without comparing all,
a hash is cut into four bands of 16 bits, and each photo stands in the bucket of each of its bands. Two hashes that
differ in up to 3 bits share a band; of two that differ in up to 7, one band differs in one bit at the most. So the
buckets of a hash, and with each bit flipped in turn, hold every photo within 7 bits: 4 or 68 buckets, however large the
library is. The hash's text ends in the picture's mean colour, which must agree as well.
"""

from collections.abc import Iterable
from typing import Final

from domain.photos import HeldBackFor, Photo

FEWEST_BITS: Final = 0
MOST_BITS: Final = 7
"""No greater distance can be asked for: this is how far the buckets are sure to find every photo."""

DEFAULT_DISTANCE: Final = 6
"""Photos whose hashes differ in so many of 64 bits, or fewer, are the same shot."""

SAME_COLOUR: Final = 32
"""How far the mean red, green and blue of one shot may lie apart, of 255. The 64 bits know nothing of colour."""

_BITS: Final = 64
_BANDS: Final = 4
_BAND_BITS: Final = 16
_WITHOUT_FLIPS: Final = _BANDS - 1


def distance(one: str, other: str) -> int:
    """In how many of their 64 bits two perceptual hashes differ; in all of them where the colours are others.

    A plain picture, whose bits are all zero, has nothing to be known by, and is like no other. Raises ValueError for
    what is no hash.
    """
    text, _, colour = one.partition("-")
    other_text, _, other_colour = other.partition("-")
    bits, other_bits = int(text, 16), int(other_text, 16)
    if not (bits and other_bits):
        return _BITS
    if colour and other_colour:
        pairs = zip(bytes.fromhex(colour), bytes.fromhex(other_colour), strict=True)
        if any(abs(value - other_value) > SAME_COLOUR for value, other_value in pairs):
            return _BITS
    return (bits ^ other_bits).bit_count()


def buckets_of(perceptual_hash: str) -> tuple[str, ...]:
    """The buckets that a photo of this hash stands in."""
    return tuple(_bucket(number, band) for number, band in enumerate(_bands(perceptual_hash)))


def buckets_near(perceptual_hash: str, within: int) -> tuple[str, ...]:
    """The buckets that together hold every photo whose hash differs ``within`` so many bits: 0 to ``MOST_BITS``."""
    if not FEWEST_BITS <= within <= MOST_BITS:
        raise ValueError(f"near duplicates are found within {FEWEST_BITS} to {MOST_BITS} bits, not {within}")
    flips = [0] if within <= _WITHOUT_FLIPS else [0, *(1 << bit for bit in range(_BAND_BITS))]
    bands = enumerate(_bands(perceptual_hash))
    return tuple(_bucket(number, band ^ flip) for number, band in bands for flip in flips)


def best_of(burst: Iterable[Photo]) -> Photo | None:
    """The one photo of a burst that may be in the queue: the highest rank.

    None once one of them has a post, or was posted elsewhere: the others would be a repeat. A failed post counts too,
    since its photo is its owner's to retry. A photo that is still being taken in may look like others that are not
    linked yet, so it is no candidate.
    """
    photos = list(burst)
    if any(photo.post_slot is not None or _is_on_the_account(photo) for photo in photos):
        return None
    candidates = [photo for photo in photos if photo.held_back is None and not photo.awaits_linking]
    ranked = [(photo.rank, photo) for photo in candidates if photo.rank is not None]
    return max(ranked, key=lambda one: one[0])[1] if ranked else None


def _is_on_the_account(photo: Photo) -> bool:
    return photo.held_back is not None and photo.held_back.reason is HeldBackFor.POSTED_ELSEWHERE


def _bands(perceptual_hash: str) -> list[int]:
    bits = int(perceptual_hash.partition("-")[0], 16)
    return [bits >> (_BAND_BITS * number) & ((1 << _BAND_BITS) - 1) for number in range(_BANDS)]


def _bucket(number: int, band: int) -> str:
    return f"{number}-{band:04x}"
