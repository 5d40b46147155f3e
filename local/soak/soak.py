"""One soak from its seed to its reckoning."""

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from local.soak.crew import Crew
from local.soak.owner import LOOKS_EVERY, Owner
from local.soak.reckoning import Reckoning, reckon
from local.soak.settings import BEGINS_AT, SoakSettings
from local.soak.simulation import Simulation
from local.soak.timetable import timetable
from local.soak.triggers import Triggers
from local.soak.world import CAPTION, Servers, World, slot_times, world

AT_LEAST: Final = timedelta(hours=25)
AT_MOST: Final = timedelta(hours=60)
"""After the last slot: 6 h late, 23 h to its deadline, 24 h to the end of its container, and some hours in hand."""


@dataclass(frozen=True, slots=True)
class Soak:
    settings: SoakSettings
    servers: Servers
    keep_logs_in: Path | None = None


def run_soak(soak: Soak) -> Reckoning:
    """Run it. Takes minutes of real time for 2,000 slots."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        logs = soak.keep_logs_in or Path(scratch)
        logs.mkdir(parents=True, exist_ok=True)
        with (
            world(soak.settings, soak.servers) as one,
            Crew(soak.settings.workers, one.environment, logs, soak.settings.probability) as crew,
        ):
            reckoning = _live_through(one, crew, logs)
    reckoning.seconds = time.monotonic() - began
    return reckoning


def _live_through(one: World, crew: Crew, logs: Path) -> Reckoning:
    simulation = Simulation(crew, one.emulator, BEGINS_AT)
    triggers, owner = Triggers(one.soak, simulation), Owner(one, simulation)
    plan = timetable(one.soak, one.personas)
    for delivery in plan.deliveries:
        simulation.at(delivery.arrives_at, partial(triggers.deliver, delivery))
    for instant, behaviour in plan.behaviours:
        simulation.at(instant, partial(one.emulator.order_container_behaviour, behaviour))
    for instant, lag in plan.lags:
        simulation.at(instant, partial(_lag, one, lag))

    for instant, account in plan.by_hand:
        simulation.at(instant, partial(_post_by_hand, one, account))

    over = False

    def is_over(now: datetime) -> bool:
        nonlocal over
        since = now - one.soak.last_slot_at
        over = since >= AT_MOST or (since >= AT_LEAST and not _has_open_posts(one))
        return over

    def look() -> None:
        owner.look()
        if not over:
            simulation.at(simulation.now + LOOKS_EVERY, look)

    simulation.at(BEGINS_AT, partial(triggers.reconcile_until, is_over))
    simulation.at(BEGINS_AT, look)
    simulation.run()

    slots = [(persona, slot) for number, persona in enumerate(one.personas) for slot in slot_times(one.soak, number)]
    reckoning = reckon(one, triggers, slots, logs)
    reckoning.outcomes.update(simulation.invocations)
    reckoning.faults = Counter(
        {
            **one.faults.met,
            **simulation.injected,
            **plan.dealt,
            **triggers.met,
            "token expired": owner.expired_tokens,
            "persona paused and mended": owner.mended,
        }
    )
    return reckoning


def _lag(one: World, seconds: float) -> None:
    one.emulator.configure(recent_media_lag_seconds=seconds)


def _post_by_hand(one: World, account: str) -> None:
    one.emulator.post_by_hand(account, CAPTION)


def _has_open_posts(one: World) -> bool:
    """By the sparse index, which DynamoDB Local keeps up to date at once."""
    found = one.dynamodb.scan(TableName=one.table_names["PostsTable"], IndexName="in_flight", Select="COUNT")
    return bool(found["Count"])
