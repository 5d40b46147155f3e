"""The rendition: the copy of a photo that Instagram takes."""

from dataclasses import dataclass

from adapters.imaging.colour import to_srgb
from adapters.imaging.cropping import crop_box
from adapters.imaging.decoding import Decoded
from adapters.imaging.encoding import encode_jpeg
from adapters.imaging.errors import Rejection, UnusableImageError
from adapters.imaging.limits import LEAST_WIDTH, MOST_WIDTH, cropped_size, fitted_size, padded_size
from adapters.imaging.padding import fitted_on_border, on_border
from domain.personas import Fit


@dataclass(frozen=True, slots=True)
class Rendition:
    """A JPEG within Instagram's limits (see `limits`), in sRGB, upright, without metadata; its size in pixels."""

    jpeg: bytes
    width: int
    height: int


def rendition_of(picture: Decoded, fit: Fit) -> Rendition:
    """The rendition of `picture`, cropped or padded as `fit` says where its ratio is out of the limits.

    Raises:
        UnusableImageError: too narrow, or too large at the lowest quality; the reason says what to do.
    """
    if fit is Fit.PAD:
        _check_width(picture.width, picture.width)
        whole, inner = fitted_on_border(picture.width, picture.height)
        pixels = to_srgb(picture.resized(inner), picture.profile)
        return Rendition(encode_jpeg(pixels if inner == whole else on_border(pixels, whole)), *whole)
    box = crop_box(picture)
    width, height = box[2] - box[0], box[3] - box[1]
    _check_width(picture.width, width)
    size = fitted_size(width, height)
    return Rendition(encode_jpeg(to_srgb(picture.resized(size, box), picture.profile)), *size)


def shrinking(width: int, height: int, fit: Fit) -> float:
    """How much smaller than the picture of this size its rendition is; 1 where it stays as it is."""
    whole = padded_size(width, height) if fit is Fit.PAD else cropped_size(width, height)
    return min(1.0, MOST_WIDTH / whole[0])


def is_whole(width: int, height: int) -> bool:
    """Whether the rendition of a picture of this size shows all of it and nothing else."""
    return cropped_size(width, height) == (width, height)


def _check_width(width: int, kept: int) -> None:
    if kept >= LEAST_WIDTH:
        return
    what = f"{width} px wide" if kept == width else f"{kept} px wide once it is cropped to Instagram's widest ratio"
    raise UnusableImageError(
        f"The picture is only {what}; Instagram takes {LEAST_WIDTH} px or more. Import a larger copy.",
        Rejection.TOO_NARROW,
    )
