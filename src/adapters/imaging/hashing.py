"""The perceptual hash: 64 bits that stay nearly the same while a picture looks nearly the same.

It is a pHash: the signs of the lowest waves of the picture's brightness. In whole numbers throughout, so that machines
agree on it.
"""

import math
from operator import mul
from typing import Final

from PIL import Image

_SIDE: Final = 32

# The waves of the DCT-II over 32 points, in 4096ths.
_WAVES: Final = tuple(
    tuple(round(4096 * math.cos(math.pi * wave * (2 * place + 1) / (2 * _SIDE))) for place in range(_SIDE))
    for wave in range(11)
)

# Which waves, across and down, slowest first: 64 without the mean. The slower a wave is, the less a shift moves it.
_CHOSEN: Final = sorted(
    ((across, down) for across in range(11) for down in range(11) if across or down),
    key=lambda wave: (wave[0] ** 2 + wave[1] ** 2, wave),
)[:64]


def hash_of(pixels: Image.Image) -> str:
    """The hash of a small copy (RGB, sRGB): 16 hexadecimal digits, a hyphen, and its mean colour in six.

    The digits of a plain picture are all zeros: it has nothing but its colour.
    """
    grey = pixels.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX).tobytes()
    rows = [grey[start : start + _SIDE] for start in range(0, _SIDE * _SIDE, _SIDE)]
    across = [[sum(map(mul, wave, row)) for row in rows] for wave in _WAVES]
    strengths = [sum(map(mul, _WAVES[v], across[u])) for u, v in _CHOSEN]
    bits = 0
    for strength in strengths:
        bits = bits << 1 | (strength > 0)
    red, green, blue = pixels.resize((1, 1), Image.Resampling.BOX).tobytes()
    return f"{bits:016x}-{red:02x}{green:02x}{blue:02x}"
