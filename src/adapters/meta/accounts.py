"""What Instagram says of an account and its token, and the two ways to lengthen a token's life.

Refresh and exchange are documented with the token in the query alone (Instagram Platform, "Refresh a long-lived token";
Facebook Login, "Long-lived access tokens"): their addresses appear in nothing that is raised or logged.
"""

import re
from collections.abc import Callable, Mapping, Set
from datetime import timedelta
from typing import Any, Final

from adapters.meta.errors import TOKEN_CODES, Phase, fault_of
from adapters.meta.graph import CallFailedError, GraphHosts, GraphRefusalError, GraphSession
from domain.faults import AccountFault, Fault, PhotoFault, Retry, TokenFault
from domain.personas import Login
from domain.secret import Secret
from domain.tokens import Account, Credentials, FreshToken, Quota

MOST_CHARACTERS: Final = 4096
"""What a SecureString parameter of SSM's standard tier holds."""

_TOKEN: Final = re.compile(r"[!-~]+")
_ID: Final = re.compile(r"[0-9]{1,25}")
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SHORTEST_LIFE: Final = 60  # seconds; a token that lasts less is of no use to anybody
_LONGEST_LIFE: Final = 366 * 24 * 60 * 60
_LARGEST_QUOTA: Final = 1_000_000


class MetaAccounts:
    """Implements ``domain.token_ports.Accounts``."""

    def __init__(self, hosts: GraphHosts) -> None:
        self._session = GraphSession(hosts)

    def account(
        self, login: Login, credentials: Credentials, instagram_user_id: str | None, *, within: timedelta
    ) -> Account:
        if login is Login.INSTAGRAM:
            fields = {"fields": "user_id,username,account_type"}
            path, id_field = "me", "user_id"
        else:
            # /me would be a person or a Page, which says nothing of the account.
            if instagram_user_id is None:
                raise ValueError("with Facebook Login the account has to be named")
            fields = {"fields": "id,username"}
            path, id_field = instagram_user_id, "id"
        answer = _asked(lambda: self._session.call("GET", login, path, fields, credentials, within=within))
        # Both shapes are seen: {…} and {"data": [{…}]}.
        data = answer.get("data")
        members = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else answer
        user_id = members.get(id_field)
        if not isinstance(user_id, str) or _ID.fullmatch(user_id) is None:
            raise Retry("Instagram did not say which account the token is for.")
        return Account(user_id, _word(members.get("username")), _word(members.get("account_type")))

    def refresh(self, credentials: Credentials, *, within: timedelta) -> FreshToken:
        query = {"grant_type": "ig_refresh_token", "access_token": credentials.access_token.reveal()}
        answer = _asked(
            lambda: self._session.get_by_secret_query(
                Login.INSTAGRAM, "refresh_access_token", query, versioned=False, within=within
            )
        )
        fresh = _fresh_token(answer)
        if fresh.lasts is None:
            raise Retry("Instagram refreshed the token without saying how long the new one lasts.")
        return fresh

    def exchange(self, credentials: Credentials, *, within: timedelta) -> FreshToken:
        if credentials.app_id is None or credentials.app_secret is None:
            raise ValueError("an exchange takes the app's id and secret")
        query = {
            "grant_type": "fb_exchange_token",
            "client_id": credentials.app_id,
            "client_secret": credentials.app_secret.reveal(),
            "fb_exchange_token": credentials.access_token.reveal(),
        }
        return _fresh_token(
            _asked(
                lambda: self._session.get_by_secret_query(
                    Login.FACEBOOK, "oauth/access_token", query, versioned=True, within=within
                )
            )
        )

    def quota(self, login: Login, credentials: Credentials, instagram_user_id: str, *, within: timedelta) -> Quota:
        path, fields = f"{instagram_user_id}/content_publishing_limit", {"fields": "config,quota_usage"}
        answer = _asked(lambda: self._session.call("GET", login, path, fields, credentials, within=within))
        data = answer.get("data")
        entry = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
        config = entry.get("config")
        config = config if isinstance(config, dict) else {}
        used, total = _count(entry.get("quota_usage")), _count(config.get("quota_total"))
        seconds = _count(config.get("quota_duration"))
        if used is None or total is None:
            raise Retry("Instagram told the publishing quota without its numbers.")
        return Quota(used, total, timedelta(seconds=seconds if seconds else 86400))

    def permissions(self, login: Login, credentials: Credentials, *, within: timedelta) -> Set[str] | None:
        if login is Login.INSTAGRAM:
            return None
        try:
            answer = _asked(lambda: self._session.call("GET", login, "me/permissions", {}, credentials, within=within))
        except AccountFault:
            raise
        except Fault:
            # A Page's token has no such list.
            return None
        entries = answer.get("data")
        if not isinstance(entries, list):
            return None
        granted = [entry for entry in entries if isinstance(entry, dict) and entry.get("status") == "granted"]
        return frozenset(name for name in (_word(entry.get("permission")) for entry in granted) if name is not None)


def _asked(call: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """The answer, or its failure as a fault that is about the token or the account, or proves nothing."""
    try:
        return call()
    except GraphRefusalError as refusal:
        fault = _fault(refusal)
    except CallFailedError as failure:
        fault = Retry(f"{failure.reason}.")
    raise fault


def _fault(refusal: GraphRefusalError) -> Fault:
    error, fault = refusal.error, fault_of(refusal.error, Phase.CONTAINER)
    if refusal.is_server_error:
        # An outage says nothing of the token or the account, whatever code it comes with.
        return Retry(f"Instagram had an error of its own (code {error.code}).", code=error.code, subcode=error.subcode)
    if error.code in TOKEN_CODES:
        text = f"The access token is invalid or has expired{_numbers(refusal)}."
        return TokenFault(text, code=error.code, subcode=error.subcode)
    if isinstance(fault, PhotoFault):
        # The table speaks of photos, and there is none here.
        text = f"Instagram refused, for a reason that is not in our table{_numbers(refusal)}."
        return Retry(text, code=error.code, subcode=error.subcode)
    return fault


def _numbers(refusal: GraphRefusalError) -> str:
    error = refusal.error
    subcode = f", subcode {error.subcode}" if error.subcode is not None else ""
    return f" (code {error.code}{subcode})"


def _fresh_token(answer: Mapping[str, Any]) -> FreshToken:
    token, seconds = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(token, str) or len(token) > MOST_CHARACTERS or _TOKEN.fullmatch(token) is None:
        raise Retry("Instagram answered without a token that could be one.")
    if seconds is None:
        return FreshToken(Secret(token), None)
    if not _is_number(seconds) or not _SHORTEST_LIFE <= seconds <= _LONGEST_LIFE:
        raise Retry("Instagram gave a token with a life that cannot be.")
    return FreshToken(Secret(token), timedelta(seconds=seconds))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and _is_number(value) and 0 <= value <= _LARGEST_QUOTA else None


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None
