"""ICC profiles made by hand, for drawn pictures that are to look as if a camera or an editor had saved them."""

import struct
from typing import Final

Matrix = tuple[tuple[float, ...], ...]

# Adobe RGB (1998), section 4.3: gamma 563/256; its primaries to XYZ, adapted to D50 as ICC profiles want it.
ADOBE_GAMMA: Final = 563 / 256
ADOBE_TO_D50: Final[Matrix] = (
    (0.60974, 0.20528, 0.14919),
    (0.31111, 0.62567, 0.06322),
    (0.01947, 0.06087, 0.74457),
)

# SMPTE EG 432-1's primaries with a white of D65, adapted to D50 by Bradford. Apple's profile has sRGB's curve, of which
# 2.2 is the nearest plain gamma.
P3_GAMMA: Final = 2.2
P3_TO_D50: Final[Matrix] = (
    (0.51512, 0.29198, 0.15710),
    (0.24120, 0.69225, 0.06657),
    (-0.00105, 0.04189, 0.78407),
)


def _s15_fixed_16(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def matrix_profile(gamma: float, columns: Matrix, space: bytes = b"RGB ") -> bytes:
    """A version 2 ICC profile of three primaries, or one grey, and a gamma (ICC.1:2001-04)."""

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + _s15_fixed_16(x) + _s15_fixed_16(y) + _s15_fixed_16(z)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    name = b"made by hand\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
    }
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        for channel, letter in enumerate("rgb"):
            tags[f"{letter}XYZ".encode()] = xyz(*(row[channel] for row in columns))
            tags[f"{letter}TRC".encode()] = curve
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4s4s4s4s4s", start + len(body), bytes(4), b"\x02\x40\0\0", b"mntr", space, b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + _s15_fixed_16(0.9642) + _s15_fixed_16(1.0) + _s15_fixed_16(0.8249)
    return header.ljust(128, b"\0") + table + body


ADOBE_RGB: Final = matrix_profile(ADOBE_GAMMA, ADOBE_TO_D50)
DISPLAY_P3: Final = matrix_profile(P3_GAMMA, P3_TO_D50)
