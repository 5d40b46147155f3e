"""Scores a photo by measuring it: free, offline, and the same every time."""

from adapters.imaging import UnusableImageError, measure
from adapters.imaging.measures import SCORER
from domain.photos import PhotoAnalysis
from domain.ports import Clock, UnscorablePictureError


class MeasuredScorer:
    """Implements ``domain.ports.PhotoScorer``. What the measures are, and what they miss, ``adapters.imaging`` says."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @property
    def name(self) -> str:
        return SCORER

    def score(self, jpeg: bytes) -> PhotoAnalysis:
        try:
            measures = measure(jpeg)
        except UnusableImageError as error:
            raise UnscorablePictureError(f"The photo cannot be measured. {error.reason}") from None
        return PhotoAnalysis(
            aesthetic_score=measures.aesthetic_score,
            scorer=measures.scorer,
            analysed_at=self._clock.now(),
            sharpness=measures.sharpness,
            exposure=measures.exposure,
        )
