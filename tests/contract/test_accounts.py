"""The contract of Accounts, on the emulator: who a token is for, another one for it, and nothing of it in any text."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import pytest
import requests

from adapters.meta import GraphHosts, MetaAccounts
from contract.accounts import APP_SECRET, TOKEN, VERSION
from contract.servers import a_jpeg
from contract.test_secrets import chained
from domain.faults import AccountFault, Defer, Fault, Retry, TokenFault
from domain.personas import Login
from domain.secret import Secret
from domain.tokens import Account, Credentials, FreshToken, Quota
from handlers import wiring
from local.instagram import EmulatorServer
from local.instagram import Fault as Order
from local.instagram.calls import CallName

pytestmark = pytest.mark.usefixtures("aws_environment")

USER: Final = "17841400000000001"
SOON: Final = timedelta(seconds=20)
DAY: Final = 24 * 60 * 60
PLAIN: Final = Credentials(Secret(TOKEN))
APP: Final = Credentials(Secret(TOKEN), Secret(APP_SECRET), "1234567890")

CALLS: Final[dict[str, tuple[CallName, Callable[[MetaAccounts], object]]]] = {
    "account of Instagram Login": ("me", lambda a: a.account(Login.INSTAGRAM, PLAIN, None, within=SOON)),
    "account of Facebook Login": ("me", lambda a: a.account(Login.FACEBOOK, APP, USER, within=SOON)),
    "refresh": ("refresh", lambda a: a.refresh(PLAIN, within=SOON)),
    "exchange": ("refresh", lambda a: a.exchange(APP, within=SOON)),
    "quota": ("quota", lambda a: a.quota(Login.INSTAGRAM, PLAIN, USER, within=SOON)),
}
GIVE_A_TOKEN: Final = ("refresh", "exchange")


@pytest.fixture
def instagram(emulator: EmulatorServer) -> EmulatorServer:
    """One account, whose token both hosts take. The Facebook host wants every call proved."""
    emulator.add_account(USER, TOKEN, username="fluffy.train", app_id=APP.app_id, app_secret=APP_SECRET)
    return emulator


@pytest.fixture
def accounts(instagram: EmulatorServer) -> MetaAccounts:
    return at(instagram.instagram_url, instagram.facebook_url)


def at(instagram_url: str, facebook_url: str) -> MetaAccounts:
    return MetaAccounts(GraphHosts(instagram_url, facebook_url, VERSION))


def fault_of(call: str, accounts: MetaAccounts) -> Fault:
    with pytest.raises(Fault) as raised:
        CALLS[call][1](accounts)
    assert_says_nothing(raised.value)
    return raised.value


def assert_says_nothing(error: BaseException) -> None:
    for each in chained(error):
        for secret in (TOKEN, APP_SECRET, "http://", "access_token="):
            assert secret not in f"{each!s} {each!r} {each.args!r}"


# ---- who the token is for ----


@pytest.mark.parametrize("shape", ["flat", "data"])
def test_instagram_login_tells_the_account_in_either_shape(
    instagram: EmulatorServer, accounts: MetaAccounts, shape: str
) -> None:
    instagram.configure(me_shape=shape)
    account = accounts.account(Login.INSTAGRAM, PLAIN, None, within=SOON)
    assert account == Account(USER, "fluffy.train", "BUSINESS")


def test_facebook_login_tells_the_account_that_is_named(accounts: MetaAccounts) -> None:
    assert accounts.account(Login.FACEBOOK, APP, USER, within=SOON) == Account(USER, "fluffy.train")


def test_the_token_travels_in_the_header(instagram: EmulatorServer, accounts: MetaAccounts) -> None:
    accounts.account(Login.INSTAGRAM, PLAIN, None, within=SOON)
    accounts.quota(Login.FACEBOOK, APP, USER, within=SOON)
    assert [call.token_in for call in instagram.calls()] == ["header", "header"]


# ---- another token ----


def test_a_refreshed_token_lasts_60_days_and_is_valid(instagram: EmulatorServer, accounts: MetaAccounts) -> None:
    fresh = accounts.refresh(PLAIN, within=SOON)
    assert fresh.lasts == timedelta(days=60)
    assert fresh.token != PLAIN.access_token
    for token in (fresh.token, PLAIN.access_token):
        assert accounts.account(Login.INSTAGRAM, Credentials(token), None, within=SOON).instagram_user_id == USER
    (refresh,) = instagram.calls("refresh")
    assert refresh.path == "/instagram/refresh_access_token", "it has no version"


def test_an_exchanged_token_lasts_60_days_and_is_valid(accounts: MetaAccounts) -> None:
    fresh = accounts.exchange(APP, within=SOON)
    assert fresh.lasts == timedelta(days=60)
    new = Credentials(fresh.token, APP.app_secret)
    assert accounts.account(Login.FACEBOOK, new, USER, within=SOON).instagram_user_id == USER


def test_facebook_may_give_a_token_without_saying_how_long_it_lasts(
    instagram: EmulatorServer, accounts: MetaAccounts
) -> None:
    instagram.order_fault(Order.body("refresh", b'{"access_token":"EAA-for-ever","token_type":"bearer"}'))
    assert accounts.exchange(APP, within=SOON) == FreshToken(Secret("EAA-for-ever"), None)


def test_instagram_may_not(instagram: EmulatorServer, accounts: MetaAccounts) -> None:
    instagram.order_fault(Order.body("refresh", b'{"access_token":"IGAA-for-ever","token_type":"bearer"}'))
    assert type(fault_of("refresh", accounts)) is Retry


def test_an_expired_token_is_refused_for_good(instagram: EmulatorServer, accounts: MetaAccounts) -> None:
    instagram.advance(58 * DAY)
    for call in CALLS:
        assert type(fault_of(call, accounts)) is TokenFault


def test_a_token_that_is_too_young_is_no_dead_one(instagram: EmulatorServer, accounts: MetaAccounts) -> None:
    instagram.add_account(USER, TOKEN, token_age_seconds=DAY - 60)
    assert type(fault_of("refresh", accounts)) is Retry


def test_a_wrong_app_secret_says_nothing_of_the_token(instagram: EmulatorServer, accounts: MetaAccounts) -> None:
    instagram.add_account(USER, TOKEN, app_id=APP.app_id, app_secret="another")
    fault = fault_of("exchange", accounts)
    assert type(fault) is Retry
    assert "code 101" in fault.message


# ---- quota and permissions ----


def test_the_quota_is_told(instagram: EmulatorServer, accounts: MetaAccounts) -> None:
    instagram.add_account(USER, TOKEN, quota_total=25)
    assert accounts.quota(Login.INSTAGRAM, PLAIN, USER, within=SOON) == Quota(0, 25, timedelta(days=1))


def test_facebook_tells_the_permissions_and_instagram_does_not(accounts: MetaAccounts) -> None:
    granted = accounts.permissions(Login.FACEBOOK, APP, within=SOON)
    assert granted == {"instagram_basic", "instagram_content_publish", "pages_read_engagement"}
    assert accounts.permissions(Login.INSTAGRAM, PLAIN, within=SOON) is None


def test_permissions_that_were_declined_are_none(instagram: EmulatorServer, accounts: MetaAccounts) -> None:
    answer = {"data": [{"permission": "a", "status": "declined"}, {"permission": "b", "status": "granted"}, 7]}
    instagram.order_fault(Order.body("permissions", json.dumps(answer).encode()))
    assert accounts.permissions(Login.FACEBOOK, APP, within=SOON) == {"b"}


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"data":7}'])
def test_permissions_that_are_not_told_are_unknown(
    instagram: EmulatorServer, accounts: MetaAccounts, body: bytes
) -> None:
    instagram.order_fault(Order.body("permissions", body))
    assert accounts.permissions(Login.FACEBOOK, APP, within=SOON) is None


# ---- refusals and bad replies ----


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (190, 463, TokenFault),
        (102, None, TokenFault),
        (10, None, AccountFault),
        (200, None, AccountFault),
        (25, 2207050, AccountFault),
        (4, None, Defer),
        (2, None, Retry),
        (100, 33, Retry),
        (100, None, Retry),
        (36000, 2207004, Retry),
        (987654, None, Retry),
    ],
)
@pytest.mark.parametrize("call", CALLS)
def test_a_refusal_is_about_the_token_or_the_account_or_proves_nothing(
    instagram: EmulatorServer, accounts: MetaAccounts, call: str, code: int, subcode: int | None, kind: type[Fault]
) -> None:
    instagram.order_fault(Order.error(CALLS[call][0], code, subcode, message=f"access_token={TOKEN}"))
    fault = fault_of(call, accounts)
    assert type(fault) is kind
    assert (fault.code, "photo" in fault.message) == (code, False)


@pytest.mark.parametrize("call", CALLS)
def test_an_outage_proves_nothing_whatever_code_it_comes_with(
    instagram: EmulatorServer, accounts: MetaAccounts, call: str
) -> None:
    instagram.order_fault(Order.error(CALLS[call][0], 190, 463, status=503))
    assert type(fault_of(call, accounts)) is Retry


BAD: Final[dict[str, bytes]] = {
    "empty": b"",
    "no JSON": b"<html>",
    "no UTF-8": b'{"access_token":"\xff"}',
    "no object": b"[]",
    "nothing in it": b"{}",
    "null": b'{"access_token":null,"expires_in":null,"user_id":null,"id":null,"data":null}',
    "numbers": b'{"access_token":7,"expires_in":5184000,"user_id":17841400000000001,"id":178,"data":1}',
    "lists": b'{"access_token":["x"],"expires_in":[1],"user_id":["1"],"id":["1"],"data":[[]]}',
    "an empty token": b'{"access_token":"","expires_in":5184000,"user_id":"","id":"","data":[{}]}',
    "two words": b'{"access_token":"two words","expires_in":5184000,"user_id":"../1","id":"1/2","data":[7]}',
    "a line feed": b'{"access_token":"x\\nX-Injected: 1","expires_in":5184000,"user_id":"1\\n","id":"1\\n"}',
    "odd letters": '{"access_token":"ünï","expires_in":5184000,"user_id":"١٢٣","id":"١٢٣"}'.encode(),
    "too long": json.dumps({"access_token": "x" * 4097, "expires_in": 1, "user_id": "1" * 99, "id": "1" * 99}).encode(),
    "10 MB": b'{"access_token":"' + b"x" * 10_000_000 + b'"}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("call", CALLS)
def test_an_answer_that_makes_no_sense_is_no_token_and_no_account(
    instagram: EmulatorServer, accounts: MetaAccounts, call: str, body: bytes
) -> None:
    instagram.order_fault(Order.body(CALLS[call][0], body))
    assert type(fault_of(call, accounts)) is Retry


LIVES: Final = ["5184000", 5184000.5, -1, 0, 59, 10**12, True, [], {}]


@pytest.mark.parametrize("seconds", LIVES, ids=repr)
@pytest.mark.parametrize("call", GIVE_A_TOKEN)
def test_a_life_that_cannot_be_is_none(
    instagram: EmulatorServer, accounts: MetaAccounts, call: str, seconds: Any
) -> None:
    body = json.dumps({"access_token": "IGAAnewtoken", "token_type": "bearer", "expires_in": seconds})
    instagram.order_fault(Order.body("refresh", body.encode()))
    assert type(fault_of(call, accounts)) is Retry


QUOTAS: Final = [{}, {"quota_usage": 1}, {"quota_usage": "1", "config": {"quota_total": 50}}, {"config": 7}]


@pytest.mark.parametrize("entry", QUOTAS, ids=repr)
def test_a_quota_without_numbers_is_none(instagram: EmulatorServer, accounts: MetaAccounts, entry: Any) -> None:
    instagram.order_fault(Order.body("quota", json.dumps({"data": [entry]}).encode()))
    assert type(fault_of("quota", accounts)) is Retry


@pytest.mark.parametrize("order", [Order.reset, Order.truncate, Order.close])
@pytest.mark.parametrize("call", CALLS)
def test_a_lost_answer_proves_nothing(
    instagram: EmulatorServer, accounts: MetaAccounts, call: str, order: Callable[[CallName], Order]
) -> None:
    instagram.order_fault(order(CALLS[call][0]))
    assert type(fault_of(call, accounts)) is Retry


def test_a_redirect_is_not_followed(instagram: EmulatorServer, accounts: MetaAccounts) -> None:
    to = (("Location", f"{instagram.url}/instagram/refresh_access_token?access_token={TOKEN}"),)
    instagram.order_fault(Order.body("refresh", b"", status=302, headers=to))
    assert type(fault_of("refresh", accounts)) is Retry
    assert len(instagram.calls("refresh")) == 1


@pytest.mark.parametrize("call", CALLS)
def test_a_host_that_is_not_there_proves_nothing(call: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert type(fault_of(call, at(url, url))) is Retry


# ---- nothing of the address in any line ----


@contextmanager
def a_host_of_broken_headers() -> Iterator[str]:
    """Answers each request with a header that no library can read, which urllib3 warns of with the whole address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nno header at all\r\nContent-Length: 2\r\n\r\n{}")

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


@pytest.fixture
def silenced() -> Iterator[None]:
    """The levels that the composition root sets."""
    names = (*wiring._TALKATIVE, wiring._QUOTES_ADDRESSES)
    levels = {name: logging.getLogger(name).level for name in names}
    wiring.silence()
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("call", CALLS)
def test_no_line_of_a_library_has_the_address_even_for_broken_headers(
    silenced: None, caplog: pytest.LogCaptureFixture, call: str
) -> None:
    with caplog.at_level(logging.DEBUG), a_host_of_broken_headers() as url:
        fault = fault_of(call, at(url, url))
    assert isinstance(fault, Retry)
    for secret in (TOKEN, APP_SECRET, "access_token", "appsecret_proof"):
        assert secret not in caplog.text


def test_urllib3_would_have_warned_of_it(caplog: pytest.LogCaptureFixture) -> None:
    """The silence above is worth having. No secret here: the guard of the whole suite listens."""
    with a_host_of_broken_headers() as url, caplog.at_level(logging.WARNING, "urllib3.connection"):
        requests.get(f"{url}/?code=an-address", timeout=5)
    assert "an-address" in caplog.text


def test_a_picture_is_no_answer(instagram: EmulatorServer, accounts: MetaAccounts) -> None:
    instagram.order_fault(Order.body("refresh", a_jpeg()))
    assert type(fault_of("refresh", accounts)) is Retry
