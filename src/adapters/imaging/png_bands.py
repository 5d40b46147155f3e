"""Reads a PNG band by band: Pillow decodes no part of a file, so each band is handed to it as a PNG of its own.

Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)": chunks in section 5, filters in section 9.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from adapters.imaging.bands import rows_of_a_band

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")

# By colour type: grey, colour, palette, grey with alpha, colour with alpha.
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

# How much is inflated at a time at the most.
_INFLATED = 1 << 20


@dataclass(frozen=True, slots=True)
class _Layout:
    width: int
    height: int
    colour_type: int
    palette: bytes
    """The chunks that say what the pixels' numbers mean: PLTE and tRNS."""
    data: tuple[slice, ...]

    @property
    def row_bytes(self) -> int:
        return self.width * _CHANNELS[self.colour_type]


def png_bands(source: bytes, divisor: int) -> Iterator[Image.Image] | None:
    """The rows of the PNG in `source`, from the top, as pictures of a multiple of `divisor` rows each but the last.

    None for a PNG that has to be read as a whole: interlaced, of another depth than 8 bits, or with something after
    its pixels that may matter (further frames, EXIF). The iterator raises OSError or zlib.error at damaged data.
    """
    layout = _layout(source)
    return None if layout is None else _bands(source, layout, rows_of_a_band(layout.width, divisor))


def _layout(source: bytes) -> _Layout | None:
    chunks = list(_chunks(source))
    if not chunks or chunks[0][0] != b"IHDR":
        return None
    width, height, bits, colour_type, _, _, interlaced = _HEADER.unpack(source[chunks[0][1]])
    names = [name for name, _ in chunks]
    if bits != 8 or interlaced or colour_type not in _CHANNELS or b"IDAT" not in names:
        return None
    last = len(names) - 1 - names[::-1].index(b"IDAT")
    if set(names[last + 1 :]) - {b"IEND", b"tIME"} or b"acTL" in names:
        return None
    palette = b"".join(_chunk(name, source[place]) for name, place in chunks if name in (b"PLTE", b"tRNS"))
    return _Layout(width, height, colour_type, palette, tuple(place for name, place in chunks if name == b"IDAT"))


def _chunks(source: bytes) -> Iterator[tuple[bytes, slice]]:
    """The chunks' names, and where in `source` their contents are."""
    start = len(_SIGNATURE)
    while start + 8 <= len(source):
        (length,) = struct.unpack_from(">I", source, start)
        yield source[start + 4 : start + 8], slice(start + 8, start + 8 + length)
        start += 12 + length


def _bands(source: bytes, layout: _Layout, rows: int) -> Iterator[Image.Image]:
    filtered = _Inflated(source, layout.data)
    # A row's filter may refer to the row above it, so each band begins with the last row of the one before, as it is.
    above = bytes(layout.row_bytes)
    for top in range(0, layout.height, rows):
        count = min(rows, layout.height - top)
        content = filtered.read(count * (1 + layout.row_bytes))
        band = Image.open(io.BytesIO(_png(layout, count + 1, b"\0" + above + content)), formats=["PNG"])
        band.load()
        above = band.crop((0, count, layout.width, count + 1)).tobytes()
        # crop() keeps no tRNS where it stands in the header for one colour, but `info` does.
        yield band.crop((0, 1, layout.width, count + 1))


class _Inflated:
    """What the IDAT chunks hold, inflated as far as it is read."""

    def __init__(self, source: bytes, places: tuple[slice, ...]) -> None:
        self._source = memoryview(source)
        self._places = iter(places)
        self._inflater = zlib.decompressobj()
        self._left = b""

    def read(self, size: int) -> bytes:
        """The next `size` bytes. Raises EOFError where there are no more, zlib.error or OSError at damage."""
        parts = []
        while size > 0:
            # The end of a chunk may still be inside of the inflater.
            part = self._inflater.decompress(self._left or self._next_chunk(), min(size, _INFLATED))
            self._left = self._inflater.unconsumed_tail
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _next_chunk(self) -> memoryview | bytes:
        place = next(self._places, None)
        if place is None:
            raise EOFError("the PNG has fewer rows than it says")
        content = self._source[place]
        checksum = self._source[place.stop : place.stop + 4]
        if zlib.crc32(content, zlib.crc32(b"IDAT")) != int.from_bytes(checksum, "big"):
            raise OSError("a chunk of the PNG is not what it was written as")
        return content


def _png(layout: _Layout, rows: int, filtered: bytes) -> bytes:
    header = _HEADER.pack(layout.width, rows, 8, layout.colour_type, 0, 0, 0)
    pixels = zlib.compress(filtered, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + layout.palette + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(name)))
