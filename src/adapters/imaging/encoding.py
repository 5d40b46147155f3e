"""Encodes pixels as a JPEG that carries nothing but pixels."""

import io

from PIL import Image

from adapters.imaging.errors import Rejection, UnusableImageError
from adapters.imaging.limits import MOST_BYTES

# Instagram compresses again, so the first try is generous: full colour resolution, hardly visible loss.
_QUALITIES = (92, 85, 75, 60, 45, 30)


def encode_jpeg(pixels: Image.Image, most_bytes: int = MOST_BYTES) -> bytes:
    """`pixels` (RGB, sRGB) as a baseline JPEG of at most `most_bytes`, without any metadata.

    Raises:
        UnusableImageError: even the lowest quality is too large.
    """
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        # Neither optimize nor progressive: Pillow then guesses the size of the whole file, and fails on noisy pictures.
        # Without a comment of its own, Pillow writes that of the source into the new file.
        pixels.save(buffer, "JPEG", quality=quality, subsampling="4:4:4", comment=None)
        if buffer.tell() <= most_bytes:
            return buffer.getvalue()
    raise UnusableImageError(
        f"Even at a low quality this picture takes more than {most_bytes} bytes. Export it at a smaller size.",
        Rejection.UNSUPPORTED,
    )
