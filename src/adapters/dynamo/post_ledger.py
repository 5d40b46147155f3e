"""The ledger of posts: every write of the protocol, each under the conditions that the design gives for it.

             claim            fence            record
owner A  ──────┬────────────────┬────────────────┬──────────────▶
               │ put the post   │ set fence      │ set status
               │ if the slot    │ if mine and    │ if mine and
               │ has none       │ no fence       │ my attempt
               ▼                ▼                ▼
record      posting          posting,         posted
            lease_owner=A    publish_sent_at
               ┊
owner B        ┊  take over: set lease_owner=B if posting and lease_until < now; from here on A's writes fail
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from pynamodb.exceptions import CancellationReason, DoesNotExist, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from adapters.dynamo.calls import condition_failed, records, retried_on_conflict
from adapters.dynamo.tables import IN_FLIGHT_SHARDS, Tables, post_item, post_of
from adapters.dynamo.transaction import Transaction
from domain.ids import MediaId, PersonaId, PhotoId
from domain.photos import Photo
from domain.ports import Claim, Resolution, Retrial, Settlement
from domain.posts import Lease, Post, PostStatus
from domain.slots import MOST_ATTEMPTS, Slot

_KEYS: Final = frozenset({"persona_id", "slot"})
_OPEN_PAGE: Final = 25
_MOST_CHECKED: Final = 90
"""A transaction has room for 100 items."""


class DynamoPostLedger:
    """Implements ``domain.ports.PostLedger``. Every write is one conditional call that may be repeated as it is."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    # ---- reads ----

    def get(self, persona_id: PersonaId, slot: Slot) -> Post | None:
        with records("read the post"):
            try:
                return post_of(self._tables.posts.get(persona_id, str(slot), consistent_read=True))
            except DoesNotExist:
                return None

    def latest(self, persona_id: PersonaId, slot: Slot) -> Post | None:
        last_key = str(Slot(slot.start, MOST_ATTEMPTS))
        attempts = self._tables.posts.slot.between(str(slot.first), last_key)
        found = self._query(persona_id, attempts, limit=1)
        return found[0] if found else None

    def posts_since(self, persona_id: PersonaId, start: datetime) -> Sequence[Post]:
        return self._query(persona_id, self._tables.posts.slot >= str(Slot.by_hand(start)))

    def history(self, persona_id: PersonaId, *, limit: int) -> Sequence[Post]:
        return self._query(persona_id, None, limit=limit)

    def open_posts(self, now: datetime) -> Iterator[tuple[PersonaId, Slot]]:
        index = self._tables.posts.in_flight_index
        shards = [
            # A page is read when it is needed, and one is enough where a run has no time for more.
            index.query(shard, self._tables.posts.lease_until < now, page_size=_OPEN_PAGE)
            for shard in map(str, range(IN_FLIGHT_SHARDS))
        ]
        oldest_first = heapq.merge(*shards, key=lambda item: item.lease_until)
        while True:
            with records("read the open posts"):
                try:
                    item = next(oldest_first)
                    key = PersonaId(item.persona_id), Slot.parse(item.slot)
                except StopIteration:
                    return
            yield key

    def _query(self, persona_id: PersonaId, slots: Condition | None, limit: int | None = None) -> Sequence[Post]:
        """Newest slot first, by a consistent read."""
        with records("read the posts"):
            found = self._tables.posts.query(
                persona_id, slots, consistent_read=True, scan_index_forward=False, limit=limit
            )
            return [post_of(item) for item in found]

    # ---- claim and take-over ----

    def claim(self, post: Post) -> Claim:
        transaction = _Transaction(self._tables)
        transaction.claim(post)
        refusals = transaction.write("claim a photo")
        if refusals is None:
            return Claim.WON
        return self._lost_claim(post, refusals)

    def _lost_claim(self, post: Post, refusals: Mapping[str, CancellationReason]) -> Claim:
        if "new post" in refusals:
            # The reply to our own first try may have been lost: then the post that stands there is the one we put.
            ours = self._stands(post, refusals["new post"])
            return Claim.WON if ours else Claim.SLOT_TAKEN
        return Claim.PERSONA_PAUSED if "persona" in refusals else Claim.PHOTO_TAKEN

    def refuse(self, post: Post, pause: str) -> bool:
        transaction = _Transaction(self._tables)
        transaction.put_post(post)
        transaction.pause(post.persona_id, pause)
        refusals = transaction.write("record a refused post")
        return refusals is None or ("new post" in refusals and self._stands(post, refusals["new post"]))

    def take_over(self, persona_id: PersonaId, slot: Slot, lease: Lease, now: datetime) -> Post | None:
        model = self._tables.posts
        is_open = model.status == PostStatus.POSTING.value
        lease_is_over = model.lease_until < now
        item = model(persona_id=persona_id, slot=str(slot))
        actions: list[Action] = [
            model.lease_owner.set(lease.owner),
            model.lease_until.set(lease.until),
            model.updated_at.set(now),
        ]
        with records("take over the post"):
            try:
                retried_on_conflict(lambda: item.update(actions, is_open & lease_is_over))
            except UpdateError as error:
                if not condition_failed(error):
                    raise
                # Ours, if the reply to our own first try was lost: no other run has this lease's owner.
                standing = self.get(persona_id, slot)
                return standing if standing is not None and standing.lease.owner == lease.owner else None
            # The update left its answer in ``item``: what the record says now, not what an index said before.
            return post_of(item)

    # ---- moves of a post that we hold ----

    def advance(self, before: Post, after: Post) -> bool:
        item = post_item(self._tables, after)
        with records("write the post"):
            try:
                retried_on_conflict(lambda: item.update(self._changes(before, after), self._ours(before)))
            except UpdateError as error:
                if not condition_failed(error):
                    raise
                return self._stands(after)
        return True

    def settle(
        self,
        before: Post,
        after: Post,
        *,
        requeue: Photo | None = None,
        pause: str | None = None,
        goes_on_with: Post | None = None,
    ) -> Settlement:
        if pause is not None and goes_on_with is not None:
            raise ValueError("a settlement that pauses the persona cannot go on with its next post")
        transaction = _Transaction(self._tables)
        transaction.move_post(after, self._changes(before, after), self._ours(before))
        if requeue is not None:
            transaction.requeue(requeue, after.slot)
        if pause is not None:
            transaction.pause(after.persona_id, pause)
        if goes_on_with is not None:
            transaction.claim(goes_on_with)
        refusals = transaction.write("end the post")
        if refusals is None:
            return Settlement.DONE
        if "post" in refusals:
            return Settlement.DONE if self._stands(after, refusals["post"]) else Settlement.LEASE_LOST
        if "photo to requeue" in refusals:
            # The photo is not this post's any more, so there is nothing to put back.
            return self.settle(before, after, pause=pause, goes_on_with=goes_on_with)
        if "persona to pause" in refusals:
            # The persona was removed, so there is nothing to pause; the post still has to end.
            return self.settle(before, after, requeue=requeue)
        if "photo" in refusals:
            return Settlement.NEXT_PHOTO_TAKEN
        return Settlement.NEXT_SLOT_CLOSED

    def complete(self, post: Post) -> bool:
        model = self._tables.posts
        is_live = model.status == PostStatus.POSTED.value
        lacks_its_media = model.provider_post_id.does_not_exist() & model.evidence.does_not_exist()
        before = replace(post, provider_post_id=None, permalink=None, evidence=None)
        changes = [*self._changes(before, post), model.updated_at.set(post.updated_at)]
        item = post_item(self._tables, post)
        with records("complete the post"):
            try:
                retried_on_conflict(lambda: item.update(changes, is_live & lacks_its_media))
            except UpdateError as error:
                if not condition_failed(error):
                    raise
                return self._stands(post)
        return True

    # ---- the owner's word ----

    def retry(self, failed: Post, following: Post) -> Retrial:
        transaction = _Transaction(self._tables)
        transaction.retry(failed, following)
        refusals = transaction.write("retry the post")
        if refusals is None:
            return Retrial.DONE
        if "new post" in refusals:
            return Retrial.DONE if self._stands(following, refusals["new post"]) else Retrial.SLOT_TAKEN
        if "failed post" in refusals:
            return Retrial.NOT_FAILED
        return Retrial.PHOTO_GONE if "photo" in refusals else Retrial.PERSONA_PAUSED

    def resolve(self, before: Post, after: Post) -> Resolution:
        model = self._tables.posts
        transaction = _Transaction(self._tables)
        media_id = after.provider_post_id
        if media_id is not None:
            for other in self._others_of(after, media_id):
                if other.provider_post_id is not None:
                    return Resolution.MEDIA_TAKEN
                # It may be told the same media at this moment: then one of both writes is refused.
                has_none, has_another = model.provider_post_id.does_not_exist(), model.provider_post_id != media_id
                slot = str(other.slot)
                transaction.check(slot, model, other.persona_id, has_none | has_another, range_key=slot)
        is_unconfirmed: Condition = model.status == PostStatus.UNCONFIRMED.value
        transaction.move_post(after, self._changes(before, after), is_unconfirmed)
        refusals = transaction.write("resolve the post")
        if refusals is None:
            return Resolution.DONE
        if "post" in refusals:
            return Resolution.DONE if self._stands(after, refusals["post"]) else Resolution.NOT_UNCONFIRMED
        return Resolution.MEDIA_TAKEN

    def _others_of(self, post: Post, media_id: MediaId) -> Sequence[Post]:
        """The persona's other posts that have this media, first, and those that may be told it yet.

        Its cost grows with the history: for the owner's commands alone.
        """
        model = self._tables.posts
        may_be_told_it = model.provider_post_id.does_not_exist() & (model.status != PostStatus.FAILED.value)
        concerned = (model.provider_post_id == media_id) | may_be_told_it
        with records("look for the media's post"):
            found = model.query(
                post.persona_id, filter_condition=concerned, consistent_read=True, scan_index_forward=False
            )
            others = [other for other in map(post_of, found) if other.slot != post.slot]
        return sorted(others, key=lambda other: other.provider_post_id is None)[:_MOST_CHECKED]

    def set_permalink(self, post: Post, permalink: str) -> None:
        if post.provider_post_id is None:
            return
        model = self._tables.posts
        is_this_media = (model.status == PostStatus.POSTED.value) & (model.provider_post_id == post.provider_post_id)
        item = model(persona_id=post.persona_id, slot=str(post.slot))
        with records("note the permalink"):
            try:
                retried_on_conflict(lambda: item.update([model.permalink.set(permalink)], is_this_media))
            except UpdateError as error:
                if not condition_failed(error):
                    raise

    def _ours(self, before: Post) -> Condition:
        """*mine*, and the fence as we know it: what the record must say for a write of ours to count."""
        model = self._tables.posts
        is_open: Condition = model.status == PostStatus.POSTING.value
        is_mine = model.lease_owner == before.lease.owner
        # A late copy of an earlier write of ours finds another number, and changes nothing.
        is_this_attempt = model.publish_attempts == before.publish_attempts
        is_fenced = model.publish_sent_at.exists()
        is_not_fenced = model.publish_sent_at.does_not_exist()
        fence_is_as_known = is_fenced if before.is_fenced else is_not_fenced
        ours: Condition = is_open & is_mine & is_this_attempt & fence_is_as_known
        return ours

    def _changes(self, before: Post, after: Post) -> list[Action]:
        model = self._tables.posts
        old, new = post_item(self._tables, before), post_item(self._tables, after)
        old_values, new_values = old.serialize(), new.serialize()
        changes: list[Action] = []
        for name, attribute in model.get_attributes().items():
            if name in _KEYS or old_values.get(name) == new_values.get(name):
                continue
            value = getattr(new, name)
            changes.append(attribute.remove() if value is None else attribute.set(value))
        return changes

    def _stands(self, meant: Post, refusal: CancellationReason | None = None) -> bool:
        """Whether the record is what we meant to write: then it was our own first try that took effect."""
        found: Mapping[str, Any] | None = refusal.raw_item if refusal is not None else None
        if found is None:
            with records("read the post back"):
                try:
                    found = self._tables.posts.get(meant.persona_id, str(meant.slot), consistent_read=True).serialize()
                except DoesNotExist:
                    return False
        wanted = post_item(self._tables, meant).serialize()
        return {name: value for name, value in found.items() if name in self._tables.posts.get_attributes()} == wanted


class _Transaction(Transaction):
    """What the protocol writes together."""

    def claim(self, post: Post) -> None:
        self.check_persona(post.persona_id)
        self.put_post(post)
        photo = self._tables.photos
        photo_has_no_post = photo.queued_for.exists() & photo.post_slot.does_not_exist()
        out_of_the_queue = [photo.post_slot.set(str(post.slot)), photo.queued_for.remove(), photo.rank.remove()]
        self.update("photo", self._photo(post.persona_id, post.photo_id), out_of_the_queue, photo_has_no_post)

    def check_persona(self, persona_id: PersonaId) -> None:
        persona = self._tables.personas
        persona_is_not_paused = persona.persona_id.exists() & persona.paused_reason.does_not_exist()
        self.check("persona", persona, persona_id, persona_is_not_paused)

    def retry(self, failed: Post, following: Post) -> None:
        self.check_persona(failed.persona_id)
        self.put_post(following)
        post = self._tables.posts
        is_failed = post.status == PostStatus.FAILED.value
        was_never_retried = post.retried_in.does_not_exist()
        retried = [post.retried_in.set(str(following.slot)), post.updated_at.set(following.created_at)]
        item = post(persona_id=failed.persona_id, slot=str(failed.slot))
        self.update("failed post", item, retried, is_failed & was_never_retried)
        photo = self._tables.photos
        # Never by way of the queue: there another slot could take it between the two.
        photo_is_still_its = photo.post_slot == str(failed.slot)
        moved = [photo.post_slot.set(str(following.slot))]
        self.update("photo", self._photo(failed.persona_id, failed.photo_id), moved, photo_is_still_its)

    def put_post(self, post: Post) -> None:
        slot_has_no_post = self._tables.posts.slot.does_not_exist()
        self.put("new post", post_item(self._tables, post), slot_has_no_post)

    def move_post(self, after: Post, changes: Sequence[Action], ours: Condition) -> None:
        self.update("post", post_item(self._tables, after), changes, ours)

    def requeue(self, photo: Photo, slot: Slot) -> None:
        model = self._tables.photos
        photo_is_still_this_posts = model.post_slot == str(slot)
        back: list[Action] = [model.post_slot.remove()]
        if photo.rank is not None:
            back += [model.queued_for.set(photo.persona_id), model.rank.set(photo.rank)]
        item = self._photo(photo.persona_id, photo.photo_id)
        self.update("photo to requeue", item, back, photo_is_still_this_posts)

    def pause(self, persona_id: PersonaId, reason: str) -> None:
        model = self._tables.personas
        persona_exists = model.persona_id.exists()
        item = model(persona_id=persona_id)
        self.update("persona to pause", item, [model.paused_reason.set(reason)], persona_exists)

    def _photo(self, persona_id: PersonaId, photo_id: PhotoId) -> Any:
        return self._tables.photos(persona_id=persona_id, photo_id=photo_id)
