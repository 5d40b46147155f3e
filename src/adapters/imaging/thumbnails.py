"""A small copy of a JPEG, with Pillow: to look at, by a person or by a model, and never to post."""

import io
import struct
from typing import Final

from PIL import Image, ImageOps

from adapters.imaging.errors import Rejection, UnusableImageError

_QUALITY: Final = 85

# What Pillow raises on a damaged JPEG.
_DAMAGE: Final = (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError)


def thumbnail(jpeg: bytes, *, most_px: int) -> bytes:
    """``jpeg`` upright and without any metadata, its longer side at most ``most_px``; never larger than it is.

    Raises UnusableImageError when it cannot be read.
    """
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
            # Has the decoder leave out what is scaled away, as far as that cannot be seen.
            picture.thumbnail((most_px, most_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
            pixels = ImageOps.exif_transpose(picture).convert("RGB")
    except _DAMAGE:
        unusable = UnusableImageError("The picture is damaged, or is no JPEG. Import it again.", Rejection.DAMAGED)
    else:
        # Pillow would write a comment and a profile that it finds here into the copy.
        pixels.info.clear()
        canvas = io.BytesIO()
        pixels.save(canvas, "JPEG", quality=_QUALITY)
        return canvas.getvalue()
    raise unusable
