"""What CloudFormation keeps of a stack: its state, its events, what was made for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from local.cloud.refusal import RefusedError
from local.cloud.resources.making import Made
from local.cloud.template import Plan

STACK_TYPE = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True)
class Event:
    logical_id: str
    physical_id: str
    kind: str
    status: str
    reason: str
    event_id: str = field(default_factory=lambda: str(uuid4()))
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(slots=True)
class Stack:
    """``made`` is in the order of making, ``outputs`` are CloudFormation's own output records."""

    name: str
    stack_id: str
    tags: Sequence[Mapping[str, str]]
    status: str = ""
    reason: str = ""
    plan: Plan | None = None
    made: dict[str, Made] = field(default_factory=dict)
    outputs: list[dict[str, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def becomes(self, status: str, reason: str = "") -> None:
        self.status, self.reason = status, reason
        self.events.append(Event(self.name, self.stack_id, STACK_TYPE, status, reason))

    def tells(self, logical_id: str, status: str, reason: str = "") -> None:
        physical_id = self.made[logical_id].ref if logical_id in self.made else ""
        self.events.append(Event(logical_id, physical_id, self.resource(logical_id)["Type"], status, reason))

    def resource(self, logical_id: str) -> Mapping[str, Any]:
        if self.plan is None:
            raise LookupError(f"Nothing of {self.name} was ever executed.")
        return self.plan.resources[logical_id]

    def lookup(self, logical_id: str, attribute: str | None) -> str:
        """What was made, as `!Ref` and `!GetAtt` ask for it. Raises RefusedError."""
        made = self.made[logical_id]
        if attribute is None:
            return made.ref
        if attribute not in made.attributes:
            raise RefusedError(
                f"{logical_id} has no {attribute}. (Or the local cloud does not know it: see its maker.)"
            )
        return made.attributes[attribute]


@dataclass(slots=True)
class ChangeSet:
    name: str
    change_set_id: str
    stack: Stack
    plan: Plan
    status: str = "CREATE_COMPLETE"
    reason: str = ""
