"""One rival at work, in a process of its own: `python -m local.bench.contender NAME PHOTO COUNT [RESULT]`.

It prepares PHOTO COUNT times, writes the last result to RESULT, and prints its peak memory in bytes.
"""

import io
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PIL import Image, ImageCms

from adapters.imaging import prepare_photo

WIDTH: Final = 1440
QUALITY: Final = 92


def ours(source: bytes) -> bytes:
    """All of the ingest path: decode, rendition, scores, hashes."""
    return prepare_photo(source).rendition.jpeg


def plain_pillow(source: bytes) -> bytes:
    """The rendition alone, as one writes it first: every pixel decoded, converted, then resized."""
    return _encoded(_plainly_scaled(source))


def lossless(source: bytes) -> bytes:
    """The same without the JPEG's loss: what the quality of the others is measured against."""
    buffer = io.BytesIO()
    _plainly_scaled(source).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def floor(source: bytes) -> bytes:
    """No rendition: libjpeg-turbo (Pillow's) decodes to a fraction and encodes as many pixels as a rendition has."""
    picture = Image.open(io.BytesIO(source))
    height = WIDTH * picture.height // picture.width
    picture.draft("RGB", (WIDTH, height))
    return _encoded(picture.crop((0, 0, WIDTH, height)))


CONTENDERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    function.__name__: function for function in (ours, plain_pillow, lossless, floor)
}


def _plainly_scaled(source: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(source))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
    srgb = ImageCms.profileToProfile(picture, profile, ImageCms.createProfile("sRGB"))
    if srgb is None:
        raise ValueError("no picture came out of the conversion")
    return srgb.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)


def _encoded(pixels: Image.Image) -> bytes:
    buffer = io.BytesIO()
    pixels.save(buffer, "JPEG", quality=QUALITY, subsampling="4:4:4")
    return buffer.getvalue()


def _peak_memory() -> int:
    """Of this process, in bytes. What `getrusage` says may be the memory of the process that started this one."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    Image.MAX_IMAGE_PIXELS = None
    name, photo, count, *result = sys.argv[1:]
    content, made = Path(photo).read_bytes(), b""
    for _ in range(int(count)):
        made = CONTENDERS[name](content)
    if result:
        Path(result[0]).write_bytes(made)
    print(_peak_memory())
