"""The photos' table and its queue."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pynamodb.exceptions import DoesNotExist, PutError, UpdateError
from pynamodb.expressions.condition import Condition

from adapters.dynamo.calls import condition_failed, records, retried_on_conflict
from adapters.dynamo.tables import Tables, analysis_map, held_back_map, photo_item, photo_of
from domain.ids import PersonaId, PhotoId
from domain.photos import HeldBack, HeldBackFor, Photo, lowest_rank, newer_analysis
from domain.ports import Addition


class DynamoPhotoLibrary:
    """Implements ``domain.ports.PhotoLibrary``."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def best_first(self, persona_id: PersonaId, *, page_size: int = 1) -> Iterator[Photo]:
        """One Query of ``Limit`` ``page_size`` for each page that is read: 0.5 read units for a photo under 4 KB."""
        items = self._tables.photos.queue.query(persona_id, scan_index_forward=False, page_size=page_size)
        while True:
            with records("read the queue"):
                try:
                    photo = photo_of(next(items))
                except StopIteration:
                    return
            yield photo

    def get(self, persona_id: PersonaId, photo_id: PhotoId) -> Photo | None:
        with records("read the photo"):
            try:
                return photo_of(self._tables.photos.get(persona_id, photo_id, consistent_read=True))
            except DoesNotExist:
                return None

    def beginning_with(self, persona_id: PersonaId, prefix: str, *, limit: int) -> Sequence[Photo]:
        condition = self._tables.photos.photo_id.startswith(prefix)
        with records("look for the photo"):
            return [
                photo_of(item)
                for item in self._tables.photos.query(persona_id, condition, consistent_read=True, limit=limit)
            ]

    def count_queued(self, persona_id: PersonaId, *, minimum_score: float, most: int) -> int:
        good_enough = self._tables.photos.rank >= lowest_rank(minimum_score)
        with records("count the queue"):
            # Not by PynamoDB's count, which goes on past its limit.
            queued = self._tables.photos.queue.query(
                persona_id, good_enough, limit=most, attributes_to_get=["photo_id"]
            )
            return sum(1 for _ in queued)

    def every(self, persona_id: PersonaId) -> Iterator[Photo]:
        items = self._tables.photos.query(persona_id, consistent_read=True)
        while True:
            with records("read the library"):
                try:
                    photo = photo_of(next(items))
                except StopIteration:
                    return
            yield photo

    def add(self, photo: Photo) -> Addition:
        model = self._tables.photos
        item = photo_item(self._tables, replace(photo, post_slot=None, burst=None, held_back=None))
        is_new = model.photo_id.does_not_exist()
        with records("add the photo"):
            try:
                retried_on_conflict(lambda: item.save(is_new))
            except PutError as error:
                if not condition_failed(error):
                    raise
                return self._bring_up_to_date(photo)
        return Addition.ADDED

    def _bring_up_to_date(self, photo: Photo) -> Addition:
        """What ``photo`` says otherwise; the queue only while nothing keeps it out."""
        while True:
            known = self.get(photo.persona_id, photo.photo_id)
            if known is None:
                return self.add(photo)
            updated = replace(
                known,
                caption=known.caption if photo.caption is None else photo.caption,
                alt_text=known.alt_text if photo.alt_text is None else photo.alt_text,
                analysis=newer_analysis(known.analysis, photo.analysis),
                perceptual_hashes=photo.perceptual_hashes or known.perceptual_hashes,
            )
            if updated == known:
                return Addition.UNCHANGED
            if self._update(known, updated):
                return Addition.UPDATED

    def _update(self, known: Photo, updated: Photo) -> bool:
        """False when what decides on its place in the queue has changed since it was read."""
        model = self._tables.photos
        actions: list[Any] = []
        if updated.caption is not None and updated.caption != known.caption:
            actions.append(model.caption.set(updated.caption))
        if updated.alt_text is not None and updated.alt_text != known.alt_text:
            actions.append(model.alt_text.set(updated.alt_text))
        if updated.analysis is not None and updated.analysis != known.analysis:
            actions.append(model.analysis.set(analysis_map(updated.analysis)))
        if updated.perceptual_hashes != known.perceptual_hashes:
            actions.append(model.perceptual_hashes.set(list(updated.perceptual_hashes)))
        actions += self._into_the_queue(updated)
        return self._write(known.persona_id, known.photo_id, actions, self._stands_as(known))

    def _into_the_queue(self, photo: Photo) -> list[Any]:
        """Nothing where it is not scored, or something keeps it out."""
        model = self._tables.photos
        if not photo.is_free or photo.rank is None:
            return []
        return [model.queued_for.set(photo.persona_id), model.rank.set(photo.rank)]

    def _stands_as(self, photo: Photo) -> Condition:
        """The photo is there, scored as ``photo``, and kept out of the queue by as much, or as little."""
        model = self._tables.photos
        slot = model.post_slot == str(photo.post_slot) if photo.post_slot else model.post_slot.does_not_exist()
        burst = model.burst == photo.burst if photo.burst else model.burst.does_not_exist()
        held_back = model.held_back.exists() if photo.held_back else model.held_back.does_not_exist()
        linking = model.awaits_linking.exists() if photo.awaits_linking else model.awaits_linking.does_not_exist()
        analysis = model.analysis.does_not_exist()
        if photo.analysis is not None:
            analysis = model.analysis["scorer"] == photo.analysis.scorer
            analysis &= model.analysis["aesthetic_score"] == photo.analysis.aesthetic_score
            analysis &= model.analysis["analysed_at"] == photo.analysis.analysed_at
        condition: Condition = model.photo_id.exists() & slot & burst & held_back & linking & analysis
        return condition

    def admit(self, photo: Photo) -> bool:
        is_linked = self._tables.photos.awaits_linking.remove()
        while (known := self.get(photo.persona_id, photo.photo_id)) is not None:
            into_the_queue = self._into_the_queue(replace(known, awaits_linking=False))
            actions = [is_linked, *into_the_queue]
            if self._write(known.persona_id, known.photo_id, actions, self._stands_as(known)):
                return bool(into_the_queue)
        return False

    def hold_back(self, persona_id: PersonaId, photo_id: PhotoId, why: HeldBack) -> bool:
        model = self._tables.photos
        out = [model.held_back.set(held_back_map(why)), model.queued_for.remove(), model.rank.remove()]
        condition = model.photo_id.exists() & model.post_slot.does_not_exist()
        if why.reason is not HeldBackFor.POSTED_ELSEWHERE:
            condition &= model.held_back.does_not_exist() | (model.held_back["reason"] == why.reason.value)
        if self._write(persona_id, photo_id, out, condition):
            return True
        standing = self.get(persona_id, photo_id)
        return standing is not None and standing.post_slot is None and standing.held_back is not None

    def unqueue(self, persona_id: PersonaId, photo_id: PhotoId) -> bool:
        model = self._tables.photos
        out = [model.awaits_linking.set(True), model.queued_for.remove(), model.rank.remove()]
        has_no_post = model.photo_id.exists() & model.post_slot.does_not_exist()
        return self._write(persona_id, photo_id, out, has_no_post)

    def release(self, persona_id: PersonaId, photo_id: PhotoId) -> bool:
        model = self._tables.photos
        is_skipped = model.held_back["reason"] == HeldBackFor.SKIPPED.value
        return self._write(persona_id, photo_id, [model.held_back.remove()], is_skipped)

    def _write(self, persona_id: PersonaId, photo_id: PhotoId, actions: list[Any], condition: Condition) -> bool:
        """False, and no change, where the condition does not hold."""
        item = self._tables.photos(persona_id=persona_id, photo_id=photo_id)
        with records("update the photo"):
            try:
                retried_on_conflict(lambda: item.update(actions, condition))
            except UpdateError as error:
                if not condition_failed(error):
                    raise
                return False
        return True
