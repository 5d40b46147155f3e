"""What looking after the tokens needs from the outside."""

from collections.abc import Set
from datetime import timedelta
from typing import Protocol

from domain.ids import PersonaId
from domain.personas import Login, Persona
from domain.secret import Secret
from domain.tokens import Account, Credentials, FreshToken, Quota, StoredToken


class TokenStoreUnavailableError(Exception):
    """The store could not be read or written, and it is not known whether a write took effect.

    Reading and writing again does no harm. The text has no secret in it.
    """


class TokenStore(Protocol):
    """The tokens themselves, past every cache. Both methods raise TokenStoreUnavailableError."""

    def read(self, persona: Persona) -> StoredToken:
        """The persona's token as it stands now. Raises TokenFault where there is none, or what stands there is none."""
        ...

    def replace(self, persona_id: PersonaId, before: StoredToken, token: Secret) -> StoredToken | None:
        """Write ``token`` over ``before``, which the store keeps as a version of its own; what stands there then.

        None, and what somebody else wrote since ``before`` stands there as it did.
        """
        ...


class Accounts(Protocol):
    """What Instagram says of an account and its token. Every call does no harm twice, and ends ``within`` its time.

    Raises a Fault, nothing else: TokenFault where the token is definitely refused, AccountFault where the account or
    the app's permission is, and Retry or Defer for whatever proves nothing.
    """

    def account(
        self, login: Login, credentials: Credentials, instagram_user_id: str | None, *, within: timedelta
    ) -> Account:
        """The account that the token speaks for. Facebook Login has to be told which: its token may speak for many."""
        ...

    def refresh(self, credentials: Credentials, *, within: timedelta) -> FreshToken:
        """Instagram Login: another token for a valid one that is at least 24 hours old. That one stays valid."""
        ...

    def exchange(self, credentials: Credentials, *, within: timedelta) -> FreshToken:
        """Facebook Login: another token for a valid one, given the app's id and secret. That one stays valid."""
        ...

    def quota(self, login: Login, credentials: Credentials, instagram_user_id: str, *, within: timedelta) -> Quota:
        """What is left of the account's publishing quota. It takes the permission to publish."""
        ...

    def permissions(self, login: Login, credentials: Credentials, *, within: timedelta) -> Set[str] | None:
        """The permissions that the token was granted; None where the host does not tell them."""
        ...
