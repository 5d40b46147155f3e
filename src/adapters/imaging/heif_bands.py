"""Reads a HEIC band by band: libheif decodes it as a whole, but Pillow then needs no second whole of it."""

from collections.abc import Iterator

import pi_heif
from PIL import Image

from adapters.imaging.bands import rows_of_a_band


def heif_bands(source: bytes, divisor: int) -> tuple[tuple[int, int], Iterator[Image.Image]]:
    """The size of the main picture in `source`, and its rows from the top: of a multiple of `divisor` but the last.

    It is upright: libheif turns it as the container says. Raises what pi_heif raises at damage.
    """
    heif = pi_heif.open_heif(source, convert_hdr_to_8bit=True)
    picture = heif[heif.primary_index]
    content = memoryview(picture.data)
    width, height = picture.size
    rows = rows_of_a_band(width, divisor)

    def bands() -> Iterator[Image.Image]:
        for top in range(0, height, rows):
            count = min(rows, height - top)
            part = content[top * picture.stride : (top + count) * picture.stride]
            yield Image.frombytes(picture.mode, (width, count), part, "raw", picture.mode, picture.stride)

    return (width, height), bands()
