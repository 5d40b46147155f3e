"""Whole libraries as a stack may have them, for Hypothesis: each photo in a state of its own, some in bursts."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from domain.faults import FaultRecord
from domain.ids import ContainerId, MediaId, PersonaId, PhotoId, RunId
from domain.personas import Fit, Login, Persona, Quota
from domain.photos import HeldBack, HeldBackFor, Photo, PhotoAnalysis
from domain.posts import Evidence, Lease, Post, PostStatus
from domain.record_lines import Record
from domain.slots import Slot
from fakes.library import NINE, a_photo_id

TEXTS: Final = st.one_of(st.none(), st.sampled_from(["", "One\ntwo", "“Ünï” 📷", '{"a": 1}', "line\u2028end"]))
INSTANTS: Final = st.integers(0, 10**9).map(lambda ms: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))
SCORES: Final = st.floats(1e-90, 10) | st.just(0.0)
FAULTS: Final = st.builds(
    FaultRecord, st.just("PhotoFault"), st.just("Refused: é."), st.none() | st.just(352), st.none()
)
HASHES: Final = st.integers(1, 2**64 - 1).map(lambda bits: f"{bits:016x}-102030")


@dataclass
class Library:
    personas: list[Persona] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    photos: list[Photo] = field(default_factory=list)

    @property
    def records(self) -> list[Record]:
        return [*self.personas, *self.posts, *self.photos]


@st.composite
def libraries(draw: st.DrawFn, statuses: tuple[str, ...] = ("posted", "failed", "unconfirmed")) -> Library:
    library = Library()
    for number in range(draw(st.integers(1, 2))):
        persona_id = PersonaId(f"persona-{number}")
        library.personas.append(draw(_personas(persona_id)))
        burst: PhotoId | None = None
        for place in range(draw(st.integers(0, 5))):
            photo = draw(_photos(persona_id, a_photo_id(f"{number}/{place}")))
            state = draw(st.sampled_from(["free", "skipped", "elsewhere", "arriving", "failed once", *statuses]))
            slot = Slot(NINE.start + timedelta(hours=place), draw(st.integers(1, 3)))
            if state in statuses:
                photo = replace(photo, post_slot=slot)
            if state in statuses or state == "failed once":
                library.posts.append(draw(_posts(photo, slot, PostStatus(state.removesuffix(" once")))))
            if state in {"skipped", "elsewhere"}:
                reason = HeldBackFor.SKIPPED if state == "skipped" else HeldBackFor.POSTED_ELSEWHERE
                photo = replace(photo, held_back=HeldBack(reason, draw(st.none() | st.just(MediaId("1792")))))
            photo = replace(photo, awaits_linking=state == "arriving")
            if draw(st.booleans()):
                burst = burst or photo.photo_id
                photo = replace(photo, burst=burst)
            library.photos.append(photo)
    return library


def _personas(persona_id: PersonaId) -> st.SearchStrategy[Persona]:
    return st.builds(
        Persona,
        persona_id=st.just(persona_id),
        name=st.just("Adas Bilder"),
        instagram_user_id=st.just("17841400000000001"),
        login=st.sampled_from(Login),
        caption=TEXTS,
        minimum_score=SCORES,
        fit=st.sampled_from(Fit),
        paused_reason=TEXTS.filter(lambda text: text != ""),
        token_expires_at=st.none() | INSTANTS,
        quota=st.none() | st.builds(Quota, st.integers(0, 100), INSTANTS),
    )


def _photos(persona_id: PersonaId, photo_id: PhotoId) -> st.SearchStrategy[Photo]:
    number = st.none() | st.floats(1e-90, 1) | st.just(1.0)
    analysis: Any = st.builds(PhotoAnalysis, SCORES, st.just("measured-2"), INSTANTS, number, number)
    return st.builds(
        Photo,
        persona_id=st.just(persona_id),
        photo_id=st.just(photo_id),
        object_key=st.just(f"library/{persona_id}/{photo_id}.jpg"),
        width=st.integers(320, 1440),
        height=st.integers(320, 1800),
        imported_at=INSTANTS,
        caption=TEXTS,
        alt_text=TEXTS,
        analysis=st.none() | analysis,
        perceptual_hashes=st.lists(HASHES, max_size=2).map(tuple),
        post_slot=st.none(),
        awaits_linking=st.just(False),
        burst=st.none(),
        held_back=st.none(),
    )


@st.composite
def _posts(draw: st.DrawFn, photo: Photo, slot: Slot, status: PostStatus) -> Post:
    at = draw(INSTANTS)
    is_fenced = status is not PostStatus.FAILED and draw(st.booleans())
    is_posted = status is PostStatus.POSTED
    return Post(
        persona_id=photo.persona_id,
        slot=slot,
        photo_id=photo.photo_id,
        caption=draw(TEXTS) or "",
        lease=Lease(RunId("run-1"), at + timedelta(minutes=5)),
        created_at=at,
        updated_at=at,
        status=status,
        container_id=ContainerId("1788") if is_fenced else None,
        publish_sent_at=at if is_fenced else None,
        publish_attempts=draw(st.integers(0, 3)),
        provider_post_id=MediaId("1792") if is_posted and draw(st.booleans()) else None,
        permalink="https://www.instagram.com/p/abc/" if is_posted and draw(st.booleans()) else None,
        posted_at=at if is_posted else None,
        fault=None if is_posted else draw(st.none() | FAULTS),
        evidence=draw(st.none() | st.just(Evidence("EXPIRED", (MediaId("1"), MediaId("2"))))),
        retried_in=draw(st.none() | st.just(Slot(NINE.start + timedelta(days=9)))),
    )
