"""Pictures that a camera might have made, and files that are none, each made here and the same every time."""

import io
import random
import struct
import zlib

from PIL import Image, ImageEnhance


def a_picture(seed: int, *, width: int = 640, height: int = 800) -> Image.Image:
    """Soft clouds of colour: of another ``seed`` it looks like another place."""
    random_ = random.Random(seed)  # noqa: S311 - no secret
    tiny = Image.new("RGB", (6, 6))
    tiny.putdata([tuple(random_.randrange(256) for _ in range(3)) for _ in range(36)])
    return tiny.resize((width, height), Image.Resampling.BICUBIC)


def a_shot(seed: int, shot: int = 0) -> bytes:
    """A JPEG of a burst: each ``shot`` is a little brighter than the one before."""
    brighter = ImageEnhance.Brightness(a_picture(seed)).enhance(1 + shot / 100)
    return encoded(brighter)


def encoded(picture: Image.Image, file_format: str = "JPEG") -> bytes:
    canvas = io.BytesIO()
    picture.save(canvas, file_format)
    return canvas.getvalue()


def a_bomb() -> bytes:
    """A PNG of a few bytes that claims 400 megapixels."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
