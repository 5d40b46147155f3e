"""Colours of a wide colour space, converted: as near to a reference conversion, in CIELAB, as the eye can tell."""

import io
import itertools
import math
from typing import Final

import pytest
from PIL import Image

from adapters.imaging import make_rendition
from local.colour_profiles import ADOBE_GAMMA, ADOBE_RGB, ADOBE_TO_D50, DISPLAY_P3, P3_GAMMA, P3_TO_D50, Matrix

PATCH: Final = 64
JUST_NOTICEABLE: Final = 2.3
"""Mahy et al., "Evaluation of uniform color spaces", 1994: a difference of CIE 1976 that is just noticed."""

# sRGB's primaries to XYZ, adapted to D50, and back, by Bruce Lindbloom; white as ICC.1 has it.
SRGB_TO_D50: Final[Matrix] = (
    (0.4360747, 0.3850649, 0.1430804),
    (0.2225045, 0.7168786, 0.0606169),
    (0.0139322, 0.0971045, 0.7141733),
)
D50_TO_SRGB: Final[Matrix] = (
    (3.1338561, -1.6168667, -0.4906146),
    (-0.9787684, 1.9161415, 0.0334540),
    (0.0719453, -0.2289914, 1.4052427),
)
WHITE: Final = (0.9642, 1.0, 0.8249)

Colour = tuple[float, ...]


def times(matrix: Matrix, colour: Colour) -> Colour:
    return tuple(sum(factor * value for factor, value in zip(row, colour, strict=True)) for row in matrix)


def lab(xyz: Colour) -> Colour:
    x, y, z = (
        ratio ** (1 / 3) if ratio > 216 / 24389 else (24389 / 27 * ratio + 16) / 116
        for ratio in (value / white for value, white in zip(xyz, WHITE, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def light(code: int) -> float:
    share = code / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("profile", "gamma", "to_d50"),
    [(ADOBE_RGB, ADOBE_GAMMA, ADOBE_TO_D50), (DISPLAY_P3, P3_GAMMA, P3_TO_D50)],
    ids=["Adobe RGB", "Display P3"],
)
def test_colours_that_srgb_has_are_converted_to_within_what_is_noticed(
    kind: str, profile: bytes, gamma: float, to_d50: Matrix
) -> None:
    wanted: dict[tuple[int, ...], Colour] = {}
    for colour in itertools.product((30, 75, 120, 165, 210), repeat=3):
        xyz = times(to_d50, tuple((channel / 255) ** gamma for channel in colour))
        if all(0 <= channel <= 1 for channel in times(D50_TO_SRGB, xyz)):
            wanted[colour] = lab(xyz)
    assert len(wanted) > 60
    columns = 12
    image = Image.new("RGB", (columns * PATCH, -(-len(wanted) // columns) * PATCH))
    places = [(place % columns * PATCH, place // columns * PATCH) for place in range(len(wanted))]
    for colour, (left, top) in zip(wanted, places, strict=True):
        image.paste(colour, (left, top, left + PATCH, top + PATCH))
    buffer = io.BytesIO()
    image.save(buffer, kind, icc_profile=profile, quality=98, lossless=True)

    rendition = Image.open(io.BytesIO(make_rendition(buffer.getvalue()).jpeg))
    assert rendition.size == image.size
    differences, relabelled = [], []
    for (colour, reference), (left, top) in zip(wanted.items(), places, strict=True):
        found = rendition.getpixel((left + PATCH // 2, top + PATCH // 2))
        assert isinstance(found, tuple)
        differences.append(math.dist(lab(times(SRGB_TO_D50, tuple(map(light, found)))), reference))
        relabelled.append(math.dist(lab(times(SRGB_TO_D50, tuple(map(light, colour)))), reference))
    assert max(differences) < JUST_NOTICEABLE
    assert sum(differences) / len(differences) < 1
    assert max(relabelled) > 3 * JUST_NOTICEABLE
