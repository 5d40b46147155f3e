"""Notices over real HTTP: what arrives, that it verifies by the documented example, and receivers that misbehave."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters import webhook
from adapters.clock import SystemClock
from adapters.webhook import DeliveryFailedError, Webhook
from contract.receivers import Receiver, saying
from contract.test_secrets import chained
from domain import notices
from domain.posts import PostStatus
from domain.secret import Secret
from fakes.clock import FakeClock
from unit.test_notices import ENDS, told

SECRET = "a-webhook-secret-that-nobody-may-see"
NOTICE = told(PostStatus.POSTING, ENDS["failed"])
DOCS = Path(__file__).parents[2] / "docs" / "webhook.md"

Verify = Callable[[str, Mapping[str, str], bytes], dict[str, Any]]


class KnownSecret:
    def read(self) -> Secret:
        return Secret(SECRET)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> float:
    """A time limit that a test can wait for."""
    monkeypatch.setattr(webhook, "TIME_LIMIT", 0.4)
    monkeypatch.setattr(webhook, "_GRACE", 0.1)
    return 0.5


def to(url: str) -> Webhook:
    return Webhook(url, KnownSecret(), SystemClock())


def the_documented_receiver() -> Verify:
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    verify: Verify = names["verified"]
    return verify


# ---- what arrives ----


def test_a_notice_arrives_as_json_under_its_name(receiver: Receiver) -> None:
    assert to(receiver.url).deliver(NOTICE) == 200
    ((headers, body),) = receiver.received
    assert json.loads(body) == NOTICE.payload
    assert headers["Content-Type"] == "application/json"
    assert headers["Fluffy-Train-Delivery"] == NOTICE.id
    assert SECRET not in f"{headers} {body!r}"


def test_the_documented_receiver_takes_what_we_send(receiver: Receiver) -> None:
    to(receiver.url).deliver(NOTICE)
    ((headers, body),) = receiver.received
    assert the_documented_receiver()(SECRET, headers, body) == NOTICE.payload


@pytest.mark.parametrize("forged", ["body", "time", "secret", "signature"])
def test_the_documented_receiver_refuses_what_is_not_ours(receiver: Receiver, forged: str) -> None:
    to(receiver.url).deliver(NOTICE)
    ((headers, body),) = receiver.received
    secret = SECRET
    match forged:
        case "body":
            body = body.replace(b"default", b"another")
        case "time":
            headers["Fluffy-Train-Timestamp"] = str(int(headers["Fluffy-Train-Timestamp"]) + 1)
        case "secret":
            secret = "another-secret-of-somebody"
        case "signature":
            headers["Fluffy-Train-Signature"] = "v1=" + 64 * "0"
    with pytest.raises(ValueError, match="not signed with our secret"):
        the_documented_receiver()(secret, headers, body)


def test_the_documented_receiver_refuses_an_old_notice(receiver: Receiver) -> None:
    long_ago = FakeClock(SystemClock().now() - timedelta(seconds=310))
    Webhook(receiver.url, KnownSecret(), long_ago).deliver(NOTICE)
    ((headers, body),) = receiver.received
    with pytest.raises(ValueError, match="older than five minutes"):
        the_documented_receiver()(SECRET, headers, body)


def test_a_repetition_has_the_same_name_and_a_time_of_its_own(receiver: Receiver) -> None:
    now = SystemClock().now()
    for later in (0, 900):
        Webhook(receiver.url, KnownSecret(), FakeClock(now + timedelta(seconds=later))).deliver(NOTICE)
    first, second = (headers for headers, _ in receiver.received)
    assert first["Fluffy-Train-Delivery"] == second["Fluffy-Train-Delivery"]
    assert int(second["Fluffy-Train-Timestamp"]) - int(first["Fluffy-Train-Timestamp"]) == 900
    assert first["Fluffy-Train-Signature"] != second["Fluffy-Train-Signature"]


@pytest.mark.parametrize("proxy", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_no_proxy_of_the_environment_is_asked(receiver: Receiver, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(proxy, "http://127.0.0.1:1")
    assert to(receiver.url).deliver(NOTICE) == 200


# ---- what is a failure ----


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_a_receiver_takes_a_notice_by_any_status_from_200_to_299(receiver: Receiver, status: int) -> None:
    receiver.status = status
    assert to(receiver.url).deliver(NOTICE) == status


@pytest.mark.parametrize("status", [300, 302, 400, 401, 404, 410, 429, 500, 503])
def test_any_other_status_is_a_failure(receiver: Receiver, status: int) -> None:
    receiver.status = status
    with pytest.raises(DeliveryFailedError, match=rf"^127\.0\.0\.1 answered HTTP {status}$"):
        to(receiver.url).deliver(NOTICE)
    assert len(receiver.received) == 1, "nothing is repeated here: the queue does that"


def test_a_redirect_is_not_followed_wherever_it_leads(receiver: Receiver) -> None:
    with saying(b"HTTP/1.1 307 Go\r\nLocation: " + receiver.url.encode() + b"\r\nContent-Length: 0\r\n\r\n") as url:
        with pytest.raises(DeliveryFailedError, match="answered HTTP 307"):
            to(url).deliver(NOTICE)
        assert receiver.received == []


def test_the_body_of_an_answer_is_not_read_however_long_it_is(soon: float) -> None:
    began = time.monotonic()
    with saying(b"HTTP/1.1 200 OK\r\n\r\n", 65536 * b"x", forever=True) as url:
        assert to(url).deliver(NOTICE) == 200
    assert time.monotonic() - began < soon


@pytest.mark.parametrize("status", [b"302 Go\r\nLocation: /", b"307 Go\r\nLocation: \xff\xfe", b"500 No"])
def test_the_body_of_a_refusal_is_not_read_either(status: bytes, soon: float) -> None:
    with (
        saying(b"HTTP/1.1 " + status + b"\r\n\r\n", 65536 * b"x", forever=True) as url,
        pytest.raises(DeliveryFailedError, match=f"answered HTTP {status[:3].decode()}"),
    ):
        to(url).deliver(NOTICE)


def test_headers_that_drip_do_not_outlast_the_time_limit(soon: float) -> None:
    began = time.monotonic()
    with (
        saying(b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x", every=0.1, forever=True) as url,
        pytest.raises(DeliveryFailedError, match="did not answer within"),
    ):
        to(url).deliver(NOTICE)
    assert time.monotonic() - began < 4 * soon


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/1.1 20"])
def test_an_answer_that_is_none_is_a_failure(answer: bytes, soon: float) -> None:
    with saying(answer) as url, pytest.raises(DeliveryFailedError, match="gave no answer"):
        to(url).deliver(NOTICE)


def test_a_receiver_that_is_down_is_a_failure_that_tells_neither_path_nor_secret() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DeliveryFailedError, match="gave no answer") as raised:
        to(f"http://127.0.0.1:{port}/a-secret-path").deliver(NOTICE)
    for error in chained(raised.value):
        text = f"{error!r} {vars(error)}"
        assert "a-secret-path" not in text
        assert SECRET not in text


# ---- addresses ----


@pytest.mark.parametrize("url", ["https://example.com/a", "http://127.0.0.1:9/a", "http://localhost/", "http://[::1]/"])
def test_an_address_is_https_or_this_very_machine(url: str) -> None:
    assert to(url).host in url


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/the-path", "http://localhost.example.com/", "ftp://example.com/", "example.com"),
        *(
            "https://",
            "https://user@example.com/the-path",
            "https://user:the-path@a.example/",
            "https://[half/the-path",
        ),
    ],
)
def test_another_address_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        to(url)
    assert "the-path" not in str(raised.value)


def test_the_test_is_a_notice_too(receiver: Receiver) -> None:
    assert to(receiver.url).deliver(notices.of_test(SystemClock().now())) == 200
