"""Answers of Instagram's that are none: always a fault with a clear reason, an outcome, and a record that tells no lie.

The peer sends bytes as they stand. A publish request takes effect there, or not, whatever it then answers.
"""

import gzip
import json
import re
import socketserver
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.meta import Credentials, GraphHosts, MetaPublisher
from domain.faults import AccountFault, Defer, Fault, PhotoFault, Retry, Unresolved
from domain.ids import ContainerId, MediaId
from domain.personas import Persona
from domain.ports import ContainerStatus, RecentMedia
from domain.posts import PostStatus
from domain.secret import Secret
from fakes.library import NINE, Engine, a_persona, a_photo
from handlers import post_next_best, reconcile
from local.lambda_context import LambdaContext

CALLS: Final = ("create_container", "container_status", "publish", "recent_media", "permalink")
CAPTION: Final = "A lake in the morning"
MEBIBYTE: Final = 1024 * 1024

Body = bytes | Callable[[], Iterator[bytes]]


def http(body: Body, status: str = "200 OK", **headers: str) -> Callable[[], Iterator[bytes]]:
    """An answer as it goes over the wire. ``Content_Length="…"`` replaces the right one; an empty one leaves it out."""
    named = {"Content-Type": "application/json", "Connection": "close"}
    if isinstance(body, bytes):
        named["Content-Length"] = str(len(body))
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)

    def chunks() -> Iterator[bytes]:
        yield f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1")
        if isinstance(body, bytes):
            yield body
        else:
            yield from body()

    return chunks


def raw(answer: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: iter([answer])


def error(status: str = "400 Bad Request", usage: str = "", **fields: Any) -> Callable[[], Iterator[bytes]]:
    members = {"message": "No.", "type": "OAuthException", "code": 1, **fields}
    return http(json.dumps({"error": members}).encode(), status, X_Business_Use_Case_Usage=usage)


@dataclass
class Peer:
    """Instagram as bytes: healthy, but for the answers that are set. Listens while the block lasts."""

    answers: dict[str, Callable[[], Iterator[bytes]]] = field(default_factory=dict)
    takes_effect: bool = True
    """Whether a publish request makes something live."""
    published: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    sent: int = 0
    """Bytes of answers that the other side took."""

    def __enter__(self) -> Self:
        peer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                request = self.rfile.readline().decode().split()
                if len(request) < 2:
                    return
                length = 0
                while (line := self.rfile.readline().strip()) != b"":
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                peer._answer(self, request[0], request[1], self.rfile.read(length))

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                """The other side hung up, as it may."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.allow_reuse_address = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish_requests(self) -> int:
        return sum("media_publish" in path for path in self.paths)

    def publisher(self) -> MetaPublisher:
        return MetaPublisher(GraphHosts(self.url, self.url, "v26.0"), _Credentials())

    def _answer(self, handler: socketserver.StreamRequestHandler, method: str, path: str, body: bytes) -> None:
        self.paths.append(path)
        call = _call_of(method, path)
        if call == "publish" and self.takes_effect:
            self.published.append(body.decode())
        for chunk in (self.answers.get(call) or self._healthy(call))():
            handler.wfile.write(chunk)
            self.sent += len(chunk)

    def _healthy(self, call: str) -> Callable[[], Iterator[bytes]]:
        return http(json.dumps(healthy(call, is_live=bool(self.published))).encode())


class _Credentials:
    def credentials(self, persona: Persona) -> Credentials:
        return Credentials(Secret("IGAA-bad-replies-token"))

    def renew(self, persona: Persona) -> bool:
        return False


def _call_of(method: str, path: str) -> str:
    if path.partition("?")[0].endswith("/media_publish"):
        return "publish"
    if path.partition("?")[0].endswith("/media"):
        return "create_container" if method == "POST" else "recent_media"
    return "container_status" if "status_code" in path else "permalink"


def healthy(call: str, *, is_live: bool = True) -> dict[str, Any]:
    """What Instagram answers when all is well."""
    media = {
        "id": "17920238422030506",
        "caption": CAPTION,
        "media_type": "IMAGE",
        "permalink": "https://www.instagram.com/p/Cabc123/",
        "timestamp": "2026-11-22T09:00:10+0000",
    }
    status = "PUBLISHED" if is_live else "FINISHED"
    answers: dict[str, dict[str, Any]] = {
        "create_container": {"id": "17889455560051444"},
        "container_status": {"status_code": status, "status": "Finished: ready.", "id": "17889455560051444"},
        "publish": {"id": "17920238422030506"},
        "recent_media": {"data": [media] if is_live else [], "paging": {"cursors": {"after": "QVFI"}}},
        "permalink": media,
    }
    return answers[call]


def make(publisher: MetaPublisher, call: str, within: timedelta = timedelta(seconds=20)) -> object:
    persona = a_persona()
    match call:
        case "create_container":
            return publisher.create_container(persona, "https://bucket.example/a.jpg", CAPTION, None, within=within)
        case "container_status":
            return publisher.container_status(persona, ContainerId("17889455560051444"), within=within)
        case "publish":
            return publisher.publish(persona, ContainerId("17889455560051444"), within=within)
        case "recent_media":
            return publisher.recent_media(persona, within=within)
        case _:
            return publisher.permalink(persona, MediaId("17920238422030506"), within=within)


# ---- what is wrong with an answer ----

VALUES: Final[Mapping[str, object]] = {
    "null": None,
    "true": True,
    "a number": 17920238422030506,
    "a fraction": 1.5,
    "an empty text": "",
    "a list": ["17920238422030506"],
    "an object": {"id": "17920238422030506"},
    "a long text": "9" * 200_000,
    "a path": "../me?fields=id",
    "control characters": "1792\r\nX-Header: 1\x00",
    "half a character": "\ud800",
}

USELESS: Final[Mapping[str, Callable[[], Iterator[bytes]]]] = {
    "nothing": raw(b""),
    "half a status line": raw(b"HTTP/1."),
    "no HTTP": raw(b"220 mail.example ESMTP\r\n"),
    "HTTP/0.9": raw(b'{"id": "17920238422030506"}'),
    "bytes": raw(bytes(range(256)) * 40),
    "an end within the headers": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "a long header": http(b'{"id": "1"}', X_App_Usage="x" * 100_000),
    "too many headers": http(b'{"id": "1"}', **{f"X_{number}": "1" for number in range(300)}),
    "an empty body": http(b""),
    "null": http(b"null"),
    "true": http(b"true"),
    "a number": http(b"17"),
    "a text": http(b'"17920238422030506"'),
    "a list": http(b'[{"id": "17920238422030506"}]'),
    "an empty object": http(b"{}"),
    "HTML": http(b"<!DOCTYPE html><title>Sorry, something went wrong.</title>", Content_Type="text/html"),
    "half a JSON": http(b'{"id": "179202384'),
    "two JSONs": http(b'{"id": "1"}{"id": "2"}'),
    "not UTF-8": http(b'{"id": "1792\xff\xfe"}'),
    "UTF-16": http('{"id": "17920238422030506"}'.encode("utf-16")),
    "nested lists": http(b"[" * 200_000 + b"]" * 200_000),
    "nested objects": http(b'{"id":' * 100_000 + b"1" + b"}" * 100_000),
    "a number of 10,000 digits": http(b'{"id": ' + b"9" * 10_000 + b"}"),
    "10 MB of blanks": http(b" " * 10 * MEBIBYTE + b'{"id": "1"}'),
    "10 MB of text": http(b'{"id": "' + b"9" * 10 * MEBIBYTE + b'"}'),
    "too long a Content-Length": http(b'{"id": "1"}', Content_Length="400"),
    "too short a Content-Length": http(b'{"id": "17920238422030506"}', Content_Length="9"),
    "two Content-Lengths": http(b'{"id": "1"}', Content_Length="11, 400"),
    "broken chunks": http(b'xyz\r\n{"id": "1"}', Content_Length="", Transfer_Encoding="chunked"),
    "chunks without an end": http(b'b\r\n{"id": "1"}', Content_Length="", Transfer_Encoding="chunked"),
    "gzip that is none": http(b'{"id": "1"}', Content_Encoding="gzip"),
    "half a gzip": http(gzip.compress(b'{"id": "17920238422030506"}')[:-12], Content_Encoding="gzip"),
    "gzip of HTML": http(gzip.compress(b"<html>"), Content_Encoding="gzip"),
    **{
        f"HTTP {status}": http(b"", status)
        for status in ("101 Switching Protocols", "103 Early Hints", "204 No Content", "205 Reset Content")
    },
    **{
        f"HTTP {status}, and an id all the same": http(b'{"id": "17920238422030506"}', f"{status} X", Location="/else")
        for status in (*range(300, 309), 400, 401, 403, 404, 408, 409, 410, 429, 431, 451, *range(500, 505), 599, 999)
    },
    **{
        f"a redirect to {location!r}": http(b"", "302 Found", Location=location)
        for location in (
            "/else",
            "\xff\xfe",
            "http://[",
            "http://peer.example:99999/",
            "http://\x00/",
            "//",
            "mailto:x",
        )
    },
    **{
        f"an error that is {name}": http(json.dumps({"error": value}).encode(), "500 Internal Server Error")
        for name, value in VALUES.items()
        if not isinstance(value, dict)
    },
}
"""Answers from which nothing can be told: the request may have taken effect, or not."""

ERROR_FIELDS: Final = ("code", "error_subcode", "type", "message", "fbtrace_id", "is_transient", "error_user_msg")
RUBBISH_USAGE: Final = (
    "x",
    "[]",
    "null",
    '{"1": null}',
    '{"1": [null, 1, "x"]}',
    '{"1": [{"estimated_time_to_regain_access": "soon"}]}',
    '{"1": [{"estimated_time_to_regain_access": -5}]}',
    '{"1": [{"estimated_time_to_regain_access": true}]}',
    f'{{"1": [{{"estimated_time_to_regain_access": {"9" * 400}}}]}}',
    f'{{"1": [{{"estimated_time_to_regain_access": {"9" * 9_000}}}]}}',
    '{"1": [{"estimated_time_to_regain_access": NaN}]}',
    "[" * 30_000,
)


# ---- the adapter ----


@pytest.fixture(scope="module")
def shared_peer() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


@pytest.fixture
def peer(shared_peer: Peer) -> Peer:
    shared_peer.answers, shared_peer.takes_effect = {}, True
    shared_peer.published, shared_peer.paths = [], []
    return shared_peer


def is_clear(fault: Fault) -> bool:
    """Whole sentences for the owner, of bounded length, and nothing of a library's or of the answer's own text."""
    text = fault.message
    strange = re.search(r"Traceback|object at|HTTPConnection|Exception\(|None|\\x|http://|[^\x20-\x7e]", text)
    return bool(re.fullmatch(r"[A-Z].*\.", text)) and len(text) <= 300 and strange is None


def fault_at(peer: Peer, call: str) -> Fault:
    with pytest.raises(Fault) as caught:
        make(peer.publisher(), call)
    assert is_clear(caught.value), caught.value.message
    return caught.value


def test_the_peer_is_healthy_unless_told_otherwise(peer: Peer) -> None:
    publisher = peer.publisher()
    assert make(publisher, "container_status") is ContainerStatus.FINISHED
    assert [make(publisher, call) for call in ("create_container", "publish", "permalink")] == [
        "17889455560051444",
        "17920238422030506",
        "https://www.instagram.com/p/Cabc123/",
    ]
    assert make(publisher, "container_status") is ContainerStatus.PUBLISHED
    assert make(publisher, "recent_media") == [
        RecentMedia(
            MediaId("17920238422030506"),
            CAPTION,
            "IMAGE",
            datetime(2026, 11, 22, 9, 0, 10, tzinfo=UTC),
            "https://www.instagram.com/p/Cabc123/",
        )
    ]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("wrong", USELESS)
def test_an_answer_that_tells_nothing_is_repeated_or_unresolved(peer: Peer, call: str, wrong: str) -> None:
    peer.answers[call] = USELESS[wrong]
    fault = fault_at(peer, call)
    assert type(fault) is (Unresolved if call == "publish" else Retry)
    assert len(peer.paths) == 1, "a request was repeated, or a redirect followed"


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize(
    ("call", "member"),
    [
        ("create_container", "id"),
        ("container_status", "status_code"),
        ("publish", "id"),
        ("permalink", "permalink"),
        ("recent_media", "data"),
    ],
)
def test_the_member_that_counts_is_of_the_wrong_kind(peer: Peer, call: str, member: str, name: str) -> None:
    peer.answers[call] = http(json.dumps({**healthy(call), member: VALUES[name]}).encode())
    if (member, name) == ("data", "a list"):
        assert make(peer.publisher(), call) == []
    else:
        assert type(fault_at(peer, call)) is (Unresolved if call == "publish" else Retry)


@pytest.mark.parametrize("name", VALUES)
def test_a_status_text_of_the_wrong_kind_does_not_hide_the_error(peer: Peer, name: str) -> None:
    peer.answers["container_status"] = http(json.dumps({"status_code": "ERROR", "status": VALUES[name]}).encode())
    fault = fault_at(peer, "container_status")
    assert isinstance(fault, Retry)
    assert fault.new_container


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", VALUES)
def test_members_that_do_not_count_may_be_anything(peer: Peer, call: str, name: str) -> None:
    counts = {"id", "status_code", "permalink", "data"} if call != "recent_media" else {"data"}
    answer = {member: value if member in counts else VALUES[name] for member, value in healthy(call).items()}
    peer.answers[call] = http(json.dumps({**answer, "new": VALUES[name]}).encode())
    make(peer.publisher(), call)


@pytest.mark.parametrize("member", [*healthy("permalink"), "all of it"])
@pytest.mark.parametrize("name", [*VALUES, "missing"])
def test_a_bad_entry_of_the_list_is_no_reason_to_lose_the_others(peer: Peer, member: str, name: str) -> None:
    good = healthy("permalink")
    bad: object = {key: value for key, value in good.items() if key != member}
    if name != "missing":
        bad = VALUES[name] if member == "all of it" else {**good, member: VALUES[name]}
    peer.answers["recent_media"] = http(json.dumps({"data": [bad, {**good, "id": "2"}, bad]}).encode())
    listed: Any = make(peer.publisher(), "recent_media")
    assert "2" in [media.media_id for media in listed]
    for media in listed:
        assert re.fullmatch(r"[\w.-]{1,128}", media.media_id)
        assert isinstance(media.caption, str)
        assert isinstance(media.media_type, str)
        assert media.published_at.tzinfo is UTC
        assert media.permalink is None or len(media.permalink) <= 500


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("member", ERROR_FIELDS)
@pytest.mark.parametrize("name", VALUES)
def test_an_error_with_a_member_of_the_wrong_kind(peer: Peer, call: str, member: str, name: str) -> None:
    changed: dict[str, Any] = {member: VALUES[name]}
    peer.answers[call] = error(**changed)
    fault = fault_at(peer, call)
    assert isinstance(fault, Unresolved) == (call == "publish"), "code 1, or none that can be read, decides nothing"
    for number in (fault.code, fault.subcode):
        assert number is None or (type(number) is int)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("missing", ERROR_FIELDS[:4])
def test_an_error_with_a_member_missing(peer: Peer, call: str, missing: str) -> None:
    members = {"message": "No.", "type": "OAuthException", "code": 1, "error_subcode": 99}
    del members[missing]
    peer.answers[call] = http(json.dumps({"error": members}).encode(), "400 Bad Request")
    assert isinstance(fault_at(peer, call), Unresolved) == (call == "publish")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("usage", RUBBISH_USAGE, ids=range(len(RUBBISH_USAGE)))
def test_rubbish_in_the_usage_header_leaves_the_fault_as_it_is(peer: Peer, call: str, usage: str) -> None:
    peer.answers[call] = error(code=4, usage=usage)
    fault = fault_at(peer, call)
    assert isinstance(fault, Defer)
    assert timedelta(0) <= fault.after <= timedelta(hours=24)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", [4, 100, 190, 9007, 36000])
def test_no_error_of_a_broken_server_is_definite_about_a_publish_request(peer: Peer, call: str, code: int) -> None:
    peer.answers[call] = error("503 Service Unavailable", code=code)
    assert isinstance(fault_at(peer, call), Unresolved) == (call == "publish")


def test_definite_refusals_of_a_publish_request_are_told_from_the_rest(peer: Peer) -> None:
    peer.answers["publish"] = error(code=190)
    assert type(fault_at(peer, "publish")) is AccountFault
    peer.answers["publish"] = error(code=352, error_subcode=2207026)
    assert type(fault_at(peer, "publish")) is PhotoFault


def test_a_good_answer_that_is_packed_is_unpacked(peer: Peer) -> None:
    peer.answers["publish"] = http(gzip.compress(b'{"id": "17920238422030506"}'), Content_Encoding="gzip")
    assert make(peer.publisher(), "publish") == "17920238422030506"


def endless(chunk: bytes) -> Callable[[], Iterator[bytes]]:
    """256 MiB on the wire, which is endless enough."""
    return lambda: (chunk for _ in range(256 * MEBIBYTE // len(chunk)))


def _bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    chunks = [packer.compress(bytes(MEBIBYTE)) for _ in range(512)]
    return b"".join([*chunks, packer.flush()])


BLANKS: Final = b" " * 65536
FLOODS: Final[Mapping[str, Callable[[], Iterator[bytes]]]] = {
    "a body": http(endless(BLANKS), Content_Length=str(10**12)),
    "a body without a length": http(endless(BLANKS)),
    "chunks": http(endless(b"10000\r\n" + BLANKS + b"\r\n"), Transfer_Encoding="chunked"),
    "one chunk": http(lambda: iter([b"FFFFFFFFFF\r\n", *endless(BLANKS)()]), Transfer_Encoding="chunked"),
    "an error's body": http(endless(BLANKS), "400 Bad Request", Content_Length=str(10**12)),
    "a server error's body": http(endless(BLANKS), "500 Internal Server Error", Content_Length=str(10**12)),
    "a redirect's body": http(endless(BLANKS), "302 Found", Location="/else", Content_Length=str(10**12)),
    "a header": raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 16 * MEBIBYTE),
    "a status line": raw(b"HTTP/1.1 200 " + b"x" * 16 * MEBIBYTE),
    "half a gigabyte in a gzip": http(_bomb(), Content_Encoding="gzip"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("flood", FLOODS)
def test_an_answer_without_end_is_not_read_and_not_kept(peer: Peer, call: str, flood: str) -> None:
    peer.answers[call] = FLOODS[flood]
    publisher = peer.publisher()
    peer.sent = 0
    tracemalloc.start()
    try:
        with pytest.raises(Fault) as caught:
            make(publisher, call)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert type(caught.value) is (Unresolved if call == "publish" else Retry)
    assert peak < 6 * MEBIBYTE, f"{peak} bytes were held for an answer of at most 1 MiB"
    # What lies in the sockets' buffers was sent, and was not read.
    assert peer.sent < 24 * MEBIBYTE


def dripping(start: bytes, drop: bytes) -> Callable[[], Iterator[bytes]]:
    """A drop every tenth of a second, for ten seconds: each comes before a time-out of the socket's."""

    def drip() -> Iterator[bytes]:
        yield start
        never = threading.Event()
        for _ in range(100):
            never.wait(0.1)
            yield drop

    return drip


DRIPS: Final = {
    "the body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", b" "),
    "the headers": dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
    "HTTP 100": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("call", ["container_status", "publish"])
@pytest.mark.parametrize("drip", DRIPS)
def test_an_answer_that_drips_is_given_up_in_time(peer: Peer, call: str, drip: str) -> None:
    peer.answers[call] = DRIPS[drip]
    began_at = time.monotonic()
    with pytest.raises(Fault) as caught:
        make(peer.publisher(), call, within=timedelta(seconds=1))
    assert time.monotonic() - began_at < 3
    assert type(caught.value) is (Unresolved if call == "publish" else Retry)


_TEXTS: Final = st.text(max_size=12)
_MEMBERS: Final = st.sampled_from(["error", "code", "error_subcode", "fbtrace_id", "data", "status_code", "status"])
_MEMBERS_OF_MEDIA: Final = st.sampled_from(["id", "caption", "media_type", "permalink", "timestamp"])
_LEAVES: Final = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | _TEXTS
    | st.sampled_from(["FINISHED", "ERROR", "17920238422030506", "2026-11-22T09:00:10+0000", "IMAGE", 190, 2207026])
)
JSON: Final = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_MEMBERS | _MEMBERS_OF_MEDIA | _TEXTS, inner, max_size=5)
    ),
    max_leaves=12,
)


@settings(settings.get_profile("fuzz"))
@given(call=st.sampled_from(CALLS), answer=JSON, status=st.sampled_from(["200 OK", "400 X", "500 X"]))
def test_any_json_is_an_answer_or_a_fault(shared_peer: Peer, call: str, answer: object, status: str) -> None:
    shared_peer.answers = {call: http(json.dumps(answer).encode(), status)}
    got: object
    try:
        got = make(shared_peer.publisher(), call)
    except Fault as fault:
        got = fault
    match got:
        case Fault():
            assert is_clear(got), got.message
            assert call == "publish" or not isinstance(got, Unresolved)
        case ContainerStatus():
            assert (call, status) == ("container_status", "200 OK")
        case str():
            assert status == "200 OK"
            pattern = r"https?://.{1,500}" if call == "permalink" else r"[A-Za-z0-9_.-]{1,128}"
            assert re.match(pattern, got)
            assert call in {"create_container", "publish", "permalink"}
        case _:
            assert (call, type(got), status) == ("recent_media", list, "200 OK")


# ---- the handlers: an outcome, and a record that tells no lie ----

_OF_CALLS: Final[Mapping[str, Mapping[str, Callable[[], Iterator[bytes]]]]] = {
    "create_container": {f"id: {name}": http(json.dumps({"id": value}).encode()) for name, value in VALUES.items()},
    "container_status": {
        "ERROR without a text": http(b'{"status_code": "ERROR", "status": null}'),
        **{f"status: {name}": http(json.dumps({"status_code": value}).encode()) for name, value in VALUES.items()},
    },
    "publish": {f"id: {name}": http(json.dumps({"id": value}).encode()) for name, value in VALUES.items()},
    "recent_media": {f"data: {name}": http(json.dumps({"data": value}).encode()) for name, value in VALUES.items()},
}
WRONG: Final = {
    (call, name): answer
    for call, of_call in _OF_CALLS.items()
    for name, answer in (
        *USELESS.items(),
        *of_call.items(),
        *((f"code: {name}", error(code=value)) for name, value in VALUES.items()),
        ("an error without a code", http(b'{"error": {}}', "400 Bad Request")),
        ("an endless body", FLOODS["a body"]),
    )
}
ANSWERED: Final = [(call, name, True) for call, name in WRONG]
NOT_ANSWERED: Final = [(call, name, False) for call, name in WRONG if call in {"publish", "recent_media"}]


@pytest.mark.parametrize(("call", "wrong", "takes_effect"), [*ANSWERED, *NOT_ANSWERED])
def test_a_bad_answer_loses_no_post(
    peer: Peer, on_fakes: Callable[..., None], call: str, wrong: str, *, takes_effect: bool
) -> None:
    engine = Engine(a_photo(caption=CAPTION))
    on_fakes(engine, peer.publisher())
    peer.takes_effect = takes_effect
    peer.answers[call] = WRONG[call, wrong]
    if call == "recent_media":
        # It is asked only after a lost answer.
        peer.answers["publish"] = USELESS["nothing"]

    answer = post_next_best.handler({"persona_id": "default", "time": "2026-11-22T09:00:00Z"}, LambdaContext())

    assert answer["outcome"] in {"posted", "deferred", "unresolved", "failed"}
    assert answer["outcome"] == "posted" or answer["reason"]
    assert_no_lie(engine, peer)

    peer.answers.clear()
    for minutes in (6, 30, 30, 24 * 60, 30, 24 * 60, 30):
        engine.clock.advance(timedelta(minutes=minutes))
        reconcile.handler({}, LambdaContext())
        assert_no_lie(engine, peer)

    post = engine.post()
    assert not post.wants_another_look
    assert peer.publish_requests() <= 1, "sent twice"
    if peer.published:
        assert (post.status, post.provider_post_id) == (PostStatus.POSTED, healthy("publish")["id"])
    else:
        assert post.status is (PostStatus.UNCONFIRMED if peer.publish_requests() else PostStatus.FAILED)
    assert post.status is not PostStatus.FAILED or call in {"create_container", "container_status"}


def assert_no_lie(engine: Engine, peer: Peer) -> None:
    """Once a publish request has left, nothing that is wrong with its answer may open the fence or end the post."""
    post = engine.post()
    if peer.publish_requests():
        assert post.status is not PostStatus.FAILED
        assert post.is_fenced
        assert engine.photo().post_slot == NINE
    assert post.status is not PostStatus.POSTED or peer.published
    assert post.status is PostStatus.POSTING or post.status is PostStatus.POSTED or post.fault is not None
