"""The servers that tests talk to over real HTTP, started once for each process of pytest, and the way to them.

A conftest takes over the fixtures by importing them.
"""

import io
import logging
import os
import threading
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from local import dynamodb_local
from local.environment import REGION, isolated
from local.instagram import EmulatorServer, EmulatorSettings


@cache
def _moto() -> ThreadedMotoServer:
    # It tells each step of each expression at DEBUG, and each request with its signature at INFO.
    for name in ("moto", "werkzeug"):
        logging.getLogger(name).setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    return server


@pytest.fixture(scope="session")
def moto_url() -> str:
    """The address of moto's server, whose memory all the tests of this process share."""
    return f"http://127.0.0.1:{_moto().get_host_and_port()[1]}"


@pytest.fixture(scope="session")
def dynamodb_local_url() -> Iterator[str]:
    """The address of a DynamoDB Local. Where there is none the test is skipped, or fails where it is required."""
    if not dynamodb_local.available():
        if dynamodb_local.is_required():
            pytest.fail(f"DynamoDB Local is required here and is not there; {dynamodb_local.HOW_TO_GET_IT} gets it")
        pytest.skip(f"DynamoDB Local is not there; {dynamodb_local.HOW_TO_GET_IT} gets it")
    with dynamodb_local.DynamoDbLocal() as url:
        yield url


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment from which no call can reach anybody's real account."""
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    safe = isolated(keys | {"AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION})
    for name in os.environ.keys() - safe.keys():
        monkeypatch.delenv(name)
    for name, value in safe.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[EmulatorServer]:
    with EmulatorServer(EmulatorSettings(processing_seconds=0)) as server:
        yield server


@pytest.fixture
def emulator(running_emulator: EmulatorServer) -> EmulatorServer:
    """Instagram, of which nobody knows anything yet. A container is finished at once."""
    running_emulator.reset()
    return running_emulator


def a_jpeg(colour: str = "teal", width: int = 400, height: int = 500) -> bytes:
    canvas = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(canvas, "JPEG")
    return canvas.getvalue()


@pytest.fixture(scope="session")
def photo_url() -> Iterator[str]:
    """Where Instagram can fetch a JPEG."""
    jpeg = a_jpeg()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(jpeg)))
            self.end_headers()
            self.wfile.write(jpeg)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/photo.jpg"
    server.shutdown()
    server.server_close()
