"""Who may call: tokens, the proof of the app secret, and the two ways to lengthen a token's life."""

import dataclasses
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any

from local.instagram import errors
from local.instagram.graph_request import Flavour, GraphRequest
from local.instagram.records import AccessToken, Account
from local.instagram.state import EmulatorState

TOKEN_LIFETIME = timedelta(days=60)
YOUNGEST_REFRESH = timedelta(hours=24)


def appsecret_proof(app_secret: str, token: str) -> str:
    """Return the hex HMAC-SHA256 of the token under the app secret."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def holder(state: EmulatorState, request: GraphRequest) -> Account:
    """Return the account whose valid token the call carries. Raises GraphError 190, or 100 for a bad proof."""
    if not request.token:
        raise errors.token_missing()
    account = _account_of(state, request.token, request.flavour)
    if request.flavour == "facebook" and account.app_secret:
        proof = request.query.get("appsecret_proof")
        if proof is None:
            raise errors.proof_missing()
        if not hmac.compare_digest(proof.encode(), appsecret_proof(account.app_secret, request.token).encode()):
            raise errors.proof_wrong()
    return account


def refresh_token(state: EmulatorState, request: GraphRequest) -> dict[str, Any]:
    """Answer `refresh_access_token`: 60 more days for a token at least 24 hours old. It must stand in the query."""
    if request.parameters.get("grant_type") != "ig_refresh_token":
        raise errors.bad_parameter("The parameter grant_type must be ig_refresh_token")
    value = request.query.get("access_token")
    if not value:
        raise errors.token_missing()
    with state.lock:
        account = _account_of(state, value, "instagram")
        if state.clock.now() - state.tokens[value].issued_at < YOUNGEST_REFRESH:
            raise errors.token_too_young()
        return _issue(state, account, value, prefix="IGAA")


def exchange_token(state: EmulatorState, request: GraphRequest) -> dict[str, Any]:
    """Answer Facebook Login's `oauth/access_token`: a token of 60 days for a valid one, given the app's secret."""
    if request.parameters.get("grant_type") != "fb_exchange_token":
        raise errors.bad_parameter("The parameter grant_type must be fb_exchange_token")
    client_id, client_secret = request.parameters.get("client_id"), request.parameters.get("client_secret")
    if not client_id or not client_secret:
        raise errors.client_invalid("Missing client_id or client_secret parameter.")
    value = request.required("fb_exchange_token")
    with state.lock:
        account = _account_of(state, value, "facebook")
        if account.app_id not in (None, client_id):
            raise errors.client_invalid("Error validating application. Cannot get application info.")
        if account.app_secret not in (None, client_secret):
            raise errors.client_invalid("Error validating client secret.")
        return _issue(state, account, value, prefix="EAA")


def _account_of(state: EmulatorState, value: str, flavour: Flavour) -> Account:
    token = state.tokens.get(value)
    if token is None or state.accounts[token.ig_user_id].login not in (flavour, "any"):
        raise errors.token_invalid()
    if token.expires_at <= state.clock.now():
        raise errors.token_expired(token.expires_at.strftime("%A, %d-%b-%y %H:%M:%S UTC"))
    return state.accounts[token.ig_user_id]


def _issue(state: EmulatorState, account: Account, old: str, *, prefix: str) -> dict[str, Any]:
    now = state.clock.now()
    fresh = AccessToken(prefix + secrets.token_urlsafe(48), account.ig_user_id, now, now + TOKEN_LIFETIME)
    state.tokens[fresh.value] = fresh
    if state.settings.refresh_revokes_old_token:
        state.tokens[old] = dataclasses.replace(state.tokens[old], expires_at=now)
    return {
        "access_token": fresh.value,
        "token_type": "bearer",  # a kind of token # nosec B105
        "expires_in": int(TOKEN_LIFETIME.total_seconds()),
    }
