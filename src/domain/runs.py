"""A run, how long its lease holds, and the record with which it claims a photo.

Apart from the driver, so that a run that finds nothing to drive need not import it: all that is here, it needs.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.curators_choice import CuratorsChoice
from domain.ids import RunId
from domain.personas import Persona
from domain.photos import Photo
from domain.posts import Lease, Post
from domain.slots import Slot

LEASE_MARGIN: Final = timedelta(seconds=30)
"""How far a lease outlives its run's hard deadline: more than hosts' clocks differ, so no driver comes back."""


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation. ``ends_at`` is its hard deadline: the moment at which Lambda kills it.

    ``works_until`` is when it should have finished with the post at hand, where it has others to see to.
    """

    run_id: RunId
    ends_at: datetime
    works_until: datetime | None = None

    @property
    def lease(self) -> Lease:
        return Lease(self.run_id, self.ends_at + LEASE_MARGIN)


def new_post(
    run: Run, persona: Persona, slot: Slot, photo: Photo, now: datetime, *, retry_of: Slot | None = None
) -> Post:
    """The record with which ``run`` claims ``photo`` for ``slot``."""
    return Post(
        persona_id=persona.persona_id,
        slot=slot,
        photo_id=photo.photo_id,
        caption=CuratorsChoice(persona).caption(photo),
        lease=run.lease,
        created_at=now,
        updated_at=now,
        retry_of=retry_of,
    )
