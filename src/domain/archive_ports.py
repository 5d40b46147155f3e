"""What moving a whole library's records out and in needs from the outside."""

from collections.abc import Iterator
from enum import Enum, auto
from typing import Protocol

from domain.ids import PersonaId
from domain.personas import Persona
from domain.photos import Photo
from domain.posts import Post


class Restored(Enum):
    """What became of a record that was to be put back. Only ADDED wrote it."""

    ADDED = auto()
    SAME = auto()
    DIFFERENT = auto()
    """Another stands there. It was left as it is."""


class Marked(Enum):
    """What became of a post that was made elsewhere. Only DONE wrote anything."""

    DONE = auto()
    SLOT_TAKEN = auto()
    """The slot has another post."""
    PHOTO_TAKEN = auto()
    """The photo is not there, or has another post."""


class RecordArchive(Protocol):
    """The records as they are, for the owner's commands alone: the cost of reading all grows with their number.

    Nothing here overwrites a record. Every method may be repeated, and raises RecordsUnavailableError.
    """

    def persona_ids(self) -> Iterator[PersonaId]:
        """Whose posts and photos there are, each once and in no order: also of personas that were removed.

        Lazily, by the keys alone. What it keeps meanwhile grows with the personas, and not with their records.
        """
        ...

    def posts(self, persona_id: PersonaId) -> Iterator[Post]:
        """All posts, oldest slot first, lazily."""
        ...

    def photos(self, persona_id: PersonaId) -> Iterator[Photo]:
        """All photos, by id, lazily; each with the burst that it belongs to now, also where bursts became one."""
        ...

    def restore_persona(self, persona: Persona) -> Restored: ...

    def restore_post(self, post: Post) -> Restored: ...

    def restore_photo(self, photo: Photo) -> Restored:
        """Put the photo as it is, in the queue if it is scored and free, and let it be found by its hashes.

        One of a burst is its member afterwards, and is queued by ``NearDuplicates.elect`` alone, to be called when all
        of the burst are there. Where it stands there already it is linked again, in case that was interrupted; one
        that differs is left alone.
        """
        ...

    def mark_posted(self, post: Post) -> Marked:
        """One transaction: put ``post`` if its slot has none, and give it its photo, which leaves the queue, if that
        has no post. DONE also where exactly this was done before. Of a persona that is paused as well.
        """
        ...
