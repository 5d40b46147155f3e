"""The three tables in memory, with the same conditions as the real ones, each call atomic."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import RLock

from domain.ids import PersonaId, PhotoId
from domain.near_duplicates import FEWEST_BITS, MOST_BITS, best_of, distance
from domain.personas import Fit, Persona, Quota
from domain.photos import HeldBack, HeldBackFor, Photo, newer_analysis
from domain.ports import Addition, Claim, Resolution, Retrial, Settlement
from domain.posts import Lease, Post, PostStatus
from domain.slots import Slot

PostKey = tuple[PersonaId, Slot]
PhotoKey = tuple[PersonaId, PhotoId]


@dataclass
class FakeRecords:
    """What all three fakes share, so that a transaction over them is one critical section."""

    personas: dict[PersonaId, Persona] = field(default_factory=dict)
    photos: dict[PhotoKey, Photo] = field(default_factory=dict)
    posts: dict[PostKey, Post] = field(default_factory=dict)
    released: set[PhotoKey] = field(default_factory=set)
    """Photos that were held back and are not in the queue yet."""
    elected: dict[PhotoKey, PhotoId | None] = field(default_factory=dict)
    """The photo of each burst that is in the queue, or would be if it had no post."""
    noted: dict[PhotoKey, tuple[str, ...]] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)

    def is_queued(self, photo: Photo) -> bool:
        key = (photo.persona_id, photo.photo_id)
        if photo.rank is None or photo.post_slot is not None or photo.held_back is not None:
            return False
        if photo.burst is None:
            return photo.is_free and key not in self.released
        return self.elected.get((photo.persona_id, photo.burst)) == photo.photo_id


class FakePersonaDirectory:
    def __init__(self, records: FakeRecords) -> None:
        self._records = records

    def get(self, persona_id: PersonaId) -> Persona | None:
        return self._records.personas.get(persona_id)

    def add(self, persona: Persona) -> bool:
        with self._records.lock:
            standing = self._records.personas.setdefault(persona.persona_id, persona)
            return standing == persona

    def pause(self, persona_id: PersonaId, reason: str) -> str | None:
        with self._records.lock:
            persona = self._records.personas.get(persona_id)
            if persona is None:
                return None
            paused = replace(persona, paused_reason=persona.paused_reason or reason)
            self._records.personas[persona_id] = paused
            return paused.paused_reason

    def resume(self, persona_id: PersonaId, *, seen: str | None = None) -> bool:
        with self._records.lock:
            persona = self._records.personas.get(persona_id)
            if persona is None or (seen is not None and persona.paused_reason != seen):
                return False
            self._records.personas[persona_id] = replace(persona, paused_reason=None)
            return True

    def remove(self, persona_id: PersonaId, *, paused_for: str) -> bool:
        with self._records.lock:
            persona = self._records.personas.get(persona_id)
            if persona is not None and persona.paused_reason != paused_for:
                return False
            self._records.personas.pop(persona_id, None)
            return True

    def set_caption(self, persona_id: PersonaId, caption: str | None) -> bool:
        with self._records.lock:
            persona = self._records.personas.get(persona_id)
            if persona is None:
                return False
            self._records.personas[persona_id] = replace(persona, caption=caption)
            return True

    def note_quota(self, persona_id: PersonaId, quota: Quota) -> None:
        with self._records.lock:
            persona = self._records.personas.get(persona_id)
            if persona is not None:
                self._records.personas[persona_id] = replace(persona, quota=quota)

    def set_fit(self, persona_id: PersonaId, fit: Fit) -> bool:
        with self._records.lock:
            persona = self._records.personas.get(persona_id)
            if persona is None:
                return False
            self._records.personas[persona_id] = replace(persona, fit=fit)
            return True

    def note_token(self, before: Persona, *, refreshed_at: datetime, expires_at: datetime | None) -> bool:
        with self._records.lock:
            persona = self._records.personas.get(before.persona_id)
            if persona is None:
                return False
            noted = replace(persona, token_refreshed_at=refreshed_at, token_expires_at=expires_at)
            if persona.token_refreshed_at != before.token_refreshed_at:
                return persona == noted
            self._records.personas[persona.persona_id] = noted
            return True

    def pause_for_token(self, before: Persona, reason: str, *, dead_since: datetime) -> bool:
        with self._records.lock:
            persona = self._records.personas.get(before.persona_id)
            if persona is None or persona.token_refreshed_at != before.token_refreshed_at:
                return False
            reason = persona.paused_reason or reason
            paused = replace(persona, paused_reason=reason, token_expires_at=dead_since)
            self._records.personas[persona.persona_id] = paused
            return True

    def all(self) -> Sequence[Persona]:
        return [persona for _, persona in sorted(self._records.personas.items())]


class FakePhotoLibrary:
    def __init__(self, records: FakeRecords) -> None:
        self._records = records
        self.pages_read = 0

    def best_first(self, persona_id: PersonaId, *, page_size: int = 1) -> Iterator[Photo]:
        """Reads the queue anew at every page from where it stopped, as DynamoDB does."""
        last_rank: str | None = None
        while True:
            self.pages_read += 1
            with self._records.lock:
                queue = sorted(
                    (
                        (photo.rank, photo)
                        for photo in self._records.photos.values()
                        if photo.persona_id == persona_id and photo.rank is not None and self._records.is_queued(photo)
                    ),
                    key=lambda ranked: ranked[0],
                    reverse=True,
                )
            page = [(rank, photo) for rank, photo in queue if last_rank is None or rank < last_rank][:page_size]
            if not page:
                return
            for rank, photo in page:
                last_rank = rank
                yield photo

    def get(self, persona_id: PersonaId, photo_id: PhotoId) -> Photo | None:
        return self._records.photos.get((persona_id, photo_id))

    def beginning_with(self, persona_id: PersonaId, prefix: str, *, limit: int) -> Sequence[Photo]:
        return [photo for photo in self.every(persona_id) if photo.photo_id.startswith(prefix)][:limit]

    def count_queued(self, persona_id: PersonaId, *, minimum_score: float, most: int) -> int:
        with self._records.lock:
            queued = [
                photo.analysis
                for photo in self._records.photos.values()
                if photo.persona_id == persona_id and self._records.is_queued(photo)
            ]
        good = [analysis for analysis in queued if analysis and analysis.aesthetic_score >= minimum_score]
        return min(len(good), most)

    def every(self, persona_id: PersonaId) -> Iterator[Photo]:
        with self._records.lock:
            photos = sorted(self._records.photos.items())
        return iter([photo for (owner, _), photo in photos if owner == persona_id])

    def add(self, photo: Photo) -> Addition:
        key = (photo.persona_id, photo.photo_id)
        with self._records.lock:
            known = self._records.photos.get(key)
            if known is None:
                self._records.photos[key] = replace(photo, post_slot=None, burst=None, held_back=None)
                return Addition.ADDED
            updated = replace(
                known,
                caption=known.caption if photo.caption is None else photo.caption,
                alt_text=known.alt_text if photo.alt_text is None else photo.alt_text,
                analysis=newer_analysis(known.analysis, photo.analysis),
                perceptual_hashes=photo.perceptual_hashes or known.perceptual_hashes,
            )
            if updated == known:
                return Addition.UNCHANGED
            self._records.photos[key] = updated
            if updated.is_free and updated.rank is not None:
                self._records.released.discard(key)
            return Addition.UPDATED

    def admit(self, photo: Photo) -> bool:
        key = (photo.persona_id, photo.photo_id)
        with self._records.lock:
            known = self._records.photos.get(key)
            if known is None:
                return False
            linked = replace(known, awaits_linking=False)
            self._records.photos[key] = linked
            if linked.rank is None or not linked.is_free:
                return False
            self._records.released.discard(key)
            return True

    def hold_back(self, persona_id: PersonaId, photo_id: PhotoId, why: HeldBack) -> bool:
        key = (persona_id, photo_id)
        with self._records.lock:
            known = self._records.photos.get(key)
            if known is None or known.post_slot is not None:
                return False
            if known.held_back is None or why.reason is HeldBackFor.POSTED_ELSEWHERE:
                self._records.photos[key] = replace(known, held_back=why)
            self._forget(key)
            return True

    def unqueue(self, persona_id: PersonaId, photo_id: PhotoId) -> bool:
        key = (persona_id, photo_id)
        with self._records.lock:
            known = self._records.photos.get(key)
            if known is None or known.post_slot is not None:
                return False
            self._records.photos[key] = replace(known, awaits_linking=True)
            self._forget(key)
            return True

    def release(self, persona_id: PersonaId, photo_id: PhotoId) -> bool:
        key = (persona_id, photo_id)
        with self._records.lock:
            known = self._records.photos.get(key)
            if known is None or known.held_back is None or known.held_back.reason is not HeldBackFor.SKIPPED:
                return False
            self._records.photos[key] = replace(known, held_back=None)
            self._forget(key)
            return True

    def _forget(self, key: PhotoKey) -> None:
        """Its place in the queue."""
        self._records.released.add(key)
        for burst, photo_id in self._records.elected.items():
            if (burst[0], photo_id) == key:
                self._records.elected[burst] = None


class FakeNearDuplicates:
    def __init__(self, records: FakeRecords) -> None:
        self._records = records

    def note(self, photo: Photo) -> None:
        with self._records.lock:
            key = (photo.persona_id, photo.photo_id)
            noted = self._records.noted.get(key, ())
            self._records.noted[key] = (*noted, *(one for one in photo.perceptual_hashes if one not in noted))

    def near(self, persona_id: PersonaId, hashes: Sequence[str], within: int) -> Sequence[tuple[PhotoId, int]]:
        if not FEWEST_BITS <= within <= MOST_BITS:
            raise ValueError(f"not {within}")
        found = []
        with self._records.lock:
            for (owner, photo_id), noted in self._records.noted.items():
                bits = min((distance(one, other) for one in hashes for other in noted), default=MOST_BITS + 1)
                if owner == persona_id and bits <= within:
                    found.append((photo_id, bits))
        return sorted(found, key=lambda one: (one[1], one[0]))

    def join(self, persona_id: PersonaId, photo_id: PhotoId, other: PhotoId) -> PhotoId | None:
        photos = self._records.photos
        with self._records.lock:
            if (persona_id, photo_id) not in photos or (persona_id, other) not in photos:
                return None
            first, second = photos[persona_id, photo_id], photos[persona_id, other]
            bursts = {one.burst for one in (first, second) if one.burst is not None}
            burst = min(bursts, default=other)
            for key, photo in list(photos.items()):
                if key[0] == persona_id and (key[1] in {photo_id, other} or photo.burst in bursts):
                    if photo.burst is None and self._records.is_queued(photo):
                        self._records.elected[persona_id, burst] = photo.photo_id
                    photos[key] = replace(photo, burst=burst)
            return burst

    def elect(self, persona_id: PersonaId, burst: PhotoId) -> PhotoId | None:
        with self._records.lock:
            best = best_of(self._records.photos[persona_id, one] for one in self.members(persona_id, burst))
            if best is None:
                self._records.elected[persona_id, burst] = None
                return None
            self._records.elected[persona_id, burst] = best.photo_id
            return best.photo_id

    def members(self, persona_id: PersonaId, burst: PhotoId) -> Sequence[PhotoId]:
        with self._records.lock:
            photos = self._records.photos.values()
            return sorted(one.photo_id for one in photos if one.persona_id == persona_id and one.burst == burst)


class FakePostLedger:
    def __init__(self, records: FakeRecords) -> None:
        self._records = records

    def get(self, persona_id: PersonaId, slot: Slot) -> Post | None:
        return self._records.posts.get((persona_id, slot))

    def latest(self, persona_id: PersonaId, slot: Slot) -> Post | None:
        with self._records.lock:
            attempts = [
                post
                for (owner, key), post in self._records.posts.items()
                if owner == persona_id and key.start == slot.start
            ]
        return max(attempts, key=lambda post: post.slot, default=None)

    def posts_since(self, persona_id: PersonaId, start: datetime) -> Sequence[Post]:
        every = self.history(persona_id, limit=len(self._records.posts) + 1)
        return [post for post in every if post.slot.start >= start.replace(microsecond=0)]

    def history(self, persona_id: PersonaId, *, limit: int) -> Sequence[Post]:
        with self._records.lock:
            posts = [post for (owner, _), post in self._records.posts.items() if owner == persona_id]
        return sorted(posts, key=lambda post: post.slot, reverse=True)[:limit]

    def claim(self, post: Post) -> Claim:
        with self._records.lock:
            standing = self._records.posts.get((post.persona_id, post.slot))
            if standing is not None:
                return Claim.WON if standing == post else Claim.SLOT_TAKEN
            if not self._is_running(post.persona_id):
                return Claim.PERSONA_PAUSED
            if not self._is_free(post):
                return Claim.PHOTO_TAKEN
            self._take(post)
            return Claim.WON

    def refuse(self, post: Post, pause: str) -> bool:
        with self._records.lock:
            key = (post.persona_id, post.slot)
            if key in self._records.posts:
                return self._records.posts[key] == post
            if post.persona_id not in self._records.personas:
                return False
            self._records.posts[key] = post
            self._pause(post.persona_id, pause)
            return True

    def take_over(self, persona_id: PersonaId, slot: Slot, lease: Lease, now: datetime) -> Post | None:
        with self._records.lock:
            post = self._records.posts.get((persona_id, slot))
            if post is None:
                return None
            if post.lease.owner == lease.owner:
                return post
            if post.status is not PostStatus.POSTING or post.lease.until >= now:
                return None
            taken = replace(post, lease=lease, updated_at=now)
            self._records.posts[persona_id, slot] = taken
            return taken

    def open_posts(self, now: datetime) -> Iterator[tuple[PersonaId, Slot]]:
        with self._records.lock:
            posts = [post for post in self._records.posts.values() if post.wants_another_look]
        for post in sorted(posts, key=lambda post: post.lease.until):
            if post.lease.until < now:
                yield post.persona_id, post.slot

    def complete(self, post: Post) -> bool:
        key = (post.persona_id, post.slot)
        with self._records.lock:
            standing = self._records.posts.get(key)
            if standing == post:
                return True
            if standing is None or standing.status is not PostStatus.POSTED or not standing.wants_another_look:
                return False
            self._records.posts[key] = post
            return True

    def advance(self, before: Post, after: Post) -> bool:
        return self.settle(before, after) is Settlement.DONE

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
        with self._records.lock:
            key = (after.persona_id, after.slot)
            standing = self._records.posts.get(key)
            if standing == after:
                return Settlement.DONE
            if standing is None or not _is_ours(standing, before):
                return Settlement.LEASE_LOST
            if goes_on_with is not None:
                if (goes_on_with.persona_id, goes_on_with.slot) in self._records.posts:
                    return Settlement.NEXT_SLOT_CLOSED
                if not self._is_running(goes_on_with.persona_id):
                    return Settlement.NEXT_SLOT_CLOSED
                if not self._is_free(goes_on_with):
                    return Settlement.NEXT_PHOTO_TAKEN
                self._take(goes_on_with)
            self._records.posts[key] = after
            if requeue is not None:
                self._put_back(requeue, after.slot)
            if pause is not None and after.persona_id in self._records.personas:
                self._pause(after.persona_id, pause)
            return Settlement.DONE

    def retry(self, failed: Post, following: Post) -> Retrial:
        with self._records.lock:
            photo_key = (failed.persona_id, failed.photo_id)
            key = (failed.persona_id, failed.slot)
            standing, photo = self._records.posts.get(key), self._records.photos.get(photo_key)
            there = self._records.posts.get((following.persona_id, following.slot))
            if there is not None:
                return Retrial.DONE if there == following else Retrial.SLOT_TAKEN
            if standing is None or standing.status is not PostStatus.FAILED or standing.retried_in is not None:
                return Retrial.NOT_FAILED
            if photo is None or photo.post_slot != failed.slot:
                return Retrial.PHOTO_GONE
            if not self._is_running(failed.persona_id):
                return Retrial.PERSONA_PAUSED
            self._records.posts[key] = standing.as_retried(following.slot, following.created_at)
            self._records.posts[following.persona_id, following.slot] = following
            self._records.photos[photo_key] = replace(photo, post_slot=following.slot)
            return Retrial.DONE

    def resolve(self, before: Post, after: Post) -> Resolution:
        with self._records.lock:
            key = (before.persona_id, before.slot)
            standing = self._records.posts.get(key)
            media_id = after.provider_post_id
            others = [
                post.provider_post_id
                for (owner, slot), post in self._records.posts.items()
                if owner == after.persona_id and slot != after.slot
            ]
            if media_id is not None and media_id in others:
                return Resolution.MEDIA_TAKEN
            if standing == after:
                return Resolution.DONE
            if standing is None or standing.status is not PostStatus.UNCONFIRMED:
                return Resolution.NOT_UNCONFIRMED
            self._records.posts[key] = after
            return Resolution.DONE

    def set_permalink(self, post: Post, permalink: str) -> None:
        key = (post.persona_id, post.slot)
        with self._records.lock:
            standing = self._records.posts.get(key)
            if standing is None or standing.status is not PostStatus.POSTED:
                return
            if post.provider_post_id is not None and standing.provider_post_id == post.provider_post_id:
                self._records.posts[key] = replace(standing, permalink=permalink)

    def _is_running(self, persona_id: PersonaId) -> bool:
        persona = self._records.personas.get(persona_id)
        return persona is not None and persona.paused_reason is None

    def _is_free(self, post: Post) -> bool:
        photo = self._records.photos.get((post.persona_id, post.photo_id))
        return photo is not None and self._records.is_queued(photo)

    def _take(self, post: Post) -> None:
        key = (post.persona_id, post.photo_id)
        self._records.photos[key] = replace(self._records.photos[key], post_slot=post.slot)
        self._records.posts[post.persona_id, post.slot] = post

    def _put_back(self, photo: Photo, slot: Slot) -> None:
        key = (photo.persona_id, photo.photo_id)
        known = self._records.photos.get(key)
        if known is not None and known.post_slot == slot:
            self._records.photos[key] = replace(known, post_slot=None)
            if known.burst is not None:
                self._records.elected[known.persona_id, known.burst] = known.photo_id

    def _pause(self, persona_id: PersonaId, reason: str) -> None:
        persona = self._records.personas[persona_id]
        self._records.personas[persona_id] = replace(persona, paused_reason=reason)


def _is_ours(standing: Post, before: Post) -> bool:
    return (
        standing.status is PostStatus.POSTING
        and standing.lease.owner == before.lease.owner
        and standing.publish_attempts == before.publish_attempts
        and standing.is_fenced == before.is_fenced
    )
