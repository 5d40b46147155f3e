"""The small copy that measures and hashes are taken from."""

from typing import Final

from PIL import Image

from adapters.imaging.colour import to_srgb
from adapters.imaging.decoding import Decoded, decode
from adapters.imaging.opening import open_picture

# All pictures are measured at one width, so that their sizes do not tell in the result. Frozen: the spread of a
# Laplacian is another one at another width.
_WIDTH: Final = 480
_LEAST_HEIGHT, _MOST_HEIGHT = 12, 4 * _WIDTH


def small_copy(source: bytes) -> Image.Image:
    """The picture in `source`, whole, upright, 480 px wide, in RGB and sRGB.

    Raises:
        UnusableImageError: the picture cannot be read.
    """
    with open_picture(source) as picture:
        return small_copy_of(decode(source, picture, lambda width, _: min(1.0, _WIDTH / width)))


def small_copy_of(picture: Decoded) -> Image.Image:
    """The same of a picture that is decoded already."""
    height = min(_MOST_HEIGHT, max(_LEAST_HEIGHT, round(picture.height * _WIDTH / picture.width)))
    return to_srgb(picture.resized((_WIDTH, height)), picture.profile)
