"""The token store in memory, and an Instagram that gives, ages and refuses tokens."""

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from domain.faults import Fault, TokenFault
from domain.ids import PersonaId
from domain.personas import Login, Persona
from domain.ports import Clock
from domain.secret import Secret
from domain.token_ports import TokenStoreUnavailableError
from domain.tokens import Account, Credentials, FreshToken, Quota, StoredToken

SIXTY_DAYS = timedelta(days=60)


@dataclass
class FakeTokenStore:
    """Keeps every version, as SSM does. The next ``outages`` calls of a method fail."""

    clock: Clock
    versions: dict[PersonaId, list[tuple[Credentials, datetime]]] = field(default_factory=dict)
    outages: dict[str, int] = field(default_factory=dict)

    def set_by_owner(self, persona_id: PersonaId, credentials: Credentials) -> None:
        self.versions.setdefault(persona_id, []).append((credentials, self.clock.now()))

    def read(self, persona: Persona) -> StoredToken:
        self._perhaps_away("read")
        standing = self._standing(persona.persona_id)
        if standing is None:
            raise TokenFault("There is no access token for the persona.")
        return standing

    def replace(self, persona_id: PersonaId, before: StoredToken, token: Secret) -> StoredToken | None:
        self._perhaps_away("replace")
        standing = self._standing(persona_id)
        if standing is None or standing.version != before.version:
            return None
        app = before.credentials
        self.set_by_owner(persona_id, Credentials(token, app.app_secret, app.app_id))
        return self._standing(persona_id)

    def token(self, persona_id: PersonaId) -> str:
        return self.versions[persona_id][-1][0].access_token.reveal()

    def _standing(self, persona_id: PersonaId) -> StoredToken | None:
        versions = self.versions.get(persona_id)
        return StoredToken(*_turned(versions[-1], len(versions))) if versions else None

    def _perhaps_away(self, method: str) -> None:
        if self.outages.get(method, 0) > 0:
            self.outages[method] -= 1
            raise TokenStoreUnavailableError("The store is away.")


def _turned(entry: tuple[Credentials, datetime], version: int) -> tuple[Credentials, int, datetime]:
    return entry[0], version, entry[1]


@dataclass
class FakeAccounts:
    """Knows when each of its tokens expires. ``faults`` come before any rule, one for each call of a method."""

    clock: Clock
    valid_until: dict[str, datetime] = field(default_factory=dict)
    issued_at: dict[str, datetime] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    revokes: bool = False
    lasts: timedelta | None = SIXTY_DAYS
    calls: list[str] = field(default_factory=list)
    told: Account = field(default_factory=lambda: Account("17841400000000001", "fluffy.train", "BUSINESS"))
    before_call: Callable[[str], None] = lambda _: None
    granted: Set[str] | None = None
    used: int = 2
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def issue(self, value: str | None = None, lasts: timedelta = SIXTY_DAYS) -> Secret:
        value = value or f"IGAA-number-{next(self._numbers)}"
        self.issued_at[value], self.valid_until[value] = self.clock.now(), self.clock.now() + lasts
        return Secret(value)

    def account(
        self, login: Login, credentials: Credentials, instagram_user_id: str | None, *, within: timedelta
    ) -> Account:
        self._begin("account", credentials)
        return self.told

    def refresh(self, credentials: Credentials, *, within: timedelta) -> FreshToken:
        self._begin("refresh", credentials)
        if self.clock.now() - self.issued_at[credentials.access_token.reveal()] < timedelta(hours=24):
            raise AssertionError("a token was refreshed that is too young")
        return self._another(credentials)

    def exchange(self, credentials: Credentials, *, within: timedelta) -> FreshToken:
        self._begin("exchange", credentials)
        return self._another(credentials)

    def quota(self, login: Login, credentials: Credentials, instagram_user_id: str, *, within: timedelta) -> Quota:
        self._begin("quota", credentials)
        return Quota(self.used, 50, timedelta(days=1))

    def permissions(self, login: Login, credentials: Credentials, *, within: timedelta) -> Set[str] | None:
        self._begin("permissions", credentials)
        return self.granted

    def _another(self, credentials: Credentials) -> FreshToken:
        if self.revokes:
            self.valid_until[credentials.access_token.reveal()] = self.clock.now()
        return FreshToken(self.issue(), self.lasts)

    def _begin(self, method: str, credentials: Credentials) -> None:
        self.before_call(method)
        self.calls.append(method)
        if self.faults.get(method):
            raise self.faults[method].pop(0)
        until = self.valid_until.get(credentials.access_token.reveal())
        if until is None or until <= self.clock.now():
            raise TokenFault("The access token is invalid or has expired (code 190).", code=190)
