"""The work behind `photos import`: a folder's pictures become renditions in the bucket and photos in the library.

Whatever it is interrupted by, it can be run again: what is there is found by its content and left as it is. The
rendition is stored before the record, so that no photo is ever chosen whose file is missing.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from adapters.imaging import UnusableImageError, make_rendition
from cli.photo_folder import PhotoFile, PhotoFolder
from cli.scores_csv import LeftOut, ScoreRow, Scores, key
from domain.ids import PersonaId, PhotoId
from domain.photos import GIVEN, Photo, PhotoAnalysis
from domain.ports import Addition, Clock, PhotoLibrary


class RenditionStore(Protocol):
    """The part of ``adapters.s3.S3Renditions`` that an import needs."""

    def exists(self, object_key: str) -> bool: ...

    def put(self, object_key: str, jpeg: bytes) -> None: ...


@dataclass(slots=True)
class ImportReport:
    """What an import has done so far. Photos are counted by their content: twins are one."""

    additions: dict[PhotoId, Addition] = field(default_factory=dict)
    waiting: set[PhotoId] = field(default_factory=set)
    """Neither scored nor posted: never chosen until a score is given."""
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, addition: Addition) -> int:
        return Counter(self.additions.values())[addition]

    def record(self, photo_id: PhotoId, addition: Addition) -> None:
        """A photo that was added stays added, whatever its twin brings."""
        if self.additions.get(photo_id, Addition.UNCHANGED) is Addition.UNCHANGED:
            self.additions[photo_id] = addition


@dataclass(frozen=True, slots=True)
class _Seen:
    name: str
    row: ScoreRow | None


class PhotoImport:
    """One import into one persona's library. ``report`` is true at any moment, also of an import that was cut off."""

    def __init__(
        self,
        persona_id: PersonaId,
        *,
        library: PhotoLibrary,
        renditions: RenditionStore,
        clock: Clock,
    ) -> None:
        self._persona_id = persona_id
        self._library = library
        self._renditions = renditions
        self._clock = clock
        self._seen: dict[PhotoId, _Seen] = {}
        self._last_import: datetime | None = None
        self.report = ImportReport()

    def __call__(self, folder: PhotoFolder, scores: Scores, on_file: Callable[[str], None] = lambda _: None) -> None:
        """Import ``folder``; ``on_file`` is told each file's name when it is done.

        A file or row that cannot be used is left out, and named in the report. Raises RecordsUnavailableError, Defer
        and botocore's errors when the records or the bucket cannot be reached.
        """
        self.report.notes += folder.notes
        names = {key(file.name) for file in folder.files} | {key(left_out.what) for left_out in folder.left_out}
        unknown = [
            LeftOut(row.what, "there is no such file in the folder", row.line)
            for name, row in scores.rows.items()
            if name not in names
        ]
        self.report.left_out += sorted(scores.left_out + unknown, key=lambda left_out: left_out.line)
        self.report.left_out += folder.left_out
        for file in folder.files:
            # The row's caption would be lost, so its photo waits until the row is right.
            if key(file.name) not in scores.refused:
                self._import(file, scores.rows.get(key(file.name)))
            on_file(file.name)

    def _import(self, file: PhotoFile, row: ScoreRow | None) -> None:
        try:
            source = file.read()
            photo_id = PhotoId(hashlib.sha256(source).hexdigest())
            if photo_id in self._seen:
                self._import_twin(self._seen[photo_id], file, photo_id, row)
                return
            known = self._library.get(self._persona_id, photo_id)
            if known is None:
                self._add(photo_id, source, row)
            else:
                restored = self._restore(known, source)
                self._update(known, row, restored=restored)
        except OSError as error:
            self.report.left_out.append(LeftOut(file.name, f"it cannot be read: {error.strerror or error}"))
        except UnusableImageError as error:
            self.report.left_out.append(LeftOut(file.name, error.reason))
        else:
            self._seen[photo_id] = _Seen(file.name, row)

    def _import_twin(self, first: _Seen, file: PhotoFile, photo_id: PhotoId, row: ScoreRow | None) -> None:
        """The same picture under a second name: one photo, of which the first row counts."""
        self.report.notes.append(f"{file.name} is the same picture as {first.name}; they are one photo")
        if row is None or (first.row is not None and row.facts == first.row.facts):
            return
        if first.row is not None:
            reason = f"it says otherwise than {first.row.what} of the same picture; that one counts"
            self.report.left_out.append(LeftOut(row.what, reason))
            return
        known = self._library.get(self._persona_id, photo_id)
        if known is not None:
            self._update(known, row)
        self._seen[photo_id] = _Seen(file.name, row)

    def _add(self, photo_id: PhotoId, source: bytes, row: ScoreRow | None) -> None:
        rendition = make_rendition(source)
        object_key = f"library/{self._persona_id}/{photo_id}.jpg"
        self._renditions.put(object_key, rendition.jpeg)
        photo = Photo(
            persona_id=self._persona_id,
            photo_id=photo_id,
            object_key=object_key,
            width=rendition.width,
            height=rendition.height,
            imported_at=self._next_instant(),
        )
        photo = self._as_row_says(photo, row)
        self._record(photo, self._library.add(photo))

    def _update(self, known: Photo, row: ScoreRow | None, *, restored: bool = False) -> None:
        """Bring a known photo up to date where the row says something. An empty cell takes nothing away."""
        said = self._as_row_says(known, row)
        addition = Addition.UNCHANGED if row is None else self._library.add(said)
        if restored and addition is Addition.UNCHANGED:
            addition = Addition.UPDATED
        self._record(replace(known, analysis=said.analysis or known.analysis), addition)

    def _restore(self, known: Photo, source: bytes) -> bool:
        """Store the rendition again where the bucket has lost it."""
        if self._renditions.exists(known.object_key):
            return False
        self._renditions.put(known.object_key, make_rendition(source).jpeg)
        return True

    def _as_row_says(self, photo: Photo, row: ScoreRow | None) -> Photo:
        """``photo`` with what the row gives, and nothing where it gives nothing: the library keeps that."""
        if row is None or row.aesthetic_score is None:
            analysis = None
        else:
            analysis = PhotoAnalysis(row.aesthetic_score, GIVEN, self._clock.now())
        caption, alt_text = (row.caption, row.alt_text) if row else (None, None)
        return replace(photo, caption=caption, alt_text=alt_text, analysis=analysis)

    def _record(self, photo: Photo, addition: Addition) -> None:
        self.report.record(photo.photo_id, addition)
        if photo.analysis is None and photo.post_slot is None:
            self.report.waiting.add(photo.photo_id)
        else:
            self.report.waiting.discard(photo.photo_id)

    def _next_instant(self) -> datetime:
        """Now, and later than the photo before by the millisecond that the records keep: ties go by name."""
        now = self._clock.now()
        if self._last_import is not None:
            now = max(now, self._last_import + timedelta(milliseconds=1))
        self._last_import = now
        return now
