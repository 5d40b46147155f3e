"""The use case that reads a library's whole record, in an order in which it can be put back."""

from collections.abc import Iterable, Iterator

from domain.archive_ports import RecordArchive
from domain.personas import Persona
from domain.ports import PostLedger
from domain.record_lines import Record
from domain.slots import Slot


class ExportRecords:
    def __init__(self, *, archive: RecordArchive, ledger: PostLedger) -> None:
        self._archive = archive
        self._ledger = ledger

    def __call__(self, personas: Iterable[Persona]) -> Iterator[Record]:
        """All of these personas' records, lazily: personas, then posts, then photos.

        A stack that goes on posting meanwhile is read as it moves: the post of a photo that was claimed since the posts
        were read is told before that photo. What is claimed after its photo was read is not told at all. Raises
        RecordsUnavailableError.
        """
        personas = list(personas)
        yield from personas
        told = {persona.persona_id: set[Slot]() for persona in personas}
        for persona in personas:
            for post in self._archive.posts(persona.persona_id):
                told[persona.persona_id].add(post.slot)
                yield post
        for persona in personas:
            for photo in self._archive.photos(persona.persona_id):
                slot = photo.post_slot
                if slot is not None and slot not in told[persona.persona_id]:
                    claimed_since = self._ledger.get(persona.persona_id, slot)
                    if claimed_since is not None:
                        told[persona.persona_id].add(slot)
                        yield claimed_since
                yield photo
