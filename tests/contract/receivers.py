"""Receivers of notices: one that keeps what it is sent, and others that misbehave, byte by byte."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Listens on ``url`` until ``close``; answers ``status`` to all but the deliveries named in ``refused``."""

    def __init__(self) -> None:
        self.status = 200
        self.refused: set[str] = set()
        self.received: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((dict(self.headers.items()), body))
                is_refused = self.headers["Fluffy-Train-Delivery"] in receiver.refused
                self.send_response(500 if is_refused else receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/a-secret-path?key=a-secret-key"

    @property
    def deliveries(self) -> list[str]:
        return [headers["Fluffy-Train-Delivery"] for headers, _ in self.received]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def saying(*chunks: bytes, every: float = 0.0, forever: bool = False) -> Iterator[str]:
    """The address of a peer that says these chunks, so many seconds apart; the last one ``forever``, if it shall."""
    listener = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.recv(65536)
            for chunk in chunks:
                connection.sendall(chunk)
                time.sleep(every)
            while forever and not is_over.is_set():
                connection.sendall(chunks[-1])
                time.sleep(every)

    def listen() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/a-secret-path"
    finally:
        is_over.set()
        listener.close()
