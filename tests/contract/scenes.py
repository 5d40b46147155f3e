"""How records come to stand as a test needs them: by the ports' own calls, so that each implementation has them so."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from contract.implementations import Records
from domain.faults import FaultRecord
from domain.ids import ContainerId, MediaId, RunId
from domain.photos import Photo
from domain.ports import Claim
from domain.posts import Evidence, Lease, Post
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post

TEN: Final = Slot(NINE.start + timedelta(hours=1))
CLAIMED_AT: Final = a_post().created_at
A_MINUTE_LATER: Final = CLAIMED_AT + timedelta(minutes=1)
LEASE_OVER: Final = a_post().lease.until + timedelta(milliseconds=1)
OTHER_LEASE: Final = Lease(RunId("run-2"), LEASE_OVER + timedelta(minutes=5))
CONTAINER: Final = ContainerId("17889455560051444")
MEDIA: Final = MediaId("17920238422030506")
FAULT: Final = FaultRecord("PhotoFault", "Instagram refused: the format (code 352).", 352, 2207026)


def furnish(records: Records, *names: str) -> None:
    """A persona with photos in its queue, the first of them the best."""
    records.personas.add(a_persona())
    for place, name in enumerate(names or ("sunrise",)):
        records.library.add(a_photo(name, score=9.0 - place))


def claimed(records: Records, *names: str) -> Post:
    """The post of the first photo, claimed for nine o'clock by run-1 and under way."""
    furnish(records, *names)
    post = a_post(photo_id=a_photo_id(names[0] if names else "sunrise"))
    assert records.ledger.claim(post) is Claim.WON
    return post


def fenced(records: Records, *names: str) -> Post:
    """A claimed post about to be sent for the first time."""
    return moved(records, post := claimed(records, *names), post.as_fenced(CONTAINER, A_MINUTE_LATER))


def moved(records: Records, before: Post, after: Post) -> Post:
    assert records.ledger.advance(before, after) is True
    return after


def reopened(post: Post) -> Post:
    """A fenced post whose request was provably not sent."""
    fault = FaultRecord("Retry", "No connection came about.")
    return post.as_deferred(fault, A_MINUTE_LATER, post.lease.until, CONTAINER)


def ended(post: Post) -> dict[str, Post]:
    """The post in each of its ends."""
    evidence = Evidence("EXPIRED", (MEDIA, MediaId("17920238422030507")))
    return {
        "posted": post.as_posted(MEDIA, A_MINUTE_LATER, "https://www.instagram.com/p/abc/"),
        "failed": post.as_failed(FAULT, A_MINUTE_LATER),
        "unconfirmed": post.as_unconfirmed(FAULT, evidence, A_MINUTE_LATER),
    }


def photo_in(records: Records, name: str = "sunrise") -> Photo:
    photo = records.library.get(DEFAULT, a_photo_id(name))
    assert photo is not None
    return photo


def queue(records: Records) -> list[str]:
    return [photo.photo_id for photo in records.library.best_first(DEFAULT)]


def next_post(name: str = "second", *, of: Post) -> Post:
    """What the slot goes on with."""
    following = of.slot.following
    assert following is not None
    return replace(of, slot=following, photo_id=a_photo_id(name), created_at=A_MINUTE_LATER, updated_at=A_MINUTE_LATER)
