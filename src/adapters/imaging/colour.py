"""Brings pixels of any colour space into sRGB, and transparent ones onto white."""

import io
from functools import lru_cache

from PIL import Image, ImageCms

_MODE_OF_PROFILE = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def to_srgb(pixels: Image.Image, profile: bytes | None) -> Image.Image:
    """`pixels` (L, LA, RGB, RGBA or CMYK) as RGB in sRGB, flattened on white.

    The colours are converted, not relabelled, by the embedded ICC `profile`. Without one, or with one that is broken
    or meant for another kind of pixels, they are taken as sRGB; CMYK then has no defined look, and gets the plain
    inversion that browsers give it.
    """
    if pixels.mode not in ("LA", "RGBA"):
        return _converted(pixels, profile)
    opaque = _converted(pixels.convert("L" if pixels.mode == "LA" else "RGB"), profile)
    white = Image.new("RGB", pixels.size, "white")
    white.paste(opaque, mask=pixels.getchannel("A"))
    return white


def _converted(pixels: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            transform = _transform(profile)
        except (OSError, TypeError, ValueError, ImageCms.PyCMSError):
            transform = None
        if transform and transform.input_mode == "RGB" and pixels.mode == "L":
            pixels = pixels.convert("RGB")
        if transform and transform.input_mode == pixels.mode:
            return transform.apply(pixels)
    return pixels.convert("RGB")


@lru_cache(maxsize=8)
def _transform(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """From `profile` to sRGB, or None for a profile of a kind of pixels that no picture here has."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = _MODE_OF_PROFILE.get(source.profile.xcolor_space.strip())
    if mode is None:
        return None
    # Relative with black point compensation is what browsers and photo editors show by default.
    return ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
