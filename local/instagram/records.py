"""What the emulator remembers: accounts, tokens, containers and live posts, as immutable values."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Self

Login = Literal["instagram", "facebook", "any"]
StatusCode = Literal["IN_PROGRESS", "FINISHED", "PUBLISHED", "ERROR", "EXPIRED"]

CONTAINER_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Account:
    """A professional account. `login` is the host that takes its token; `any` takes it on both."""

    ig_user_id: str
    username: str
    login: Login = "any"
    app_id: str | None = None
    app_secret: str | None = field(default=None, repr=False)
    quota_total: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what may be shown: everything but the app secret."""
        return {
            "ig_user_id": self.ig_user_id,
            "username": self.username,
            "login": self.login,
            "app_id": self.app_id,
            "quota_total": self.quota_total,
        }


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token, whose it is, and how long it is valid."""

    value: str = field(repr=False)
    ig_user_id: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Container:
    """A media container. `forced` is a behaviour that a test ordered instead of ordinary processing."""

    container_id: str
    ig_user_id: str
    image_url: str
    caption: str
    alt_text: str
    picture_sha256: str
    created_at: datetime
    ready_at: datetime
    polls_left: int | None = None
    forced: Literal["stick", "expire", "fail"] | None = None
    failure_subcode: int = 2207026
    media_ids: tuple[str, ...] = ()

    def status_code(self, now: datetime) -> StatusCode:
        """Return the state at `now`: IN_PROGRESS → FINISHED → PUBLISHED, or ERROR, or EXPIRED after 24 hours."""
        if self.media_ids:
            return "PUBLISHED"
        if self.forced == "expire" or self.outlived(now):
            return "EXPIRED"
        waiting = now < self.ready_at if self.polls_left is None else self.polls_left > 0
        if self.forced == "stick" or waiting:
            return "IN_PROGRESS"
        return "ERROR" if self.forced == "fail" else "FINISHED"

    def outlived(self, now: datetime) -> bool:
        """Whether the 24 hours in which a container can be published are over."""
        return now >= self.created_at + CONTAINER_LIFETIME

    def to_json(self) -> dict[str, Any]:
        return {
            "container_id": self.container_id,
            "ig_user_id": self.ig_user_id,
            "image_url": self.image_url,
            "caption": self.caption,
            "alt_text": self.alt_text,
            "picture_sha256": self.picture_sha256,
            "created_at": self.created_at.isoformat(),
            "ready_at": self.ready_at.isoformat(),
            "polls_left": self.polls_left,
            "forced": self.forced,
            "failure_subcode": self.failure_subcode,
            "media_ids": list(self.media_ids),
        }

    @classmethod
    def from_json(cls, members: dict[str, Any]) -> Self:
        times = {name: datetime.fromisoformat(members[name]) for name in ("created_at", "ready_at")}
        return cls(**{**members, **times, "media_ids": tuple(members["media_ids"])})


@dataclass(frozen=True, slots=True)
class LivePost:
    """A post as followers see it. `container_id` is empty for one that was posted by hand, in the app.

    `picture_sha256` is the hash of the bytes as they were fetched, so equal hashes are the same rendition.
    """

    media_id: str
    ig_user_id: str
    shortcode: str
    container_id: str
    caption: str
    alt_text: str
    picture_sha256: str
    posted_at: datetime

    def to_json(self) -> dict[str, Any]:
        return {
            "media_id": self.media_id,
            "ig_user_id": self.ig_user_id,
            "shortcode": self.shortcode,
            "container_id": self.container_id,
            "caption": self.caption,
            "alt_text": self.alt_text,
            "picture_sha256": self.picture_sha256,
            "posted_at": self.posted_at.isoformat(),
        }

    @classmethod
    def from_json(cls, members: dict[str, Any]) -> Self:
        return cls(**{**members, "posted_at": datetime.fromisoformat(members["posted_at"])})
