"""The work behind `photos rejected`: the uploaded files that were put aside, each with what to do about it."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from adapters.imaging import Rejection
from adapters.s3 import NOT_THERE
from domain.ids import PersonaId
from domain.receive_file import INCOMING, REJECTED

AT_ONCE: Final = 8
"""Files whose tags are asked for at the same time: S3 lists keys by the thousand, and tags one by one."""

_AGAIN: Final = "upload it again"

# Where a file has no reason of its own: its tags were taken off, or it was copied without them.
WHAT_TO_DO: Final[Mapping[str, str]] = {
    "unknown-persona": f"Its folder names no persona. Add the persona, or take the right folder, and {_AGAIN}.",
    "bad-metadata": f"Its score, caption or alt text cannot be used. Mend it, and {_AGAIN}.",
    Rejection.EMPTY: f"It is empty: {_AGAIN}.",
    Rejection.NOT_AN_IMAGE: "It is no picture. Delete it.",
    Rejection.DAMAGED: f"It cannot be read to its end. Export it anew, and {_AGAIN}.",
    Rejection.TOO_MANY_PIXELS: f"It has too many pixels. Export it smaller, and {_AGAIN}.",
    Rejection.TOO_LARGE: f"It is too large. Export it smaller, and {_AGAIN}.",
    Rejection.TOO_NARROW: f"It has too few pixels for Instagram. Export it larger, and {_AGAIN}.",
    Rejection.UNSUPPORTED: f"It is a kind of picture that is not taken. Export it as JPEG, and {_AGAIN}.",
}
_UNTOLD: Final = f"Why it was put aside is not on it any more: {_AGAIN}, and it is told anew."


class PutAside(Protocol):
    """The part of ``adapters.s3_inbox.S3Inbox`` that the list needs."""

    def rejected(self, prefix: str) -> Iterable[tuple[str, int]]: ...

    def reason(self, object_key: str) -> tuple[str, str]: ...


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """One file that was put aside. ``size`` is in bytes; ``kind`` is empty where nothing tells it."""

    object_key: str
    size: int
    kind: str
    what_to_do: str

    @property
    def upload_to(self) -> str:
        """Where it came from, and where a better one goes."""
        return f"{INCOMING}{self.object_key.removeprefix(REJECTED)}"


def rejected_files(put_aside: PutAside, persona_id: PersonaId | None) -> Iterator[RejectedFile]:
    """The files put aside for this persona, or for anybody, by key, lazily.

    For anybody takes in those whose folder names no persona. Raises botocore's errors.
    """
    prefix = REJECTED if persona_id is None else f"{REJECTED}{persona_id}/"
    # The console makes a folder by an empty file whose name ends with a slash.
    listed = (one for one in put_aside.rejected(prefix) if not one[0].endswith("/"))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := list(islice(listed, AT_ONCE * 4)):
            for found in pool.map(partial(_told, put_aside), some):
                if found is not None:
                    yield found


def _told(put_aside: PutAside, listed: tuple[str, int]) -> RejectedFile | None:
    """None where the file was deleted since it was listed."""
    object_key, size = listed
    try:
        kind, reason = put_aside.reason(object_key)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in NOT_THERE:
            return None
        raise
    return RejectedFile(object_key, size, kind, reason or WHAT_TO_DO.get(kind, _UNTOLD))


def facts_of(found: RejectedFile) -> dict[str, Any]:
    return {
        "object_key": found.object_key,
        "size": found.size,
        "kind": found.kind or None,
        "what_to_do": found.what_to_do,
        "upload_to": found.upload_to,
    }


def size_in_words(size: int) -> str:
    """Bytes, as file managers write them."""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1_000_000:.1f} MB"
