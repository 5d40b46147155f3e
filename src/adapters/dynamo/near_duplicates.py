"""Photos that look alike: the buckets of their hashes, and the bursts that they form."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from adapters.dynamo.calls import condition_failed, records, retried_on_conflict
from adapters.dynamo.tables import LookalikesItem, PhotoItem, Tables, photo_of
from adapters.dynamo.transaction import Transaction
from domain.ids import PersonaId, PhotoId
from domain.near_duplicates import best_of, buckets_near, buckets_of, distance
from domain.photos import Photo
from domain.ports import RecordsUnavailableError

LARGEST_BURST: Final = 200
"""A burst of this many photos takes in no more candidates: later ones are linked to it and never posted."""

LARGEST_BUCKET: Final = 500
"""Entries of 81 bytes each: DynamoDB takes no item of more than 400 KB, and charges each write by its item's size. A
bucket that is full takes no more, since a band that so many share tells little: photos are found by their other bands.
"""

_MOST_TRIES: Final = 20


class DynamoNearDuplicates:
    """Implements ``domain.ports.NearDuplicates``.

    Of two photos that look alike one at most is in the queue or posted, at any moment. A new one is noted before it
    looks for others, so that of two at once one finds the other; it is no candidate before it is linked to all that it
    found. What belongs to a burst gets into the queue by ``elect`` alone, whose transaction takes every other one out
    under the condition that it has no post, and stands or falls with the version of the burst that was read. The claim
    wants its photo in the queue, so of an election and a claim one wins.

    Bursts that turn out to be one are merged: the record of the one points to that of the other.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def note(self, photo: Photo) -> None:
        noted = self._bursts.photos
        has_room = noted.does_not_exist() | (size(noted) < LARGEST_BUCKET)  # type: ignore[no-untyped-call]
        for perceptual_hash in photo.perceptual_hashes:
            entry = f"{perceptual_hash}/{photo.photo_id}"
            for bucket in buckets_of(perceptual_hash):
                item = self._lookalikes(photo.persona_id, bucket)
                with records("note what the photo looks like"):
                    try:
                        retried_on_conflict(partial(item.update, [self._bursts.photos.add({entry})], has_room))
                    except UpdateError as error:
                        if not condition_failed(error):
                            raise

    def near(self, persona_id: PersonaId, hashes: Sequence[str], within: int) -> Sequence[tuple[PhotoId, int]]:
        names = {_name(persona_id, bucket) for one in hashes for bucket in buckets_near(one, within)}
        nearest: dict[PhotoId, int] = {}
        with records("look for photos that look alike"):
            for item in self._tables.lookalikes.batch_get(sorted(names), consistent_read=True):
                for entry in item.photos or ():
                    found, _, photo_id = entry.partition("/")
                    bits = min(distance(found, one) for one in hashes)
                    if bits <= within:
                        nearest[PhotoId(photo_id)] = min(bits, nearest.get(PhotoId(photo_id), bits))
        return sorted(nearest.items(), key=lambda one: (one[1], one[0]))

    def join(self, persona_id: PersonaId, photo_id: PhotoId, other: PhotoId) -> PhotoId | None:
        for _ in range(_MOST_TRIES):
            found = {photo.photo_id: photo for photo in map(photo_of, self._items(persona_id, {photo_id, other}))}
            if photo_id not in found or other not in found:
                return None
            bursts = {self._root(persona_id, one.burst) for one in found.values() if one.burst is not None}
            unlinked = sorted(one.photo_id for one in found.values() if one.burst is None)
            burst, *second = sorted(bursts) or [other]
            if second:
                self._merge(persona_id, burst, second[0])
            elif not unlinked or self._link(persona_id, unlinked, burst):
                return burst
        raise RecordsUnavailableError("DynamoDB could not link the photo to its burst, since others changed it.")

    def _link(self, persona_id: PersonaId, photo_ids: Sequence[PhotoId], burst: PhotoId) -> bool:
        """False, and no change, where one of the photos is linked, or the burst is merged into another, by now."""
        model = self._tables.photos
        transaction = Transaction(self._tables)
        for photo_id in photo_ids:
            item = model(persona_id=persona_id, photo_id=photo_id)
            is_not_linked = model.photo_id.exists() & model.burst.does_not_exist()
            transaction.update(photo_id, item, [model.burst.set(burst)], is_not_linked)
        record = self._record(persona_id, burst)
        joined: list[Action] = [self._bursts.version.add(1)]
        if len(record.photos or ()) < LARGEST_BURST:
            joined.append(self._bursts.photos.add(set(photo_ids)))
        transaction.update("burst", record, joined, self._stands_as(record))
        return transaction.write("link the photo to its burst") is None

    def _merge(self, persona_id: PersonaId, burst: PhotoId, second: PhotoId) -> None:
        """Nothing where one of both has changed since it was read."""
        records_of_both = self._record(persona_id, burst), self._record(persona_id, second)
        kept, given_up = records_of_both
        transaction = Transaction(self._tables)
        grows: list[Action] = [self._bursts.version.add(1), self._bursts.photos.add(set(given_up.photos or {burst}))]
        transaction.update("burst", kept, grows, self._stands_as(kept))
        points: list[Action] = [self._bursts.version.add(1), self._bursts.merged_into.set(burst)]
        transaction.update("second burst", given_up, points, self._stands_as(given_up))
        transaction.write("merge two bursts")

    def _stands_as(self, record: LookalikesItem) -> Condition:
        """The burst is as it was read, and was not merged into another."""
        version = self._bursts.version
        is_as_read = version == record.version if record.version is not None else version.does_not_exist()
        condition: Condition = is_as_read & self._bursts.merged_into.does_not_exist()
        return condition

    def _root(self, persona_id: PersonaId, burst: PhotoId) -> PhotoId:
        """The burst that this one was merged into, if it was."""
        while (record := self._record(persona_id, burst)).merged_into is not None:
            burst = PhotoId(record.merged_into)
        return burst

    def elect(self, persona_id: PersonaId, burst: PhotoId) -> PhotoId | None:
        for _ in range(_MOST_TRIES):
            record = self._record(persona_id, self._root(persona_id, burst))
            items = self._items(persona_id, map(PhotoId, record.photos or ()))
            best = best_of(map(photo_of, items))
            if self._crown(items, best, record):
                return best.photo_id if best else None
        raise RecordsUnavailableError("DynamoDB could not choose the best of a burst, since others changed it.")

    def _crown(self, items: Iterable[PhotoItem], best: Photo | None, record: LookalikesItem) -> bool:
        """False, and no change, where the burst or one of its photos has changed since it was read."""
        model = self._tables.photos
        transaction = Transaction(self._tables)
        changes = 0
        for item in items:
            rank = best.rank if best is not None and item.photo_id == best.photo_id else None
            if item.rank == rank:
                continue
            changes += 1
            has_no_post = model.photo_id.exists() & model.post_slot.does_not_exist()
            photo = model(persona_id=item.persona_id, photo_id=item.photo_id)
            if rank is not None:
                into_the_queue = [model.queued_for.set(item.persona_id), model.rank.set(rank)]
                transaction.update(item.photo_id, photo, into_the_queue, has_no_post & model.held_back.does_not_exist())
            else:
                transaction.update(item.photo_id, photo, [model.queued_for.remove(), model.rank.remove()], has_no_post)
        if not changes:
            return True
        transaction.update("burst", record, [self._bursts.version.add(1)], self._stands_as(record))
        return transaction.write("choose the best of a burst") is None

    def members(self, persona_id: PersonaId, burst: PhotoId) -> Sequence[PhotoId]:
        return sorted(map(PhotoId, self._record(persona_id, self._root(persona_id, burst)).photos or ()))

    def _record(self, persona_id: PersonaId, burst: PhotoId) -> LookalikesItem:
        with records("read the burst"):
            try:
                return self._tables.lookalikes.get(_name(persona_id, burst), consistent_read=True)
            except DoesNotExist:
                return self._lookalikes(persona_id, burst)

    def _items(self, persona_id: PersonaId, photo_ids: Iterable[PhotoId]) -> list[PhotoItem]:
        keys = [(persona_id, photo_id) for photo_id in photo_ids]
        with records("read the photos"):
            return list(self._tables.photos.batch_get(keys, consistent_read=True))

    def _lookalikes(self, persona_id: PersonaId, what: str) -> LookalikesItem:
        return self._tables.lookalikes(name=_name(persona_id, what))

    @property
    def _bursts(self) -> type[LookalikesItem]:
        return self._tables.lookalikes


def _name(persona_id: PersonaId, what: str) -> str:
    """The key of a bucket or a burst. A persona's id has no slash."""
    return f"{persona_id}/{what}"
