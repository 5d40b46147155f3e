"""The use case that reads a library's whole record, in an order in which it can be put back."""

from collections.abc import Iterator
from dataclasses import dataclass

from domain.archive_ports import RecordArchive
from domain.ids import PersonaId
from domain.personas import Persona
from domain.ports import PersonaDirectory, PostLedger
from domain.record_lines import Record
from domain.slots import Slot


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose records are read. ``removed`` are those that have no persona any more, but posts or photos."""

    personas: tuple[Persona, ...] = ()
    removed: tuple[PersonaId, ...] = ()


class ExportRecords:
    def __init__(self, *, personas: PersonaDirectory, archive: RecordArchive, ledger: PostLedger) -> None:
        self._personas = personas
        self._archive = archive
        self._ledger = ledger

    def everybody(self) -> Owners:
        """All personas, by id, and all that were removed. Raises RecordsUnavailableError."""
        personas = {persona.persona_id: persona for persona in self._personas.all()}
        removed = []
        for persona_id in self._archive.persona_ids():
            if persona_id in personas:
                continue
            # The list of all may lag behind: one that was added a moment ago was not removed.
            persona = self._personas.get(persona_id)
            if persona is None:
                removed.append(persona_id)
            else:
                personas[persona_id] = persona
        return Owners(tuple(personas[persona_id] for persona_id in sorted(personas)), tuple(sorted(removed)))

    def one(self, persona_id: PersonaId) -> Owners:
        """This one alone; nobody where neither a persona nor any record has this id. Raises RecordsUnavailableError."""
        persona = self._personas.get(persona_id)
        if persona is not None:
            return Owners(personas=(persona,))
        has_records = any(
            next(records, None) is not None
            for records in (self._archive.posts(persona_id), self._archive.photos(persona_id))
        )
        return Owners(removed=(persona_id,)) if has_records else Owners()

    def __call__(self, owners: Owners) -> Iterator[Record]:
        """All of their records, lazily: personas first, then each one's posts and photos.

        What is kept meanwhile is the slots of one persona's posts. A stack that goes on posting is read as it moves:
        the post of a photo that was claimed since the posts were read is told before that photo. What is claimed after
        its photo was read is not told at all. Raises RecordsUnavailableError.
        """
        yield from owners.personas
        for persona_id in (*(persona.persona_id for persona in owners.personas), *owners.removed):
            told: set[Slot] = set()
            for post in self._archive.posts(persona_id):
                told.add(post.slot)
                yield post
            for photo in self._archive.photos(persona_id):
                slot = photo.post_slot
                if slot is not None and slot not in told:
                    claimed_since = self._ledger.get(persona_id, slot)
                    if claimed_since is not None:
                        told.add(slot)
                        yield claimed_since
                yield photo
