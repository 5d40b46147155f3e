"""MetaPublisher alone: what each of Instagram's answers, and each failure to answer, lets the driver do next."""

import socket
import struct
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.meta import MetaPublisher
from contract.accounts import PROOF, TOKEN, VERSION, a_persona_of, a_publisher, open_account
from contract.test_publisher import SOON
from contract.wire import Wire
from domain.faults import AccountFault, Defer, Fault, ImageNotFetched, PhotoFault, QuotaUsed, Retry, Unresolved
from domain.ids import ContainerId, MediaId
from domain.personas import Login
from fakes.library import a_persona
from local.instagram import ContainerBehaviour, EmulatorServer
from local.instagram import Fault as Order
from local.instagram.calls import CallName

pytestmark = pytest.mark.usefixtures("aws_environment")

PERSONA = a_persona()
A_SECOND = timedelta(seconds=1)
LONG_BEFORE = 5  # seconds, on a busy machine too, where nobody would wait for less than eight
CONTAINER = ContainerId("17889455560051444")
MEGABYTE = 1024 * 1024


@pytest.fixture
def publisher(emulator: EmulatorServer) -> MetaPublisher:
    open_account(emulator, Login.INSTAGRAM)
    return a_publisher(emulator.instagram_url, emulator.facebook_url)


def call(publisher: MetaPublisher, name: CallName, photo_url: str = "", *, within: timedelta = SOON) -> object:
    """The one request of this name."""
    match name:
        case "create_container":
            return publisher.create_container(PERSONA, photo_url, "A caption", None, within=within)
        case "container_status":
            return publisher.container_status(PERSONA, CONTAINER, within=within)
        case "media_publish":
            return publisher.publish(PERSONA, CONTAINER, within=within)
        case "recent_media":
            return publisher.recent_media(PERSONA, within=within)
        case "quota":
            return publisher.quota_left(PERSONA, within=within)
        case _:
            return publisher.permalink(PERSONA, MediaId("17920238422030506"), within=within)


REPEATABLE: list[CallName] = ["create_container", "container_status", "recent_media", "get_media", "quota"]
ALL: list[CallName] = ["media_publish", *REPEATABLE]


# ---- what Instagram says, by the table of instagram-api.md ----

THROTTLE_CODES = (4, 17, 32, 341, 613, 80002)
TOKEN_SUBCODES = (*range(458, 468), 492)
PARAMETER_SUBCODES = (2207023, 2207028, 2207035, 2207036, 2207037, 2207040)

TABLE: list[tuple[int, int | None, type[Fault], type[Fault]]] = [
    (-2, 2207003, Retry, Unresolved),
    (-2, 2207020, Retry, Unresolved),
    (-1, 2207001, Retry, Unresolved),
    (-1, 2207032, Retry, Unresolved),
    (-1, 2207053, Retry, Unresolved),
    (1, None, Retry, Unresolved),
    (2, None, Retry, Unresolved),
    (4, 2207051, AccountFault, Unresolved),
    *((code, None, Defer, Defer) for code in THROTTLE_CODES),
    (4, 1349210, Defer, Defer),
    (9, 2207042, QuotaUsed, QuotaUsed),
    (24, 2207006, AccountFault, Unresolved),
    (24, 2207008, Retry, Unresolved),
    (25, 2207050, AccountFault, AccountFault),
    (100, 33, Retry, Unresolved),
    *((100, subcode, PhotoFault, PhotoFault) for subcode in PARAMETER_SUBCODES),
    (100, None, PhotoFault, PhotoFault),
    (100, 99, PhotoFault, PhotoFault),
    (352, 2207026, PhotoFault, PhotoFault),
    (9004, 2207052, ImageNotFetched, Unresolved),
    (9007, 2207027, Retry, Retry),
    (36000, 2207004, PhotoFault, Unresolved),
    (36001, 2207005, PhotoFault, Unresolved),
    (36003, 2207009, PhotoFault, Unresolved),
    (36004, 2207010, PhotoFault, Unresolved),
    *((code, None, AccountFault, AccountFault) for code in (3, 10, 200, 250, 299, 102, 190, 368)),
    *((190, subcode, AccountFault, AccountFault) for subcode in TOKEN_SUBCODES),
    (12345, None, PhotoFault, Unresolved),
    (12345, 678, PhotoFault, Unresolved),
    (300, None, PhotoFault, Unresolved),
]
ROWS = [pytest.param(*row, id=f"{row[0]}/{row[1]}") for row in TABLE]


@pytest.mark.parametrize(("code", "subcode", "at_creation", "at_publish"), ROWS)
def test_an_error_means_what_the_table_says_at_each_phase(
    emulator: EmulatorServer,
    publisher: MetaPublisher,
    code: int,
    subcode: int | None,
    at_creation: type[Fault],
    at_publish: type[Fault],
) -> None:
    for name, expected in (
        ("create_container", at_creation),
        ("container_status", at_creation),
        ("media_publish", at_publish),
    ):
        emulator.order_fault(Order.error(name, code, subcode))  # type: ignore[arg-type]
        with pytest.raises(Fault) as raised:
            call(publisher, name)  # type: ignore[arg-type]
        assert type(raised.value) is expected
        assert (raised.value.code, raised.value.subcode) == (code, subcode)
        assert len(emulator.calls(name)) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "subcode", "new_container"),
    [(-2, 2207020, True), (-1, 2207053, True), (24, 2207008, True), (-1, 2207001, False), (2, None, False)],
)
def test_a_spent_container_is_said_to_be_spent(
    emulator: EmulatorServer, publisher: MetaPublisher, code: int, subcode: int | None, new_container: bool
) -> None:
    emulator.order_fault(Order.error("container_status", code, subcode))
    with pytest.raises(Retry) as raised:
        call(publisher, "container_status")
    assert raised.value.new_container is new_container


def test_an_action_that_is_blocked_as_spam_may_be_live_and_stops_the_account(
    emulator: EmulatorServer, publisher: MetaPublisher
) -> None:
    emulator.order_fault(Order.error("media_publish", 4, 2207051))
    with pytest.raises(Unresolved) as raised:
        call(publisher, "media_publish")
    assert raised.value.account_too is True
    emulator.order_fault(Order.error("media_publish", 1))
    with pytest.raises(Unresolved) as raised:
        call(publisher, "media_publish")
    assert raised.value.account_too is False


@pytest.mark.parametrize("name", ["create_container", "container_status", "media_publish"])
@pytest.mark.parametrize(("minutes", "after"), [(45, timedelta(minutes=45)), (10**6, timedelta(hours=24))])
def test_a_throttled_call_waits_as_long_as_instagram_says_and_a_day_at_most(
    emulator: EmulatorServer, publisher: MetaPublisher, name: CallName, minutes: int, after: timedelta
) -> None:
    user_id = PERSONA.instagram_user_id
    emulator.order_fault(Order.error(name, 4, status=403, regain_minutes=minutes, ig_user_id=None))
    usage = f'{{"{user_id}":[{{"type":"instagram","estimated_time_to_regain_access":{minutes}}}]}}'
    if name == "container_status":
        emulator.clear_faults()
        body = b'{"error":{"message":"limit","type":"OAuthException","code":4}}'
        headers = [("Content-Type", "application/json"), ("X-Business-Use-Case-Usage", usage)]
        emulator.order_fault(Order.body(name, body, status=400, headers=headers))
    with pytest.raises(Defer) as raised:
        call(publisher, name)
    assert raised.value.after == after


@pytest.mark.parametrize(
    ("subcode", "expected", "new_container"),
    [
        (2207026, PhotoFault, None),
        (2207004, PhotoFault, None),
        (2207009, PhotoFault, None),
        (2207010, PhotoFault, None),
        (2207040, PhotoFault, None),
        (2207051, AccountFault, None),
        (2207050, AccountFault, None),
        (2207042, QuotaUsed, True),
        (2207053, Retry, True),
        (2207001, Retry, True),
        (2207052, ImageNotFetched, True),
        (2299999, Retry, True),
    ],
)
def test_a_container_in_error_raises_the_fault_of_its_subcode(
    emulator: EmulatorServer,
    publisher: MetaPublisher,
    photo_url: str,
    subcode: int,
    expected: type[Fault],
    new_container: bool | None,
) -> None:
    emulator.order_container_behaviour(ContainerBehaviour("fail", subcode=subcode))
    container_id = publisher.create_container(PERSONA, photo_url, "A caption", None, within=SOON)
    with pytest.raises(Fault) as raised:
        publisher.container_status(PERSONA, container_id, within=SOON)
    assert type(raised.value) is expected
    assert getattr(raised.value, "new_container", None) is new_container


def test_what_instagram_itself_refuses_is_told_apart(
    emulator: EmulatorServer, publisher: MetaPublisher, photo_url: str
) -> None:
    """Not ordered: the emulator's own rules."""
    with pytest.raises(PhotoFault):
        publisher.create_container(PERSONA, photo_url, "a" * 2201, None, within=SOON)
    with pytest.raises(ImageNotFetched):
        publisher.create_container(PERSONA, "http://127.0.0.1:1/none.jpg", "A caption", None, within=SOON)
    emulator.configure(processing_polls=3)
    container_id = publisher.create_container(PERSONA, photo_url, "A caption", None, within=SOON)
    with pytest.raises(Retry):
        publisher.publish(PERSONA, container_id, within=SOON)
    emulator.configure(processing_polls=None, quota_total=0)
    container_id = publisher.create_container(PERSONA, photo_url, "A caption", None, within=SOON)
    with pytest.raises(Defer):
        publisher.publish(PERSONA, container_id, within=SOON)
    emulator.add_account(PERSONA.instagram_user_id, "another token")
    for name in ALL:
        with pytest.raises(AccountFault):
            call(publisher, name, photo_url)
    assert emulator.live_posts(PERSONA.instagram_user_id) == ()


# ---- what Instagram fails to say ----

HUGE = b'{"id":"1","padding":"' + b"x" * (10 * MEGABYTE) + b'"}'
MISSING: dict[str, Callable[[CallName], Order]] = {
    "reset before": Order.reset,
    "reset after": lambda name: Order.reset(name, when="after"),
    "closed before": Order.close,
    "closed after": lambda name: Order.close(name, when="after"),
    "cut off": lambda name: Order.truncate(name, when="after"),
    "empty 500": lambda name: Order.body(name, b"", status=500, headers=()),
    "empty 200": lambda name: Order.body(name, b"", headers=()),
    "HTML 502": lambda name: Order.body(name, b"<html>", status=502, headers=[("Content-Type", "text/html")]),
    "not allowed, without a word": lambda name: Order.body(name, b"", status=403, headers=()),
    "invalid JSON": lambda name: Order.body(name, b'{"id":"178'),
    "not UTF-8": lambda name: Order.body(name, b'{"id":"\xff\xfe"}'),
    "UTF-16": lambda name: Order.body(name, '{"id":"1"}'.encode("utf-16")),
    "a list": lambda name: Order.body(name, b'[{"id":"1"}]'),
    "a string": lambda name: Order.body(name, b'"1"'),
    "null": lambda name: Order.body(name, b"null"),
    "nested beyond reason": lambda name: Order.body(name, b'{"id":' * 100_000 + b"1"),
    "a number of a million digits": lambda name: Order.body(name, b'{"id":' + b"9" * 900_000 + b"}"),
    "10 MB": lambda name: Order.body(name, HUGE),
    "moved": lambda name: Order.body(name, b'{"id":"1"}', status=302, headers=[("Location", "http://127.0.0.1:1/")]),
    "not modified": lambda name: Order.body(name, b"", status=304, headers=()),
}
NO_ID: dict[str, bytes] = {
    "nothing": b"{}",
    "no id": b'{"success":true}',
    "a number": b'{"id":17920238422030506}',
    "null": b'{"id":null}',
    "an empty id": b'{"id":""}',
    "an object": b'{"id":{"id":"1"}}',
    "a list": b'{"id":["1"]}',
    "a path": b'{"id":"../me"}',
    "a long id": b'{"id":"' + b"1" * 200 + b'"}',
}


@pytest.mark.parametrize("order", MISSING.values(), ids=MISSING.keys())
def test_a_publish_without_an_answer_is_unresolved_and_never_repeated(
    emulator: EmulatorServer, publisher: MetaPublisher, order: Callable[[CallName], Order]
) -> None:
    emulator.order_fault(order("media_publish"))
    with pytest.raises(Fault) as raised:
        call(publisher, "media_publish")
    assert type(raised.value) is Unresolved
    assert len(emulator.calls("media_publish")) == 1


@pytest.mark.parametrize("order", MISSING.values(), ids=MISSING.keys())
@pytest.mark.parametrize("name", REPEATABLE)
def test_any_other_call_without_an_answer_may_be_tried_again_by_the_driver(
    emulator: EmulatorServer, publisher: MetaPublisher, name: CallName, order: Callable[[CallName], Order]
) -> None:
    emulator.order_fault(order(name))
    with pytest.raises(Fault) as raised:
        call(publisher, name)
    assert type(raised.value) is Retry
    assert len(emulator.calls()) == 1


@pytest.mark.parametrize("body", NO_ID.values(), ids=NO_ID.keys())
def test_an_answer_without_an_id_is_no_answer(emulator: EmulatorServer, publisher: MetaPublisher, body: bytes) -> None:
    for name, expected in (("create_container", Retry), ("media_publish", Unresolved)):
        emulator.order_fault(Order.body(name, body))  # type: ignore[arg-type]
        with pytest.raises(Fault) as raised:
            call(publisher, name)  # type: ignore[arg-type]
        assert type(raised.value) is expected


@pytest.mark.parametrize("body", [b"{}", b'{"status_code":7}', b'{"status_code":"NEW"}', b'{"status_code":[]}'])
def test_a_status_that_nobody_knows_may_be_asked_again(
    emulator: EmulatorServer, publisher: MetaPublisher, body: bytes
) -> None:
    emulator.order_fault(Order.body("container_status", body))
    with pytest.raises(Fault) as raised:
        call(publisher, "container_status")
    assert type(raised.value) is Retry


@pytest.mark.parametrize("body", [b"{}", b'{"permalink":7}', b'{"permalink":"javascript:1"}', b'{"permalink":null}'])
def test_a_permalink_that_is_no_address_is_none(
    emulator: EmulatorServer, publisher: MetaPublisher, body: bytes
) -> None:
    emulator.order_fault(Order.body("get_media", body))
    with pytest.raises(Retry):
        call(publisher, "get_media")


def test_an_entry_that_cannot_be_understood_does_not_hide_the_others(
    emulator: EmulatorServer, publisher: MetaPublisher
) -> None:
    good = '{"id":"1","media_type":"IMAGE","timestamp":"2026-09-26T22:36:43+0000"}'
    bad = [
        "7",
        "null",
        '"x"',
        "[]",
        '{"id":2}',
        '{"id":"3"}',
        '{"id":"4","timestamp":5}',
        '{"id":"5","timestamp":"now"}',
    ]
    for entries in (*([entry, good] for entry in bad), [good, *bad]):
        emulator.order_fault(Order.body("recent_media", f'{{"data":[{",".join(entries)}]}}'.encode()))
        (media,) = publisher.recent_media(PERSONA, within=SOON)
        assert (media.media_id, media.caption, media.permalink) == ("1", "", None)


@pytest.mark.parametrize("body", [b"{}", b'{"data":{}}', b'{"data":null}', b'{"data":"x"}'])
def test_a_list_of_media_that_is_none_may_be_asked_again(
    emulator: EmulatorServer, publisher: MetaPublisher, body: bytes
) -> None:
    emulator.order_fault(Order.body("recent_media", body))
    with pytest.raises(Retry):
        call(publisher, "recent_media")


@pytest.mark.parametrize("code", [1, 2, 4, 100, 190, 9007, 36000])
def test_a_server_error_at_publish_proves_nothing_whatever_it_says(
    emulator: EmulatorServer, publisher: MetaPublisher, code: int
) -> None:
    emulator.order_fault(Order.error("media_publish", code, status=500))
    with pytest.raises(Fault) as raised:
        call(publisher, "media_publish")
    assert type(raised.value) is Unresolved


@pytest.mark.parametrize(
    "error",
    [
        b"{}",
        b'{"code":"190"}',
        b'{"code":true}',
        b'{"code":1.5}',
        b'{"code":null}',
        b'{"error_subcode":1}',
    ],
)
def test_an_error_without_a_number_decides_nothing_about_a_publish(
    emulator: EmulatorServer, publisher: MetaPublisher, error: bytes
) -> None:
    emulator.order_fault(Order.body("media_publish", b'{"error":' + error + b"}", status=400))
    with pytest.raises(Fault) as raised:
        call(publisher, "media_publish")
    assert type(raised.value) is Unresolved


# ---- nobody is there ----


def _refused() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("where", [_refused, lambda: "http://nobody.invalid"], ids=["refused", "unknown host"])
def test_what_was_provably_not_sent_may_be_tried_again(name: CallName, where: Callable[[], str]) -> None:
    publisher = a_publisher(where(), where())
    with pytest.raises(Fault) as raised:
        call(publisher, name)
    assert type(raised.value) is Retry


def test_a_connection_that_is_not_made_in_time_was_provably_not_used() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        publisher = a_publisher(url := f"http://127.0.0.1:{full.getsockname()[1]}", url)
        began_at = time.monotonic()
        with pytest.raises(Fault) as raised:
            call(publisher, "media_publish", within=A_SECOND)
        assert type(raised.value) is Retry
        assert time.monotonic() - began_at < LONG_BEFORE
        for each in waiting:
            each.close()


# ---- a call is bounded in time and size ----


@contextmanager
def answering(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads a request, and then talks as it likes."""

    def serve(server: socket.socket) -> None:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            try:
                talk(connection)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.close()
    thread.join(10)


@pytest.mark.parametrize(("name", "expected"), [("media_publish", Unresolved), ("create_container", Retry)])
def test_silence_ends_within_the_given_time(
    emulator: EmulatorServer, publisher: MetaPublisher, name: CallName, expected: type[Fault]
) -> None:
    emulator.order_fault(Order.timeout(name, 30, when="after"))
    began_at = time.monotonic()
    with pytest.raises(Fault) as raised:
        call(publisher, name, within=A_SECOND)
    assert type(raised.value) is expected
    assert time.monotonic() - began_at < LONG_BEFORE


def _drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(40):
        connection.sendall(b" ")
        time.sleep(0.2)


def _drip_chunks(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(40):
        connection.sendall(b"1\r\n \r\n")
        time.sleep(0.2)


def _drip_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(40):
        connection.sendall(f"X-{number}: x\r\n".encode())
        time.sleep(0.2)


@pytest.mark.parametrize("drip", [_drip_body, _drip_chunks, _drip_headers])
def test_an_answer_that_drips_ends_within_the_given_time(drip: Callable[[socket.socket], None]) -> None:
    with answering(drip) as url:
        began_at = time.monotonic()
        with pytest.raises(Fault) as raised:
            call(a_publisher(url, url), "media_publish", within=A_SECOND)
        assert time.monotonic() - began_at < LONG_BEFORE
        assert type(raised.value) is Unresolved


def test_an_endless_answer_is_read_only_as_far_as_an_answer_can_be() -> None:
    sent = 0

    def talk(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while sent < 1024 * MEGABYTE:
            sent += connection.send(b"x" * 65536)

    with answering(talk) as url, pytest.raises(Unresolved):
        call(a_publisher(url, url), "media_publish")
    assert sent < 64 * MEGABYTE


@pytest.mark.parametrize("packed", [False, True], ids=["10 MB", "100 MB that came as 100 KB"])
def test_a_huge_answer_takes_no_memory(packed: bool) -> None:
    body, encoding = HUGE, b""
    if packed:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = packer.compress(b'{"id":"') + b"".join(packer.compress(b"1" * MEGABYTE) for _ in range(100))
        body, encoding = body + packer.flush(), b"Content-Encoding: gzip\r\n"
    head = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (encoding, len(body))

    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        connection.sendall(body)

    with answering(talk) as url:
        publisher = a_publisher(url, url)
        tracemalloc.start()
        try:
            with pytest.raises(Unresolved):
                call(publisher, "media_publish")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 6 * MEGABYTE


def test_a_connection_that_is_reset_halfway_through_the_answer_is_unresolved() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id":"1"}')
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with answering(talk) as url, pytest.raises(Unresolved):
        call(a_publisher(url, url), "media_publish")


# ---- what goes over the wire ----


@pytest.fixture
def wire(emulator: EmulatorServer) -> Iterator[Wire]:
    with Wire(emulator.url) as wire:
        yield wire


def _all_calls(publisher: MetaPublisher, login: Login, photo_url: str) -> None:
    persona = a_persona_of(login)
    container_id = publisher.create_container(persona, photo_url, "A caption", "A lake.", within=SOON)
    publisher.container_status(persona, container_id, within=SOON)
    media_id = publisher.publish(persona, container_id, within=SOON)
    publisher.recent_media(persona, within=SOON)
    publisher.permalink(persona, media_id, within=SOON)


@pytest.mark.parametrize("login", list(Login))
def test_the_token_travels_in_the_header_and_nowhere_else(
    emulator: EmulatorServer, wire: Wire, photo_url: str, login: Login
) -> None:
    open_account(emulator, login)
    _all_calls(a_publisher(f"{wire.url}/instagram", f"{wire.url}/facebook", login), login, photo_url)
    assert len(wire.requests) == 5
    for request in wire.requests:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in request.path
        assert TOKEN not in request.content.decode()
    assert {seen.token_in for seen in emulator.calls()} == {"header"}


@pytest.mark.parametrize("login", list(Login))
def test_each_login_has_its_host_the_pinned_version_and_its_proof(
    emulator: EmulatorServer, wire: Wire, photo_url: str, login: Login
) -> None:
    open_account(emulator, login)
    _all_calls(a_publisher(f"{wire.url}/instagram/", f"{wire.url}/facebook", login), login, photo_url)
    for request in wire.requests:
        assert request.path.startswith(f"/{login.value}/{VERSION}/")
        assert (f"appsecret_proof={PROOF}" in request.path) is (login is Login.FACEBOOK)


def test_captions_and_addresses_travel_in_the_body(emulator: EmulatorServer, wire: Wire, photo_url: str) -> None:
    open_account(emulator, Login.INSTAGRAM)
    _all_calls(a_publisher(f"{wire.url}/instagram", wire.url), Login.INSTAGRAM, photo_url)
    for request in wire.requests:
        if request.name == "POST":
            assert "?" not in request.path
    assert [request.name for request in wire.requests] == ["POST", "GET", "POST", "GET", "GET"]


def test_no_login_of_the_machine_takes_the_tokens_place(
    emulator: EmulatorServer, publisher: MetaPublisher, photo_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    _all_calls(publisher, Login.INSTAGRAM, photo_url)
    assert len(emulator.live_posts(PERSONA.instagram_user_id)) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("name", ALL)
def test_a_redirect_is_never_followed(
    emulator: EmulatorServer, publisher: MetaPublisher, name: CallName, status: int
) -> None:
    with Wire() as elsewhere:
        emulator.order_fault(Order.body(name, b"", status=status, headers=[("Location", f"{elsewhere.url}/elsewhere")]))
        with pytest.raises(Unresolved if name == "media_publish" else Retry):
            call(publisher, name)
        assert elsewhere.requests == []


# ---- the quota ----


def test_what_is_left_of_the_quota_is_what_instagram_tells(emulator: EmulatorServer, publisher: MetaPublisher) -> None:
    before = publisher.quota_left(PERSONA, within=SOON)
    assert before > 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": []}',
        b'{"data": [{"quota_usage": 2}]}',
        b'{"data": [{"config": {"quota_total": 50}}]}',
        b'{"data": [{"quota_usage": "2", "config": {"quota_total": 50}}]}',
        b'{"data": [{"quota_usage": -1, "config": {"quota_total": 50}}]}',
        b'{"data": [{"quota_usage": true, "config": {"quota_total": 50}}]}',
        b'{"data": [{"quota_usage": 2, "config": []}]}',
        b'{"data": [7]}',
        b"{}",
    ],
)
def test_a_quota_that_is_not_told_is_asked_for_later(
    emulator: EmulatorServer, publisher: MetaPublisher, body: bytes
) -> None:
    emulator.order_fault(Order.body("quota", body))
    with pytest.raises(Retry, match="quota"):
        publisher.quota_left(PERSONA, within=SOON)


@pytest.mark.parametrize(("used", "left"), [(0, 25), (24, 1), (25, 0), (30, 0)])
def test_the_quota_is_the_total_less_what_is_used(
    emulator: EmulatorServer, publisher: MetaPublisher, used: int, left: int
) -> None:
    emulator.order_fault(
        Order.body("quota", f'{{"data": [{{"quota_usage": {used}, "config": {{"quota_total": 25}}}}]}}'.encode())
    )
    assert publisher.quota_left(PERSONA, within=SOON) == left
