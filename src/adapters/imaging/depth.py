"""Brings pixels of any depth and layout into 8 bits a channel."""

from PIL import Image

from adapters.imaging.errors import Rejection, UnusableImageError

_EIGHT_BIT = ("L", "LA", "RGB", "RGBA", "CMYK")
_CONVERTED = {"1": "L", "YCbCr": "RGB", "LAB": "RGB", "RGBX": "RGB", "RGBa": "RGBA", "La": "LA", "PA": "RGBA"}


def eight_bit(picture: Image.Image) -> Image.Image:
    """`picture` in mode L, LA, RGB, RGBA or CMYK, in the colour space that it has.

    Raises:
        UnusableImageError: of a depth that has no agreed look.
    """
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
        "Export it as JPEG, or with 8 or 16 bits per channel.",
        Rejection.UNSUPPORTED,
    )
