"""What each suite runs on: the fakes, and the adapters against every server that is there."""

import pytest

from contract.implementations import DynamoImplementation, FakeImplementation, Records
from contract.servers import (
    aws_environment,
    dynamodb_local_url,
    emulator,
    moto_url,
    photo_url,
    running_emulator,
)

__all__ = ["aws_environment", "dynamodb_local_url", "emulator", "moto_url", "photo_url", "running_emulator"]

DYNAMO = ["moto", "dynamodb-local"]


@pytest.fixture(params=DYNAMO)
def dynamo_url(request: pytest.FixtureRequest) -> str:
    """The address of each server that speaks DynamoDB's protocol."""
    url: str = request.getfixturevalue("moto_url" if request.param == "moto" else "dynamodb_local_url")
    return url


@pytest.fixture
def dynamo(dynamo_url: str, aws_environment: None) -> DynamoImplementation:
    """The real adapters alone: for what can only be seen in the tables themselves."""
    return DynamoImplementation(dynamo_url)


@pytest.fixture(params=["fake", *DYNAMO])
def records(request: pytest.FixtureRequest) -> Records:
    """The fakes and the real adapters, each with empty records."""
    if request.param == "fake":
        return FakeImplementation()
    request.getfixturevalue("aws_environment")
    url = request.getfixturevalue("moto_url" if request.param == "moto" else "dynamodb_local_url")
    return DynamoImplementation(url)
