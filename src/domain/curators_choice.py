"""Curator's choice: post the highest-rated photo not yet posted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from domain.personas import Persona
from domain.photos import Photo

DEFAULT_CAPTION: Final = "One from the library. 📷"
"""What a photo says that has no caption of its own, of a persona that has none either. Replace it here."""


@dataclass(frozen=True, slots=True)
class CuratorsChoice:
    """Highest score first; of equals the older import, then the lower photo id."""

    persona: Persona

    def candidates(self, best_first: Iterable[Photo]) -> Iterator[Photo]:
        """The photos that may be posted, best first.

        ``best_first`` must come in the order of ``Photo.rank``, descending; it is read only as far as is asked for, and
        never past the first photo under the persona's minimum score.
        """
        for photo in best_first:
            if photo.analysis is not None and photo.analysis.aesthetic_score < self.persona.minimum_score:
                return
            if self.is_candidate(photo):
                yield photo

    def is_candidate(self, photo: Photo) -> bool:
        """Whether ``photo`` may be posted at all: scored, good enough, and without a post."""
        return (
            photo.analysis is not None
            and photo.analysis.aesthetic_score >= self.persona.minimum_score
            and photo.post_slot is None
        )

    def caption(self, photo: Photo) -> str:
        """The photo's own caption, else the persona's, else ``DEFAULT_CAPTION``. An empty one counts as given."""
        for caption in (photo.caption, self.persona.caption):
            if caption is not None:
                return caption
        return DEFAULT_CAPTION
