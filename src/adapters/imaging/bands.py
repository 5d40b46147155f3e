"""Shrinks a large picture band by band, so that it never stands in memory at its full size."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PIL import Image

from adapters.imaging.depth import eight_bit

# Whole pixels are averaged here, which is coarse; from two for each one that is wanted in the end, the difference to
# one careful step is not visible (Pillow's documentation of `reducing_gap`).
_SPARE = 2

# Of one band at its full size.
_BAND_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Shrunken:
    """A picture of `full_size` in fewer `pixels`.

    It fills the first `width` and `height` of them: of the last row and column it may have a part only.
    """

    pixels: Image.Image
    width: float
    height: float
    full_size: tuple[int, int]


def whole_divisor(scale: float) -> int:
    """By how much a picture may be shrunk here, whose width will become `scale` times what it is."""
    return max(1, int(1 / (scale * _SPARE)))


def rows_of_a_band(width: int, divisor: int) -> int:
    """How many rows of `width` pixels to decode at a time."""
    return divisor * max(1, _BAND_BYTES // (4 * width * divisor))


def rows_of(picture: Image.Image, divisor: int) -> Iterator[Image.Image]:
    """A decoded picture in bands."""
    rows = rows_of_a_band(picture.width, divisor)
    for top in range(0, picture.height, rows):
        yield picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def shrunken(size: tuple[int, int], bands: Iterable[Image.Image], divisor: int) -> Shrunken:
    """The picture of `size` whose rows come in `bands` from the top, each of a multiple of `divisor` rows but the last.

    Raises:
        UnusableImageError: of a depth that has no agreed look.
    """
    width, height = size
    whole: Image.Image | None = None
    top = 0
    for band in bands:
        part = eight_bit(band)
        if divisor > 1:
            part = part.reduce(divisor)
        if whole is None:
            whole = Image.new(part.mode, (part.width, -(-height // divisor)))
        whole.paste(part, (0, top))
        top += part.height
    if whole is None or top != whole.height:
        raise EOFError("the bands end before the picture does")
    return Shrunken(whole, width / divisor, height / divisor, size)
