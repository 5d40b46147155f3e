"""Opens a picture by its header alone: what cannot or must not be decoded is refused here."""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

import pi_heif
from PIL import Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from adapters.imaging.errors import Rejection, UnusableImageError
from adapters.imaging.heif_items import check_item_texts

MOST_SOURCE_BYTES: Final = 100_000_000
MOST_PIXELS: Final = 200_000_000
MOST_WHOLE_PIXELS: Final = 120_000_000
"""Of a picture whose decoder takes 12 to 15 bytes a pixel, of the 2048 MB that the function has: WebP and AVIF, which
are decoded whole and more than once, and a TIFF of more than 8 bits a channel.
"""

# Pillow's own guard stands lower (error at 179 million pixels) and counts in the same place, in Image.open. A JPEG
# of MPO form, as phones write it, is opened by the JPEG plugin.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS

# Without these Pillow gives each picture's memory back to the system and takes it anew, zeroed page by page: a tenth of
# the time that a photo takes. 16 MB stay with the process. (Pillow's documentation, "Block allocator".)
Image.core.set_block_size(1 << 20)  # type: ignore[attr-defined]
Image.core.set_blocks_max(16)  # type: ignore[attr-defined]

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")

_EXPORT = "Export it as JPEG and import that."

# ISO 23008-12: mif1 and msf1 say "a picture in this box format", whatever its codec.
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_TAKEN_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_OTHER_KINDS = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"8BPS", "a Photoshop document"),
    (b"%PDF", "a PDF"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
)

_NEW_SUBFILE_TYPE, _REDUCED_RESOLUTION = 254, 1
_DNG_VERSION = 50706
_BITS_PER_SAMPLE = 258

# What Pillow's decoders raise on damaged data, found by cutting and flipping bytes of every format taken here.
_DAMAGE = (
    EOFError,
    IndexError,
    KeyError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_DAMAGED = (
    "The file is damaged or cut short: it starts like a picture, but cannot be read to its end. "
    f"Copy it again from where it came from. If it opens elsewhere, it is of a rare variety. {_EXPORT}"
)


@contextmanager
def damage_refused() -> Iterator[None]:
    """Any error of a decoder inside this block means a damaged file.

    Raises:
        UnusableImageError: in place of the decoder's error.
    """
    try:
        yield
    except _DAMAGE as error:
        raise UnusableImageError(_DAMAGED, Rejection.DAMAGED) from error


def open_picture(source: bytes) -> ImageFile.ImageFile:
    """The picture in `source`, its header read and its pixels not yet decoded.

    Raises:
        UnusableImageError: empty, not a picture, of a kind not taken here, damaged, of more than `MOST_SOURCE_BYTES`
            or of more than `MOST_PIXELS`.
    """
    if not source:
        raise UnusableImageError("The file is empty. Copy it again from where it came from.", Rejection.EMPTY)
    if len(source) > MOST_SOURCE_BYTES:
        raise UnusableImageError(
            f"The file has {len(source) / 1e6:.0f} MB, more than {MOST_SOURCE_BYTES / 1e6:.0f}. "
            "Export it smaller: Instagram shows 1440 px of width.",
            Rejection.TOO_LARGE,
        )
    _read_heif()
    with damage_refused():
        if _brands(source):
            check_item_texts(source)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                picture = Image.open(io.BytesIO(source), formats=_FORMATS)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_many_pixels(MOST_PIXELS) from error
        except UnidentifiedImageError as error:
            raise _unidentified(source) from error
        most = _most_pixels(picture)
        if picture.width * picture.height > most:
            raise _too_many_pixels(most)
        if _is_camera_raw(picture, source):
            raise UnusableImageError(
                f"This is a camera's raw file, which this program cannot develop. {_EXPORT}", Rejection.UNSUPPORTED
            )
    return picture


def _most_pixels(picture: ImageFile.ImageFile) -> int:
    is_deep = picture.format == "TIFF" and max(_bits_per_sample(picture)) > 8
    return MOST_WHOLE_PIXELS if picture.format in {"WEBP", "AVIF"} or is_deep else MOST_PIXELS


def _bits_per_sample(picture: ImageFile.ImageFile) -> tuple[int, ...]:
    bits = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, (1,))
    return tuple(bit for bit in (bits if isinstance(bits, tuple) else (bits,)) if isinstance(bit, int)) or (1,)


def _too_many_pixels(most: int) -> UnusableImageError:
    return UnusableImageError(
        f"The picture claims more than {most // 1_000_000} megapixels, too many to decode safely. "
        "Export it at a smaller size: 1440 px of width is all that Instagram shows.",
        Rejection.TOO_MANY_PIXELS,
    )


@cache
def _read_heif() -> None:
    """Teach Pillow HEIC and HEIF, the main picture of a file alone."""
    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _brands(source: bytes) -> set[bytes]:
    """The brands that an ISO media file, as HEIC, AVIF and films are, declares itself to be; else none."""
    if source[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(source[:4], "big"), len(source))
    return {source[start : start + 4] for start in range(8, end, 4)}


def _unidentified(source: bytes) -> UnusableImageError:
    brands = _brands(source)
    is_webp = source.startswith(b"RIFF") and source[8:12] == b"WEBP"
    if source.startswith(_TAKEN_STARTS) or is_webp or brands & (_AVIF_BRANDS | _HEIC_BRANDS):
        return UnusableImageError(_DAMAGED, Rejection.DAMAGED)
    if brands:
        return UnusableImageError(
            f"This is a film, or a picture of a kind that this program cannot read. {_EXPORT}", Rejection.UNSUPPORTED
        )
    for start, kind in _OTHER_KINDS:
        if source.startswith(start):
            return UnusableImageError(
                f"This is {kind}, which this program does not take. {_EXPORT}", Rejection.UNSUPPORTED
            )
    return UnusableImageError(
        "This is not a picture that can be read here. JPEG, PNG, WebP, HEIC, AVIF and TIFF are taken.",
        Rejection.NOT_AN_IMAGE,
    )


def _is_camera_raw(picture: ImageFile.ImageFile, source: bytes) -> bool:
    """Most raw formats are TIFFs whose first page is a thumbnail, which would be posted in the photo's place."""
    if not isinstance(picture, TiffImagePlugin.TiffImageFile):
        return False
    is_canon = source[8:10] == b"CR"
    is_thumbnail = bool(picture.tag_v2.get(_NEW_SUBFILE_TYPE, 0) & _REDUCED_RESOLUTION)
    return is_canon or is_thumbnail or _DNG_VERSION in picture.tag_v2
