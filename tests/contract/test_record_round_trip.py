"""Whole libraries through DynamoDB: what one stack exports, another one has after an import, and exports the same."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from contract.implementations import DynamoImplementation
from fakes.libraries import Library, libraries
from unit.test_import_records import round_trip


@pytest.mark.usefixtures("aws_environment")
@settings(
    max_examples=3,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],  # shrinking an example would take minutes
    suppress_health_check=list(HealthCheck),
)
@given(library=libraries())
def test_what_is_exported_and_imported_is_the_same_library(dynamo_url: str, library: Library) -> None:
    round_trip(library, DynamoImplementation(dynamo_url), DynamoImplementation(dynamo_url))
