"""The work behind `photos rescore`: what is unposted gets the score of the scorer that the stack has now.

Whatever it is interrupted by, it can be run again: what has the scorer's score is left as it is. A score that the owner
gave is never touched.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Lock
from typing import Any, Final, Protocol

from domain.ids import PersonaId, PhotoId
from domain.photos import GIVEN, HeldBackFor, Photo
from domain.ports import NearDuplicates, PhotoLibrary, PhotoScorer, UnscorablePictureError

AT_ONCE: Final = 8
"""Photos that are read and scored at once: S3 and Bedrock are waited for, and Pillow lets other threads run."""

_AHEAD: Final = 2 * AT_ONCE
"""Photos that are taken on before an earlier one is done. So many renditions are in memory at the most."""

_PLACE_DIGITS: Final = 8


class RenditionReader(Protocol):
    """The part of ``adapters.s3.S3Renditions`` that is needed here."""

    def read(self, object_key: str) -> bytes | None: ...


@dataclass(slots=True)
class RescoreReport:
    """What was done so far."""

    scored: int = 0
    current: int = 0
    """Photos that had the scorer's score already, or the owner's own."""
    missing: list[PhotoId] = field(default_factory=list)
    """Their rendition is not in the bucket."""
    unscorable: dict[PhotoId, str] = field(default_factory=dict)
    """Why, for each photo that the scorer gives no score for."""
    awaiting: list[PhotoId] = field(default_factory=list)
    """They were never linked to what they look like, and stay out of the queue until then."""

    @property
    def passed_over(self) -> int:
        return len(self.missing) + len(self.unscorable)


class Rescore:
    """One pass through one persona's library. ``report`` is true at any moment, also of a pass that was cut off."""

    def __init__(
        self,
        persona_id: PersonaId,
        *,
        library: PhotoLibrary,
        near_duplicates: NearDuplicates,
        renditions: RenditionReader,
        scorer: PhotoScorer,
    ) -> None:
        self._persona_id = persona_id
        self._library = library
        self._near_duplicates = near_duplicates
        self._renditions = renditions
        self._scorer = scorer
        self._lock = Lock()
        self.report = RescoreReport()

    def __call__(self, on_progress: Callable[[float, int], None] = lambda *_: None) -> None:
        """Score what needs it; ``on_progress`` is told the part of the library that is done, and how many were scored.

        Raises ScorerUnavailableError, RecordsUnavailableError and botocore's errors. What is under way then, and at
        Ctrl-C, is brought to its end first.
        """
        bursts: set[PhotoId] = set()
        photos = self._in_need(bursts, on_progress)
        under_way: set[Future[None]] = set()
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            while True:
                under_way |= {pool.submit(self._score, photo) for photo in islice(photos, _AHEAD - len(under_way))}
                if not under_way:
                    break
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for one in done:
                    one.result()
        finally:
            pool.shutdown(cancel_futures=True)
        for burst in sorted(bursts):
            self._near_duplicates.elect(self._persona_id, burst)
        on_progress(1.0, self.report.scored)

    def _in_need(self, bursts: set[PhotoId], on_progress: Callable[[float, int], None]) -> Iterator[Photo]:
        """The photos to be scored, lazily. Of the others, the bursts are added to ``bursts``.

        A pass that was killed may have scored the best of a burst without electing it, so these are looked at anew.
        """
        for photo in self._library.every(self._persona_id):
            on_progress(place_of(photo.photo_id), self.report.scored)
            if not _may_be_posted(photo):
                continue
            if photo.awaits_linking:
                self.report.awaiting.append(photo.photo_id)
            if self._needs_score(photo):
                yield photo
            else:
                self.report.current += 1
                if photo.burst is not None:
                    bursts.add(photo.burst)

    def _needs_score(self, photo: Photo) -> bool:
        return photo.analysis is None or photo.analysis.scorer not in {GIVEN, self._scorer.name}

    def _score(self, photo: Photo) -> None:
        rendition = self._renditions.read(photo.object_key)
        if rendition is None:
            self.report.missing.append(photo.photo_id)
            return
        try:
            analysis = self._scorer.score(rendition)
        except UnscorablePictureError as error:
            self.report.unscorable[photo.photo_id] = str(error)
            return
        # Scoring may take a while: meanwhile it may be posted, or its owner may give it a score, which wins.
        standing = self._library.get(photo.persona_id, photo.photo_id)
        if standing is None or not _may_be_posted(standing) or not self._needs_score(standing):
            return
        self._library.add(replace(standing, analysis=analysis, caption=None, alt_text=None, perceptual_hashes=()))
        if standing.burst is not None:
            self._near_duplicates.elect(standing.persona_id, standing.burst)
        with self._lock:
            self.report.scored += 1


def rescored(report: RescoreReport) -> dict[str, Any]:
    """The report, for JSON."""
    return {
        "scored": report.scored,
        "current": report.current,
        "missing_renditions": list(report.missing),
        "unscorable": dict(report.unscorable),
        "awaiting_linking": list(report.awaiting),
    }


def place_of(photo_id: PhotoId) -> float:
    """How far through a library its photos' listing is at this one, from 0 to 1: ids are hashes, so they lie evenly.

    It costs nothing, where counting would read the whole library once more.
    """
    return int(photo_id[:_PLACE_DIGITS], 16) / 16**_PLACE_DIGITS


def _may_be_posted(photo: Photo) -> bool:
    """Nothing is on the account yet. What is skipped may be taken back, and then needs its score."""
    is_elsewhere = photo.held_back is not None and photo.held_back.reason is HeldBackFor.POSTED_ELSEWHERE
    return photo.post_slot is None and not is_elsewhere
