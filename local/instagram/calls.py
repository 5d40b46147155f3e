"""The record of calls that the emulator received, without any secret in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self, get_args

CallName = Literal[
    "create_container",
    "container_status",
    "media_publish",
    "recent_media",
    "get_media",
    "quota",
    "me",
    "permissions",
    "refresh",
    "unknown",
]
CALL_NAMES: tuple[CallName, ...] = get_args(CallName)
TokenPlace = Literal["header", "query", "body"]

SECRET_PARAMETERS = frozenset({"access_token", "fb_exchange_token", "client_secret", "appsecret_proof"})
REDACTED = "<redacted>"


@dataclass(frozen=True, slots=True)
class Call:
    """One Graph API call. `status` is None while it runs and for one that got no answer; `fault` is what was ordered.

    `token_in` says where the token stood, so that a test can require the header.
    """

    number: int
    at: datetime
    name: CallName
    method: str
    path: str
    parameters: Mapping[str, str]
    token_in: TokenPlace | None
    ig_user_id: str | None
    status: int | None = None
    fault: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "name": self.name,
            "method": self.method,
            "path": self.path,
            "parameters": dict(self.parameters),
            "token_in": self.token_in,
            "ig_user_id": self.ig_user_id,
            "status": self.status,
            "fault": self.fault,
        }

    @classmethod
    def from_json(cls, members: dict[str, Any]) -> Self:
        return cls(**{**members, "at": datetime.fromisoformat(members["at"])})


def redacted(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters with every secret replaced."""
    return {name: REDACTED if name in SECRET_PARAMETERS else value for name, value in parameters.items()}
