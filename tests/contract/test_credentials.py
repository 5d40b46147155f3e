"""The contract of CredentialSource, on SSM: SecureStrings, read once in five minutes, never quoted."""

import re
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from adapters.ssm import CLIENT_CONFIG, SsmCredentials
from contract.accounts import APP_SECRET, TOKEN
from contract.test_secrets import chained
from contract.wire import Wire
from domain.faults import AccountFault, Defer, Fault
from domain.ids import PersonaId
from domain.personas import Login
from domain.secret import Secret
from fakes.library import DEFAULT, a_persona

pytestmark = pytest.mark.usefixtures("aws_environment")

PREFIX = "/fluffy-train"
INSTAGRAM, FACEBOOK = a_persona(), a_persona(login=Login.FACEBOOK)
GET = "SSM GetParameters"


@pytest.fixture
def wire(moto_url: str) -> Iterator[Wire]:
    with Wire(moto_url) as wire:
        yield wire


@pytest.fixture
def client(wire: Wire) -> Iterator[Any]:
    """SSM without any parameter, over a wire that notes every request."""
    client = boto3.client("ssm", endpoint_url=wire.url, config=CLIENT_CONFIG)
    _empty(client)
    wire.requests.clear()
    yield client
    wire.take_back_orders()
    _empty(client)


def _empty(client: Any) -> None:
    names = [each["Name"] for each in client.describe_parameters()["Parameters"]]
    if names:
        client.delete_parameters(Names=names)


@pytest.fixture
def source(client: Any) -> SsmCredentials:
    return SsmCredentials(client, PREFIX)


def put(client: Any, value: str, name: str = "access-token", persona_id: str = "default") -> None:
    client.put_parameter(Name=f"{PREFIX}/{persona_id}/{name}", Value=value, Type="SecureString", Overwrite=True)


def gets(wire: Wire) -> list[list[str]]:
    """The names of the parameters that were read, request by request."""
    assert {request.name for request in wire.requests} <= {GET, "SSM PutParameter"}
    return [request.body["Names"] for request in wire.requests if request.name == GET]


def test_the_token_is_the_personas_own_decrypted(client: Any, source: SsmCredentials, wire: Wire) -> None:
    put(client, TOKEN)
    put(client, "IGAA-of-another", persona_id="other")
    assert source.credentials(INSTAGRAM).access_token.reveal() == TOKEN
    assert source.credentials(INSTAGRAM).app_secret is None
    other = source.credentials(a_persona(persona_id=PersonaId("other")))
    assert other.access_token.reveal() == "IGAA-of-another"
    assert gets(wire) == [[f"{PREFIX}/default/access-token"], [f"{PREFIX}/other/access-token"]]
    assert all(request.body["WithDecryption"] is True for request in wire.requests if request.name == GET)


def test_a_token_that_was_stored_is_a_secure_string(client: Any, source: SsmCredentials) -> None:
    source.store_token(DEFAULT, Secret("IGAA-the-first"))
    source.store_token(DEFAULT, Secret(TOKEN))
    source.store_app_secret(DEFAULT, Secret(APP_SECRET))
    for name, value in (("access-token", TOKEN), ("app-secret", APP_SECRET)):
        stored = client.get_parameter(Name=f"{PREFIX}/default/{name}", WithDecryption=True)["Parameter"]
        assert (stored["Type"], stored["Value"]) == ("SecureString", value)
    assert source.credentials(INSTAGRAM).access_token.reveal() == TOKEN


@pytest.mark.parametrize("prefix", ["/fluffy-train", "/fluffy-train/"])
def test_the_prefix_may_end_in_a_slash(client: Any, prefix: str) -> None:
    put(client, TOKEN)
    assert SsmCredentials(client, prefix).credentials(INSTAGRAM).access_token.reveal() == TOKEN


def test_the_white_space_around_a_token_is_not_part_of_it(client: Any, source: SsmCredentials) -> None:
    put(client, f"  {TOKEN}\n")
    assert source.credentials(INSTAGRAM).access_token.reveal() == TOKEN


# ---- Facebook Login ----


def test_facebook_login_has_the_apps_secret_too(client: Any, source: SsmCredentials) -> None:
    put(client, TOKEN)
    put(client, APP_SECRET, "app-secret")
    credentials = source.credentials(FACEBOOK)
    assert credentials.access_token.reveal() == TOKEN
    assert credentials.app_secret is not None
    assert credentials.app_secret.reveal() == APP_SECRET


def test_facebook_login_may_do_without_the_apps_secret(client: Any, source: SsmCredentials) -> None:
    put(client, TOKEN)
    assert source.credentials(FACEBOOK).app_secret is None


def test_the_apps_secret_is_not_read_for_instagram_login(client: Any, source: SsmCredentials, wire: Wire) -> None:
    put(client, TOKEN)
    put(client, APP_SECRET, "app-secret")
    assert source.credentials(INSTAGRAM).app_secret is None
    assert gets(wire) == [[f"{PREFIX}/default/access-token"]]


@pytest.mark.parametrize("has_app_secret", [True, False], ids=["with app secret", "without app secret"])
def test_facebook_login_costs_one_request_as_instagram_login_does(
    client: Any, source: SsmCredentials, wire: Wire, has_app_secret: bool
) -> None:
    put(client, TOKEN)
    if has_app_secret:
        put(client, APP_SECRET, "app-secret")
    wire.requests.clear()
    for _ in range(3):
        source.credentials(FACEBOOK)
    assert len(wire.requests) == 1


# ---- the cache ----


@pytest.fixture
def powertools_clock(monkeypatch: pytest.MonkeyPatch) -> type[datetime]:
    """The clock by which Powertools' cache ages."""

    class Clock(datetime):
        moment = datetime(2026, 11, 22, 9)  # noqa: DTZ001 - as Powertools asks for it

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.moment

    monkeypatch.setattr("aws_lambda_powertools.utilities.parameters.base.datetime", Clock)
    return Clock


def test_a_token_is_read_once_in_five_minutes(
    client: Any, source: SsmCredentials, wire: Wire, powertools_clock: Any
) -> None:
    put(client, TOKEN)
    for _ in range(5):
        source.credentials(INSTAGRAM)
    powertools_clock.moment += timedelta(seconds=299)
    source.credentials(INSTAGRAM)
    assert len(gets(wire)) == 1
    powertools_clock.moment += timedelta(seconds=2)
    put(client, "IGAA-the-new-one")
    assert source.credentials(INSTAGRAM).access_token.reveal() == "IGAA-the-new-one"
    assert len(gets(wire)) == 2


def test_a_token_that_was_missing_is_found_as_soon_as_it_is_set(client: Any, source: SsmCredentials) -> None:
    with pytest.raises(AccountFault):
        source.credentials(INSTAGRAM)
    put(client, TOKEN)
    assert source.credentials(INSTAGRAM).access_token.reveal() == TOKEN


def test_two_sources_share_no_cache(client: Any, wire: Wire) -> None:
    put(client, TOKEN)
    SsmCredentials(client, PREFIX).credentials(INSTAGRAM)
    SsmCredentials(client, PREFIX).credentials(INSTAGRAM)
    assert len(gets(wire)) == 2


# ---- faults ----


def test_a_missing_token_stops_the_account_and_names_the_command(source: SsmCredentials) -> None:
    command = re.escape("fluffy-train persona set-token default")
    with pytest.raises(AccountFault, match=command) as raised:
        source.credentials(INSTAGRAM)
    assert "resume" in raised.value.message


ODD = ["two words", "tab\there", "Ünicode", "line\nfeed: X-Injected", "nul\x00", "del\x7f", "emoji 📷", "a\u2028b"]


@pytest.mark.parametrize("value", ODD)
def test_a_token_with_odd_characters_stops_the_account_and_is_not_quoted(
    client: Any, source: SsmCredentials, value: str
) -> None:
    put(client, value)
    with pytest.raises(AccountFault) as raised:
        source.credentials(INSTAGRAM)
    for error in chained(raised.value):
        assert value not in f"{error!s} {error!r}"
    assert "access-token" in raised.value.message


def test_an_app_secret_with_odd_characters_stops_the_account(client: Any, source: SsmCredentials) -> None:
    put(client, TOKEN)
    put(client, "not a secret", "app-secret")
    with pytest.raises(AccountFault, match="app-secret") as raised:
        source.credentials(FACEBOOK)
    assert "not a secret" not in raised.value.message


def test_a_token_of_white_space_alone_stops_the_account(client: Any, source: SsmCredentials) -> None:
    put(client, "  \n")
    with pytest.raises(AccountFault):
        source.credentials(INSTAGRAM)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"__type": "AccessDeniedException", "Message": "not authorized"}),
        (400, {"__type": "UnrecognizedClientException", "message": "The security token is invalid."}),
        (400, {"__type": "InvalidKeyId", "message": "The key is disabled."}),
        (500, b""),
        (503, b""),
    ],
    ids=["not allowed", "bad credentials", "key disabled", "server error", "unavailable"],
)
def test_a_token_that_cannot_be_read_now_is_deferred(
    source: SsmCredentials, wire: Wire, status: int, body: Any
) -> None:
    wire.answer(GET, status, body, times=10)
    with pytest.raises(Fault) as raised:
        source.credentials(INSTAGRAM)
    assert type(raised.value) is Defer


def test_an_answer_that_is_lost_once_is_asked_for_again(client: Any, source: SsmCredentials, wire: Wire) -> None:
    put(client, TOKEN)
    wire.lose_answer(GET)
    assert source.credentials(INSTAGRAM).access_token.reveal() == TOKEN


@pytest.mark.parametrize("persona", [INSTAGRAM, FACEBOOK], ids=["Instagram Login", "Facebook Login"])
def test_ssm_that_is_not_there_is_deferred(persona: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        source = SsmCredentials(boto3.client("ssm", endpoint_url=url, config=CLIENT_CONFIG), PREFIX)
        with pytest.raises(Fault) as raised:
            source.credentials(persona)
    assert type(raised.value) is Defer


def test_a_missing_token_of_facebook_login_is_found_as_soon_as_it_is_set(client: Any, source: SsmCredentials) -> None:
    put(client, APP_SECRET, "app-secret")
    with pytest.raises(AccountFault):
        source.credentials(FACEBOOK)
    put(client, TOKEN)
    assert source.credentials(FACEBOOK).access_token.reveal() == TOKEN


def test_an_app_secret_that_cannot_be_read_now_is_deferred(client: Any, source: SsmCredentials, wire: Wire) -> None:
    """Not left out: without its proof every call would be refused, and the account paused."""
    put(client, TOKEN)
    source.credentials(INSTAGRAM)
    wire.answer(GET, 500, b"", times=10)
    with pytest.raises(Defer):
        source.credentials(FACEBOOK)
