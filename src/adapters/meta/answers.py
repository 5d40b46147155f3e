"""What stands in Instagram's answers, checked member by member; and the calls that do no harm twice."""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.meta.errors import TOKEN_CODES, Phase, fault_of
from adapters.meta.graph import CallFailedError, GraphClient, GraphRefusalError
from domain.faults import AccountFault, PhotoFault, Retry
from domain.personas import Persona

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_TIME_TO_REPEAT: Final = timedelta(seconds=2)
_ADDRESS: Final = re.compile(r"https?://[!-~]{1,490}")


def repeatable(
    graph: GraphClient, method: str, persona: Persona, path: str, fields: Mapping[str, str], within: timedelta
) -> Mapping[str, Any]:
    """The answer of a call that does no harm twice. Raises a Fault, and nothing else.

    Once refused for its token it is repeated, if another one has been set since this one was read: a persona must not
    be paused for a token that its owner has just replaced.
    """
    call = graph.get if method == "GET" else graph.post
    give_up_at = time.monotonic() + within.total_seconds()
    try:
        try:
            return call(persona, path, fields, within=within)
        except GraphRefusalError as refusal:
            left = timedelta(seconds=give_up_at - time.monotonic())
            if refusal.error.code not in TOKEN_CODES or left < _TIME_TO_REPEAT:
                raise
            if not graph.renew_credentials(persona):
                raise
        return call(persona, path, fields, within=timedelta(seconds=give_up_at - time.monotonic()))
    except GraphRefusalError as refusal:
        fault = fault_of(refusal.error, Phase.CONTAINER)
        if refusal.is_server_error and isinstance(fault, PhotoFault | AccountFault):
            # An outage says nothing of the photo or the account, whatever code it comes with.
            raise Retry(fault.message, code=fault.code, subcode=fault.subcode) from None
        raise fault from None
    except CallFailedError as failure:
        raise Retry(f"{failure.reason}.") from None


def id_of(entry: Mapping[str, Any]) -> str | None:
    """The entry's id, which is a string of limited length that is safe in a path; None for anything else."""
    value = entry.get("id")
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def permalink_of(entry: Mapping[str, Any]) -> str | None:
    value = entry.get("permalink")
    return value if isinstance(value, str) and _ADDRESS.fullmatch(value) else None


def published_at_of(entry: Mapping[str, Any]) -> datetime | None:
    timestamp = entry.get("timestamp")
    if not isinstance(timestamp, str):
        return None
    try:
        # Meta writes 2026-09-26T22:36:43+0000.
        return datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
