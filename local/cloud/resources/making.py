"""What a resource is made from, and what comes of it."""

import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from local.cloud.account import Account

_LETTERS: Final = string.ascii_uppercase + string.digits


def nothing() -> None:
    """Undoes what has nothing of its own to be undone: it goes with the resource that it belongs to."""


@dataclass(frozen=True, slots=True)
class Request:
    account: Account
    stack_name: str
    logical_id: str

    def name(self, most: int) -> str:
        """A name that nothing else has, as CloudFormation makes them, of ``most`` characters at the most."""
        suffix = "".join(secrets.choice(_LETTERS) for _ in range(12))
        return f"{self.stack_name}-{self.logical_id}"[: most - 13] + f"-{suffix}"


@dataclass(frozen=True, slots=True)
class Made:
    """``ref`` is what `!Ref` gives, ``attributes`` what `!GetAtt` does; ``undo`` deletes it."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    undo: Callable[[], Any] = nothing


def pick(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    """Take these out of the properties, as far as they are there."""
    return {name: properties.pop(name) for name in names if name in properties}
