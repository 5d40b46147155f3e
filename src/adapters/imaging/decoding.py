"""Decodes an opened picture into upright pixels of 8 bits a channel."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageFile

from adapters.imaging.bands import Shrunken, rows_of, shrunken, whole_divisor
from adapters.imaging.depth import eight_bit
from adapters.imaging.heif_bands import heif_bands
from adapters.imaging.opening import damage_refused
from adapters.imaging.png_bands import png_bands

# EXIF 2.32, table 6: what brings a picture stored in this orientation upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LYING = (5, 6, 7, 8)

# The orientations whose upright picture has at its left, or at its top, what is stored at an edge that may be ragged.
_RAGGED_LEFT, _RAGGED_TOP = (2, 3, 6, 7), (3, 4, 7, 8)

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels, or parts of one."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture, upright; `pixels` (L, LA, RGB, RGBA or CMYK) may be fewer than its `width` times `height`.

    `profile` is the ICC profile of its colours, if it has one.
    """

    pixels: Image.Image
    box: Box
    """Where the picture is in `pixels`: a row and a column at the edge may belong to it in part only."""
    width: int
    height: int
    profile: bytes | None

    def resized(self, size: tuple[int, int], part: Box | None = None) -> Image.Image:
        """The `part` of the picture, in its own pixels (all of it if None), scaled to `size`."""
        left, top, right, bottom = self.box
        across, down = (right - left) / self.width, (bottom - top) / self.height
        if part is not None:
            right, bottom = left + part[2] * across, top + part[3] * down
            left, top = left + part[0] * across, top + part[1] * down
        # A sum of parts may come out a hair beyond the edge, which resize() refuses.
        box = (left, top, min(right, self.pixels.width), min(bottom, self.pixels.height))
        return self.pixels.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=3)


def decode(source: bytes, picture: ImageFile.ImageFile, scale: Callable[[int, int], float]) -> Decoded:
    """The first frame of `picture`, which was opened from `source`.

    `scale` is asked how much smaller the caller will make a picture of this width and height. No more of a large one
    is kept in memory than that needs: a JPEG is decoded to a fraction of its size (its decoder drops the finest
    waves, which keeps more of the picture than averaging does), a PNG or HEIC is averaged by rows.

    Raises:
        UnusableImageError: damaged, or of a depth that has no agreed look.
    """
    with damage_refused():
        width, height = picture.size
        # Of a PNG that has its EXIF after its pixels this is not known yet, and is only a matter of how much is kept.
        lies = picture.format != "PNG" and _orientation(picture) in _LYING
        stored = _stored(source, picture, scale(height, width) if lies else scale(width, height))
        # After loading: Pillow turns a TIFF itself while loading, and a PNG may carry its EXIF after its pixels.
        return _upright(stored, _orientation(picture), picture.info.get("icc_profile"))


def _stored(source: bytes, picture: ImageFile.ImageFile, scale: float) -> Shrunken:
    """The pixels as the file has them: not yet turned."""
    divisor = whole_divisor(scale)
    if picture.format == "HEIF":
        return shrunken(*heif_bands(source, divisor), divisor)
    bands = png_bands(source, divisor) if picture.format == "PNG" and divisor > 1 else None
    if bands is not None:
        return shrunken(picture.size, bands, divisor)
    drafted = None
    if picture.format in ("JPEG", "MPO") and scale < 1:
        size = picture.size
        drafted = picture.draft(None, (max(1, int(size[0] * scale)), max(1, int(size[1] * scale))))
    picture.load()
    if drafted is None and divisor == 1:
        return Shrunken(eight_bit(picture), *picture.size, picture.size)
    if drafted is None:
        # By rows as well, though all are there: no second whole is made on the way to 8 bits.
        return shrunken(picture.size, rows_of(picture, divisor), divisor)
    return Shrunken(eight_bit(picture), *drafted[1][2:], size)


def _upright(stored: Shrunken, orientation: int, profile: bytes | None) -> Decoded:
    turn = _TURNS.get(orientation)
    pixels = stored.pixels if turn is None else stored.pixels.transpose(turn)
    width, height, size = stored.width, stored.height, stored.full_size
    if orientation in _LYING:
        width, height, size = height, width, (size[1], size[0])
    left = pixels.width - width if orientation in _RAGGED_LEFT else 0.0
    top = pixels.height - height if orientation in _RAGGED_TOP else 0.0
    return Decoded(pixels, (left, top, left + width, top + height), *size, profile)


def _orientation(picture: Image.Image) -> int:
    if picture.format == "HEIF":
        # ISO 23008-12, 6.5.10: the container turns the picture, as libheif does; its EXIF only repeats that.
        return 1
    try:
        # The general one: a PNG's own would decode all of it, to look for EXIF after its pixels.
        orientation = Image.Image.getexif(picture).get(ExifTags.Base.Orientation)
    except (SyntaxError, ValueError, struct.error):
        return 1
    return orientation if orientation in _TURNS else 1
