"""All records, out of the tables and into them: raw puts under the one condition that nothing stands there."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from pynamodb.exceptions import DoesNotExist, PutError
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from adapters.dynamo.calls import condition_failed, records, retried_on_conflict
from adapters.dynamo.near_duplicates import LARGEST_BURST, DynamoNearDuplicates
from adapters.dynamo.persona_directory import DynamoPersonaDirectory
from adapters.dynamo.photo_library import DynamoPhotoLibrary
from adapters.dynamo.post_ledger import DynamoPostLedger
from adapters.dynamo.tables import Tables, persona_item, photo_item, post_item, post_of
from adapters.dynamo.transaction import Transaction
from domain.archive_ports import Marked, Restored
from domain.ids import PersonaId, PhotoId
from domain.personas import Persona
from domain.photos import HeldBackFor, Photo
from domain.posts import Post

T = TypeVar("T")

_MOST_TRIES: Final = 20


class DynamoRecordArchive:
    """Implements ``domain.archive_ports.RecordArchive``."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._personas = DynamoPersonaDirectory(tables)
        self._library = DynamoPhotoLibrary(tables)
        self._ledger = DynamoPostLedger(tables)
        self._near_duplicates = DynamoNearDuplicates(tables)

    # ---- out ----

    def persona_ids(self) -> Iterator[PersonaId]:
        """A Scan of both tables, a page at a time: a read unit for each 4 KB of them, as reading them out costs.

        Whoever has no persona any more has no other list. Skipping from one persona to the next would be cheaper, but
        rests on an order of a Scan that DynamoDB does not promise.
        """
        told: set[PersonaId] = set()
        scans: tuple[Iterator[Any], ...] = tuple(
            model.scan(attributes_to_get=["persona_id"], consistent_read=True)
            for model in (self._tables.posts, self._tables.photos)
        )
        for items in scans:
            while True:
                with records("list whose records there are"):
                    try:
                        persona_id = PersonaId(next(items).persona_id)
                    except StopIteration:
                        break
                if persona_id not in told:
                    told.add(persona_id)
                    yield persona_id

    def posts(self, persona_id: PersonaId) -> Iterator[Post]:
        items = self._tables.posts.query(persona_id, consistent_read=True)
        while True:
            with records("read the posts"):
                try:
                    post = post_of(next(items))
                except StopIteration:
                    return
            yield post

    def photos(self, persona_id: PersonaId) -> Iterator[Photo]:
        roots: dict[PhotoId, PhotoId] = {}
        for photo in self._library.every(persona_id):
            if photo.burst is None:
                yield photo
                continue
            if photo.burst not in roots:
                roots[photo.burst] = self._root(persona_id, photo.burst)
            yield replace(photo, burst=roots[photo.burst])

    # ---- in ----

    def restore_persona(self, persona: Persona) -> Restored:
        item = persona_item(self._tables, persona)
        is_new = self._tables.personas.persona_id.does_not_exist()
        return self._put(item, is_new, persona, lambda: self._personas.get(persona.persona_id))

    def restore_post(self, post: Post) -> Restored:
        item = post_item(self._tables, post)
        is_new = self._tables.posts.slot.does_not_exist()
        return self._put(item, is_new, post, lambda: self._ledger.get(post.persona_id, post.slot))

    def restore_photo(self, photo: Photo) -> Restored:
        item = photo_item(self._tables, photo)
        is_new = self._tables.photos.photo_id.does_not_exist()
        restored = self._put(item, is_new, photo, lambda: self._photo(photo.persona_id, photo.photo_id))
        if restored is not Restored.DIFFERENT:
            self._near_duplicates.note(photo)
            if photo.burst is not None:
                self._join(photo, photo.burst)
        return restored

    def _put(self, item: Any, is_new: Condition, meant: T, standing: Callable[[], T | None]) -> Restored:
        with records("put the record back"):
            try:
                retried_on_conflict(partial(item.save, is_new))
            except PutError as error:
                if not condition_failed(error):
                    raise
            else:
                return Restored.ADDED
        # The reply to our own first try may have been lost: then it is the same, and nothing is wrong but the count.
        return Restored.SAME if standing() == meant else Restored.DIFFERENT

    def _photo(self, persona_id: PersonaId, photo_id: PhotoId) -> Photo | None:
        photo = self._library.get(persona_id, photo_id)
        if photo is None or photo.burst is None:
            return photo
        return replace(photo, burst=self._root(persona_id, photo.burst))

    def _join(self, photo: Photo, burst: PhotoId) -> None:
        """Make the photo a member. A full burst takes only those in that decide that nothing of it is posted."""
        model = self._tables.lookalikes
        for _ in range(_MOST_TRIES):
            root = self._root(photo.persona_id, burst)
            record = model(name=f"{photo.persona_id}/{root}")
            stands: Condition = model.merged_into.does_not_exist()
            if not _keeps_the_others_out(photo):
                has_room = size(model.photos) < LARGEST_BURST  # type: ignore[no-untyped-call]
                stands &= model.photos.does_not_exist() | has_room
            actions: list[Action] = [model.version.add(1), model.photos.add({photo.photo_id})]
            transaction = Transaction(self._tables)
            transaction.update("burst", record, actions, stands)
            if transaction.write("link the photo to its burst") is None:
                return
            if self._root(photo.persona_id, root) == root:
                return

    def _root(self, persona_id: PersonaId, burst: PhotoId) -> PhotoId:
        """The burst that this one became part of, if it did."""
        while True:
            with records("read the burst"):
                try:
                    record = self._tables.lookalikes.get(f"{persona_id}/{burst}", consistent_read=True)
                except DoesNotExist:
                    return burst
            if record.merged_into is None:
                return burst
            burst = PhotoId(record.merged_into)

    # ---- what was posted elsewhere ----

    def mark_posted(self, post: Post) -> Marked:
        model = self._tables.photos
        transaction = Transaction(self._tables)
        transaction.put("post", post_item(self._tables, post), self._tables.posts.slot.does_not_exist())
        photo = model(persona_id=post.persona_id, photo_id=post.photo_id)
        gets_it: list[Action] = [model.post_slot.set(str(post.slot)), model.queued_for.remove(), model.rank.remove()]
        has_no_post = model.photo_id.exists() & model.post_slot.does_not_exist()
        transaction.update("photo", photo, gets_it, has_no_post)
        refusals = transaction.write("record a post that was made elsewhere")
        if refusals is None:
            return Marked.DONE
        if "post" not in refusals:
            return Marked.PHOTO_TAKEN
        return Marked.DONE if self._ledger.get(post.persona_id, post.slot) == post else Marked.SLOT_TAKEN


def _keeps_the_others_out(photo: Photo) -> bool:
    """Whether a burst in which this one were missing would be posted again."""
    is_on_the_account = photo.held_back is not None and photo.held_back.reason is HeldBackFor.POSTED_ELSEWHERE
    return photo.post_slot is not None or is_on_the_account
