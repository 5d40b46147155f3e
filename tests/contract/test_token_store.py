"""The contract of TokenStore: nobody's token is lost under another one, as far as SSM lets us see to it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import boto3
import pytest

from adapters.ssm import CLIENT_CONFIG, SsmCredentials
from adapters.ssm_tokens import SsmTokenStore
from contract.accounts import APP_SECRET, TOKEN
from contract.test_secrets import chained
from contract.wire import Wire
from domain.faults import TokenFault
from domain.ids import PersonaId
from domain.personas import Login, Persona
from domain.secret import Secret
from domain.token_ports import TokenStore, TokenStoreUnavailableError
from domain.tokens import Credentials, StoredToken
from fakes.clock import FakeClock
from fakes.library import DEFAULT, a_persona
from fakes.tokens import FakeTokenStore

pytestmark = pytest.mark.usefixtures("aws_environment")

PREFIX: Final = "/fluffy-train-tokens"
FACEBOOK: Final = a_persona(login=Login.FACEBOOK)
NEW, OWNERS = Secret("IGAA-the-new-one"), Secret("IGAA-by-its-owner")
GET, PUT = "SSM GetParameters", "SSM PutParameter"
ALL_OF_THEM: Final = 100
"""SSM keeps so many versions of a parameter."""


class Store(Protocol):
    """A store, and what its owner does to it by other ways."""

    @property
    def tokens(self) -> TokenStore: ...

    def set(self, token: Secret, persona_id: PersonaId = DEFAULT) -> None: ...


class FakeStore:
    def __init__(self) -> None:
        self.tokens = FakeTokenStore(FakeClock())

    def set(self, token: Secret, persona_id: PersonaId = DEFAULT) -> None:
        self.tokens.set_by_owner(persona_id, Credentials(token))


class SsmStore:
    def __init__(self, client: Any, raw: Any) -> None:
        self.tokens = SsmTokenStore(client, PREFIX)
        self._owners = SsmCredentials(raw, PREFIX)

    def set(self, token: Secret, persona_id: PersonaId = DEFAULT) -> None:
        self._owners.store_token(persona_id, token)


@pytest.fixture
def raw(moto_url: str) -> Iterator[Any]:
    """SSM without any parameter, as others reach it."""
    client = boto3.client("ssm", endpoint_url=moto_url)
    _empty(client)
    yield client
    _empty(client)


def _empty(client: Any) -> None:
    names = [each["Name"] for each in client.describe_parameters()["Parameters"]]
    if names:
        client.delete_parameters(Names=names)


@pytest.fixture
def wire(moto_url: str) -> Iterator[Wire]:
    with Wire(moto_url) as wire:
        yield wire


@pytest.fixture
def ssm(wire: Wire, raw: Any) -> SsmStore:
    return SsmStore(boto3.client("ssm", endpoint_url=wire.url, config=CLIENT_CONFIG), raw)


@pytest.fixture(params=["fake", "moto"])
def store(request: pytest.FixtureRequest) -> Store:
    return FakeStore() if request.param == "fake" else request.getfixturevalue("ssm")


def latest(store: Store, persona: Persona | None = None) -> str:
    return store.tokens.read(persona or a_persona()).credentials.access_token.reveal()


# ---- on the fake and on SSM ----


def test_a_token_is_read_as_it_stands_now(store: Store) -> None:
    store.set(Secret(TOKEN))
    assert latest(store) == TOKEN
    store.set(NEW)
    assert latest(store) == NEW.reveal()


def test_no_token_is_a_token_fault(store: Store) -> None:
    with pytest.raises(TokenFault):
        store.tokens.read(a_persona())


def test_every_write_makes_another_version(store: Store) -> None:
    store.set(Secret(TOKEN))
    first = store.tokens.read(a_persona())
    second = store.tokens.replace(DEFAULT, first, NEW)
    assert second == store.tokens.read(a_persona())
    assert second is not None
    assert (second.version, second.credentials) == (first.version + 1, Credentials(NEW))


def test_a_token_that_was_replaced_since_is_not_written_over(store: Store) -> None:
    store.set(Secret(TOKEN))
    before = store.tokens.read(a_persona())
    store.set(OWNERS)
    assert store.tokens.replace(DEFAULT, before, NEW) is None
    assert latest(store) == OWNERS.reveal()


def test_nor_is_one_that_was_taken_away(store: Store, raw: Any) -> None:
    other = PersonaId("other")
    store.set(Secret(TOKEN))
    assert store.tokens.replace(other, store.tokens.read(a_persona()), NEW) is None
    with pytest.raises(TokenFault):
        store.tokens.read(a_persona(persona_id=other))


# ---- SSM alone ----


def put(raw: Any, name: str, value: str) -> None:
    raw.put_parameter(Name=f"{PREFIX}/default/{name}", Value=value, Type="SecureString", Overwrite=True)


def test_what_was_replaced_stays_a_secure_string(ssm: SsmStore, raw: Any) -> None:
    ssm.set(Secret(TOKEN))
    assert ssm.tokens.replace(DEFAULT, ssm.tokens.read(a_persona()), NEW) is not None
    parameter = raw.get_parameter(Name=f"{PREFIX}/default/access-token")["Parameter"]
    assert parameter["Type"] == "SecureString"
    history = raw.get_parameter_history(Name=f"{PREFIX}/default/access-token", WithDecryption=True)["Parameters"]
    assert [version["Value"] for version in history] == [TOKEN, NEW.reveal()]


def test_the_age_is_that_of_the_write(ssm: SsmStore) -> None:
    ssm.set(Secret(TOKEN))
    age = datetime.now(UTC) - ssm.tokens.read(a_persona()).stored_at
    assert timedelta(seconds=-5) < age < timedelta(minutes=2)


def test_with_facebook_login_the_apps_id_and_secret_come_along_in_one_request(
    ssm: SsmStore, raw: Any, wire: Wire
) -> None:
    ssm.set(Secret(TOKEN))
    put(raw, "app-secret", APP_SECRET)
    put(raw, "app-id", "1234567890")
    credentials = Credentials(Secret(TOKEN), Secret(APP_SECRET), "1234567890")
    assert ssm.tokens.read(FACEBOOK).credentials == credentials
    assert wire.names() == [GET]
    assert ssm.tokens.read(a_persona()).credentials == Credentials(Secret(TOKEN))
    replaced = ssm.tokens.replace(DEFAULT, ssm.tokens.read(FACEBOOK), NEW)
    assert replaced is not None
    assert replaced.credentials == Credentials(NEW, Secret(APP_SECRET), "1234567890")


@pytest.mark.parametrize("value", ["two words", "line\nfeed", "Ünicode", "  \n"])
def test_what_is_no_token_is_a_token_fault_and_not_quoted(ssm: SsmStore, raw: Any, value: str) -> None:
    put(raw, "access-token", value)
    with pytest.raises(TokenFault) as raised:
        ssm.tokens.read(a_persona())
    for error in chained(raised.value):
        assert value not in f"{error!s} {error!r}"


def test_more_versions_than_ssm_keeps_are_no_end(ssm: SsmStore) -> None:
    ssm.set(Secret(TOKEN))
    standing = ssm.tokens.read(a_persona())
    for number in range(ALL_OF_THEM + 5):
        standing = replaced(ssm, standing, Secret(f"IGAA-number-{number}"))
    assert standing.version == ALL_OF_THEM + 6


def replaced(ssm: SsmStore, before: StoredToken, token: Secret) -> StoredToken:
    after = ssm.tokens.replace(DEFAULT, before, token)
    assert after is not None
    return after


def test_where_somebody_has_written_since_nothing_is_written_at_all(ssm: SsmStore, wire: Wire) -> None:
    """Putting it back afterwards is for what no look before the write can see."""
    ssm.set(Secret(TOKEN))
    before = ssm.tokens.read(a_persona())
    ssm.set(OWNERS)
    assert ssm.tokens.replace(DEFAULT, before, NEW) is None
    assert PUT not in wire.names()


def just_before_our_write(ssm: SsmStore, does: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    write = ssm.tokens._put

    def late(name: str, value: Secret) -> int:
        monkeypatch.setattr(ssm.tokens, "_put", write)
        does()
        return write(name, value)

    monkeypatch.setattr(ssm.tokens, "_put", late)


@pytest.mark.parametrize("times", [1, 2])
def test_a_token_that_its_owner_set_between_our_look_and_our_write_is_put_back(
    ssm: SsmStore, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    ssm.set(Secret(TOKEN))
    before = ssm.tokens.read(a_persona())
    theirs = [Secret(f"{OWNERS.reveal()}-{number}") for number in range(times)]

    def set_them() -> None:
        for token in theirs:
            ssm.set(token)

    just_before_our_write(ssm, set_them, monkeypatch)
    assert ssm.tokens.replace(DEFAULT, before, NEW) is None
    assert latest(ssm) == theirs[-1].reveal()


def test_our_own_write_that_the_sdk_repeats_is_nobody_elses(ssm: SsmStore, wire: Wire) -> None:
    ssm.set(Secret(TOKEN))
    before = ssm.tokens.read(a_persona())
    wire.lose_answer(PUT)
    after = ssm.tokens.replace(DEFAULT, before, NEW)
    assert wire.names().count(PUT) == 2
    assert after is not None
    assert (after.version, latest(ssm)) == (before.version + 2, NEW.reveal())


def test_a_token_that_its_owner_set_right_after_our_write_stands(
    ssm: SsmStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssm.set(Secret(TOKEN))
    before = ssm.tokens.read(a_persona())
    write = ssm.tokens._put

    def overtaken(name: str, value: Secret) -> int:
        version = write(name, value)
        ssm.set(OWNERS)
        return version

    monkeypatch.setattr(ssm.tokens, "_put", overtaken)
    assert ssm.tokens.replace(DEFAULT, before, NEW) is None
    assert latest(ssm) == OWNERS.reveal()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"__type": "AccessDeniedException", "Message": f"not authorized for {TOKEN}"}),
        (500, b""),
    ],
    ids=["not allowed", "server error"],
)
@pytest.mark.parametrize("name", [GET, PUT])
def test_a_store_that_is_away_says_so_and_quotes_nothing(
    ssm: SsmStore, wire: Wire, name: str, status: int, body: Any
) -> None:
    ssm.set(Secret(TOKEN))
    before = ssm.tokens.read(a_persona())
    wire.answer(name, status, body, times=10)
    with pytest.raises(TokenStoreUnavailableError) as raised:
        ssm.tokens.replace(DEFAULT, before, NEW)
    for error in chained(raised.value):
        assert TOKEN not in f"{error!s} {error!r}"
        assert NEW.reveal() not in f"{error!s} {error!r}"
    wire.take_back_orders()
    assert latest(ssm) == TOKEN


# ---- the cache of those who post ----


def test_a_token_that_was_replaced_is_used_as_soon_as_the_cache_is_renewed(ssm: SsmStore, raw: Any) -> None:
    source = SsmCredentials(raw, PREFIX)
    ssm.set(Secret(TOKEN))
    assert source.credentials(a_persona()).access_token.reveal() == TOKEN
    assert source.renew(a_persona()) is False
    ssm.set(NEW)
    assert source.credentials(a_persona()).access_token.reveal() == TOKEN
    assert source.renew(a_persona()) is True
    assert source.credentials(a_persona()) == Credentials(NEW)
