"""What a test or a demo can do to the emulated platform, and see of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local.instagram.calls import Call, CallName
from local.instagram.clock import EmulatorClock
from local.instagram.errors import GraphError
from local.instagram.faults import ContainerBehaviour, Fault, RandomFaults
from local.instagram.pictures import check_picture, plain_picture
from local.instagram.records import AccessToken, Account, Container, LivePost, Login
from local.instagram.settings import EmulatorSettings
from local.instagram.state import EmulatorState

DAY_SECONDS = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class StartingAccount:
    """An account that is there from the start, and again after every reset."""

    ig_user_id: str
    token: str
    app_secret: str | None = None
    username: str | None = None


class Emulator:
    """The operations. `EmulatorServer` has them in process; `EmulatorControl` offers the same over HTTP."""

    def __init__(
        self,
        settings: EmulatorSettings | None = None,
        accounts: Iterable[StartingAccount] = (),
        frozen_at: datetime | None = None,
        public_url: str | None = None,
    ) -> None:
        self._settings = settings or EmulatorSettings()
        self._accounts = tuple(accounts)
        self._frozen_at = frozen_at
        self.public_url = public_url.rstrip("/") if public_url else None
        """Base of permalinks, where browsers see the server elsewhere than its callers do; None: as called."""
        self.reset()

    def reset(self) -> None:
        """Forget everything: accounts, posts, faults, calls, the clock's shift and changed settings.

        A call that is still running goes on with the old memory, and changes nothing here.
        """
        self.state = EmulatorState(self._settings, EmulatorClock(self._frozen_at))
        for account in self._accounts:
            self.add_account(
                account.ig_user_id, account.token, app_secret=account.app_secret, username=account.username
            )

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
        """Add an account with one token, issued so long ago and valid so long since.

        For a known account: change its facts and replace its tokens; its posts stay. With an app secret, calls on
        the Facebook host must prove it.
        """
        with self.state.lock:
            issued_at = self.state.clock.now() - timedelta(seconds=token_age_seconds)
            expires_at = issued_at + timedelta(seconds=token_lifetime_seconds)
            account = Account(
                ig_user_id, username or f"account_{ig_user_id[-4:]}", login, app_id, app_secret, quota_total
            )
            self.state.add_account(account, AccessToken(token, ig_user_id, issued_at, expires_at))

    def accounts(self) -> tuple[Account, ...]:
        """Return the accounts, in the order in which they were added."""
        with self.state.lock:
            return tuple(self.state.accounts.values())

    def configure(self, **changes: Any) -> EmulatorSettings:
        """Change settings by name (`EmulatorSettings`) until the next reset, and return them all."""
        with self.state.lock:
            self.state.settings = self.state.settings.changed(changes)
            return self.state.settings

    def now(self) -> datetime:
        """Return the platform's time."""
        return self.state.clock.now()

    def advance(self, seconds: float) -> datetime:
        """Move the platform's clock forward and return the new time."""
        return self.state.clock.advance(seconds)

    def freeze(self, at: datetime | None = None) -> datetime:
        """Stop the platform's clock, at `at` or now; only `advance` moves it from then on."""
        return self.state.clock.freeze(at)

    def order_fault(self, fault: Fault) -> None:
        """Let coming calls go wrong. Faults that meet the same call are used up in the order they were given."""
        with self.state.lock:
            self.state.faults.order(fault)

    def order_random_faults(self, seed: int, probability: float, choices: Sequence[tuple[float, Fault]]) -> None:
        """Let each call go wrong with a probability, in a way drawn from (weight, fault) pairs; the same for a seed."""
        with self.state.lock:
            self.state.faults.order_random(RandomFaults(seed, probability, tuple(choices)))

    def order_container_behaviour(self, behaviour: ContainerBehaviour) -> None:
        """Let coming containers stick, expire or fail."""
        with self.state.lock:
            self.state.behaviours.order(behaviour)

    def pending_faults(self) -> tuple[Fault, ...]:
        """Return the ordered faults that are not used up."""
        with self.state.lock:
            return self.state.faults.pending()

    def clear_faults(self) -> None:
        """Take back every order: faults, random faults and container behaviours."""
        with self.state.lock:
            self.state.faults.clear()
            self.state.behaviours.clear()

    def post_by_hand(self, ig_user_id: str, caption: str = "", jpeg: bytes | None = None) -> LivePost:
        """Put a post live as the owner does in the app: no container, no API call. Raises KeyError if unknown.

        Without a picture of one's own it is a plain one. Raises ValueError for one that Instagram does not take.
        """
        with self.state.lock:
            account = self.state.accounts[ig_user_id]
            if jpeg is None:
                picture = plain_picture(f"{ig_user_id}/{len(self.state.posts)}")
            else:
                try:
                    picture = check_picture(jpeg)
                except GraphError as error:
                    raise ValueError(f"Instagram does not take the picture: {error}") from error
            return self.state.post_by_hand(account.ig_user_id, caption, picture)

    def live_posts(self, ig_user_id: str) -> tuple[LivePost, ...]:
        """Return what followers see, newest first, at once: neither lag nor faults apply."""
        with self.state.lock:
            return tuple(self.state.posts_of(ig_user_id))

    def containers(self, ig_user_id: str) -> tuple[Container, ...]:
        """Return the account's containers, oldest first. See `Container.status_code` for their state at a time."""
        with self.state.lock:
            return tuple(each for each in self.state.containers.values() if each.ig_user_id == ig_user_id)

    def calls(self, name: CallName | None = None, ig_user_id: str | None = None) -> tuple[Call, ...]:
        """Return the calls received, oldest first, with secrets redacted; only these if a name or account is given."""
        with self.state.lock:
            return tuple(
                call for call in self.state.calls if name in (None, call.name) and ig_user_id in (None, call.ig_user_id)
            )
