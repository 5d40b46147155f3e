"""What our own side suffers in a run: deaths, time-outs, and requests that are lost, late, or done though lost.

Every call that leaves the run (to Instagram, DynamoDB, SSM, S3, and the clock's sleep) is one step here. Each step may
be the run's last, before it takes effect or after; else it may fail in a way of its kind.
"""

import math
import os
import random
import signal
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, Protocol, TypeVar

T = TypeVar("T")

CURSED: Final = 0.15
"""The share of runs on which misfortune heaps up: what needs three faults in a row is not met otherwise."""
ECHOING: Final = 0.1
"""The share of runs whose writes arrive twice, the second time later: a retry overtook its own first try."""
AT_THE_LAST: Final = 0.2
CURSE: Final = 2.5
BLESSING: Final = 0.1
"""How the given probability is changed for a call of a cursed run, and of any other."""
MORTAL: Final = 0.25
"""The share of the given probability with which a run dies at some call."""
SIGKILLED: Final = 0.4
"""The share of the deaths that are real ones."""
CALLS_BEFORE_DEATH: Final = 9.0
"""On average. A run that makes fewer calls lives."""


class ProcessDeath(BaseException):
    """The process is gone. Nothing in the product may catch this, as nothing could."""


class Witness(Protocol):
    """Who is told of a fault before it happens."""

    def injected(self, fault: str) -> None: ...


class OwnFaults:
    """One run's fate. All of it follows from ``name`` and from how many calls were made before."""

    def __init__(self, name: str, probability: float, witness: Witness) -> None:
        self._name = name
        self._witness = witness
        dice = self._dice("fate")
        self._probability = min(0.6, probability * (CURSE if dice.random() < CURSED else BLESSING))
        self.echoes = dice.random() < min(ECHOING, probability)
        self._dies_at = int(dice.expovariate(1 / CALLS_BEFORE_DEATH)) if dice.random() < probability * MORTAL else None
        self._dies_after_the_effect = dice.random() < 0.5
        self._dies_by_sigkill = dice.random() < SIGKILLED
        self._calls = 0

    def step(self, effect: Callable[[random.Random], T]) -> T:
        """Do ``effect``, unless the run dies before it. Dies after it, whatever came of it, where that is the fate."""
        number = self._calls
        self._calls += 1
        dies = number == self._dies_at
        if dies and not self._dies_after_the_effect:
            self._die("before a call")
        try:
            return effect(self._dice(str(number)))
        finally:
            if dies and self._dies_after_the_effect:
                self._die("after a call took effect")

    def draw(self, dice: random.Random, kinds: Mapping[str, float], probability: float | None = None) -> str | None:
        """The fault that this call meets, told to the witness, or None. ``kinds`` has their weights."""
        if dice.random() >= (self._probability if probability is None else probability):
            return None
        (fault,) = dice.choices(list(kinds), list(kinds.values()))
        self._witness.injected(fault)
        return fault

    def out_of_time(self) -> None:
        """Lambda's hard deadline has come."""
        self._witness.injected("killed at Lambda's time limit")
        raise ProcessDeath

    def _die(self, when: str) -> None:
        if self._dies_by_sigkill:
            self._witness.injected(f"SIGKILL {when}")
            os.kill(os.getpid(), signal.SIGKILL)
        self._witness.injected(f"process death {when}")
        raise ProcessDeath

    def _dice(self, what: str) -> random.Random:
        return random.Random(f"{self._name}/{what}")  # noqa: S311 - reproducible, guards nothing


def lateness(dice: random.Random, most: timedelta) -> timedelta:
    """How late a lost request arrives after all: seconds, minutes and hours are as likely; now and then at the last."""
    if dice.random() < AT_THE_LAST:
        return most * dice.uniform(0.965, 1)
    return timedelta(seconds=math.exp(dice.uniform(0, math.log(most.total_seconds()))))
