"""The wire to a server: it notes every request that goes over it, and loses or replaces an answer as ordered.

An answer is lost *after* the request took effect, as a network loses it: the SDK then repeats the request by itself.
"""

import http.client
import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

_NOT_FORWARDED = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Request:
    """One HTTP request, by what it asks for: ``DynamoDB GetItem``, ``SSM GetParameters``, or just ``GET``.

    ``path`` is with its query, and ``body`` what a JSON body has.
    """

    name: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def body(self) -> Mapping[str, Any]:
        members: Mapping[str, Any] = json.loads(self.content)
        return members


@dataclass
class _Order:
    name: str
    answer: tuple[int, bytes] | None
    times: int


class Wire:
    """As a context manager it listens on ``url`` until the block ends. Without ``upstream`` it only answers orders.

    Two wires that share their ``requests`` show the order of calls to two servers.
    """

    def __init__(self, upstream: str | None = None, requests: list[Request] | None = None) -> None:
        self.requests: list[Request] = [] if requests is None else requests
        self._upstream = urlsplit(upstream) if upstream else None
        self._orders: list[_Order] = []
        self._lock = threading.Lock()
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                wire._carry(self)

            do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - names that http.server looks for

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def lose_answer(self, name: str, *, times: int = 1) -> None:
        """The next requests of this name take effect, and their answers never come."""
        self._orders.append(_Order(name, None, times))

    def answer(self, name: str, status: int, body: bytes | Mapping[str, Any], *, times: int = 1) -> None:
        """The next requests of this name go nowhere, and are answered so."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._orders.append(_Order(name, (status, payload), times))

    def take_back_orders(self) -> None:
        with self._lock:
            self._orders.clear()

    def names(self) -> list[str]:
        return [request.name for request in self.requests]

    def _carry(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        request = _request(handler, body)
        with self._lock:
            self.requests.append(request)
            order = next((order for order in self._orders if order.name == request.name and order.times > 0), None)
            if order is not None:
                order.times -= 1
        if order is not None and order.answer is not None:
            status, payload = order.answer
            headers: Mapping[str, str] = {"Content-Type": "application/x-amz-json-1.0"}
        else:
            status, headers, payload = self._forward(handler, body)
        if order is not None and order.answer is None:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _NOT_FORWARDED:
                handler.send_header(name, value)
        is_head = handler.command == "HEAD"  # whose length is that of the content that it does not have
        length = headers.get("Content-Length", "0") if is_head else str(len(payload))
        handler.send_header("Content-Length", length)
        handler.end_headers()
        handler.wfile.write(b"" if is_head else payload)

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        if self._upstream is None:
            return 503, {}, b""
        connection = http.client.HTTPConnection(str(self._upstream.hostname), self._upstream.port, timeout=30)
        try:
            connection.request(handler.command, handler.path, body, dict(handler.headers.items()))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


def _request(handler: BaseHTTPRequestHandler, body: bytes) -> Request:
    name = handler.command
    target = handler.headers.get("X-Amz-Target")
    if target is not None:
        service, operation = target.rsplit(".", 1)
        name = f"{'DynamoDB' if service.startswith('DynamoDB') else service.removeprefix('Amazon')} {operation}"
    return Request(name, handler.path, dict(handler.headers.items()), body)
