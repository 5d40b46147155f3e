"""One local cloud for all deployments of a run; each stack has a name of its own."""

from collections.abc import Iterator

import pytest

from deployment.owner import Owner
from local.cloud.server import CloudServer


@pytest.fixture(scope="session")
def owner() -> Iterator[Owner]:
    # A region of its own: in one process, all of moto's servers have one memory.
    with CloudServer("eu-north-1") as cloud:
        yield Owner(cloud)
