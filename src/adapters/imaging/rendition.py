"""The rendition: the copy of a photo that Instagram takes."""

from dataclasses import dataclass

from PIL import Image

from adapters.imaging.colour import to_srgb
from adapters.imaging.cropping import crop_box
from adapters.imaging.decoding import decode
from adapters.imaging.encoding import encode_jpeg
from adapters.imaging.errors import UnusableImageError
from adapters.imaging.limits import LEAST_WIDTH, MOST_WIDTH, cropped_size, fitted_size
from adapters.imaging.opening import open_picture


@dataclass(frozen=True, slots=True)
class Rendition:
    """A JPEG within Instagram's limits (see `limits`), in sRGB, upright, without metadata; its size in pixels."""

    jpeg: bytes
    width: int
    height: int


def make_rendition(source: bytes) -> Rendition:
    """The rendition of the JPEG, PNG, WebP, TIFF or AVIF in `source`; of several frames, the first.

    The same bytes give the same rendition, under one version of Pillow.

    Raises:
        UnusableImageError: no rendition can be made; the reason says what to do.
    """
    with open_picture(source) as picture:
        pixels = decode(picture, _scale)
        profile = picture.info.get("icc_profile")
        box = crop_box(pixels)
        width, height = box[2] - box[0], box[3] - box[1]
        if width < LEAST_WIDTH:
            raise UnusableImageError(_too_narrow(pixels.width, width))
        size = fitted_size(width, height)
        scaled = pixels.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=3)
    return Rendition(encode_jpeg(to_srgb(scaled, profile)), *size)


def _scale(width: int, height: int) -> float:
    return min(1.0, MOST_WIDTH / cropped_size(width, height)[0])


def _too_narrow(width: int, kept: int) -> str:
    what = f"{width} px wide" if kept == width else f"{kept} px wide once it is cropped to Instagram's widest ratio"
    return f"The picture is only {what}; Instagram takes {LEAST_WIDTH} px or more. Import a larger copy."
