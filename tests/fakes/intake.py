"""What takes photos in, in memory: the darkroom, the scorer, the renditions' bucket and the inbox."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from domain.ids import PhotoId
from domain.ingest_photo import Given, Ingested, IngestPhoto, photo_id_of
from domain.intake_ports import Arrived, PreparedPhoto, UnusablePhotoError
from domain.personas import Fit, Persona
from domain.photos import Photo, PhotoAnalysis
from domain.ports import Claim, Clock, ScorerUnavailableError
from domain.receive_file import ReceiveFile
from fakes.clock import FakeClock
from fakes.library import a_persona, a_photo_id, a_post
from fakes.records import FakeNearDuplicates, FakePersonaDirectory, FakePhotoLibrary, FakePostLedger, FakeRecords
from fakes.run_log import FakeRunLog
from fakes.struck import Strike

SHARPNESS, EXPOSURE = 0.25, 0.5
NOTHING: Final = Given()


def a_file(name: str, *, looks_like: str | None = None, score: float = 5.0) -> bytes:
    """A file's bytes. What it ``looks_like`` decides its hash, and ``score`` what the scorer finds in it."""
    return f"{name}|{looks_like or name}|{score}".encode()


def hash_of(look: str) -> str:
    """Two looks that differ are 20 bits or more apart, of those that the tests use."""
    return a_photo_id(look)[:16]


class FakeDarkroom:
    """Its renditions begin with the fit. A file that begins with ``bad`` is none that it can use."""

    def __init__(self) -> None:
        self.prepared: list[tuple[bytes, Fit]] = []

    def prepare(self, source: bytes, fit: Fit) -> PreparedPhoto:
        self.prepared.append((source, fit))
        if source.startswith(b"bad"):
            raise UnusablePhotoError("damaged", "The file is damaged. Copy it again.")
        look = source.decode().split("|")[1]
        return PreparedPhoto(fit.value.encode() + b"|" + source, 1080, 1350, (hash_of(look),))


class FakeScorer:
    name = "fake 1"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.is_down = False
        self.scored: list[bytes] = []

    def score(self, jpeg: bytes) -> PhotoAnalysis:
        if self.is_down:
            raise ScorerUnavailableError("The scorer does not answer.")
        self.scored.append(jpeg)
        score = float(jpeg.decode().rpartition("|")[2])
        return PhotoAnalysis(score, self.name, self._clock.now(), SHARPNESS, EXPOSURE)


class FakeRenditionStore:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def link(self, object_key: str) -> str:
        return f"https://bucket.example/{object_key}?signature=secret"

    def exists(self, object_key: str) -> bool:
        return object_key in self.files

    def put(self, object_key: str, jpeg: bytes) -> None:
        self.files[object_key] = jpeg

    def read(self, object_key: str) -> bytes | None:
        return self.files.get(object_key)


@dataclass(frozen=True)
class Upload:
    content: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    """What the bucket says, where that is not the content's length."""


class FakeInbox:
    """A bucket that keeps each version. ``aside`` has what was put there, with its kind and reason."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Upload]] = {}
        self.aside: dict[str, tuple[bytes, str, str]] = {}
        self.read_keys: list[str] = []
        self.after_look: Callable[[], None] = lambda: None
        self._versions = count(1)

    def upload(
        self, object_key: str, content: bytes, metadata: Mapping[str, str] | None = None, *, size: int | None = None
    ) -> None:
        versions = self.files.setdefault(object_key, {})
        size = len(content) if size is None else size
        versions[f"v{next(self._versions)}"] = Upload(content, metadata or {}, size)

    def content(self) -> object:
        """What lies where."""
        return {key: dict(versions) for key, versions in self.files.items()}, dict(self.aside)

    def take_away(self, object_key: str) -> None:
        del self.files[object_key]

    def look(self, object_key: str) -> Arrived | None:
        versions = self.files.get(object_key)
        if not versions:
            return None
        version, upload = list(versions.items())[-1]
        arrived = Arrived(object_key, upload.size, version, upload.metadata)
        self.after_look()
        return arrived

    def read(self, arrived: Arrived) -> bytes | None:
        self.read_keys.append(arrived.object_key)
        upload = self.files.get(arrived.object_key, {}).get(arrived.version or "")
        return None if upload is None else upload.content

    def put_aside(self, arrived: Arrived, object_key: str, kind: str, reason: str) -> None:
        versions = self.files.get(arrived.object_key, {})
        upload = versions.pop(arrived.version or "", None)
        if upload is not None:
            self.aside[object_key] = (upload.content, kind, reason)


class Intake:
    """What takes photos in, with a fake behind every port and one persona."""

    def __init__(self, persona: Persona | None = None) -> None:
        self.clock = FakeClock()
        self.records = FakeRecords()
        self.personas = FakePersonaDirectory(self.records)
        self.library = FakePhotoLibrary(self.records)
        self.ledger = FakePostLedger(self.records)
        self.near_duplicates = FakeNearDuplicates(self.records)
        self.renditions = FakeRenditionStore()
        self.darkroom = FakeDarkroom()
        self.scorer = FakeScorer(self.clock)
        self.inbox = FakeInbox()
        self.log = FakeRunLog()
        self.persona = persona or a_persona()
        self.personas.add(self.persona)

    def ingest_photo(self, strike: Strike | None = None) -> IngestPhoto:
        over = (strike or Strike()).over
        return IngestPhoto(
            library=over(self.library),
            near_duplicates=over(self.near_duplicates),
            renditions=over(self.renditions),
            darkroom=over(self.darkroom),
            scorer=over(self.scorer),
            clock=self.clock,
        )

    def receive_file(self, strike: Strike | None = None) -> ReceiveFile:
        over = (strike or Strike()).over
        return ReceiveFile(
            inbox=over(self.inbox),
            personas=over(self.personas),
            ingest=self.ingest_photo(strike),
            log=self.log,
        )

    def ingest(self, source: bytes, given: Given = NOTHING) -> Ingested:
        return self.ingest_photo()(self.persona, source, given)

    def photo(self, source: bytes) -> Photo:
        """The photo as the records have it now."""
        return self.records.photos[self.persona.persona_id, photo_id_of(source)]

    def queue(self) -> list[PhotoId]:
        return [photo.photo_id for photo in self.library.best_first(self.persona.persona_id)]

    def post_best(self) -> PhotoId:
        """Claim the best photo for nine o'clock."""
        best = self.queue()[0]
        if self.ledger.claim(a_post(photo_id=best)) is not Claim.WON:
            raise ValueError(f"{best} cannot be claimed")
        return best

    def state(self) -> object:
        """All that can be seen of it from outside."""
        photos, noted = dict(self.records.photos), dict(self.records.noted)
        return photos, noted, self.queue(), dict(self.renditions.files), self.inbox.content()
