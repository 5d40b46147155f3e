"""Builders of domain objects with everything filled in, so that a test says only what it is about."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any, Final

from domain.ids import PersonaId, PhotoId, RunId
from domain.outcomes import Report
from domain.personas import Persona
from domain.photos import Photo, PhotoAnalysis
from domain.ports import Claim
from domain.post_driver import PostDriver
from domain.post_next_best import PostNextBest, Request
from domain.posts import Lease, Post
from domain.quota import QuotaKeeper
from domain.runs import Run, new_post
from domain.slots import Slot
from fakes.clock import FakeClock
from fakes.instagram import FakePublisher, FakeRenditions
from fakes.records import FakePersonaDirectory, FakePhotoLibrary, FakePostLedger, FakeRecords
from fakes.run_log import FakeRunLog

NINE: Final = Slot(datetime(2026, 11, 22, 9, tzinfo=UTC))
"""The slot of ``fakes.clock.START``, three seconds before it."""

DEFAULT: Final = PersonaId("default")


def a_photo_id(name: str) -> PhotoId:
    """An id as an upload has it: the SHA-256 of some bytes."""
    return PhotoId(sha256(name.encode()).hexdigest())


def an_analysis(aesthetic_score: float, **changes: Any) -> PhotoAnalysis:
    analysis = PhotoAnalysis(aesthetic_score, "test 1", datetime(2026, 11, 2, 12, tzinfo=UTC))
    return replace(analysis, **changes)


def a_persona(**changes: Any) -> Persona:
    return replace(Persona(DEFAULT, "Ada's landscapes", "17841400000000001"), **changes)


def a_photo(name: str = "sunrise", *, score: float | None = 5.0, **changes: Any) -> Photo:
    """A photo in the queue; ``name`` decides its id and its object. Without a ``score`` it has no analysis."""
    photo_id = a_photo_id(name)
    photo = Photo(
        persona_id=DEFAULT,
        photo_id=photo_id,
        object_key=f"library/default/{photo_id}.jpg",
        width=1080,
        height=1350,
        imported_at=datetime(2026, 11, 1, 12, tzinfo=UTC),
        analysis=None if score is None else an_analysis(score),
    )
    return replace(photo, **changes)


def a_post(**changes: Any) -> Post:
    """A post as it was claimed a moment ago: of ``a_photo()`` for ``NINE``, its lease good for five minutes."""
    claimed_at = datetime(2026, 11, 22, 9, 0, 3, tzinfo=UTC)
    post = Post(
        persona_id=DEFAULT,
        slot=NINE,
        photo_id=a_photo_id("sunrise"),
        caption="A caption",
        lease=Lease(RunId("run-1"), claimed_at + timedelta(minutes=5)),
        created_at=claimed_at,
        updated_at=claimed_at,
    )
    return replace(post, **changes)


class Engine:
    """The posting engine with a fake behind every port, one persona, and the photos that it is given."""

    def __init__(
        self,
        *photos: Photo,
        persona: Persona | None = None,
        library: Callable[[FakeRecords], FakePhotoLibrary] = FakePhotoLibrary,
        renditions: FakeRenditions | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.records = FakeRecords()
        self.personas = FakePersonaDirectory(self.records)
        self.library = library(self.records)
        self.ledger = FakePostLedger(self.records)
        self.publisher = FakePublisher(self.clock)
        self.renditions = renditions or FakeRenditions()
        self.log = FakeRunLog()
        self.driver = PostDriver(
            ledger=self.ledger,
            library=self.library,
            publisher=self.publisher,
            renditions=self.renditions,
            quota=QuotaKeeper(self.personas, self.ledger, self.publisher, self.clock, self.log),
            clock=self.clock,
            log=self.log,
        )
        self.post_next_best = PostNextBest(
            personas=self.personas,
            library=self.library,
            ledger=self.ledger,
            driver=self.driver,
            clock=self.clock,
            log=self.log,
        )
        self._runs = count(1)
        self.personas.add(persona or a_persona())
        for photo in photos:
            self.library.add(photo)

    @property
    def persona(self) -> Persona:
        return self.records.personas[DEFAULT]

    def photo(self, name: str = "sunrise") -> Photo:
        """The photo as the records have it now."""
        return self.records.photos[DEFAULT, a_photo_id(name)]

    def post(self, slot: Slot = NINE) -> Post:
        """The post as the records have it now."""
        return self.records.posts[DEFAULT, slot]

    def queue(self) -> Sequence[PhotoId]:
        return [photo.photo_id for photo in FakePhotoLibrary(self.records).best_first(DEFAULT)]

    def start_run(self, lasting: timedelta = timedelta(minutes=5)) -> Run:
        return Run(RunId(f"run-{next(self._runs)}"), self.clock.now() + lasting)

    def deliver(self, slot: Slot = NINE, *, dry_run: bool = False) -> Report:
        """One event for ``slot``."""
        return self.post_next_best(Request(DEFAULT, slot, dry_run), self.start_run)

    def claim(self, name: str = "sunrise", *, slot: Slot = NINE, run: Run) -> Post:
        """Take the photo for the slot, as the run that drives it then."""
        post = new_post(run, self.persona, slot, self.photo(name), self.clock.now())
        if self.ledger.claim(post) is not Claim.WON:
            raise ValueError(f"{name} cannot be claimed for {slot}")
        return post

    def claim_and_drive(
        self, name: str = "sunrise", *, slot: Slot = NINE, lasting: timedelta = timedelta(minutes=5)
    ) -> Report:
        run = self.start_run(lasting)
        return self.driver.drive(run, self.persona, self.claim(name, slot=slot, run=run))

    def take_over_and_drive(self, slot: Slot = NINE, *, lasting: timedelta = timedelta(minutes=5)) -> Report | None:
        """What the reconciler does with a post in flight; None while another run holds its lease."""
        run = self.start_run(lasting)
        taken = self.ledger.take_over(DEFAULT, slot, run.lease, self.clock.now())
        return None if taken is None else self.driver.drive(run, self.persona, taken)

    def lose_lease(self, slot: Slot = NINE) -> None:
        """Another run takes the post over."""
        lease = Lease(RunId("another run"), self.clock.now() + timedelta(minutes=5))
        self.records.posts[DEFAULT, slot] = replace(self.post(slot), lease=lease, updated_at=self.clock.now())
