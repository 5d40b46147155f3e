"""The use case behind an upload: a file that arrived in the bucket becomes a photo, or is put aside with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.captions import alt_text_problem, caption_problem
from domain.ids import PersonaId, PhotoId
from domain.ingest_photo import Given, IngestPhoto, photo_id_of
from domain.intake_ports import Arrived, Inbox, UnusablePhotoError
from domain.personas import parse_persona_id
from domain.photos import parse_score
from domain.ports import Addition, PersonaDirectory, RunLog, UnscorablePictureError

INCOMING: Final = "incoming/"
REJECTED: Final = "rejected/"

LARGEST_FILE: Final = 100_000_000
"""Bytes. No camera's picture is larger, and nothing larger is ever downloaded."""

SCORE, CAPTION, ALT_TEXT = "aesthetic-score", "caption", "alt-text"
"""The object metadata that an owner may give with an upload."""


class Reception(StrEnum):
    """What became of a file."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    """A photo that was known already, whatever its name."""
    REJECTED = "rejected"
    IGNORED = "ignored"
    """No file of a person's: the console's mark of a folder, or a hidden file of a file manager."""
    GONE = "gone"
    """It was taken away before it was looked at, or an earlier delivery of the event put it aside."""


@dataclass(frozen=True, slots=True)
class Receipt:
    reception: Reception
    object_key: str
    persona_id: PersonaId | None = None
    photo_id: PhotoId | None = None
    kind: str | None = None
    """Of a rejected file: the reason in one word or two, as its tag says."""
    reason: str | None = None


class _RefusedError(Exception):
    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


class ReceiveFile:
    def __init__(self, *, inbox: Inbox, personas: PersonaDirectory, ingest: IngestPhoto, log: RunLog) -> None:
        self._inbox = inbox
        self._personas = personas
        self._ingest = ingest
        self._log = log

    def __call__(self, object_key: str) -> Receipt:
        """See to the file at ``object_key``. A second delivery finds the same photo, or nothing any more.

        Raises what ``IngestPhoto`` raises but UnusablePhotoError, and InboxUnavailableError: the event may be delivered
        again after all of them.
        """
        # Whatever an earlier file of the same event left on the lines is not true of this one.
        self._log.about(object_key=object_key, persona_id=None, photo_id=None)
        path = object_key.removeprefix(INCOMING)
        if not object_key.startswith(INCOMING) or not path or path.endswith("/") or _is_hidden(path):
            return Receipt(Reception.IGNORED, object_key)
        arrived = self._inbox.look(object_key)
        if arrived is None:
            self._log.warning("The file is not there any more; if it was put aside, `photos rejected` lists it.")
            return Receipt(Reception.GONE, object_key)
        try:
            return self._receive(arrived, path)
        except (UnusablePhotoError, _RefusedError) as refusal:
            self._inbox.put_aside(arrived, REJECTED + path, refusal.kind, refusal.reason)
            return Receipt(Reception.REJECTED, object_key, kind=refusal.kind, reason=refusal.reason)

    def _receive(self, arrived: Arrived, path: str) -> Receipt:
        folder, slash, _ = path.partition("/")
        if not slash:
            raise _RefusedError("unknown-persona", "It lies in no persona's folder. Upload it to incoming/PERSONA/.")
        try:
            persona_id = parse_persona_id(folder)
        except ValueError as error:
            raise _RefusedError("unknown-persona", f"The folder under incoming/ names the persona: {error}.") from None
        self._log.about(persona_id=persona_id)
        persona = self._personas.get(persona_id)
        if persona is None:
            raise _RefusedError(
                "unknown-persona",
                f"There is no persona {persona_id}. Add it: fluffy-train persona add {persona_id}. Then upload again.",
            )
        if arrived.size > LARGEST_FILE:
            raise _RefusedError(
                "too-large", f"The file has {arrived.size / 1e6:.0f} MB, and 100 MB are taken. Export it smaller."
            )
        given = given_of(arrived.metadata)
        source = self._inbox.read(arrived)
        if source is None:
            return Receipt(Reception.GONE, arrived.object_key, persona_id)
        try:
            done = self._ingest(persona, source, given)
        except UnscorablePictureError as error:
            # It is in the library, and another delivery would bring the same answer: nothing is to be tried again.
            self._log.warning("The photo waits, since the scorer cannot judge it: give it a score.", reason=str(error))
            return Receipt(Reception.ADDED, arrived.object_key, persona_id, photo_id_of(source), reason=str(error))
        reception = {
            Addition.ADDED: Reception.ADDED,
            Addition.UPDATED: Reception.UPDATED,
            Addition.UNCHANGED: Reception.UNCHANGED,
        }[done.addition]
        self._log.about(photo_id=done.photo.photo_id)
        return Receipt(reception, arrived.object_key, persona_id, done.photo.photo_id)


def given_of(metadata: Mapping[str, str]) -> Given:
    """What an object's metadata say of its picture. What they say wrongly is refused rather than passed over: a photo
    would be posted with a score, or without a caption, that its owner never meant.
    """
    score, caption, alt_text = (metadata.get(name, "").strip() or None for name in (SCORE, CAPTION, ALT_TEXT))
    try:
        aesthetic_score = None if score is None else parse_score(score)
    except ValueError as error:
        raise _RefusedError("bad-metadata", f"Its {SCORE} is {error}. Upload it again.") from None
    for text, problem_of in ((caption, caption_problem), (alt_text, alt_text_problem)):
        problem = problem_of(text) if text is not None else None
        if problem is not None:
            raise _RefusedError("bad-metadata", f"In its metadata, {problem}. Upload it again.")
    return Given(aesthetic_score, caption, alt_text)


def _is_hidden(name: str) -> bool:
    return name.rpartition("/")[2].startswith(".")
