"""The use case that tells an owner whether a persona can be posted to, and what is to be mended if not."""

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from domain.faults import AccountFault, Fault, TokenFault
from domain.personas import Login, Persona
from domain.ports import Clock, PostLedger
from domain.quota import frees_by
from domain.token_ports import Accounts, TokenStore
from domain.tokens import FEWEST_DAYS, Account, Quota, StoredToken, days_left

WITHIN: Final = timedelta(seconds=15)

FACEBOOK_PERMISSIONS: Final = frozenset({"instagram_basic", "instagram_content_publish", "pages_read_engagement"})
"""Instagram Platform, "Content publishing": what Facebook Login needs."""

_LATER: Final = "Try again later; the schedule goes on meanwhile."


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and what mends it, in whole sentences."""

    what: str
    mend: str


@dataclass(slots=True)
class Checkup:
    """What is known of a persona. None means that it could not be told."""

    persona: Persona
    days_left: int | None = None
    token_is_valid: bool | None = None
    account: Account | None = None
    may_read: bool | None = None
    may_publish: bool | None = None
    granted: Set[str] | None = None
    quota: Quota | None = None
    quota_frees_by: datetime | None = None
    """When a quota that is used up frees at the latest, aware UTC. None also where none of our own posts tells."""
    problems: list[Problem] = field(default_factory=list)


class CheckAccount:
    """Asks the store and Instagram, and writes nothing."""

    def __init__(self, *, tokens: TokenStore, accounts: Accounts, ledger: PostLedger, clock: Clock) -> None:
        self._ledger = ledger
        self._tokens = tokens
        self._accounts = accounts
        self._clock = clock

    def __call__(self, persona: Persona) -> Checkup:
        """A quota that is used up is no problem: what is due waits until it frees, and nobody has to do anything.

        Raises TokenStoreUnavailableError where the token cannot be read, and RecordsUnavailableError.
        """
        found = Checkup(persona)
        try:
            stored = self._tokens.read(persona)
        except TokenFault as fault:
            found.token_is_valid = False
            found.problems.append(Problem(fault.message, _new_token(persona)))
        else:
            self._ask(found, stored)
            if found.token_is_valid is not False:
                self._look_at_the_expiry(found, persona.token_expires_at)
        if persona.paused_reason is not None:
            others = "Mend what is named above, then resume it" if found.problems else "If that is mended, resume it"
            command = f"`fluffy-train persona resume {persona.persona_id}`"
            found.problems.append(Problem(f"The persona is paused: {persona.paused_reason}", f"{others}: {command}."))
        return found

    def _ask(self, found: Checkup, stored: StoredToken) -> None:
        persona = found.persona
        wanted = persona.instagram_user_id
        try:
            found.account = self._accounts.account(persona.login, stored.credentials, wanted, within=WITHIN)
        except TokenFault as fault:
            found.token_is_valid = False
            found.problems.append(Problem(fault.message, _new_token(persona)))
            return
        except AccountFault as fault:
            found.may_read = False
            found.problems.append(Problem(fault.message, _grant(persona)))
            return
        except Fault as fault:
            found.problems.append(Problem(f"Instagram could not be asked: {fault.message}", _LATER))
            return
        found.token_is_valid, found.may_read = True, True
        if found.account.instagram_user_id != wanted:
            what = f"The token is for the account {found.account.instagram_user_id}, and not for {wanted}."
            found.problems.append(Problem(what, _new_token(persona)))
        if found.account.is_personal:
            found.problems.append(Problem("The account is a personal one, to which no program can post.", PROFESSIONAL))
        self._look_at_the_permissions(found, stored)

    def _look_at_the_permissions(self, found: Checkup, stored: StoredToken) -> None:
        """Facebook tells them. Under Instagram Login the quota is what only the permission to publish lets us read."""
        persona, credentials = found.persona, stored.credentials
        try:
            found.granted = self._accounts.permissions(persona.login, credentials, within=WITHIN)
            found.quota = self._accounts.quota(persona.login, credentials, persona.instagram_user_id, within=WITHIN)
        except AccountFault as fault:
            found.may_publish = False
            found.problems.append(Problem(fault.message, _grant(persona)))
            return
        except Fault as fault:
            found.problems.append(Problem(f"The publishing quota could not be read: {fault.message}", _LATER))
        else:
            found.may_publish = True
            self._look_at_the_quota(found, found.quota)
        lacking = FACEBOOK_PERMISSIONS - found.granted if found.granted is not None else frozenset()
        if lacking:
            found.may_publish = "instagram_content_publish" not in lacking and found.may_publish
            what = f"The token lacks the permissions {', '.join(sorted(lacking))}."
            found.problems.append(Problem(what, _grant(persona)))

    def _look_at_the_quota(self, found: Checkup, quota: Quota) -> None:
        if quota.is_used_up:
            now = self._clock.now()
            posts = self._ledger.posts_since(found.persona.persona_id, now - 2 * quota.window)
            found.quota_frees_by = frees_by(posts, now, quota.window)

    def _look_at_the_expiry(self, found: Checkup, expires_at: datetime | None) -> None:
        if expires_at is None:
            return
        found.days_left = days_left(expires_at, self._clock.now())
        if found.days_left < FEWEST_DAYS:
            has = "has expired" if expires_at <= self._clock.now() else f"has {found.days_left} days left"
            what = f"The token {has}, and was not refreshed as it should have been."
            found.problems.append(Problem(what, _new_token(found.persona)))


PROFESSIONAL: Final = (
    "In the Instagram app, switch it to a professional one (Settings, Account type and tools), then get a new token."
)


def _new_token(persona: Persona) -> str:
    command = f"`fluffy-train persona set-token {persona.persona_id}`"
    return f"Get a new token in your app's dashboard at Meta, and hand it over: {command}."


def _grant(persona: Persona) -> str:
    names = (
        "instagram_business_basic and instagram_business_content_publish"
        if persona.login is Login.INSTAGRAM
        else "instagram_basic, instagram_content_publish and pages_read_engagement"
    )
    return f"In your app's dashboard at Meta, see that it has {names}. {_new_token(persona)}"
