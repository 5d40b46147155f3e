"""Where pictures are made ready: the port of the domain over this package."""

import os
from threading import BoundedSemaphore
from typing import Final

from adapters.imaging.errors import UnusableImageError
from adapters.imaging.preparation import perceptual_hash, prepare_photo
from domain.intake_ports import PreparedPhoto, UnusablePhotoError
from domain.personas import Fit

# As many as there are processors: a large picture takes up to 2 GB, and waiting for AWS needs none of them.
_AT_ONCE: Final = BoundedSemaphore(os.cpu_count() or 1)


class ImagingDarkroom:
    """Implements ``domain.intake_ports.Darkroom`` and ``domain.account_media.Eye``."""

    def prepare(self, source: bytes, fit: Fit) -> PreparedPhoto:
        try:
            with _AT_ONCE:
                prepared = prepare_photo(source, fit=fit)
        except UnusableImageError as error:
            raise UnusablePhotoError(error.kind.value, error.reason) from None
        rendition = prepared.rendition
        return PreparedPhoto(rendition.jpeg, rendition.width, rendition.height, prepared.perceptual_hashes)

    def perceptual_hash(self, source: bytes) -> str:
        try:
            return perceptual_hash(source)
        except UnusableImageError as error:
            raise UnusablePhotoError(error.kind.value, error.reason) from None
