"""Where pictures are made ready: the port of the domain over this package."""

from adapters.imaging.errors import UnusableImageError
from adapters.imaging.preparation import perceptual_hash, prepare_photo
from domain.intake_ports import PreparedPhoto, UnusablePhotoError
from domain.personas import Fit


class ImagingDarkroom:
    """Implements ``domain.intake_ports.Darkroom`` and ``domain.account_media.Eye``."""

    def prepare(self, source: bytes, fit: Fit) -> PreparedPhoto:
        try:
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
