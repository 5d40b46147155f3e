"""The use case behind `persona adopt`: what is on the account already, by whatever hand, is not posted once more.

It may be repeated, and a run that was interrupted is completed by the next one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Final, TypeVar

from domain.account_media import AccountMedia, Eye, LiveMedia, LivePictures, PictureUnavailableError
from domain.faults import Retry
from domain.ids import MediaId, PhotoId
from domain.intake_ports import UnusablePhotoError
from domain.personas import Persona
from domain.photos import HeldBack, HeldBackFor, Photo
from domain.ports import Clock, NearDuplicates, PhotoLibrary, PostLedger

CALL_LIMIT: Final = timedelta(seconds=30)
_TRIES: Final = 3
_PAUSE: Final = timedelta(seconds=2)

_MOST_LOST_IN_A_ROW: Final = 5
"""After so many pictures that did not come, it is the network, and not the pictures."""

_SLOT_TO_POST: Final = timedelta(days=7)
"""A post is live within two days of its slot, or never: this is far on the safe side."""

T = TypeVar("T")


class Finding(StrEnum):
    """What became of a photo of the library that is on the account already."""

    HELD_BACK = "held_back"
    """It is out of the queue now; in a dry run, it would be."""
    HELD_BACK_BEFORE = "held_back_before"
    HAS_A_POST = "has_a_post"
    """It has a post of its own, which is left alone: it may be the very one, not confirmed yet."""


@dataclass(frozen=True, slots=True)
class Match:
    """A photo of the library that shows what a media does, ``bits`` of 64 apart."""

    photo_id: PhotoId
    media_id: MediaId
    permalink: str | None
    bits: int
    finding: Finding


@dataclass(frozen=True, slots=True)
class Unseen:
    """A picture of the account that could not be looked at, and why."""

    media_id: MediaId
    permalink: str | None
    reason: str


@dataclass(slots=True)
class Adoption:
    """What was found so far."""

    media: int = 0
    """Media of the account that were looked at, and not posted by us."""
    pictures: int = 0
    own: int = 0
    """Media that are posts of ours."""
    others: int = 0
    """Films, which are not looked at."""
    matches: dict[PhotoId, Match] = field(default_factory=dict)
    unseen: list[Unseen] = field(default_factory=list)
    without_hashes: int = 0
    """Photos that nobody can compare, since they were imported when that was not done yet."""

    def found(self, finding: Finding) -> Sequence[Match]:
        return [match for match in self.matches.values() if match.finding is finding]


class AdoptAccount:
    """One look at one account. ``report`` is true at any moment, also of a run that was cut off."""

    def __init__(
        self,
        *,
        media: AccountMedia,
        pictures: LivePictures,
        eye: Eye,
        library: PhotoLibrary,
        near_duplicates: NearDuplicates,
        ledger: PostLedger,
        clock: Clock,
        distance: int,
    ) -> None:
        self._media = media
        self._pictures = pictures
        self._eye = eye
        self._library = library
        self._near_duplicates = near_duplicates
        self._ledger = ledger
        self._clock = clock
        self._distance = distance
        self._lost_in_a_row = 0
        self.report = Adoption()

    def __call__(
        self,
        persona: Persona,
        *,
        most: int,
        dry_run: bool = False,
        on_media: Callable[[int, int], None] = lambda *_: None,
    ) -> None:
        """Look at the account's ``most`` newest media; ``on_media`` is told how many of how many are done.

        A dry run finds the same, and writes nothing. Raises a Fault where Instagram does not tell its media, or none of
        their pictures comes, and RecordsUnavailableError.
        """
        listed = self._listed(persona, most)
        ours = self._ours(persona, listed)
        for done, one in enumerate(listed):
            on_media(done, len(listed))
            if one.media_id in ours:
                self.report.own += 1
            else:
                self._look_at(persona, one, dry_run=dry_run)
        on_media(len(listed), len(listed))
        self.report.without_hashes = sum(map(_cannot_be_compared, self._library.every(persona.persona_id)))

    def _listed(self, persona: Persona, most: int) -> Sequence[LiveMedia]:
        found: dict[MediaId, LiveMedia] = {}
        after: str | None = None
        seen = {after}
        while len(found) < most:
            page = self._tried(partial(self._media.page, persona, after, within=CALL_LIMIT))
            for one in page.media:
                # A media that is posted meanwhile moves the others on, and one comes twice.
                found.setdefault(one.media_id, one)
            after = page.after
            if after in seen:
                break
            seen.add(after)
        return list(found.values())[:most]

    def _ours(self, persona: Persona, listed: Sequence[LiveMedia]) -> set[MediaId]:
        times = [one.published_at for one in listed if one.published_at is not None]
        if not times:
            return set()
        posts = self._ledger.posts_since(persona.persona_id, min(times) - _SLOT_TO_POST)
        return {post.provider_post_id for post in posts if post.provider_post_id is not None}

    def _look_at(self, persona: Persona, one: LiveMedia, *, dry_run: bool) -> None:
        self.report.media += 1
        self.report.others += one.others
        for address in one.addresses:
            try:
                perceptual_hash = self._hash_at(address)
            except (PictureUnavailableError, UnusablePhotoError) as error:
                self.report.unseen.append(Unseen(one.media_id, one.permalink, str(error)))
                continue
            self.report.pictures += 1
            for photo_id, bits in self._near_duplicates.near(persona.persona_id, [perceptual_hash], self._distance):
                if photo_id not in self.report.matches:
                    finding = self._take_out(persona, photo_id, one.media_id, dry_run=dry_run)
                    if finding is not None:
                        self.report.matches[photo_id] = Match(photo_id, one.media_id, one.permalink, bits, finding)

    def _hash_at(self, address: str | None) -> str:
        if address is None:
            raise PictureUnavailableError("Instagram tells no address for its picture.")
        try:
            source = self._tried(partial(self._pictures.fetch, address, within=CALL_LIMIT))
        except Retry as fault:
            self._lost_in_a_row += 1
            if self._lost_in_a_row >= _MOST_LOST_IN_A_ROW:
                raise
            raise PictureUnavailableError(fault.message) from None
        self._lost_in_a_row = 0
        return self._eye.perceptual_hash(source)

    def _take_out(self, persona: Persona, photo_id: PhotoId, media_id: MediaId, *, dry_run: bool) -> Finding | None:
        """None where the library does not have the photo: it was noted, and its import was cut off."""
        photo = self._library.get(persona.persona_id, photo_id)
        if photo is None:
            return None
        if photo.post_slot is not None:
            return Finding.HAS_A_POST
        was_held_back = _is_posted_elsewhere(photo)
        if dry_run:
            return Finding.HELD_BACK_BEFORE if was_held_back else Finding.HELD_BACK
        if not was_held_back:
            why = HeldBack(HeldBackFor.POSTED_ELSEWHERE, media_id)
            if not self._library.hold_back(persona.persona_id, photo_id, why):
                return Finding.HAS_A_POST
            photo = self._library.get(persona.persona_id, photo_id) or photo
        # Also where an earlier run held it back: that may have been the last that it did.
        if photo.burst is not None:
            self._near_duplicates.elect(persona.persona_id, photo.burst)
        return Finding.HELD_BACK_BEFORE if was_held_back else Finding.HELD_BACK

    def _tried(self, call: Callable[[], T]) -> T:
        """The answer of a call that does no harm twice, tried again a few times where that may help."""
        for number in range(1, _TRIES):
            try:
                return call()
            except Retry as fault:
                self._clock.sleep(fault.after or _PAUSE * number)
        return call()


def _is_posted_elsewhere(photo: Photo) -> bool:
    return photo.held_back is not None and photo.held_back.reason is HeldBackFor.POSTED_ELSEWHERE


def _cannot_be_compared(photo: Photo) -> bool:
    return not photo.perceptual_hashes and photo.post_slot is None and not _is_posted_elsewhere(photo)
