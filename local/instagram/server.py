"""Serves the emulator over HTTP: in a thread of a test's process, or in the foreground."""

import socket
import threading
from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from local.instagram.control import control_blueprint
from local.instagram.emulator import Emulator, StartingAccount
from local.instagram.fault_delivery import FaultDelivery
from local.instagram.feed import feed_blueprint
from local.instagram.graph_api import graph_blueprint
from local.instagram.settings import EmulatorSettings


def create_app(emulator: Emulator) -> Flask:
    """Return the application: both Graph hosts, the control API and the feed pages."""
    app = Flask(__name__)
    app.register_blueprint(graph_blueprint(emulator))
    app.register_blueprint(control_blueprint(emulator))
    app.register_blueprint(feed_blueprint(emulator))
    return app


class EmulatorServer(Emulator):
    """The emulator with its server. As a context manager it serves in a thread until the block ends.

    `host` and `port` say where; port 0 takes a free one. The server listens once it is constructed.
    """

    def __init__(
        self,
        settings: EmulatorSettings | None = None,
        accounts: Iterable[StartingAccount] = (),
        frozen_at: datetime | None = None,
        public_url: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(settings, accounts, frozen_at, public_url)
        self._stopping = threading.Event()
        self._server = _Server(host, port, FaultDelivery(create_app(self).wsgi_app, self._stopping), _SilentHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://{host}:{self._server.port}"
        self.instagram_url = f"{self.url}/instagram"
        self.facebook_url = f"{self.url}/facebook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join()

    def serve_forever(self) -> None:
        """Serve in this thread until interrupted (KeyboardInterrupt)."""
        self._server.serve_forever()


class _Server(ThreadedWSGIServer):
    """Knows its open connections, so that none outlives the server: hanging calls end with it."""

    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(*arguments)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        """End every open connection."""
        for connection in tuple(self._connections):
            super().shutdown_request(connection)


class _SilentHandler(WSGIRequestHandler):
    """Writes no log, since URLs of this API carry tokens."""

    def log(self, *_arguments: Any, **_named: Any) -> None:
        """Drop the line."""

    def connection_dropped(self, *_arguments: Any, **_named: Any) -> None:
        """End the connection of an ordered fault."""
        self.close_connection = True
