"""Prepares a photo for the library: from one decode of its file, all that is kept of it."""

from dataclasses import dataclass

from adapters.imaging.decoding import decode
from adapters.imaging.hashing import hash_of
from adapters.imaging.measures import PictureMeasures, measures_of
from adapters.imaging.opening import open_picture
from adapters.imaging.rendition import Rendition, is_whole, rendition_of, shrinking
from adapters.imaging.small_copy import small_copy, small_copy_of
from domain.personas import Fit


@dataclass(frozen=True, slots=True)
class PreparedPhoto:
    """`rendition` is what is posted; the rest is what is known of the picture.

    `perceptual_hashes` has the hash of the whole upright picture, as 16 hexadecimal digits, and where the rendition
    shows something else, that of the rendition as a second one. `measures` are the rendition's: `measure` of its
    JPEG gives the same at any later time, under one version of Pillow.
    """

    rendition: Rendition
    perceptual_hashes: tuple[str, ...]
    measures: PictureMeasures


def prepare_photo(source: bytes, *, fit: Fit = Fit.CROP) -> PreparedPhoto:
    """All that is kept of the JPEG, PNG, WebP, HEIC, AVIF or TIFF in `source`; of several frames, the first.

    The same bytes give the same result, under one version of Pillow.

    Raises:
        UnusableImageError: it cannot be posted; the reason says what to do.
    """
    with open_picture(source) as opened:
        picture = decode(source, opened, lambda width, height: shrinking(width, height, fit))
    rendition = rendition_of(picture, fit)
    shown = small_copy(rendition.jpeg)
    hashes = [hash_of(shown)]
    if not is_whole(picture.width, picture.height):
        hashes.insert(0, hash_of(small_copy_of(picture)))
    return PreparedPhoto(rendition, tuple(hashes), measures_of(shown))


def perceptual_hash(source: bytes) -> str:
    """The hash of the whole upright picture in `source`, from wherever it comes; see `PreparedPhoto`.

    Raises:
        UnusableImageError: the picture cannot be read.
    """
    return hash_of(small_copy(source))


def make_rendition(source: bytes, *, fit: Fit = Fit.CROP) -> Rendition:
    """The rendition alone, as `prepare_photo` makes it.

    Raises:
        UnusableImageError: it cannot be posted; the reason says what to do.
    """
    with open_picture(source) as opened:
        picture = decode(source, opened, lambda width, height: shrinking(width, height, fit))
    return rendition_of(picture, fit)
