"""Drives an emulator in another process: the operations of `Emulator`, by the same names, over its control API."""

import base64
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import requests

from local.instagram.calls import Call, CallName
from local.instagram.faults import ContainerBehaviour, Fault
from local.instagram.records import Account, Container, LivePost, Login
from local.instagram.settings import EmulatorSettings

DAY_SECONDS = 24 * 60 * 60
TIMEOUT = (3.05, 30)


class EmulatorControl:
    """The operations of `Emulator`, whose docstrings hold here too. A refused operation raises ValueError."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.instagram_url = f"{self.url}/instagram"
        self.facebook_url = f"{self.url}/facebook"
        self._session = requests.Session()
        self._session.trust_env = False

    def reset(self) -> None:
        self._call("POST", "reset")

    def add_account(
        self,
        ig_user_id: str,
        token: str,
        *,
        username: str | None = None,
        login: Login = "any",
        app_id: str | None = None,
        app_secret: str | None = None,
        quota_total: int | None = None,
        token_age_seconds: float = 2 * DAY_SECONDS,
        token_lifetime_seconds: float = 60 * DAY_SECONDS,
    ) -> None:
        members = {
            "ig_user_id": ig_user_id,
            "token": token,
            "username": username,
            "login": login,
            "app_id": app_id,
            "app_secret": app_secret,
            "quota_total": quota_total,
            "token_age_seconds": token_age_seconds,
            "token_lifetime_seconds": token_lifetime_seconds,
        }
        self._call("POST", "accounts", members)

    def accounts(self) -> tuple[Account, ...]:
        """Return the accounts, without their app secrets."""
        return tuple(Account(**each) for each in self._call("GET", "accounts")["accounts"])

    def configure(self, **changes: Any) -> EmulatorSettings:
        return EmulatorSettings().changed(self._call("PATCH", "settings", changes))

    def now(self) -> datetime:
        return _now(self._call("GET", "clock"))

    def advance(self, seconds: float) -> datetime:
        return _now(self._call("POST", "clock/advance", {"seconds": seconds}))

    def freeze(self, at: datetime | None = None) -> datetime:
        return _now(self._call("POST", "clock/freeze", {"at": at.isoformat() if at else None}))

    def order_fault(self, fault: Fault) -> None:
        self._call("POST", "faults", fault.to_json())

    def order_random_faults(self, seed: int, probability: float, choices: Sequence[tuple[float, Fault]]) -> None:
        pairs = [[weight, fault.to_json()] for weight, fault in choices]
        self._call("POST", "random-faults", {"seed": seed, "probability": probability, "choices": pairs})

    def order_container_behaviour(self, behaviour: ContainerBehaviour) -> None:
        self._call("POST", "container-behaviours", asdict(behaviour))

    def pending_faults(self) -> tuple[Fault, ...]:
        return tuple(Fault.from_json(each) for each in self._call("GET", "faults")["faults"])

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def post_by_hand(self, ig_user_id: str, caption: str = "", jpeg: bytes | None = None) -> LivePost:
        picture = None if jpeg is None else base64.b64encode(jpeg).decode()
        members = {"ig_user_id": ig_user_id, "caption": caption, "jpeg_base64": picture}
        return LivePost.from_json(self._call("POST", "posts", members))

    def live_posts(self, ig_user_id: str) -> tuple[LivePost, ...]:
        return tuple(LivePost.from_json(each) for each in self._call("GET", f"posts/{ig_user_id}")["posts"])

    def containers(self, ig_user_id: str) -> tuple[Container, ...]:
        found = self._call("GET", f"containers/{ig_user_id}")["containers"]
        return tuple(Container.from_json(each) for each in found)

    def calls(self, name: CallName | None = None, ig_user_id: str | None = None) -> tuple[Call, ...]:
        chosen = {"name": name, "ig_user_id": ig_user_id}
        return tuple(Call.from_json(each) for each in self._call("GET", "calls", query=chosen)["calls"])

    def _call(
        self, method: str, path: str, members: dict[str, Any] | None = None, query: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        url = f"{self.url}/_emulator/{path}"
        answer = self._session.request(method, url, json=members, params=query, timeout=TIMEOUT)
        if answer.status_code == 400:
            raise ValueError(answer.json().get("error"))
        answer.raise_for_status()
        return answer.json() if answer.content else {}


def _now(members: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(members["now"])
