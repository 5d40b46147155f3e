"""The stack that template.yaml deploys with its defaults."""

import pytest

from template.expansion import Stack, expand


@pytest.fixture(scope="session")
def stack() -> Stack:
    return expand()
