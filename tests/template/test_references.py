"""That CloudFormation can create the stack: what refers to what has no circle."""

from graphlib import CycleError, TopologicalSorter

import pytest

from template.expansion import Stack, expand


@pytest.mark.parametrize("parameters", [{}, {"Scorer": "bedrock", "AlarmEmail": "owner@example.com"}])
def test_nothing_needs_itself_by_any_way_round(parameters: dict[str, str]) -> None:
    stack = expand(**parameters)
    order = list(TopologicalSorter(stack.needs).static_order())
    assert set(order) == stack.resources.keys()


def test_the_way_of_an_upload_is_seen_by_this_test(stack: Stack) -> None:
    assert {"PhotosBucket", "IngestPhoto"} <= stack.needs["IngestPhotoUpload"]
    assert {"IngestPhotoRole", "PhotosBucket", "LookalikesTable"} <= stack.needs["IngestPhoto"]
    assert {"PhotosBucket", "DeadLetters", "LookalikesTable"} <= stack.needs["IngestPhotoRole"]
    assert "IngestPhotoUpload" in stack.needs["DeadLettersPolicy"]
    assert stack.needs["PhotosBucket"] == set()


def test_a_bucket_that_named_the_function_would_be_a_circle(stack: Stack) -> None:
    """Which is why EventBridge stands between the two."""
    with pytest.raises(CycleError):
        TopologicalSorter(stack.needs | {"PhotosBucket": {"IngestPhoto"}}).prepare()
