"""The man in the middle: it stands between a function's process and the world, and strikes at the call it is told to.

Each upstream has a listening port of its own on loopback. Every request is read whole, named, numbered in the order of
arrival and forwarded; what comes back is handed on. A strike kills the process before a request is forwarded, or after
the upstream has answered it, only loses the answer, or cuts the process off from there on. A request can also be held
back until it is let go.
"""

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import SplitResult, parse_qs, urlsplit

UPSTREAM_SECONDS: Final = 60.0

_NOT_HANDED_ON: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


class Moment(Enum):
    """When a call is struck, and so what each side knows of it."""

    KILLED_BEFORE = "killed before"
    """The process dies, and the request never takes effect."""
    KILLED_AFTER = "killed after"
    """The request took effect, and the process dies before the answer arrives."""
    ANSWER_LOST = "answer lost"
    """The request took effect, the connection breaks, and the process lives."""
    OUTAGE = "outage"
    """The process lives, and from this call on nobody answers it: no request of its takes effect any more."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, by its name: ``DynamoDB GetItem``, ``SSM GetParameters``, ``S3 HEAD``, ``Instagram media_publish``."""

    number: int
    name: str
    status: int | None = None
    """What the upstream answered; None while it has not, or when it gave no answer."""
    sent: bytes = field(default=b"", repr=False)

    def __str__(self) -> str:
        return f"{self.number:2d} {self.name}"


class Held:
    """A request that was read and is not forwarded until it is let go, whether or not its sender still lives.

    ``given_up`` by its sender: the connection breaks at once, and what is let go later is a late copy.
    """

    def __init__(self, *, given_up: bool = False) -> None:
        self.given_up = given_up
        self.arrived = threading.Event()
        self.answered = threading.Event()
        """The upstream has answered it, or it was dropped."""
        self._gate = threading.Event()
        self._is_dropped = False

    def let_go(self) -> None:
        self._gate.set()

    def drop(self) -> None:
        """Let it vanish, if it was not let go."""
        self._is_dropped = not self._gate.is_set()
        self._gate.set()

    def wait_at_gate(self) -> bool:
        """Whether the request goes on. For the interposer."""
        self.arrived.set()
        self._gate.wait()
        if self._is_dropped:
            self.answered.set()
        return not self._is_dropped


class Interposer:
    """Listens while its ``with`` block runs."""

    def __init__(self, *, dynamodb: str, aws: str, instagram: str) -> None:
        self._doors = {name: _Door(self, url) for name, url in _named(dynamodb, aws, instagram)}
        self.dynamodb_url = self._doors["dynamodb"].url
        self.aws_url = self._doors["aws"].url
        self.instagram_url = self._doors["instagram"].url
        self._kill: Callable[[], None] = _nobody
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._strike: tuple[int, Moment] | None = None
        self._held: dict[int, Held] = {}
        self._held_after: dict[str, Held] = {}

    def __enter__(self) -> Self:
        for door in self._doors.values():
            door.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.forget()
        for door in self._doors.values():
            door.close()

    @property
    def calls(self) -> tuple[Call, ...]:
        """What was asked since the last ``forget``, in the order of arrival."""
        with self._lock:
            return tuple(self._calls)

    def forget(self) -> None:
        """Count from 1 again, without any strike. What is still held is dropped."""
        with self._lock:
            held, self._held = self._held, {}
            self._held_after = {}
            self._calls = []
            self._strike = None
            self._kill = _nobody
        for each in held.values():
            each.drop()

    def watch(self, kill: Callable[[], None]) -> None:
        """A process starts: ``kill`` ends it, and returns when it is gone. An outage was another's."""
        with self._lock:
            self._kill = kill
            if self._strike is not None and len(self._calls) >= self._strike[0]:
                self._strike = None

    def strike(self, number: int, moment: Moment) -> None:
        """Strike at the call of this number, counted since the last ``forget``."""
        with self._lock:
            self._strike = (number, moment)

    def hold(self, number: int, *, given_up: bool = False) -> Held:
        """Hold the call of this number back, counted since the last ``forget``."""
        with self._lock:
            return self._held.setdefault(number, Held(given_up=given_up))

    def hold_after(self, name: str) -> Held:
        """Hold the call back that comes after the next one of this name."""
        with self._lock:
            return self._held_after.setdefault(name, Held())

    def carry(self, handler: BaseHTTPRequestHandler, upstream: SplitResult) -> None:
        """Serve one request of a door."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        name = _name(handler)
        if name is None:
            self._hand_on(handler, _forwarded(handler, body, upstream))
            return
        with self._lock:
            calls, number = self._calls, len(self._calls) + 1
            calls.append(Call(number, name, sent=body))
            held = self._held.get(number)
            if name in self._held_after:
                self._held[number + 1] = self._held_after.pop(name)
            moment = self._moment(number)
            kill = self._kill
        if held is not None and held.given_up:
            _break_connection(handler)
        if held is not None and not held.wait_at_gate():
            _break_connection(handler)
            return
        if moment is Moment.KILLED_BEFORE:
            kill()
        if moment in {Moment.KILLED_BEFORE, Moment.OUTAGE}:
            _break_connection(handler)
            return
        answer = _forwarded(handler, body, upstream)
        with self._lock:
            calls[number - 1] = replace(calls[number - 1], status=answer.status if answer else None)
        if held is not None:
            held.answered.set()
        if moment is Moment.KILLED_AFTER:
            kill()
        if moment is None and (held is None or not held.given_up):
            self._hand_on(handler, answer)
        else:
            _break_connection(handler)

    def _moment(self, number: int) -> Moment | None:
        if self._strike is None:
            return None
        struck, moment = self._strike
        return moment if number == struck or (moment is Moment.OUTAGE and number > struck) else None

    def _hand_on(self, handler: BaseHTTPRequestHandler, answer: "_Answer | None") -> None:
        if answer is None:
            _break_connection(handler)
            return
        # The sender may have been killed meanwhile.
        with contextlib.suppress(OSError):
            handler.send_response(answer.status)
            for name, value in answer.headers:
                if name.lower() not in _NOT_HANDED_ON:
                    handler.send_header(name, value)
            handler.send_header("Content-Length", str(answer.length))
            handler.end_headers()
            handler.wfile.write(answer.body)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    length: int


class _Door:
    """One upstream's listening port."""

    def __init__(self, interposer: Interposer, upstream: str) -> None:
        address = urlsplit(upstream)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                interposer.carry(self, address)

            do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - names that http.server looks for

            def handle_one_request(self) -> None:
                # A killed process leaves its connections reset.
                try:
                    super().handle_one_request()
                except ConnectionError:
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


def _named(dynamodb: str, aws: str, instagram: str) -> tuple[tuple[str, str], ...]:
    return (("dynamodb", dynamodb), ("aws", aws), ("instagram", instagram))


def _nobody() -> None:
    raise RuntimeError("a call is to be struck, and nobody said which process makes it")


def _name(handler: BaseHTTPRequestHandler) -> str | None:
    """The call's name; None for the fetch of a presigned address, which is Instagram's own doing and not ours."""
    target = handler.headers.get("X-Amz-Target")
    if target is not None:
        service, operation = target.rsplit(".", 1)
        return f"{'DynamoDB' if service.startswith('DynamoDB') else service.removeprefix('Amazon')} {operation}"
    address = urlsplit(handler.path)
    query = parse_qs(address.query)
    if "X-Amz-Signature" in query:
        return None
    _, host, *path = address.path.split("/")
    if host not in {"instagram", "facebook"}:
        return f"S3 {handler.command}"
    return f"Instagram {_instagram_call(handler.command, path, query)}"


def _instagram_call(method: str, path: list[str], query: dict[str, list[str]]) -> str:
    match (method, *path):
        case ("POST", _, _, "media"):
            return "create_container"
        case ("POST", _, _, "media_publish"):
            return "media_publish"
        case ("GET", _, _, "media"):
            return "recent_media"
        case ("GET", _, _, "content_publishing_limit"):
            return "quota"
        case ("GET", _, _):
            return "container_status" if "status_code" in query.get("fields", [""])[0] else "get_media"
    return f"{method} /{'/'.join(path)}"


def _forwarded(handler: BaseHTTPRequestHandler, body: bytes, upstream: SplitResult) -> _Answer | None:
    """The upstream's answer; None when it gave none."""
    connection = http.client.HTTPConnection(str(upstream.hostname), upstream.port, timeout=UPSTREAM_SECONDS)
    try:
        connection.request(handler.command, handler.path, body, dict(handler.headers.items()))
        answer = connection.getresponse()
        payload = answer.read()
        length = int(answer.getheader("Content-Length") or 0) if handler.command == "HEAD" else len(payload)
        return _Answer(answer.status, tuple(answer.getheaders()), payload, length)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _break_connection(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    with contextlib.suppress(OSError):
        handler.connection.shutdown(socket.SHUT_RDWR)
