"""What is known of a persona's token: how it signs, how it is kept, and what Instagram says of its account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.secret import Secret

YOUNGEST_REFRESH: Final = timedelta(hours=24)
"""Instagram refreshes no token that is younger (Instagram Platform, "Refresh a long-lived token")."""

LONGEST_LIFE: Final = timedelta(days=60)
"""No token of Instagram Login lives longer than this after it was issued (the same page)."""

FEWEST_DAYS: Final = 10
"""With fewer days left the owner is alarmed. It stands in template.yaml as well."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a persona's requests. The app's secret and id are Facebook Login's; both are optional."""

    access_token: Secret
    app_secret: Secret | None = None
    app_id: str | None = None

    @property
    def can_be_exchanged(self) -> bool:
        """Whether Facebook Login's exchange can be asked for, which names the app and proves its secret."""
        return self.app_secret is not None and self.app_id is not None


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token as it stands in the store. ``version`` grows by one with every write, whoever makes it."""

    credentials: Credentials
    version: int
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class FreshToken:
    """A token that Instagram gave for another one. ``lasts`` is None where it does not say how long."""

    token: Secret
    lasts: timedelta | None


@dataclass(frozen=True, slots=True)
class Account:
    """The account that a token speaks for. What the host does not tell is None."""

    instagram_user_id: str
    username: str | None = None
    account_type: str | None = None

    @property
    def is_personal(self) -> bool:
        """No program can post to a personal account."""
        return self.account_type is not None and self.account_type.upper() == "PERSONAL"


@dataclass(frozen=True, slots=True)
class Quota:
    """How many posts the account's programs published within ``window``, and how many they may."""

    used: int
    total: int
    window: timedelta

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.total


def days_left(expires_at: datetime, now: datetime) -> int:
    """The whole days until then; 0 on the last one, and after it."""
    return max(0, (expires_at - now) // timedelta(days=1))


def how_to_mend(persona_id: str) -> str:
    """What the owner does when a token is dead."""
    return (
        "Get a new token in your app's dashboard at Meta (for Instagram Login: API setup, Generate token), hand it "
        f"over with `fluffy-train persona set-token {persona_id}`, then `fluffy-train persona resume {persona_id}`."
    )
