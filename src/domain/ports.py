"""What the rules need from the outside. Each docstring is the contract that both the fake and the real adapter keep."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol

from domain.ids import ContainerId, MediaId, PersonaId, PhotoId
from domain.personas import Fit, Persona, Quota
from domain.photos import HeldBack, Photo, PhotoAnalysis
from domain.posts import Lease, Post
from domain.slots import Slot


class RecordsUnavailableError(Exception):
    """The records could not be read or written, and it is not known whether a write took effect.

    Let it end the run: what the run left open is finished by a later one, from what the record says then.
    """


class Clock(Protocol):
    def now(self) -> datetime:
        """The current aware UTC time."""
        ...

    def sleep(self, duration: timedelta) -> None: ...


class RunLog(Protocol):
    """What a run tells its owner, one structured line each. Facts must be free of secrets."""

    def about(self, **facts: object) -> None:
        """Put ``facts`` (persona, slot, photo, post status) on every line from here on."""
        ...

    def info(self, message: str, **facts: object) -> None: ...

    def warning(self, message: str, **facts: object) -> None: ...

    def error(self, message: str, **facts: object) -> None: ...


class PersonaDirectory(Protocol):
    def get(self, persona_id: PersonaId) -> Persona | None:
        """The persona as it is now (a consistent read). Raises RecordsUnavailableError."""
        ...

    def add(self, persona: Persona) -> bool:
        """Add a new persona; False, and no change, where its id is taken by one that differs.

        Adding the same twice changes nothing and is no refusal. Raises RecordsUnavailableError.
        """
        ...

    def pause(self, persona_id: PersonaId, reason: str) -> str | None:
        """Pause the persona, unless it is paused already: the first reason stays. The reason that stands now.

        None, and no change, where there is no such persona. Raises RecordsUnavailableError.
        """
        ...

    def resume(self, persona_id: PersonaId, *, seen: str | None = None) -> bool:
        """Lift the pause and nothing else; False where there is no such persona.

        Where ``seen`` is given, only the pause of this reason is lifted: False, and no change, for another, which came
        since the owner looked, and for none. Raises RecordsUnavailableError.
        """
        ...

    def remove(self, persona_id: PersonaId, *, paused_for: str) -> bool:
        """Delete the record of a persona that is still paused for this reason; False, and no change, where it is not.

        One that is not there is removed already. Raises RecordsUnavailableError.
        """
        ...

    def set_caption(self, persona_id: PersonaId, caption: str | None) -> bool:
        """Set the persona's caption, or take it away; False where there is no such persona.

        Raises RecordsUnavailableError.
        """
        ...

    def note_quota(self, persona_id: PersonaId, quota: Quota) -> None:
        """Note what Instagram said of the quota; nothing where there is no such persona.

        Raises RecordsUnavailableError.
        """
        ...

    def set_fit(self, persona_id: PersonaId, fit: Fit) -> bool:
        """Set what becomes of pictures that Instagram would not take as they are; False where there is no such persona.

        Renditions that are stored already stay as they are. Raises RecordsUnavailableError.
        """
        ...

    def note_token(self, before: Persona, *, refreshed_at: datetime, expires_at: datetime | None) -> bool:
        """Note when its token was replaced, and when the new one expires, if that is known.

        Only while ``token_refreshed_at`` is as in ``before``: False, and no change, where somebody has replaced the
        token since, and where there is no such persona. Raises RecordsUnavailableError.
        """
        ...

    def pause_for_token(self, before: Persona, reason: str, *, dead_since: datetime) -> bool:
        """Note that the token has expired by ``dead_since``, and pause the persona.

        Where it is paused already the first reason stays, and that is True as well.

        Only under the condition of ``note_token``, so that no new token is paused for the one before it. Raises
        RecordsUnavailableError.
        """
        ...

    def all(self) -> Sequence[Persona]:
        """Every persona, by id. For the owner's commands, the stock-taking and the daily look at the tokens.

        Its cost grows with their number. Raises RecordsUnavailableError.
        """
        ...


class Addition(Enum):
    ADDED = auto()
    UPDATED = auto()
    UNCHANGED = auto()


class PhotoLibrary(Protocol):
    def best_first(self, persona_id: PersonaId, *, page_size: int = 1) -> Iterator[Photo]:
        """The queue, best first, lazily: ``page_size`` photos at the price of one Query, the next when asked for.

        Eventually consistent: a photo may have got a post since. Raises RecordsUnavailableError.
        """
        ...

    def get(self, persona_id: PersonaId, photo_id: PhotoId) -> Photo | None:
        """The photo as it is now (a consistent read). Raises RecordsUnavailableError."""
        ...

    def add(self, photo: Photo) -> Addition:
        """Add a photo, or bring a known one's texts, analysis and hashes up to date where ``photo`` gives them.

        A score that the owner gave stays, unless ``photo`` has one that the owner gave too. Never touches
        ``post_slot``, ``held_back`` and ``burst``, and puts the photo in the queue only while it is free of them all. A
        new one that ``awaits_linking`` is not queued before ``admit``. Importing the same twice changes nothing. Raises
        RecordsUnavailableError.
        """
        ...

    def admit(self, photo: Photo) -> bool:
        """It is linked to all that it looks like: put it into the queue if it is scored and nothing keeps it out.

        Goes by the photo as it is now, and not as it is given. False where it has no analysis or a post, is held back,
        or belongs to a burst, whose best one is then to be elected. Raises RecordsUnavailableError.
        """
        ...

    def hold_back(self, persona_id: PersonaId, photo_id: PhotoId, why: HeldBack) -> bool:
        """Take a photo out of the queue for good, ``why`` on record; False, and no change, while it has a post.

        What was posted elsewhere stays so, whatever ``why`` says later. Raises RecordsUnavailableError.
        """
        ...

    def unqueue(self, persona_id: PersonaId, photo_id: PhotoId) -> bool:
        """Take a photo out of the queue until its file is imported again, and change nothing else.

        It ``awaits_linking`` from then on. False, and no change, while it has a post or is not in the library. Raises
        RecordsUnavailableError.
        """
        ...

    def release(self, persona_id: PersonaId, photo_id: PhotoId) -> bool:
        """Take the owner's own ``skipped`` back; False where it is not skipped. The queue is left as it is.

        Raises RecordsUnavailableError.
        """
        ...

    def beginning_with(self, persona_id: PersonaId, prefix: str, *, limit: int) -> Sequence[Photo]:
        """The photos whose id begins so, by id, ``limit`` at the most (a consistent read). ``prefix`` is not empty.

        Raises RecordsUnavailableError.
        """
        ...

    def count_queued(self, persona_id: PersonaId, *, minimum_score: float, most: int) -> int:
        """How many photos of this score or better are in the queue; counted up to ``most``, and never further.

        For the owner's commands alone: its cost grows with what it counts. Raises RecordsUnavailableError.
        """
        ...

    def every(self, persona_id: PersonaId) -> Iterator[Photo]:
        """All photos, by id, lazily. For the owner's commands alone: its cost grows with their number.

        Raises RecordsUnavailableError.
        """
        ...


class NearDuplicates(Protocol):
    """Which photos of a persona show the same shot, and which one of them may be in the queue.

    Every method may be repeated, and raises RecordsUnavailableError.
    """

    def note(self, photo: Photo) -> None:
        """Let the photo be found by its hashes. Before ``near``, so that of two at once one finds the other."""
        ...

    def near(self, persona_id: PersonaId, hashes: Sequence[str], within: int) -> Sequence[tuple[PhotoId, int]]:
        """The noted photos within so many bits of one of ``hashes``, and how many; nearest first (a consistent read).

        Raises ValueError for a distance that is not from 0 to ``near_duplicates.MOST_BITS``.
        """
        ...

    def join(self, persona_id: PersonaId, photo_id: PhotoId, other: PhotoId) -> PhotoId | None:
        """Make the two photos members of one burst, with all that each is linked to already; tell which burst.

        None, and no change, where one of them is not in the library.
        """
        ...

    def elect(self, persona_id: PersonaId, burst: PhotoId) -> PhotoId | None:
        """Put the best photo of a burst into the queue and take all others out, in one transaction; None for none.

        To be called after every change of one of its photos: joined, scored, held back, released.
        """
        ...

    def members(self, persona_id: PersonaId, burst: PhotoId) -> Sequence[PhotoId]:
        """The photos of a burst, and of those that it was joined with (a consistent read)."""
        ...


class Claim(Enum):
    """What became of a claim. Only WON wrote anything."""

    WON = auto()
    PHOTO_TAKEN = auto()
    SLOT_TAKEN = auto()
    PERSONA_PAUSED = auto()


class Settlement(Enum):
    """What became of a transaction that ends a post. Only DONE wrote anything."""

    DONE = auto()
    LEASE_LOST = auto()
    NEXT_PHOTO_TAKEN = auto()
    NEXT_SLOT_CLOSED = auto()
    """The slot's next post exists already, or the persona was paused: end the post without going on."""


class Retrial(Enum):
    """What became of a retry. Only DONE wrote anything."""

    DONE = auto()
    NOT_FAILED = auto()
    """The post is not ``failed``, or was retried already."""
    PHOTO_GONE = auto()
    """The photo is not this post's any more: it is back in the queue, another post's, or not in the library."""
    SLOT_TAKEN = auto()
    PERSONA_PAUSED = auto()


class Resolution(Enum):
    """What became of the owner's word on an unconfirmed post. Only DONE wrote anything."""

    DONE = auto()
    NOT_UNCONFIRMED = auto()
    MEDIA_TAKEN = auto()
    """The media is another post's."""


class PostLedger(Protocol):
    """The posts' records, which are the truth. Every write is conditional and is read back when its reply is lost.

    *Ours* means: the record is still ``posting`` with the lease owner, the fence and the number of attempts of the
    post as the caller last saw it (``before``). A write that finds it otherwise changes nothing.
    Every method raises RecordsUnavailableError.
    """

    def claim(self, post: Post) -> Claim:
        """One transaction: put ``post`` if its slot has none, take its photo if that has none; persona not paused."""
        ...

    def refuse(self, post: Post, pause: str) -> bool:
        """One transaction: put the failed ``post`` if its slot has none, without its photo, and pause the persona.

        False, and nothing written, where the slot has another post or there is no such persona.
        """
        ...

    def latest(self, persona_id: PersonaId, slot: Slot) -> Post | None:
        """The last attempt at this slot's moment (a consistent read)."""
        ...

    def get(self, persona_id: PersonaId, slot: Slot) -> Post | None:
        """The post of exactly this slot (a consistent read)."""
        ...

    def take_over(self, persona_id: PersonaId, slot: Slot, lease: Lease, now: datetime) -> Post | None:
        """Take the lease of a ``posting`` post whose lease ended before ``now``; the post as that write left it."""
        ...

    def open_posts(self, now: datetime) -> Iterator[tuple[PersonaId, Slot]]:
        """The keys of the posts that want another look and whose lease ended before ``now``, oldest lease first.

        Lazy, and eventually consistent: a post may have moved on since. Take it over and go by what that returns.
        """
        ...

    def advance(self, before: Post, after: Post) -> bool:
        """Write ``after`` if the record is still ours as ``before``; False when the lease is lost."""
        ...

    def settle(
        self,
        before: Post,
        after: Post,
        *,
        requeue: Photo | None = None,
        pause: str | None = None,
        goes_on_with: Post | None = None,
    ) -> Settlement:
        """One transaction: ``advance``, and with it photo back in the queue, persona paused, or next post claimed.

        What is no longer there (photo, persona) does not keep the post from ending. Raises ValueError for a pause
        together with a next post: the one forbids the other.
        """
        ...

    def complete(self, post: Post) -> bool:
        """Write ``post`` if the record is ``posted``, still without a media id and still wants another look."""
        ...

    def retry(self, failed: Post, following: Post) -> Retrial:
        """One transaction: put ``following`` if its slot has no post, move the photo to it if it is still ``failed``'s,
        note ``retried_in`` if the post is failed and was never retried; persona not paused. The queue is left alone.
        """
        ...

    def resolve(self, before: Post, after: Post) -> Resolution:
        """Write ``after``, the owner's word on the ``unconfirmed`` post ``before``, if the record is still so.

        With a media id only where no post of the persona has it, or gets it at the same moment.
        """
        ...

    def set_permalink(self, post: Post, permalink: str) -> None:
        """Note the permalink of a ``posted`` post while it has this media id. Changes nothing else."""
        ...

    def posts_since(self, persona_id: PersonaId, start: datetime) -> Sequence[Post]:
        """This persona's posts of slots from ``start`` on, newest slot first (a consistent read)."""
        ...

    def history(self, persona_id: PersonaId, *, limit: int) -> Sequence[Post]:
        """The newest posts by slot, newest first."""
        ...


class ContainerStatus(Enum):
    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"
    PUBLISHED = "PUBLISHED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class RecentMedia:
    """One entry of the account's list of media, as Instagram tells it."""

    media_id: MediaId
    caption: str
    media_type: str
    published_at: datetime
    permalink: str | None = None


class Publisher(Protocol):
    """Instagram. Every method is one request that ends ``within`` the given time, and raises a Fault, nothing else.

    Only ``publish`` may raise Unresolved: every other call can be repeated without harm.
    """

    def create_container(
        self, persona: Persona, image_url: str, caption: str, alt_text: str | None, *, within: timedelta
    ) -> ContainerId:
        """Upload the photo into a new container. One that is never published does no harm and expires in 24 h."""
        ...

    def container_status(self, persona: Persona, container_id: ContainerId, *, within: timedelta) -> ContainerStatus:
        """How far the container is. A container in ERROR raises the fault that its status text names."""
        ...

    def publish(self, persona: Persona, container_id: ContainerId, *, within: timedelta) -> MediaId:
        """Make the container live: one request, never repeated below this call.

        Retry and Defer mean that it provably did not take effect; Unresolved that it may have.
        """
        ...

    def recent_media(self, persona: Persona, *, within: timedelta) -> Sequence[RecentMedia]:
        """The account's newest media, newest first. It may lag behind what is live."""
        ...

    def quota_left(self, persona: Persona, *, within: timedelta) -> int:
        """How many posts the account may still make now; 0 where it has used its quota up."""
        ...

    def permalink(self, persona: Persona, media_id: MediaId, *, within: timedelta) -> str:
        """The address of a live media on instagram.com."""
        ...


class Renditions(Protocol):
    """The photos' files, as Instagram takes them."""

    def link(self, object_key: str) -> str:
        """An address at which Instagram can fetch the file without signing in, valid for 2 hours. A secret."""
        ...

    def exists(self, object_key: str) -> bool:
        """Whether the file is there. Raises Defer when that cannot be told now."""
        ...


class PhotoScorer(Protocol):
    """How good a picture is, for the queue's order."""

    @property
    def name(self) -> str:
        """What the scorer is called in an analysis, with its version: another name means other scores."""
        ...

    def score(self, jpeg: bytes) -> PhotoAnalysis:
        """The analysis of a rendition: a JPEG as it is posted, so that it can be made again later from the bucket.

        Raises ScorerUnavailableError where it cannot be told now; trying again later may help. Where that lies in the
        picture it is an UnscorablePictureError.
        """
        ...


class ScorerUnavailableError(Exception):
    """The scorer gave no usable answer. The text says what to look at, and has no secret in it."""


class UnscorablePictureError(ScorerUnavailableError):
    """The scorer gives none for this picture, and may well give one for the next."""
