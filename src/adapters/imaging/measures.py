"""Measures of a picture that need no model, and the score made of them.

For a folder without scores of its own: the score prefers sharp, well exposed, contrasty and colourful pictures to
dull ones. It knows nothing of what a picture shows.
"""

from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageChops, ImageFilter, ImageStat

from adapters.imaging.small_copy import small_copy

SCORER: Final = "measured-2"
"""Of the formula and of the copy that it is applied to: a change of either is another scorer."""

_TILES = 3
_SHARP = 40.0
_IDEAL_MEAN = 118.0
_NEAR_BLACK, _NEAR_WHITE = 4, 251
_CONTRASTY = 64.0
# "Extremely colourful" in table 2 of Hasler and Suesstrunk, "Measuring colourfulness in natural images", 2003.
_COLOURFUL = 109.0

_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


@dataclass(frozen=True, slots=True)
class PictureMeasures:
    """Each measure from 0 (none) to 1 (plenty); `aesthetic_score` from 0 to 10, to two decimals.

    score = 10 x (0.35 sharpness + 0.25 exposure + 0.20 contrast + 0.20 colourfulness)
    """

    sharpness: float
    exposure: float
    contrast: float
    colourfulness: float
    scorer: str = SCORER

    @property
    def aesthetic_score(self) -> float:
        parts = 0.35 * self.sharpness + 0.25 * self.exposure + 0.20 * self.contrast + 0.20 * self.colourfulness
        return round(10 * parts, 2)


def measure(source: bytes) -> PictureMeasures:
    """The measures of the picture in `source`, for one a rendition. Deterministic under one version of Pillow.

    Raises:
        UnusableImageError: the picture cannot be read.
    """
    return measures_of(small_copy(source))


def measures_of(copy: Image.Image) -> PictureMeasures:
    """The measures of a picture, from its `small_copy`."""
    grey = copy.convert("L")
    return PictureMeasures(_sharpness(grey), _exposure(grey), _contrast(grey), _colourfulness(copy))


def _sharpness(grey: Image.Image) -> float:
    """The spread of the Laplacian in the sharpest of 3 x 3 tiles: a blurred background is no fault."""
    # The filter leaves the outermost pixels unfiltered.
    edges = grey.filter(_LAPLACIAN).crop((1, 1, grey.width - 1, grey.height - 1))
    width, height = edges.width / _TILES, edges.height / _TILES
    tiles = (
        edges.crop((round(x * width), round(y * height), round((x + 1) * width), round((y + 1) * height)))
        for x in range(_TILES)
        for y in range(_TILES)
    )
    return _share(max(ImageStat.Stat(tile).stddev[0] for tile in tiles), _SHARP)


def _exposure(grey: Image.Image) -> float:
    """1 for a mean of middle grey (118 of 255) and nothing clipped; less the further off, and the more is clipped."""
    histogram = grey.histogram()
    pixels = sum(histogram)
    clipped = (sum(histogram[: _NEAR_BLACK + 1]) + sum(histogram[_NEAR_WHITE:])) / pixels
    mean = ImageStat.Stat(grey).mean[0]
    distance = (_IDEAL_MEAN - mean) / _IDEAL_MEAN if mean < _IDEAL_MEAN else (mean - _IDEAL_MEAN) / (255 - _IDEAL_MEAN)
    return round((1 - distance) * (1 - clipped), 4)


def _contrast(grey: Image.Image) -> float:
    """The spread of the luminance, 1 from a quarter of the range on."""
    return _share(ImageStat.Stat(grey).stddev[0], _CONTRASTY)


def _colourfulness(rgb: Image.Image) -> float:
    """Hasler and Suesstrunk's M3 over its "extremely colourful"."""
    red, green, blue = rgb.split()
    # Halves around 128, since a channel of Pillow's holds no negative numbers.
    red_green = ImageStat.Stat(ImageChops.subtract(red, green, scale=2, offset=128))
    yellow_blue = ImageStat.Stat(ImageChops.subtract(ImageChops.add(red, green, scale=2), blue, scale=2, offset=128))
    spread = 2 * (red_green.var[0] + yellow_blue.var[0]) ** 0.5
    mean = 2 * ((red_green.mean[0] - 128) ** 2 + (yellow_blue.mean[0] - 128) ** 2) ** 0.5
    return _share(spread + 0.3 * mean, _COLOURFUL)


def _share(value: float, plenty: float) -> float:
    return round(min(1.0, value / plenty), 4)
