"""The use case that takes a picture into a persona's library: prepared, scored, linked to what it looks like, queued.

Whatever it is interrupted by, it can be run again with the same bytes. The rendition is stored before the record, so
that no photo is ever chosen whose file is missing; and the photo is queued last, when it is known what it looks like.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from domain.ids import PersonaId, PhotoId
from domain.intake_ports import Darkroom, RenditionStore
from domain.near_duplicates import DEFAULT_DISTANCE
from domain.personas import Persona
from domain.photos import GIVEN, Photo, PhotoAnalysis
from domain.ports import Addition, Clock, NearDuplicates, PhotoLibrary, PhotoScorer, ScorerUnavailableError


@dataclass(frozen=True, slots=True)
class Given:
    """What the owner says of a picture. None where nothing is said, which takes nothing away."""

    aesthetic_score: float | None = None
    caption: str | None = None
    alt_text: str | None = None


@dataclass(frozen=True, slots=True)
class Ingested:
    """``photo`` is as the library has it now; ``restored`` tells that the bucket had lost its rendition."""

    photo: Photo
    addition: Addition
    restored: bool = False


class IngestPhoto:
    def __init__(
        self,
        *,
        library: PhotoLibrary,
        near_duplicates: NearDuplicates,
        renditions: RenditionStore,
        darkroom: Darkroom,
        scorer: PhotoScorer,
        clock: Clock,
        distance: int = DEFAULT_DISTANCE,
    ) -> None:
        self._library = library
        self._near_duplicates = near_duplicates
        self._renditions = renditions
        self._darkroom = darkroom
        self._scorer = scorer
        self._clock = clock
        self._distance = distance

    def __call__(
        self, persona: Persona, source: bytes, given: Given = Given(), *, imported_at: datetime | None = None
    ) -> Ingested:
        """Take ``source``, a file's bytes, into the persona's library. ``imported_at`` is now, unless it is told.

        Raises UnusablePhotoError for a file that can never be posted, and then nothing is written; for what another
        try may mend, ScorerUnavailableError (the photo is in the library then, and waits for its score), Defer where
        the bucket does not answer, and RecordsUnavailableError.
        """
        photo_id = photo_id_of(source)
        known = self._library.get(persona.persona_id, photo_id)
        if known is None:
            return self._take_in(persona, source, given, imported_at or self._clock.now())
        return self._bring_up_to_date(known, persona, source, given)

    def _take_in(self, persona: Persona, source: bytes, given: Given, imported_at: datetime) -> Ingested:
        prepared = self._darkroom.prepare(source, persona.fit)
        photo_id = photo_id_of(source)
        object_key = rendition_key(persona.persona_id, photo_id)
        self._renditions.put(object_key, prepared.jpeg)
        photo = Photo(
            persona_id=persona.persona_id,
            photo_id=photo_id,
            object_key=object_key,
            width=prepared.width,
            height=prepared.height,
            imported_at=imported_at,
            caption=given.caption,
            alt_text=given.alt_text,
            perceptual_hashes=prepared.perceptual_hashes,
            awaits_linking=True,
        )
        analysis, trouble = self._analysis(given, prepared.jpeg)
        photo = replace(photo, analysis=analysis)
        addition = self._library.add(photo)
        photo = self._link(photo)
        if trouble is not None:
            raise trouble
        return Ingested(photo, addition)

    def _bring_up_to_date(self, known: Photo, persona: Persona, source: bytes, given: Given) -> Ingested:
        """What is missing of a known photo is made up for. Where it is complete, ``source`` is not even looked at."""
        is_lost = not self._renditions.exists(known.object_key)
        is_unscored = known.analysis is None and given.aesthetic_score is None
        hashes = known.perceptual_hashes
        said = replace(known, caption=given.caption, alt_text=given.alt_text, analysis=None, perceptual_hashes=())
        trouble: ScorerUnavailableError | None = None
        if given.aesthetic_score is not None:
            said = replace(said, analysis=self._given(given.aesthetic_score))
        if is_lost or is_unscored or not hashes:
            prepared = self._darkroom.prepare(source, persona.fit)
            if is_lost:
                self._renditions.put(known.object_key, prepared.jpeg)
            if is_unscored:
                analysis, trouble = self._analysis(given, prepared.jpeg)
                said = replace(said, analysis=analysis)
            hashes = hashes or prepared.perceptual_hashes
        addition = Addition.UNCHANGED if _says_nothing(said, known) else self._library.add(said)
        photo = known if addition is Addition.UNCHANGED else self._standing(known)
        if known.awaits_linking or not known.perceptual_hashes:
            photo = self._link(replace(photo, perceptual_hashes=hashes))
            if not known.perceptual_hashes:
                # Last, since a photo that has them counts as linked.
                addition = self._library.add(replace(said, analysis=None, perceptual_hashes=hashes))
                photo = self._standing(photo)
        elif photo.burst is not None:
            # Whether or not something is new: an earlier run may have ended between its last write and this.
            self._near_duplicates.elect(photo.persona_id, photo.burst)
        if trouble is not None:
            raise trouble
        return Ingested(photo, addition, restored=is_lost)

    def _analysis(self, given: Given, jpeg: bytes) -> tuple[PhotoAnalysis | None, ScorerUnavailableError | None]:
        """The owner's score wins over any other. Without a scorer the photo is kept, and waits for its score."""
        if given.aesthetic_score is not None:
            return self._given(given.aesthetic_score), None
        try:
            return self._scorer.score(jpeg), None
        except ScorerUnavailableError as trouble:
            return None, trouble

    def _given(self, aesthetic_score: float) -> PhotoAnalysis:
        return PhotoAnalysis(aesthetic_score, GIVEN, self._clock.now())

    def _link(self, photo: Photo) -> Photo:
        """Link the photo to all that it looks like, and give it the place in the queue that it deserves."""
        self._near_duplicates.note(photo)
        for alike, _ in self._near_duplicates.near(photo.persona_id, photo.perceptual_hashes, self._distance):
            if alike != photo.photo_id:
                self._near_duplicates.join(photo.persona_id, photo.photo_id, alike)
        is_queued = self._library.admit(photo)
        photo = self._standing(photo)
        if not is_queued and photo.burst is not None:
            self._near_duplicates.elect(photo.persona_id, photo.burst)
        return photo

    def _standing(self, photo: Photo) -> Photo:
        return self._library.get(photo.persona_id, photo.photo_id) or photo


def _says_nothing(said: Photo, known: Photo) -> bool:
    return said == replace(known, caption=None, alt_text=None, analysis=None)


def photo_id_of(source: bytes) -> PhotoId:
    """The SHA-256 of an uploaded file's bytes: the same picture under another name is the same photo."""
    return PhotoId(hashlib.sha256(source).hexdigest())


def rendition_key(persona_id: PersonaId, photo_id: PhotoId) -> str:
    """Where a photo's rendition stands in the bucket."""
    return f"library/{persona_id}/{photo_id}.jpg"
