"""Unit tests open no socket, and try the same examples on every machine."""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

settings.register_profile("unit", derandomize=True, database=None, deadline=None, max_examples=200)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    # The second bars the real class from connecting too, for a module that imported it before the first replaced it.
    socket_allow_hosts([])
    disable_socket()
    yield
    enable_socket()
