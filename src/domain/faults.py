"""Faults: what a failed call to an outside system lets the caller do next, whatever it was that went wrong.

A fault is raised by an adapter and decided upon by the driver. Its text is written for the owner, in whole sentences
without a token, a URL or a provider's localised message.
"""

from dataclasses import dataclass
from datetime import timedelta


class Fault(Exception):
    """A call did not do what was asked. The subclass says what may be done; the text says what happened."""

    def __init__(self, message: str, *, code: int | None = None, subcode: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.subcode = subcode

    @property
    def record(self) -> "FaultRecord":
        """The fault as it stands in a post's record."""
        return FaultRecord(kind=type(self).__name__, message=self.message, code=self.code, subcode=self.subcode)


class Retry(Fault):
    """Nothing took effect. Try again in this run, ``after`` a while; with a new container if the old one is spent."""

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        subcode: int | None = None,
        after: timedelta | None = None,
        new_container: bool = False,
    ) -> None:
        super().__init__(message, code=code, subcode=subcode)
        self.after = after
        self.new_container = new_container


class Defer(Fault):
    """Nothing took effect. Try the same thing in a later run, not before ``after`` has passed.

    ``new_container``: the container that there is has ended, and the later run needs another.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        subcode: int | None = None,
        after: timedelta = timedelta(0),
        new_container: bool = False,
    ) -> None:
        super().__init__(message, code=code, subcode=subcode)
        self.after = after
        self.new_container = new_container


class QuotaUsed(Defer):
    """The account has made as many posts as it may in 24 hours. Try again when the quota frees."""


class ImageNotFetched(Retry):
    """Instagram could not fetch the image. Try again; when that does not help, see whether the object exists."""


class PhotoFault(Fault):
    """This photo will never pass; another one may."""


class AccountFault(Fault):
    """No photo will pass until a person acts."""


class TokenFault(AccountFault):
    """The token itself is refused, or there is none: only a new one helps. Raised where tokens are looked after."""


class Unresolved(Fault):
    """It may have taken effect, or not. Never repeat it: ask the container what became of it."""

    def __init__(
        self, message: str, *, code: int | None = None, subcode: int | None = None, account_too: bool = False
    ) -> None:
        super().__init__(message, code=code, subcode=subcode)
        self.account_too = account_too
        """The account is blocked as well: pause the persona."""


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """What stands in a post's record about its last fault. ``kind`` is the fault's class name."""

    kind: str
    message: str
    code: int | None = None
    subcode: int | None = None
