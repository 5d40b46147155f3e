"""The use case behind `retry`: a failed post's photo is tried once more, by its owner's word, in a post of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from domain.captions import caption_problem
from domain.outcomes import Report
from domain.personas import Persona
from domain.photos import Photo
from domain.ports import Clock, PhotoLibrary, PostLedger, Retrial
from domain.post_driver import PostDriver
from domain.posts import Post, PostStatus, why_it_waits
from domain.runs import Run, new_post
from domain.slots import Slot

MOST_SLOTS_TRIED: Final = 3
"""A slot by hand is a second; another post by hand may have this one."""


@dataclass(frozen=True, slots=True)
class NotRetried:
    """Nothing was written. ``reason`` says why, and what to do, for the owner."""

    reason: str


class RetryPost:
    def __init__(self, *, library: PhotoLibrary, ledger: PostLedger, driver: PostDriver, clock: Clock) -> None:
        self._library = library
        self._ledger = ledger
        self._driver = driver
        self._clock = clock

    def __call__(self, persona: Persona, post: Post, start_run: Callable[[], Run]) -> Report | NotRetried:
        """Try the photo of ``post`` once more, in a post at a slot of now, and drive that until it ends or must wait.

        ``start_run`` gives a fresh run. However often it is called, and by however many at once, a failed post becomes
        one new post at the most. Raises RecordsUnavailableError: then ``history`` tells, and the reconciler goes on.
        """
        refusal = why_not_failed(post)
        photo = self._library.get(post.persona_id, post.photo_id)
        if refusal is None:
            refusal = _why_not_its_photo(post, photo) or _why_not_now(persona)
        if refusal is not None or photo is None:
            return NotRetried(refusal or "")
        run = start_run()
        now = self._clock.now()
        for seconds in range(MOST_SLOTS_TRIED):
            slot = Slot.by_hand(now + timedelta(seconds=seconds))
            following = new_post(run, persona, slot, photo, now, retry_of=post.slot)
            problem = caption_problem(following.caption)
            if problem is not None:
                return NotRetried(_mend_caption(persona, photo, problem))
            match self._ledger.retry(post, following):
                case Retrial.DONE:
                    return self._driver.drive(run, persona, following, photo)
                case Retrial.SLOT_TAKEN:
                    continue
                case Retrial.PERSONA_PAUSED:
                    return NotRetried(
                        f"The persona {persona.persona_id} was paused at this moment; nothing was written."
                    )
                case Retrial.NOT_FAILED | Retrial.PHOTO_GONE:
                    return NotRetried(self._why_by_now(post))
        return NotRetried("Other posts were made in these very seconds; nothing was written. Run it again.")

    def _why_by_now(self, post: Post) -> str:
        """Somebody else was quicker: what the records say after that."""
        standing = self._ledger.get(post.persona_id, post.slot) or post
        photo = self._library.get(post.persona_id, post.photo_id)
        return why_not_failed(standing) or _why_not_its_photo(standing, photo) or "It changed meanwhile; look again."


def why_not_failed(post: Post) -> str | None:
    """Why this post is none to be retried, by its own record; None where it says nothing against it."""
    name = f"{post.persona_id}/{post.slot}"
    if post.retried_in is not None:
        again = f"{post.persona_id}/{post.retried_in}"
        return f"{name} was retried already, as {again}: nothing was written. If that failed too, retry {again}."
    match post.status:
        case PostStatus.FAILED:
            return None
        case PostStatus.POSTED:
            return f"{name} is posted; there is nothing to retry."
        case PostStatus.POSTING:
            waits = why_it_waits(post) or "the reconciler goes on with it every 15 minutes."
            return f"{name} is still under way: {waits}"
        case PostStatus.UNCONFIRMED:
            return (
                f"{name} is unconfirmed: it may be live. Look at the account, and say what you saw with `fluffy-train "
                f"resolve {name} --posted MEDIA_ID` or `--not-posted`; after the latter it can be retried."
            )


def _why_not_its_photo(post: Post, photo: Photo | None) -> str | None:
    if photo is None:
        return f"Photo {post.photo_id[:12]} is no longer in the library: import it again, and it is queued."
    if photo.post_slot is None:
        return (
            f"Photo {post.photo_id[:12]} of {post.persona_id}/{post.slot} is not held by that post, so it needs no "
            "retry: it goes by the queue (`fluffy-train queue`)."
        )
    if photo.post_slot != post.slot:
        return f"Photo {post.photo_id[:12]} has another post by now: {post.persona_id}/{photo.post_slot}."
    return None


def _why_not_now(persona: Persona) -> str | None:
    if persona.paused_reason is not None:
        mend = f"When that is mended: `fluffy-train persona resume {persona.persona_id}`."
        return f"The persona {persona.persona_id} is paused: {persona.paused_reason} {mend}"
    return None


def _mend_caption(persona: Persona, photo: Photo, problem: str) -> str:
    if photo.caption is None:
        return (
            f"Nothing was written: {problem} in the persona (`fluffy-train persona set-caption {persona.persona_id}`)."
        )
    return f"Nothing was written: {problem}, and import the photo again with the shorter one."
