"""Unit tests reach nobody: what opens a socket fails there and then."""

import socket
from collections.abc import Callable
from socket import socket as imported_before

import pytest
import requests
from pytest_socket import SocketBlockedError, SocketConnectBlockedError

pytestmark = pytest.mark.filterwarnings("ignore:A test tried to use")


@pytest.mark.parametrize(
    "reach_out",
    [
        lambda: socket.socket(socket.AF_INET),
        lambda: socket.socket(socket.AF_UNIX),
        lambda: socket.create_connection(("127.0.0.1", 9), timeout=0.1),
        lambda: socket.getaddrinfo("localhost", 80),
        lambda: requests.get("http://127.0.0.1:9/", timeout=0.1),
    ],
    ids=["socket", "unix socket", "connection", "name", "request"],
)
def test_a_unit_test_that_opens_a_socket_fails(reach_out: Callable[[], object]) -> None:
    with pytest.raises(SocketBlockedError):
        reach_out()


def test_a_socket_of_a_class_imported_before_the_test_does_not_connect() -> None:
    with pytest.raises(SocketConnectBlockedError):
        imported_before().connect(("127.0.0.1", 9))
