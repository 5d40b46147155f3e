"""The events that may start a post, and a refusal that names the field for every other."""

import reprlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain import instants
from domain.ids import PersonaId
from domain.personas import parse_persona_id
from domain.post_next_best import Request
from domain.slots import Slot

_OURS: Final = frozenset({"persona_id", "time", "dry_run"})
_RULE: Final = frozenset({"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"})

_BRIEF: Final = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 60


class EventRefusedError(Exception):
    """The event is none that we take. The text names the field; nothing was read or written."""


def parse(event: object, default_persona: PersonaId, now: datetime) -> Request:
    """What ``event`` asks for. Raises EventRefusedError.

    Three kinds are taken: the scheduled event of an EventBridge rule, ``{"persona_id", "time"}`` from an EventBridge
    Scheduler schedule, and ``{}`` or ``{"persona_id"}`` by hand, whose slot is now. To each, ``"dry_run": true`` may be
    added.
    """
    if not isinstance(event, Mapping):
        raise EventRefusedError(f"event: it must be a JSON object, not {shown(event)}")
    dry_run = event.get("dry_run", False)
    if not isinstance(dry_run, bool):
        raise EventRefusedError(f"dry_run: it must be true or false, not {shown(dry_run)}")
    if "source" in event or "detail-type" in event:
        return _of_rule(event, default_persona, dry_run=dry_run)
    _refuse_unknown(event, _OURS)
    if "time" in event:
        if "persona_id" not in event:
            raise EventRefusedError("persona_id: it is missing; a schedule's event has persona_id and time")
        slot = _scheduled(event["time"])
    else:
        slot = Slot.by_hand(now)
    persona_id = _persona_id(event["persona_id"]) if "persona_id" in event else default_persona
    return Request(persona_id, slot, dry_run)


def time_of(event: object) -> datetime | None:
    """The time that a rule's event has, for those whom the rest of it does not concern; None where there is none."""
    time = event.get("time") if isinstance(event, Mapping) else None
    try:
        return instants.from_text(time) if isinstance(time, str) else None
    except ValueError:
        return None


def _of_rule(event: Mapping[Any, Any], default_persona: PersonaId, *, dry_run: bool) -> Request:
    if event.get("source") != "aws.events":
        raise EventRefusedError(f"source: a rule's scheduled event has aws.events, not {shown(event.get('source'))}")
    if event.get("detail-type") != "Scheduled Event":
        kind = shown(event.get("detail-type"))
        raise EventRefusedError(f"detail-type: a rule's scheduled event has Scheduled Event, not {kind}")
    _refuse_unknown(event, _RULE | {"dry_run"})
    if "time" not in event:
        raise EventRefusedError("time: it is missing; a rule's scheduled event has the time that gives the slot")
    return Request(default_persona, _scheduled(event["time"]), dry_run)


def _refuse_unknown(event: Mapping[Any, Any], known: frozenset[str]) -> None:
    for key in event:
        if key not in known:
            raise EventRefusedError(f"{shown(key)}: this field is not known; known are {', '.join(sorted(known))}")


def _scheduled(time: object) -> Slot:
    if not isinstance(time, str):
        raise EventRefusedError(f"time: it must be text such as 2026-11-22T09:00:00Z, not {shown(time)}")
    try:
        return Slot.scheduled(instants.from_text(time))
    except ValueError:
        example = "it must be a time with its zone, such as 2026-11-22T09:00:00Z"
        raise EventRefusedError(f"time: {example}, not {shown(time)}") from None


def _persona_id(value: object) -> PersonaId:
    if not isinstance(value, str):
        raise EventRefusedError(f"persona_id: it must be text, not {shown(value)}")
    try:
        return parse_persona_id(value)
    except ValueError as error:
        raise EventRefusedError(f"persona_id: {error}") from None


def shown(value: object) -> str:
    """``value`` as a refusal quotes it: in brief, whatever somebody sent."""
    return _BRIEF.repr(value)
