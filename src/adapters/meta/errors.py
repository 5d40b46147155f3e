"""What each of Instagram's errors lets us do: one table, keyed by (code, subcode) and by phase.

Source: Instagram Platform error codes, and what authors of clients have reported of them. Texts are never looked at:
they are localised. A code alone stands for its subcodes that are not listed, and for answers without a subcode.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Final

from domain.faults import AccountFault, Defer, Fault, ImageNotFetched, PhotoFault, QuotaUsed, Retry, Unresolved


class Phase(Enum):
    """Where in a post's life the error was met. The same code can be harmless before publishing and not after it."""

    CONTAINER = auto()
    """At the container's creation, at its status, and at any other read."""
    PUBLISH = auto()


@dataclass(frozen=True, slots=True)
class GraphError:
    """The numbers of an error answer. ``regain_access_after`` is Meta's own estimate for a throttled account."""

    code: int | None
    subcode: int | None = None
    trace_id: str | None = None
    regain_access_after: timedelta = timedelta(0)


TOKEN_CODES: Final = frozenset({102, 190})
"""The codes that say that the token itself is invalid or has expired."""

NO_SUCH_OBJECT: Final = (100, 33)
"""Code and subcode of what is missing, deleted or not ours to see: it says nothing of other objects."""

MakeFault = Callable[[str, GraphError], Fault]


def _retry(after: timedelta | None = None, *, new_container: bool = False) -> MakeFault:
    return lambda text, e: Retry(text, code=e.code, subcode=e.subcode, after=after, new_container=new_container)


def _image_not_fetched(text: str, e: GraphError) -> Fault:
    return ImageNotFetched(text, code=e.code, subcode=e.subcode, after=timedelta(seconds=10))


def _defer(text: str, e: GraphError) -> Fault:
    return Defer(text, code=e.code, subcode=e.subcode, after=e.regain_access_after)


def _quota_used(text: str, e: GraphError) -> Fault:
    return QuotaUsed(text, code=e.code, subcode=e.subcode, after=e.regain_access_after)


def _photo(text: str, e: GraphError) -> Fault:
    return PhotoFault(text, code=e.code, subcode=e.subcode)


def _account(text: str, e: GraphError) -> Fault:
    return AccountFault(text, code=e.code, subcode=e.subcode)


def _unresolved(text: str, e: GraphError) -> Fault:
    return Unresolved(text, code=e.code, subcode=e.subcode)


def _unresolved_and_account(text: str, e: GraphError) -> Fault:
    return Unresolved(text, code=e.code, subcode=e.subcode, account_too=True)


@dataclass(frozen=True, slots=True)
class _Row:
    meaning: str
    container: MakeFault
    publish: MakeFault


_RETRY: Final = _retry()
_NEW_CONTAINER: Final = _retry(new_container=True)

_THROTTLED: Final = _Row("the account or the app is throttled", _defer, _defer)
_QUOTA_USED: Final = _Row("the account's publishing quota is used up", _quota_used, _quota_used)
_NEW_TOKEN: Final = "the access token is invalid or has expired: set a new one, then resume the persona"  # noqa: S105
_TOKEN: Final = _Row(_NEW_TOKEN, _account, _account)
_PERMISSION: Final = _Row("the app lacks a permission: grant it, then resume the persona", _account, _account)
_PARAMETER: Final = _Row("a parameter of the photo or its caption is not accepted", _photo, _photo)
_WITHOUT_CODE: Final = _Row("an error that does not say which", _RETRY, _unresolved)
_UNKNOWN: Final = _Row("an error that is not in our table", _photo, _unresolved)

TABLE: Final[Mapping[tuple[int, int | None], _Row]] = {
    (-2, None): _Row("Instagram took too long to download the photo", _RETRY, _unresolved),
    (-2, 2207003): _Row("Instagram took too long to download the photo", _RETRY, _unresolved),
    (-2, 2207020): _Row("the uploaded photo has expired", _NEW_CONTAINER, _unresolved),
    (-1, None): _Row("Instagram had an error of its own", _RETRY, _unresolved),
    (-1, 2207001): _Row("Instagram had an error of its own", _RETRY, _unresolved),
    (-1, 2207032): _Row("Instagram could not create the container", _RETRY, _unresolved),
    (-1, 2207053): _Row("the upload failed for a reason Instagram does not tell", _NEW_CONTAINER, _unresolved),
    (1, None): _Row("Instagram had an unknown error", _RETRY, _unresolved),
    (2, None): _Row("Instagram's service is down for the moment", _RETRY, _unresolved),
    (3, None): _PERMISSION,
    (4, None): _THROTTLED,
    (4, 2207051): _Row(
        "Instagram blocked the action as spam: stop for some hours, look at the account, then resume the persona",
        _account,
        _unresolved_and_account,
    ),
    (9, None): _QUOTA_USED,
    (9, 2207042): _QUOTA_USED,
    (10, None): _PERMISSION,
    (17, None): _THROTTLED,
    (24, None): _Row("the container or its media was not found", _RETRY, _unresolved),
    (24, 2207006): _Row(
        "the media was not found: the token may lack a permission; check it, then resume the persona",
        _account,
        _unresolved,
    ),
    (24, 2207008): _Row(
        "the container is missing or has expired",
        _retry(timedelta(seconds=30), new_container=True),
        _unresolved,
    ),
    (25, None): _Row(
        "Instagram restricted the account: sign in to Instagram, follow what it asks, then resume the persona",
        _account,
        _account,
    ),
    (32, None): _THROTTLED,
    (100, None): _PARAMETER,
    NO_SUCH_OBJECT: _Row("the object is missing, not permitted, or not readable for the moment", _RETRY, _unresolved),
    (102, None): _TOKEN,
    (190, None): _TOKEN,
    (341, None): _THROTTLED,
    (352, None): _Row("the photo's format is not accepted", _photo, _photo),
    (368, None): _Row(
        "Instagram blocks the account for its policies: see its notice, then resume the persona", _account, _account
    ),
    (613, None): _THROTTLED,
    (9004, None): _Row("Instagram could not fetch the photo from the bucket", _image_not_fetched, _unresolved),
    (9007, None): _Row("the container is not ready yet", _retry(timedelta(seconds=2)), _retry(timedelta(seconds=2))),
    (36000, None): _Row("the photo is larger than 8 MiB", _photo, _unresolved),
    (36001, None): _Row("the photo's format is not accepted", _photo, _unresolved),
    (36003, None): _Row("the photo's aspect ratio is outside 4:5 to 1.91:1", _photo, _unresolved),
    (36004, None): _Row("the caption is too long", _photo, _unresolved),
    (80002, None): _THROTTLED,
    **{(code, None): _PERMISSION for code in range(200, 300)},
}

_SUBCODES: Final[Mapping[int, tuple[int, int]]] = {
    subcode: (code, subcode) for code, subcode in TABLE if subcode is not None and subcode > 2_000_000
} | {
    2207052: (9004, 2207052),
    2207027: (9007, 2207027),
    2207050: (25, 2207050),
    2207026: (352, 2207026),
    2207004: (36000, 2207004),
    2207005: (36001, 2207005),
    2207009: (36003, 2207009),
    2207010: (36004, 2207010),
    **{subcode: (100, subcode) for subcode in (2207023, 2207028, 2207035, 2207036, 2207037, 2207040)},
}

# Known as pairs alone: with another subcode nobody knows what became of a publish request.
_KNOWN_BY_BOTH: Final[Mapping[int, tuple[int, ...]]] = {
    9: (2207042,),
    25: (2207050,),
    352: (2207026,),
    9007: (2207027,),
}

_SUBCODE_IN_STATUS: Final = re.compile(r"\b(22\d{5})\b")


def fault_of(error: GraphError, phase: Phase) -> Fault:
    """The fault that an error answer means in ``phase``. An unknown code fails a post only before it is published."""
    row = _WITHOUT_CODE
    if error.code is not None:
        row = TABLE.get((error.code, error.subcode)) or TABLE.get((error.code, None)) or _UNKNOWN
        known = _KNOWN_BY_BOTH.get(error.code, (error.subcode,))
        if phase is Phase.PUBLISH and error.subcode not in (None, *known):
            row = _UNKNOWN
    make = row.container if phase is Phase.CONTAINER else row.publish
    numbers = "no code" if error.code is None else f"code {error.code}"
    numbers += f", subcode {error.subcode}" if error.subcode is not None else ""
    trace = f", trace {error.trace_id}" if error.trace_id else ""
    return make(f"Instagram refused: {row.meaning} ({numbers}{trace}).", error)


def fault_of_status(status: str) -> Fault:
    """The fault of a container in ERROR, whose status text ends in a subcode and has no code."""
    match = _SUBCODE_IN_STATUS.search(status)
    if match is None or (subcode := int(match[1])) not in _SUBCODES:
        return _NEW_CONTAINER("Instagram could not prepare the photo and gave no reason.", GraphError(None))
    code, subcode = _SUBCODES[subcode]
    fault = fault_of(GraphError(code, subcode), Phase.CONTAINER)
    if isinstance(fault, Retry | Defer):
        # The container itself has ended: whatever may be tried again needs another one.
        fault.new_container = True
    return fault
