"""The whole record in memory, put back under the same conditions as the real one."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from domain.archive_ports import Marked, Restored
from domain.ids import PersonaId
from domain.personas import Persona
from domain.photos import Photo
from domain.posts import Post
from fakes.records import FakeNearDuplicates, FakeRecords


class FakeRecordArchive:
    def __init__(self, records: FakeRecords) -> None:
        self._records = records
        self._near_duplicates = FakeNearDuplicates(records)

    def persona_ids(self) -> Iterator[PersonaId]:
        with self._records.lock:
            return iter({owner for owner, _ in (*self._records.posts, *self._records.photos)})

    def posts(self, persona_id: PersonaId) -> Iterator[Post]:
        with self._records.lock:
            posts = sorted(self._records.posts.items(), key=lambda one: one[0])
        return iter([post for (owner, _), post in posts if owner == persona_id])

    def photos(self, persona_id: PersonaId) -> Iterator[Photo]:
        with self._records.lock:
            photos = sorted(self._records.photos.items())
        return iter([photo for (owner, _), photo in photos if owner == persona_id])

    def restore_persona(self, persona: Persona) -> Restored:
        return self._put(self._records.personas, persona.persona_id, persona)

    def restore_post(self, post: Post) -> Restored:
        return self._put(self._records.posts, (post.persona_id, post.slot), post)

    def restore_photo(self, photo: Photo) -> Restored:
        with self._records.lock:
            restored = self._put(self._records.photos, (photo.persona_id, photo.photo_id), photo)
            if restored is not Restored.DIFFERENT:
                self._near_duplicates.note(photo)
            return restored

    def _put(self, table: dict[Any, Any], key: object, meant: object) -> Restored:
        with self._records.lock:
            if key not in table:
                table[key] = meant
                return Restored.ADDED
            return Restored.SAME if table[key] == meant else Restored.DIFFERENT

    def mark_posted(self, post: Post) -> Marked:
        key = (post.persona_id, post.photo_id)
        with self._records.lock:
            standing = self._records.posts.get((post.persona_id, post.slot))
            if standing is not None:
                return Marked.DONE if standing == post else Marked.SLOT_TAKEN
            photo = self._records.photos.get(key)
            if photo is None or photo.post_slot is not None:
                return Marked.PHOTO_TAKEN
            self._records.photos[key] = replace(photo, post_slot=post.slot)
            self._records.posts[post.persona_id, post.slot] = post
            return Marked.DONE
