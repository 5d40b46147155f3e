"""What a test can order to go wrong: faults of calls, behaviours of containers, and seeded random faults."""

import base64
import dataclasses
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, Self, TypedDict, TypeVar, Unpack, get_args

from local.instagram.calls import CALL_NAMES, CallName
from local.instagram.errors import GraphFailure

FaultKind = Literal["error", "body", "reset", "close", "timeout", "slow", "truncate"]
Behaviour = Literal["stick", "expire", "fail"]
AnyCall = Literal["*"]
Target = CallName | AnyCall


class Aim(TypedDict):
    """Which calls a fault meets. See the fields of `Fault`."""

    when: NotRequired[Literal["before", "after"]]
    times: NotRequired[int | None]
    skip: NotRequired[int]
    ig_user_id: NotRequired[str | None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One ordered fault. Make it with the class method of its kind.

    when        `before`: the call has no effect; `after`: the effect happens, then the fault takes the answer's place
    times       how many calls it meets; None: all, until cleared
    skip        how many matching calls pass first, counted from the order
    ig_user_id  only calls for this account; None: any
    """

    call: Target
    kind: FaultKind
    when: Literal["before", "after"] = "before"
    times: int | None = 1
    skip: int = 0
    ig_user_id: str | None = None
    failure: GraphFailure | None = None
    status: int = 200
    payload: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.call not in (*CALL_NAMES, "*"):
            raise ValueError(f"no such call: {self.call}")
        if self.kind not in get_args(FaultKind) or self.when not in ("before", "after"):
            raise ValueError(f"no such fault: {self.kind} {self.when}")
        if (self.kind == "error") != (self.failure is not None) or (self.kind == "body") != (self.payload is not None):
            raise ValueError("an error fault has a failure, a body fault a payload, and no other has either")
        if (self.times is not None and self.times < 1) or self.skip < 0 or self.seconds < 0:
            raise ValueError("times is 1 or more, skip and seconds are 0 or more")

    @classmethod
    def error(
        cls,
        call: Target,
        code: int,
        subcode: int | None = None,
        *,
        status: int = 400,
        message: str = "An ordered error",
        is_transient: bool | None = False,
        regain_minutes: int | None = None,
        **aim: Unpack[Aim],
    ) -> Self:
        """Order an error answer. `is_transient=None` leaves the member out."""
        failure = GraphFailure(message, code, subcode, status, is_transient=is_transient, regain_minutes=regain_minutes)
        return cls(call, "error", failure=failure, **aim)

    @classmethod
    def body(
        cls,
        call: Target,
        payload: bytes,
        *,
        status: int = 200,
        headers: Sequence[tuple[str, str]] = (("Content-Type", "application/json"),),
        **aim: Unpack[Aim],
    ) -> Self:
        """Order an answer of these very bytes and headers: empty, not JSON, not UTF-8, huge, without an id, …"""
        return cls(call, "body", payload=payload, status=status, headers=tuple(headers), **aim)

    @classmethod
    def reset(cls, call: Target, **aim: Unpack[Aim]) -> Self:
        """Order a TCP reset instead of an answer."""
        return cls(call, "reset", **aim)

    @classmethod
    def close(cls, call: Target, **aim: Unpack[Aim]) -> Self:
        """Order an orderly end of the connection instead of an answer."""
        return cls(call, "close", **aim)

    @classmethod
    def timeout(cls, call: Target, seconds: float, **aim: Unpack[Aim]) -> Self:
        """Order silence for so many real seconds, then the end of the connection."""
        return cls(call, "timeout", seconds=seconds, **aim)

    @classmethod
    def slow(cls, call: Target, seconds_per_byte: float, **aim: Unpack[Aim]) -> Self:
        """Order the answer one byte at a time. With `before`, what drips is a 503 and nothing has happened."""
        return cls(call, "slow", seconds=seconds_per_byte, **aim)

    @classmethod
    def truncate(cls, call: Target, **aim: Unpack[Aim]) -> Self:
        """Order half of the answer's body, then the end of the connection. With `before`, half of a 503."""
        return cls(call, "truncate", **aim)

    def meets(self, call: CallName, ig_user_id: str | None) -> bool:
        """Whether a call of this name, for this account, is one that the fault is aimed at."""
        return self.call in (call, "*") and self.ig_user_id in (None, ig_user_id)

    def to_json(self) -> dict[str, Any]:
        members = dataclasses.asdict(self)
        members["payload"] = None if self.payload is None else base64.b64encode(self.payload).decode()
        members["headers"] = [list(header) for header in self.headers]
        return members

    @classmethod
    def from_json(cls, members: dict[str, Any]) -> Self:
        """Read what `to_json` wrote; members may be missing. Raises TypeError or ValueError on anything else."""
        values = dict(members)
        if values.get("failure") is not None:
            values["failure"] = GraphFailure(**values["failure"])
        if values.get("payload") is not None:
            values["payload"] = base64.b64decode(values["payload"], validate=True)
        values["headers"] = tuple((name, value) for name, value in values.get("headers", ()))
        return cls(**values)


@dataclass(frozen=True, slots=True)
class ContainerBehaviour:
    """What the next containers do: `stick` in IN_PROGRESS, `expire` at once, or `fail` with a subcode in `status`."""

    behaviour: Behaviour
    times: int | None = 1
    ig_user_id: str | None = None
    subcode: int = 2207026

    def __post_init__(self) -> None:
        if self.behaviour not in get_args(Behaviour):
            raise ValueError(f"no such behaviour: {self.behaviour}")
        if self.times is not None and self.times < 1:
            raise ValueError("times is 1 or more")


@dataclass(frozen=True, slots=True)
class RandomFaults:
    """Each call fails with `probability`; which way is drawn from `choices`, (weight, fault) pairs that meet the call.

    The draw depends on the seed, the call's name, its account and how many such calls came before: not on how calls
    of different kinds interleave. The faults' own `times` and `skip` are not looked at.
    """

    seed: int
    probability: float
    choices: tuple[tuple[float, Fault], ...]

    def draw(self, call: CallName, ig_user_id: str | None, nth: int) -> Fault | None:
        """Return the fault of the `nth` call of this name and account, or None."""
        fitting = [(weight, fault) for weight, fault in self.choices if fault.meets(call, ig_user_id)]
        dice = random.Random(f"{self.seed}/{call}/{ig_user_id}/{nth}")  # noqa: S311 - reproducible, guards nothing
        if not fitting or dice.random() >= self.probability:
            return None
        return dice.choices([fault for _, fault in fitting], [weight for weight, _ in fitting])[0]


Ordered = TypeVar("Ordered", Fault, ContainerBehaviour)


class FaultPlan:
    """The faults still to come. Not thread-safe: its owner holds the lock."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []
        self._random: RandomFaults | None = None
        self._drawn: Counter[tuple[CallName, str | None]] = Counter()

    def order(self, fault: Fault) -> None:
        self._ordered.append(fault)

    def order_random(self, faults: RandomFaults) -> None:
        self._random = faults
        self._drawn.clear()

    def clear(self) -> None:
        self._ordered.clear()
        self._random = None

    def pending(self) -> tuple[Fault, ...]:
        """Return the ordered faults with the `times` and `skip` that are left."""
        return tuple(self._ordered)

    def take(self, call: CallName, ig_user_id: str | None) -> Fault | None:
        """Return the fault that meets this call: the first ordered one that is due, else a random one, else None."""
        due: Fault | None = None
        left: list[Fault] = []
        for fault in self._ordered:
            if not fault.meets(call, ig_user_id):
                left.append(fault)
            elif fault.skip:
                left.append(dataclasses.replace(fault, skip=fault.skip - 1))
            elif due is not None:
                left.append(fault)
            else:
                due = fault
                left += _after_use(fault)
        self._ordered = left
        return due or self._draw(call, ig_user_id)

    def _draw(self, call: CallName, ig_user_id: str | None) -> Fault | None:
        if self._random is None:
            return None
        nth = self._drawn[call, ig_user_id]
        self._drawn[call, ig_user_id] += 1
        return self._random.draw(call, ig_user_id, nth)


class BehaviourPlan:
    """The container behaviours still to come. Not thread-safe: its owner holds the lock."""

    def __init__(self) -> None:
        self._ordered: list[ContainerBehaviour] = []

    def order(self, behaviour: ContainerBehaviour) -> None:
        self._ordered.append(behaviour)

    def clear(self) -> None:
        self._ordered.clear()

    def take(self, ig_user_id: str) -> ContainerBehaviour | None:
        """Return the behaviour of the account's next container, or None for ordinary processing."""
        for place, ordered in enumerate(self._ordered):
            if ordered.ig_user_id in (None, ig_user_id):
                self._ordered[place : place + 1] = _after_use(ordered)
                return ordered
        return None


def _after_use(ordered: Ordered) -> list[Ordered]:
    """What is left of an order that was used once."""
    if ordered.times is None:
        return [ordered]
    return [dataclasses.replace(ordered, times=ordered.times - 1)] if ordered.times > 1 else []
