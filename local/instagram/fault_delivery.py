"""WSGI middleware that carries out the faults which happen below HTTP: resets, silence, drips, half answers."""

import os
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.test import run_wsgi_app

from local.instagram.faults import Fault

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SLOT_KEY = "local.instagram.fault"
"""Where the application finds, in the WSGI environment, the `FaultSlot` of its answer."""

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class FaultSlot:
    """Takes the fault that the answer must suffer. An object, as the environment itself is copied on its way."""

    fault: Fault | None = None


class FaultDelivery:
    """Passes answers through, unless the application asked for a fault. Needs werkzeug's own server underneath."""

    def __init__(self, application: "WSGIApplication", stopping: threading.Event) -> None:
        self._application = application
        self._stopping = stopping

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        slot = environ[SLOT_KEY] = FaultSlot()
        body, status, headers = run_wsgi_app(self._application, environ, buffered=True)
        fault = slot.fault
        if fault is None:
            start_response(status, headers.to_wsgi_list())
            return body
        match fault.kind:
            case "reset":
                _reset(environ["werkzeug.socket"])
            case "timeout":
                self._stopping.wait(fault.seconds)
            case "slow":
                start_response(status, headers.to_wsgi_list())
                return self._drip(b"".join(body), fault.seconds)
            case "truncate":
                start_response(status, headers.to_wsgi_list())
                return _half(b"".join(body))
        raise ConnectionAbortedError("an ordered fault")

    def _drip(self, body: bytes, seconds_per_byte: float) -> Iterator[bytes]:
        for place in range(len(body)):
            yield body[place : place + 1]
            if self._stopping.wait(seconds_per_byte):
                raise ConnectionAbortedError("the emulator stops")


def _half(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise ConnectionAbortedError("an ordered fault")


def _reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN. Detached first, as the server's own shutdown would send FIN before it."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    os.close(connection.detach())
