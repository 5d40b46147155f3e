"""Photo preparation with Pillow: the rendition that Instagram takes, measures and perceptual hashes of a picture.

Pillow and pi-heif are needed by this package only, so that the posting function stays small.
"""

from adapters.imaging.errors import Rejection, UnusableImageError
from adapters.imaging.measures import PictureMeasures, measure
from adapters.imaging.opening import MOST_SOURCE_BYTES
from adapters.imaging.preparation import PreparedPhoto, make_rendition, perceptual_hash, prepare_photo
from adapters.imaging.rendition import Rendition

__all__ = [
    "MOST_SOURCE_BYTES",
    "PictureMeasures",
    "PreparedPhoto",
    "Rejection",
    "Rendition",
    "UnusableImageError",
    "make_rendition",
    "measure",
    "perceptual_hash",
    "prepare_photo",
]
