"""Puts a picture whose ratio is out of Instagram's limits on a border made of itself, so that all of it is shown."""

from PIL import Image, ImageFilter

from adapters.imaging.limits import fitted_size, padded_size

# The border's picture is blurred at a 24th of its size, by a radius of 2 there: no shape is left, only its colours.
_SHRUNK = 24
_RADIUS = 2


def fitted_on_border(width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The sizes of the whole and of the picture in it, for a picture of `width` x `height` pixels. It only shrinks."""
    whole = padded_size(width, height)
    fitted = fitted_size(*whole)
    if whole == (width, height):
        return fitted, fitted
    shrink = fitted[0] / whole[0]
    inner = (min(fitted[0], max(1, round(width * shrink))), min(fitted[1], max(1, round(height * shrink))))
    # On the side that has no border, the picture reaches the edge whatever the rounding says.
    return fitted, (fitted[0], inner[1]) if whole[0] == width else (inner[0], fitted[1])


def on_border(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """`picture` (RGB) in the middle of a border of `size`: its own middle part, enlarged to fill that, and blurred."""
    width, height = size
    # The largest part of the border's own ratio, in whole pixels: one of a part of a pixel may be the whole picture.
    scale = min(picture.width / width, picture.height / height)
    across, down = min(picture.width, max(1, round(width * scale))), min(picture.height, max(1, round(height * scale)))
    left, top = (picture.width - across) // 2, (picture.height - down) // 2
    small = (max(2, width // _SHRUNK), max(2, height // _SHRUNK))
    middle = picture.resize(small, Image.Resampling.BOX, (left, top, left + across, top + down))
    whole = middle.filter(ImageFilter.GaussianBlur(_RADIUS)).resize(size, Image.Resampling.BICUBIC)
    whole.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
    return whole
