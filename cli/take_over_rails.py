"""The work behind `import-rails`: the Rails app's photos become ours, and what it posted is never posted by us.

First the photos that are, or may be, on the account; each is marked before it can enter the queue. Then the others.
Whatever it is interrupted by, it can be run again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, cast

from cli.at_once import several_at_once
from cli.import_photos import AT_ONCE
from cli.rails_files import FilesByName
from cli.rails_tables import RailsPhoto, RailsPost, RailsTables
from domain.archive_ports import Marked, RecordArchive
from domain.captions import caption_problem
from domain.ids import MediaId, PersonaId, PhotoId, RunId
from domain.ingest_photo import Given, IngestPhoto, photo_id_of
from domain.intake_ports import UnusablePhotoError
from domain.personas import Persona
from domain.photos import HIGHEST_SCORE, HeldBack, HeldBackFor, Photo, parse_score
from domain.ports import NearDuplicates, PhotoLibrary
from domain.posts import Evidence, Lease, Post, PostStatus
from domain.slots import Slot

BY_RAILS: Final = RunId("import-rails")

_NOT_ASKED: Final = Evidence("NOT_ASKED")
"""So that nobody looks for the media of a post whose id the Rails app did not keep."""

_MOST_SLOTS: Final = 60
"""Seconds that a slot may lie after its post's time, where two posts were made in one second."""


@dataclass(slots=True)
class TakeOverReport:
    free: int = 0
    posted: int = 0
    held_back: int = 0
    left_out: list[str] = field(default_factory=list)
    posted_but_missing: list[str] = field(default_factory=list)
    """On the account, and not in our library: must not come in by another way."""


@dataclass(frozen=True, slots=True)
class _Job:
    photo: RailsPhoto
    persona: Persona
    post: RailsPost | None

    @property
    def is_taken(self) -> bool:
        return self.post is not None or self.photo.is_posted


class _LeftOutError(Exception):
    """The photo cannot be taken in. The text says why."""


class TakeOver:
    """``ingest`` makes the use case from the library that it is to work on."""

    def __init__(
        self,
        *,
        library: PhotoLibrary,
        archive: RecordArchive,
        near_duplicates: NearDuplicates,
        ingest: Callable[[PhotoLibrary], IngestPhoto],
        now: datetime,
        highest_score: float = HIGHEST_SCORE,
    ) -> None:
        self._library = library
        self._archive = archive
        self._near_duplicates = near_duplicates
        self._ingest = ingest(cast("PhotoLibrary", _MarkedFirst(library, self._mark)))
        self._now = now
        self._highest_score = highest_score
        self._fates: dict[tuple[PersonaId, PhotoId], RailsPost | None] = {}
        self.report = TakeOverReport()

    def __call__(
        self,
        tables: RailsTables,
        personas: Mapping[str, Persona],
        files: FilesByName,
        on_photo: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``personas`` gives ours by the Rails app's ids.

        Raises RecordsUnavailableError, ScorerUnavailableError and Defer; run it again then.
        """
        known = {photo.photo_id for photo in tables.photos}
        self.report.left_out += [
            f"scheduling_posts.csv, line {post.line}: its photo {post.photo_id} is not in photos.csv"
            for post in tables.posts.values()
            if post.photo_id not in known
        ]
        jobs = []
        for photo in tables.photos:
            persona = personas.get(photo.persona_id)
            if persona is None:
                self.report.left_out.append(f"{_name(photo)}: its persona {photo.persona_id} has no --persona-map")
                on_photo(photo.file)
            else:
                jobs.append(_Job(photo, persona, tables.posts.get(photo.photo_id)))
        take_in = partial(self._take_in, files=files)
        for is_taken in (True, False):
            some = [job for job in jobs if job.is_taken is is_taken]
            for job, outcome in several_at_once(take_in, some, most=AT_ONCE):
                self._note(job, outcome)
                on_photo(job.photo.file)

    def _take_in(self, job: _Job, *, files: FilesByName) -> tuple[_Job, Photo | str]:
        try:
            file = files.find(job.photo.file)
            if isinstance(file, str):
                raise _LeftOutError(file)
            source = file.read()
            key = (job.persona.persona_id, photo_id_of(source))
            if job.is_taken:
                self._fates.setdefault(key, job.post)
            self._ingest(job.persona, source, self._given(job), imported_at=self._imported_at(job))
            # Once more, for a photo that was in the library, and in its queue, before.
            self._mark(*key)
            photo = self._library.get(*key)
            if photo is None:
                raise _LeftOutError("somebody removed it at the same moment")
            if job.is_taken and photo.burst is not None:
                self._near_duplicates.elect(key[0], photo.burst)
        except (_LeftOutError, UnusablePhotoError) as error:
            return job, str(error)
        except OSError as error:
            return job, f"its file cannot be read: {error.strerror}"
        return job, photo

    def _imported_at(self, job: _Job) -> datetime:
        """A millisecond apart: of equal scores the order of the rows decides."""
        return self._now + timedelta(milliseconds=job.photo.line)

    def _given(self, job: _Job) -> Given:
        """What the Rails app said. Nothing that is wrong with it keeps a photo on the account from being marked."""
        caption = job.photo.caption
        problem = caption_problem(caption) if caption is not None else None
        score: float | None = None
        try:
            if job.photo.score is not None:
                score = parse_score(str(_scaled(job.photo.score, self._highest_score)))
        except ValueError as error:
            problem = f"aesthetic_score is {error}"
        if problem is not None and not job.is_taken:
            raise _LeftOutError(problem)
        return Given(score, caption if problem is None else None)

    def _mark(self, persona_id: PersonaId, photo_id: PhotoId) -> None:
        """Nothing where the photo is free, or has its post already."""
        if (persona_id, photo_id) not in self._fates:
            return
        fate = self._fates[persona_id, photo_id]
        photo = self._library.get(persona_id, photo_id)
        if photo is None or photo.post_slot is not None:
            return
        if fate is not None and fate.is_posted and fate.posted_at is not None:
            first = Slot.by_hand(fate.posted_at)
            for seconds in range(_MOST_SLOTS):
                slot = Slot(first.start + timedelta(seconds=seconds))
                marked = self._archive.mark_posted(_post(persona_id, photo_id, slot, fate))
                if marked is not Marked.SLOT_TAKEN:
                    return
        media_id = MediaId(fate.media_id) if fate is not None and fate.media_id else None
        self._library.hold_back(persona_id, photo_id, HeldBack(HeldBackFor.POSTED_ELSEWHERE, media_id))

    def _note(self, job: _Job, outcome: Photo | str) -> None:
        if isinstance(outcome, str):
            left_out = self.report.posted_but_missing if job.is_taken else self.report.left_out
            left_out.append(f"{_name(job.photo)}: {outcome}")
        elif outcome.post_slot is not None:
            self.report.posted += 1
        elif outcome.held_back is not None:
            self.report.held_back += 1
        else:
            self.report.free += 1


class _MarkedFirst:
    """A library in which a photo is marked before it is admitted to the queue. All else is the library's own."""

    def __init__(self, library: PhotoLibrary, mark: Callable[[PersonaId, PhotoId], None]) -> None:
        self._library = library
        self._mark = mark

    def admit(self, photo: Photo) -> bool:
        self._mark(photo.persona_id, photo.photo_id)
        return self._library.admit(photo)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)


def _post(persona_id: PersonaId, photo_id: PhotoId, slot: Slot, fate: RailsPost) -> Post:
    at = slot.start
    return replace(
        Post(
            persona_id=persona_id,
            slot=slot,
            photo_id=photo_id,
            caption=fate.caption,
            lease=Lease(BY_RAILS, at),
            created_at=at,
            updated_at=at,
        ),
        status=PostStatus.POSTED,
        provider_post_id=MediaId(fate.media_id) if fate.media_id else None,
        posted_at=at,
        evidence=None if fate.media_id else _NOT_ASKED,
    )


def _scaled(score: str, highest: float) -> float | str:
    """A number on our scale of 0 to 10; anything else as it is, to be refused by name."""
    try:
        return float(score) * HIGHEST_SCORE / highest
    except ValueError:
        return score


def _name(photo: RailsPhoto) -> str:
    return f"photo {photo.photo_id} ({photo.file})"
