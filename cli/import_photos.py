"""The work behind `photos import`: a folder's pictures become photos of a library, several at a time.

Whatever it is interrupted by, it can be run again: what is there is found by its content and left as it is. At most as
many files are in memory as are worked on.
"""

import os
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from adapters.s3 import MOST_CONNECTIONS
from cli.photo_folder import PhotoFile, PhotoFolder
from cli.scores_csv import LeftOut, ScoreRow, Scores, key
from domain.ids import PhotoId
from domain.ingest_photo import Given, Ingested, IngestPhoto, photo_id_of
from domain.intake_ports import UnusablePhotoError
from domain.personas import Persona
from domain.ports import Addition, UnscorablePictureError

AT_ONCE: Final = min(MOST_CONNECTIONS, 4 * (os.cpu_count() or 1))
"""Photos that are worked on at once. Pillow leaves Python's lock alone while it works, and AWS is waited for most of
the time, so that these keep all processors busy.
"""


@dataclass(slots=True)
class ImportReport:
    """What an import has done so far. Photos are counted by their content: twins are one."""

    additions: dict[PhotoId, Addition] = field(default_factory=dict)
    waiting: set[PhotoId] = field(default_factory=set)
    """Neither scored nor posted: never chosen until there is a score."""
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, addition: Addition) -> int:
        return Counter(self.additions.values())[addition]

    def wait(self, photo_id: PhotoId | None) -> None:
        """The photo was taken in without a score."""
        if photo_id is not None:
            self.additions.setdefault(photo_id, Addition.ADDED)
            self.waiting.add(photo_id)

    def record(self, done: Ingested) -> None:
        """A photo that was added stays added, whatever its twin brings."""
        photo_id = done.photo.photo_id
        addition = Addition.UPDATED if done.restored and done.addition is Addition.UNCHANGED else done.addition
        if self.additions.get(photo_id, Addition.UNCHANGED) is Addition.UNCHANGED:
            self.additions[photo_id] = addition
        if done.photo.analysis is None and done.photo.post_slot is None:
            self.waiting.add(photo_id)
        else:
            self.waiting.discard(photo_id)


@dataclass(frozen=True, slots=True)
class _Seen:
    name: str
    row: ScoreRow | None


@dataclass(frozen=True, slots=True)
class _Job:
    file: PhotoFile
    done: "Future[Ingested]"
    photo_id: PhotoId | None = None


class _UnreadableError(Exception):
    """The file cannot be read; the text says why."""


def _failed(error: Exception) -> "Future[Ingested]":
    done: Future[Ingested] = Future()
    done.set_exception(error)
    return done


class PhotoImport:
    """One import into one persona's library. ``report`` is true at any moment, also of an import that was cut off."""

    def __init__(self, persona: Persona, ingest: IngestPhoto, now: datetime) -> None:
        self._persona = persona
        self._ingest = ingest
        self._started_at = now
        self._seen: dict[PhotoId, _Seen] = {}
        self._twins: list[tuple[PhotoFile, PhotoId, ScoreRow | None]] = []
        self._jobs: deque[_Job] = deque()
        self.report = ImportReport()

    def __call__(self, folder: PhotoFolder, scores: Scores, on_file: Callable[[str], None] = lambda _: None) -> None:
        """Import ``folder``; ``on_file`` is told each file's name when it is done.

        A file or row that cannot be used is left out, and named in the report. Raises RecordsUnavailableError, Defer
        and botocore's errors when the records or the bucket cannot be reached, and ScorerUnavailableError; what was
        begun is finished before.
        """
        self._report_rows(folder, scores)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for place, file in enumerate(folder.files):
                    # The row's caption would be lost, so its photo waits until the row is right.
                    if key(file.name) in scores.refused:
                        on_file(file.name)
                    else:
                        self._begin(pool, place, file, scores.rows.get(key(file.name)))
                    while len(self._jobs) > AT_ONCE:
                        self._finish(on_file)
            finally:
                self._finish_all(on_file)
        for file, photo_id, row in self._twins:
            self._import_twin(file, photo_id, row)
            on_file(file.name)

    def _report_rows(self, folder: PhotoFolder, scores: Scores) -> None:
        self.report.notes += folder.notes
        names = {key(file.name) for file in folder.files} | {key(left_out.what) for left_out in folder.left_out}
        unknown = [
            LeftOut(row.what, "there is no such file in the folder", row.line)
            for name, row in scores.rows.items()
            if name not in names
        ]
        self.report.left_out += sorted(scores.left_out + unknown, key=lambda left_out: left_out.line)
        self.report.left_out += folder.left_out

    def _begin(self, pool: ThreadPoolExecutor, place: int, file: PhotoFile, row: ScoreRow | None) -> None:
        try:
            source = file.read()
        except OSError as error:
            self._jobs.append(_Job(file, _failed(_UnreadableError(error.strerror or str(error)))))
            return
        photo_id = photo_id_of(source)
        if photo_id in self._seen:
            # Its first file may be under way, so it is seen to when all of these are done.
            self._twins.append((file, photo_id, row))
            return
        self._seen[photo_id] = _Seen(file.name, row)
        # A millisecond apart, as fine as the records keep them: of equal scores the order of the names decides.
        imported_at = self._started_at + timedelta(milliseconds=place)
        work = partial(self._ingest, self._persona, source, _given(row), imported_at=imported_at)
        self._jobs.append(_Job(file, pool.submit(work), photo_id))

    def _finish(self, on_file: Callable[[str], None]) -> None:
        """The oldest job. Raises what it raised."""
        job = self._jobs.popleft()
        try:
            self.report.record(job.done.result())
        except UnusablePhotoError as error:
            self.report.left_out.append(LeftOut(job.file.name, error.reason))
        except UnscorablePictureError as error:
            # It is in the library, and waits there; asking again would bring the same answer.
            self.report.wait(job.photo_id)
            self.report.notes.append(f"{job.file.name} waits, since the scorer cannot judge it: {error}")
        except _UnreadableError as error:
            self.report.left_out.append(LeftOut(job.file.name, f"it cannot be read: {error}"))
        on_file(job.file.name)

    def _finish_all(self, on_file: Callable[[str], None]) -> None:
        """Every job that was begun, also when one fails; the first failure is raised then."""
        failure: Exception | None = None
        while self._jobs:
            try:
                self._finish(on_file)
            except Exception as error:  # noqa: BLE001 - raised below
                failure = failure or error
        if failure is not None:
            raise failure

    def _import_twin(self, file: PhotoFile, photo_id: PhotoId, row: ScoreRow | None) -> None:
        """The same picture under a second name: one photo, of which the first row counts."""
        first = self._seen[photo_id]
        if photo_id not in self.report.additions:
            self.report.left_out.append(LeftOut(file.name, f"it is the same file as {first.name}"))
            return
        self.report.notes.append(f"{file.name} is the same picture as {first.name}; they are one photo")
        if row is None or (first.row is not None and row.facts == first.row.facts):
            return
        if first.row is not None:
            reason = f"it says otherwise than {first.row.what} of the same picture; that one counts"
            self.report.left_out.append(LeftOut(row.what, reason))
            return
        self.report.record(self._ingest(self._persona, file.read(), _given(row)))
        self._seen[photo_id] = _Seen(file.name, row)


def _given(row: ScoreRow | None) -> Given:
    return Given() if row is None else Given(row.aesthetic_score, row.caption, row.alt_text)
