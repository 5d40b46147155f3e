"""Decodes an opened picture into upright pixels of 8 bits a channel."""

import struct
from collections.abc import Callable

from PIL import ExifTags, Image, ImageFile

from adapters.imaging.errors import UnusableImageError
from adapters.imaging.opening import damage_refused

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

# Pixels of the decoded JPEG per pixel that is wanted in the end. From 2 on, the difference to a full decode is not
# visible (Pillow's documentation of `reducing_gap`).
_SPARE = 2

_EIGHT_BIT = ("L", "LA", "RGB", "RGBA", "CMYK")
_CONVERTED = {"1": "L", "YCbCr": "RGB", "LAB": "RGB", "RGBX": "RGB", "RGBa": "RGBA", "La": "LA", "PA": "RGBA"}


def decode(picture: ImageFile.ImageFile, scale: Callable[[int, int], float]) -> Image.Image:
    """The first frame of `picture`, upright, in mode L, LA, RGB, RGBA or CMYK, still in its own colour space.

    `scale` is asked how much smaller the caller will make a picture of this width and height: a JPEG is then decoded
    to a fraction of its size, at least twice what the caller needs.

    Raises:
        UnusableImageError: damaged, or of a depth that has no agreed look.
    """
    with damage_refused():
        if picture.format in ("JPEG", "MPO"):
            _shrink_on_load(picture, scale)
        picture.load()
    # After load(): Pillow turns a TIFF itself while loading, and a PNG may carry its EXIF after its pixels.
    turn = _TURNS.get(_orientation(picture))
    pixels = _eight_bit(picture)
    return pixels if turn is None else pixels.transpose(turn)


def _shrink_on_load(picture: ImageFile.ImageFile, scale: Callable[[int, int], float]) -> None:
    width, height = picture.size
    shrink = scale(height, width) if _orientation(picture) in _LYING else scale(width, height)
    wanted = shrink * _SPARE
    if wanted < 1:
        picture.draft(None, (max(1, round(width * wanted)), max(1, round(height * wanted))))


def _orientation(picture: Image.Image) -> int:
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    except (SyntaxError, ValueError, struct.error):
        return 1
    return orientation if orientation in _TURNS else 1


def _eight_bit(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        # convert("L") would cut off at 255 and make nearly all of a 16-bit picture white.
        return picture.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if picture.mode == "P":
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    if picture.mode in ("1", "L", "RGB") and picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode in _CONVERTED:
        return picture.convert(_CONVERTED[picture.mode])
    if picture.mode in _EIGHT_BIT:
        return picture
    raise UnusableImageError(
        "This picture has 32 bits or floating point numbers per channel, and nothing says which of them is white. "
        "Export it as JPEG, or with 8 or 16 bits per channel."
    )
