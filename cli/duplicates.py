"""The work behind `photos duplicates`: the bursts of a library, each photo with its standing and its distance."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from adapters.imaging import UnusableImageError
from cli.contact_sheet import Card, Group, Sheet, thumbnail
from cli.shown import in_brief, short
from domain import instants
from domain.ids import PersonaId, PhotoId
from domain.near_duplicates import best_of, distance
from domain.personas import Persona
from domain.photos import HeldBackFor, Photo
from domain.ports import NearDuplicates, PhotoLibrary, PostLedger
from domain.posts import PostStatus

AT_ONCE: Final = 8
"""Renditions that are fetched at the same time for a contact sheet."""


class Standing(StrEnum):
    """Where a photo of a burst stands. These words are on the sheet."""

    POSTED = "posted"
    POSTING = "being posted"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    POSTED_ELSEWHERE = "posted elsewhere"
    SKIPPED = "skipped"
    BEST = "best, in the queue"
    BELOW_MINIMUM = "best, below the minimum score"
    AWAITS_LINKING = "not taken in to its end"
    UNSCORED = "without a score"
    OUTSHONE = "kept back"
    """Another one of the burst is better, or is on the account."""


_OF_A_POST: Final = {
    PostStatus.POSTED: Standing.POSTED,
    PostStatus.POSTING: Standing.POSTING,
    PostStatus.FAILED: Standing.FAILED,
    PostStatus.UNCONFIRMED: Standing.UNCONFIRMED,
}


@dataclass(frozen=True, slots=True)
class Member:
    """``bits`` is the distance to the burst's first photo; None for that one, and where hashes are missing."""

    photo: Photo
    standing: Standing
    bits: int | None


class RenditionReader(Protocol):
    """The part of ``adapters.s3.S3Renditions`` that is needed here."""

    def read(self, object_key: str) -> bytes | None: ...


class Duplicates:
    """The bursts of one persona's library that have two photos or more."""

    def __init__(
        self, persona: Persona, *, library: PhotoLibrary, near_duplicates: NearDuplicates, ledger: PostLedger
    ) -> None:
        self._persona = persona
        self._library = library
        self._near_duplicates = near_duplicates
        self._ledger = ledger

    def bursts(self) -> Sequence[Sequence[PhotoId]]:
        """The ids of each burst's photos, the largest burst first. Reads the whole library, and keeps the ids alone.

        Raises RecordsUnavailableError.
        """
        names: dict[PhotoId, PhotoId] = {}
        bursts: dict[PhotoId, set[PhotoId]] = {}
        for photo in self._library.every(self._persona.persona_id):
            if photo.burst is None:
                continue
            if photo.burst not in names:
                # Bursts that were joined with others have other names and the same members.
                members = self._near_duplicates.members(self._persona.persona_id, photo.burst)
                names[photo.burst] = members[0] if members else photo.burst
            # A burst lists its first 200 members; those that came later are told by their own records.
            bursts.setdefault(names[photo.burst], set()).add(photo.photo_id)
        found = [sorted(photo_ids) for photo_ids in bursts.values() if len(photo_ids) > 1]
        return sorted(found, key=lambda photo_ids: (-len(photo_ids), photo_ids[0]))

    def members(self, photo_ids: Sequence[PhotoId]) -> Sequence[Member]:
        """A burst's photos as they are now: what counts for it first, then by score."""
        found = [self._library.get(self._persona.persona_id, photo_id) for photo_id in photo_ids]
        photos = [photo for photo in found if photo is not None]
        best = best_of(photos)
        ranked = sorted(photos, key=lambda photo: photo.rank or "", reverse=True)
        first = best or next(iter(sorted(ranked, key=_is_only_a_candidate)), None)
        if first is None:
            return []
        return [
            Member(photo, self._standing(photo, best), None if photo is first else _bits(photo, first))
            for photo in (first, *(photo for photo in ranked if photo is not first))
        ]

    def _standing(self, photo: Photo, best: Photo | None) -> Standing:
        if photo.post_slot is not None:
            post = self._ledger.get(photo.persona_id, photo.post_slot)
            return _OF_A_POST[post.status] if post is not None else Standing.POSTING
        if photo.held_back is not None:
            is_elsewhere = photo.held_back.reason is HeldBackFor.POSTED_ELSEWHERE
            return Standing.POSTED_ELSEWHERE if is_elsewhere else Standing.SKIPPED
        if photo.awaits_linking:
            return Standing.AWAITS_LINKING
        if photo.analysis is None:
            return Standing.UNSCORED
        if photo is not best:
            return Standing.OUTSHONE
        is_taken = photo.analysis.aesthetic_score >= self._persona.minimum_score
        return Standing.BEST if is_taken else Standing.BELOW_MINIMUM


def sheet_of(
    persona_id: PersonaId,
    bursts: Sequence[Sequence[PhotoId]],
    duplicates: Duplicates,
    renditions: RenditionReader,
    on_burst: Callable[[int], None] = lambda _: None,
) -> Sheet:
    """The contact sheet, whose pictures are fetched as it is written: those of one burst are in memory at a time.

    ``on_burst`` is told how many bursts are begun.
    """
    photos = sum(map(len, bursts))
    subtitle = f"Bursts: {len(bursts)}, with {photos} photos. Of each, the best one alone is posted."
    return Sheet(f"Near duplicates of {persona_id}", subtitle, _groups(bursts, duplicates, renditions, on_burst))


def _groups(
    bursts: Sequence[Sequence[PhotoId]],
    duplicates: Duplicates,
    renditions: RenditionReader,
    on_burst: Callable[[int], None],
) -> Iterator[Group]:
    for number, photo_ids in enumerate(bursts, start=1):
        on_burst(number)
        members = duplicates.members(photo_ids)
        yield Group(f"{number}: {len(members)} photos", _note(members), _cards(members, renditions))


def _cards(members: Sequence[Member], renditions: RenditionReader) -> Iterator[Card]:
    def seen(member: Member) -> bytes | None:
        rendition = renditions.read(member.photo.object_key)
        try:
            return None if rendition is None else thumbnail(rendition)
        except UnusableImageError:
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for member, jpeg in zip(members, pool.map(seen, members), strict=True):
            lines = [f"score {score_in_words(member.photo)}"]
            if member.bits is not None:
                lines.append(f"{member.bits} bits from the first")
            if member.photo.caption:
                lines.append(in_brief(member.photo.caption))
            yield Card(jpeg, short(member.photo.photo_id), lines, badge=member.standing.value)


def _note(members: Sequence[Member]) -> str | None:
    """Why none of the burst is in the queue, where none is."""
    standings = {member.standing for member in members}
    if standings & {*_OF_A_POST.values(), Standing.POSTED_ELSEWHERE}:
        return "One of them has a post, or is on the account: none of the others is posted."
    return None if Standing.BEST in standings else "None of them is in the queue."


def score_in_words(photo: Photo) -> str:
    return "none" if photo.analysis is None else f"{photo.analysis.aesthetic_score:.2f} by {photo.analysis.scorer}"


def burst_facts(members: Sequence[Member]) -> dict[str, Any]:
    return {"note": _note(members), "photos": [_facts(member) for member in members]}


def _facts(member: Member) -> dict[str, Any]:
    photo = member.photo
    return {
        "photo_id": photo.photo_id,
        "standing": member.standing.value,
        "bits": member.bits,
        "aesthetic_score": photo.analysis.aesthetic_score if photo.analysis else None,
        "scorer": photo.analysis.scorer if photo.analysis else None,
        "post_slot": str(photo.post_slot) if photo.post_slot else None,
        "posted_elsewhere_as": photo.held_back.media_id if photo.held_back else None,
        "imported_at": instants.to_text(photo.imported_at),
        "caption": photo.caption,
    }


def _is_only_a_candidate(photo: Photo) -> bool:
    """False for what decides that no other is posted."""
    is_elsewhere = photo.held_back is not None and photo.held_back.reason is HeldBackFor.POSTED_ELSEWHERE
    return photo.post_slot is None and not is_elsewhere


def _bits(photo: Photo, first: Photo) -> int | None:
    pairs = [(one, other) for one in photo.perceptual_hashes for other in first.perceptual_hashes]
    return min((distance(one, other) for one, other in pairs), default=None)
