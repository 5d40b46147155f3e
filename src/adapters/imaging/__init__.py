"""Photo preparation with Pillow: the rendition that Instagram takes, and measures of a picture.

Pillow is needed by this package only, so that the posting function stays small.
"""

from adapters.imaging.errors import UnusableImageError
from adapters.imaging.measures import PictureMeasures, measure
from adapters.imaging.rendition import Rendition, make_rendition

__all__ = ["PictureMeasures", "Rendition", "UnusableImageError", "make_rendition", "measure"]
