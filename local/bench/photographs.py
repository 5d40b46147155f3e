"""Draws large pictures that are to a decoder what photographs are: detail at every scale, a wide colour space, noise.

`python -m local.bench.photographs FOLDER` draws one set. In a process of its own, whose memory is not measured.
"""

import sys
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops

from local.colour_profiles import DISPLAY_P3
from local.sample_library import PICTURES
from local.sample_library.painting import dice

SIZES: Final = {12: (4000, 3000), 24: (6000, 4000), 50: (8660, 5774)}
"""By megapixels."""

# Texture of ever finer grain and ever less strength, as it is in nature: the size of a grain in pixels, its contrast.
# At quality 92 this makes 2 bits a pixel, as much as a camera's JPEGs have.
_GRAINS: Final = ((32, 14.0), (16, 11.0), (8, 8.0), (4, 6.0), (2, 4.0), (1, 1.5))
_TILE: Final = 1500


def photograph(megapixels: int) -> Image.Image:
    """The same picture every time, under one version of Pillow."""
    size = SIZES[megapixels]
    picture = PICTURES[megapixels % len(PICTURES)]
    pixels = picture.scene((1440, 1440 * size[1] // size[0]), dice(picture.seed)).resize(size, Image.Resampling.BICUBIC)
    throws = dice(megapixels)
    for grain, contrast in _GRAINS:
        width, height = size[0] // grain, size[1] // grain
        tile = Image.frombytes("L", (_TILE, _TILE), throws.randbytes(_TILE * _TILE))
        noise = Image.new("L", (width, height))
        for left in range(0, width, _TILE):
            for top in range(0, height, _TILE):
                noise.paste(tile, (left, top))
        weaker = noise.point([round((value - 128) * contrast / 64) + 128 for value in range(256)])
        texture = weaker.resize(size, Image.Resampling.BICUBIC)
        pixels = Image.merge("RGB", [ImageChops.add(channel, texture, 1, -128) for channel in pixels.split()])
    return pixels


def draw_photographs(folder: Path) -> None:
    """A baseline JPEG of each size; of some also a progressive one, a PNG, and a HEIC where an encoder is at hand."""
    try:
        from pillow_heif import register_heif_opener  # type: ignore[import-not-found]  # noqa: PLC0415
    except ImportError:
        has_encoder = False
    else:
        register_heif_opener()
        has_encoder = True
    for megapixels in SIZES:
        pixels = photograph(megapixels)
        name = folder / f"{megapixels} MP"
        pixels.save(f"{name}.jpg", quality=92, icc_profile=DISPLAY_P3)
        if megapixels in (12, 50):
            pixels.save(f"{name} progressive.jpg", quality=92, progressive=True, icc_profile=DISPLAY_P3)
        pixels.save(f"{name}.png", compress_level=3, icc_profile=DISPLAY_P3)
        if has_encoder and megapixels in (12, 24):
            pixels.save(f"{name}.heic", quality=70, icc_profile=DISPLAY_P3)


if __name__ == "__main__":
    draw_photographs(Path(sys.argv[1]))
