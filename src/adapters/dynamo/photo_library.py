"""The photos' table and its queue."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pynamodb.exceptions import DoesNotExist, PutError, UpdateError

from adapters.dynamo.calls import condition_failed, records, retried_on_conflict
from adapters.dynamo.tables import Tables, analysis_map, photo_item, photo_of
from domain.ids import PersonaId, PhotoId
from domain.photos import Photo
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

    def add(self, photo: Photo) -> Addition:
        model = self._tables.photos
        item = photo_item(self._tables, replace(photo, post_slot=None))
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
        """Caption, alt text and analysis where ``photo`` gives others; the queue only while there is no post."""
        while True:
            known = self.get(photo.persona_id, photo.photo_id)
            if known is None:
                return self.add(photo)
            updated = replace(
                known,
                caption=known.caption if photo.caption is None else photo.caption,
                alt_text=known.alt_text if photo.alt_text is None else photo.alt_text,
                analysis=known.analysis if _same_analysis(known, photo) else photo.analysis,
            )
            if updated == known:
                return Addition.UNCHANGED
            if self._update(updated):
                return Addition.UPDATED

    def _update(self, photo: Photo) -> bool:
        """False when the photo got or lost a post since it was read."""
        model = self._tables.photos
        actions: list[Any] = []
        if photo.caption is not None:
            actions.append(model.caption.set(photo.caption))
        if photo.alt_text is not None:
            actions.append(model.alt_text.set(photo.alt_text))
        if photo.analysis is not None:
            actions.append(model.analysis.set(analysis_map(photo.analysis)))
        has_no_post = model.photo_id.exists() & model.post_slot.does_not_exist()
        has_this_post = model.post_slot == str(photo.post_slot)
        if photo.post_slot is None and photo.rank is not None:
            actions += [model.queued_for.set(photo.persona_id), model.rank.set(photo.rank)]
        item = model(persona_id=photo.persona_id, photo_id=photo.photo_id)
        with records("update the photo"):
            try:
                retried_on_conflict(
                    lambda: item.update(actions, has_no_post if photo.post_slot is None else has_this_post)
                )
            except UpdateError as error:
                if not condition_failed(error):
                    raise
                return False
        return True


def _same_analysis(known: Photo, given: Photo) -> bool:
    """Whether ``given`` adds nothing to the analysis that is known. When it was made does not count."""
    if given.analysis is None:
        return True
    return known.analysis is not None and known.analysis == replace(
        given.analysis, analysed_at=known.analysis.analysed_at
    )
