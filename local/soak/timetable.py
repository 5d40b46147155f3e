"""What befalls each slot from outside: how its event is delivered, and what the account's next container does.

Dealt out by share, so that every kind happens even in a short soak, to slots that the seed picks.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from local.instagram import ContainerBehaviour
from local.soak.settings import SoakSettings
from local.soak.world import slot_times

SHARES: Final[Mapping[str, float]] = {
    "event delivered twice at once": 0.08,
    "event delivered again within a minute": 0.05,
    "event delivered again hours later": 0.03,
    "event late, with the next slot's": 0.06,
    "event late by minutes": 0.05,
    "event more than 6 hours late": 0.02,
    "Lambda's time nearly out": 0.04,
    "container sticks": 0.03,
    "container expires at once": 0.02,
    "container ends in ERROR": 0.03,
    "recent media lag for hours": 0.03,
    "owner posts by hand, same caption": 0.1,
}
PHOTO_SUBCODES: Final = (2207026, 2207004, 2207009)
LAGS: Final = (0.0, 90.0, 900.0, 7200.0)  # seconds


@dataclass(frozen=True, slots=True)
class Delivery:
    """One arrival of a slot's event. ``seconds`` is what Lambda gives the run, where that is not the usual."""

    persona_id: str
    slot: datetime
    number: int
    arrives_at: datetime
    seconds: float | None = None

    @property
    def name(self) -> str:
        return f"{self.persona_id}/{self.slot:%Y-%m-%dT%H:%MZ}/{self.number}"


@dataclass(frozen=True, slots=True)
class Timetable:
    """All that is to happen, at which instant, whatever the product does."""

    deliveries: Sequence[Delivery]
    behaviours: Sequence[tuple[datetime, ContainerBehaviour]]
    lags: Sequence[tuple[datetime, float]]
    by_hand: Sequence[tuple[datetime, str]]
    """When the owner posts in the app, and for which account."""
    dealt: Counter[str]


def timetable(soak: SoakSettings, personas: Mapping[str, str]) -> Timetable:
    """The timetable of a seed."""
    slots = [(persona, slot) for number, persona in enumerate(personas) for slot in slot_times(soak, number)]
    dice = random.Random(f"{soak.seed}/timetable")  # noqa: S311 - reproducible, guards nothing
    picked: dict[str, set[tuple[str, datetime]]] = {
        kind: set(dice.sample(slots, max(1, round(share * len(slots))))) for kind, share in SHARES.items()
    }
    behaviours: list[tuple[datetime, ContainerBehaviour]] = []
    lags: list[tuple[datetime, float]] = []
    by_hand: list[tuple[datetime, str]] = []
    deliveries: list[Delivery] = []
    for persona, slot in slots:
        met = {kind for kind, chosen in picked.items() if (persona, slot) in chosen}
        deliveries += _deliveries(dice, persona, slot, met)
        behaviours += [(slot, behaviour) for behaviour in _behaviours(dice, personas[persona], met)]
        if "recent media lag for hours" in met:
            lags += [(slot, dice.choice(LAGS[1:])), (slot + timedelta(hours=4), LAGS[0])]
        if "owner posts by hand, same caption" in met:
            by_hand.append((slot + timedelta(minutes=dice.uniform(1, 12)), personas[persona]))
    dealt = Counter({kind: len(chosen) for kind, chosen in picked.items()})
    return Timetable(deliveries, behaviours, lags, by_hand, dealt)


def _deliveries(dice: random.Random, persona: str, slot: datetime, met: set[str]) -> Iterator[Delivery]:
    late = timedelta(0)
    if "event more than 6 hours late" in met:
        late = timedelta(hours=dice.uniform(6.1, 12))
    elif "event late, with the next slot's" in met:
        late = timedelta(hours=1)
    elif "event late by minutes" in met:
        late = timedelta(minutes=dice.randrange(1, 50))
    first = slot + late
    seconds = dice.uniform(2, 50) if "Lambda's time nearly out" in met else None
    yield Delivery(persona, slot, 1, first, seconds)
    again = {
        "event delivered twice at once": timedelta(0),
        "event delivered again within a minute": timedelta(seconds=dice.randrange(1, 60)),
        "event delivered again hours later": timedelta(hours=dice.uniform(1, 5)),
    }
    for number, (kind, after) in enumerate(again.items(), start=2):
        if kind in met:
            yield Delivery(persona, slot, number, first + after)


def _behaviours(dice: random.Random, account: str, met: set[str]) -> Iterator[ContainerBehaviour]:
    if "container sticks" in met:
        yield ContainerBehaviour("stick", ig_user_id=account)
    if "container expires at once" in met:
        yield ContainerBehaviour("expire", ig_user_id=account)
    if "container ends in ERROR" in met:
        yield ContainerBehaviour("fail", ig_user_id=account, subcode=dice.choice(PHOTO_SUBCODES))
