"""The use case that puts an exported record back, under one rule: nothing may be posted twice because of it.

Whatever it is interrupted by, it can be run again. Three walks over the lines: personas, then posts, then photos, so
that a photo with a post is never in the queue for a moment; and of a burst nothing is queued before all of it is there.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from domain.archive_ports import RecordArchive, Restored
from domain.faults import FaultRecord
from domain.ids import PersonaId, PhotoId
from domain.personas import Persona
from domain.photos import Photo
from domain.ports import NearDuplicates, PersonaDirectory, PostLedger, Renditions
from domain.posts import Evidence, Post, PostStatus
from domain.record_lines import BadLineError, Record, from_line
from domain.slots import Slot

EXPORTED_WHILE_OPEN: Final = "ExportedWhileOpen"

NOT_SENT: Final = FaultRecord(
    EXPORTED_WHILE_OPEN,
    "The post was under way, and not sent, when the records were exported. The stack that they came from may have sent "
    "it since. If it is not on the account, retry it.",
)
SENT: Final = FaultRecord(
    EXPORTED_WHILE_OPEN,
    "The post had been sent, and Instagram had not said whether it is live, when the records were exported. Look at "
    "the account.",
)
NOT_ASKED: Final = "NOT_ASKED"
"""The container's status, in the evidence on a post that was sent by another stack."""

_MAYBE_LIVE: Final = frozenset({PostStatus.POSTED, PostStatus.UNCONFIRMED})

Line = tuple[int, str]


class Each(Protocol):
    """``map``, or several at a time; in order."""

    def __call__(self, do: Callable[[Any], Any], things: Iterable[Any], /) -> Iterable[Any]: ...


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that was left out, or a record that stands there already and differs."""

    line: int
    reason: str


@dataclass(slots=True)
class ImportReport:
    counts: Counter[tuple[str, Restored]] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    differing: list[Problem] = field(default_factory=list)
    closed: int = 0
    """Posts that were under way when they were exported."""
    removed: set[PersonaId] = field(default_factory=set)
    """Whose posts and photos were put back, or were there, without a persona: nothing is posted for them."""


class _LeftOutError(Exception):
    """The record is not put back. The text says why."""


def closed(post: Post) -> Post:
    """The post as another stack may have it: never one under way, which two stacks would both send.

    One that was sent may be live: ``unconfirmed``. One that was not sent may be sent yet by the stack that it came
    from, so it is ``failed`` and keeps its photo out of the queue, until its owner retries it.
    """
    if post.status is not PostStatus.POSTING:
        return post
    if post.is_fenced:
        return post.as_unconfirmed(SENT, Evidence(NOT_ASKED), post.updated_at)
    return post.as_failed(NOT_SENT, post.updated_at)


class ImportRecords:
    def __init__(
        self,
        *,
        personas: PersonaDirectory,
        archive: RecordArchive,
        ledger: PostLedger,
        near_duplicates: NearDuplicates,
        renditions: Renditions | None = None,
    ) -> None:
        """With ``renditions``, a photo that may be posted, and whose file is not there, is left out."""
        self._personas = personas
        self._archive = archive
        self._ledger = ledger
        self._near_duplicates = near_duplicates
        self._renditions = renditions
        self._has_persona: dict[PersonaId, bool] = {}
        self._live: dict[tuple[PersonaId, PhotoId], Slot] = {}
        self._bursts: set[tuple[PersonaId, PhotoId]] = set()
        self.report = ImportReport()

    def __call__(
        self, lines: Callable[[], Iterable[Line]], *, each: Each = map, on_line: Callable[[], None] = lambda: None
    ) -> ImportReport:
        """Put back what ``lines`` gives, which is asked three times. ``on_line`` is told of each line that is done.

        A line that cannot be used is named in the report, and the rest goes on. Raises RecordsUnavailableError, and
        Defer where the bucket does not say whether a file is there; run it again then.
        """
        for kind in (Persona, Post, Photo):
            for line, record, outcome in each(self._restore, self._of_kind(lines(), kind, on_line)):
                self._note(line, record, outcome)
                on_line()
        for persona_id, burst in sorted(self._bursts):
            # A removed persona's queue was emptied. An election would put a photo in it that nobody imported again.
            if self._is_there(persona_id):
                self._near_duplicates.elect(persona_id, burst)
        return self.report

    def _of_kind(
        self, lines: Iterable[Line], kind: type[Record], on_line: Callable[[], None]
    ) -> Iterator[tuple[int, Record]]:
        for number, line in lines:
            try:
                record = from_line(line)
            except BadLineError as error:
                if kind is Persona:
                    self.report.problems.append(Problem(number, str(error)))
                    on_line()
                continue
            if isinstance(record, kind):
                yield number, record

    def _restore(self, numbered: tuple[int, Record]) -> tuple[int, Record, Restored | _LeftOutError]:
        line, record = numbered
        try:
            if isinstance(record, Persona):
                return line, record, self._archive.restore_persona(record)
            if isinstance(record, Post):
                return line, record, self._archive.restore_post(closed(record))
            return line, record, self._archive.restore_photo(self._fitting(record))
        except _LeftOutError as why:
            return line, record, why

    def _is_there(self, persona_id: PersonaId) -> bool:
        if persona_id not in self._has_persona:
            self._has_persona[persona_id] = self._personas.get(persona_id) is not None
        return self._has_persona[persona_id]

    def _fitting(self, photo: Photo) -> Photo:
        """The photo with the post that it must have."""
        slot = photo.post_slot or self._live.get((photo.persona_id, photo.photo_id))
        if slot is not None:
            post = self._ledger.get(photo.persona_id, slot)
            if post is None:
                raise _LeftOutError(f"its post {slot} is neither in the file nor in the stack")
            if post.photo_id != photo.photo_id:
                raise _LeftOutError(f"its post {slot} has another photo")
        fitting = replace(photo, post_slot=slot)
        if self._renditions is not None and _may_be_queued(fitting) and not self._renditions.exists(photo.object_key):
            raise _LeftOutError(f"its file {photo.object_key} is not in the bucket")
        return fitting

    def _note(self, line: int, record: Record, outcome: Restored | _LeftOutError) -> None:
        if isinstance(outcome, _LeftOutError):
            self.report.problems.append(Problem(line, str(outcome)))
            return
        kind = type(record).__name__.lower()
        self.report.counts[kind, outcome] += 1
        if not isinstance(record, Persona) and not self._is_there(record.persona_id):
            self.report.removed.add(record.persona_id)
        if outcome is Restored.DIFFERENT:
            self.report.differing.append(Problem(line, _name(record)))
        if isinstance(record, Post):
            self.report.closed += record.status is PostStatus.POSTING and outcome is Restored.ADDED
            if closed(record).status in _MAYBE_LIVE:
                self._live[record.persona_id, record.photo_id] = record.slot
        if isinstance(record, Photo) and record.burst is not None:
            self._bursts.add((record.persona_id, record.burst))


def _may_be_queued(photo: Photo) -> bool:
    """Not so, it keeps its picture from being posted again, and nobody needs its file for that."""
    return photo.post_slot is None and photo.held_back is None


def _name(record: Record) -> str:
    match record:
        case Persona():
            return f"the persona {record.persona_id}"
        case Post():
            return f"the post {record.persona_id} {record.slot}"
        case Photo():
            return f"the photo {record.photo_id} of {record.persona_id}"
