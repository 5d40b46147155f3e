"""What a policy allows."""

from typing import Any

import pytest

from local.cloud.policies import allows, allows_service

ALLOW = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:::letters"}
FOR_RULES = ALLOW | {"Principal": {"Service": "events.amazonaws.com"}}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([], False),
        ([ALLOW], True),
        ([ALLOW | {"Action": ["sqs:*"]}], True),
        ([ALLOW | {"Resource": ["arn:aws:sqs:::l*"]}], True),
        ([ALLOW | {"Action": "sqs:ReceiveMessage"}], False),
        ([ALLOW | {"Resource": "arn:aws:sqs:::others"}], False),
        ([ALLOW, ALLOW | {"Effect": "Deny"}], False),
        ([ALLOW | {"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}], False),
    ],
)
def test_only_what_a_statement_names_is_allowed(statements: list[Any], allowed: bool) -> None:
    assert allows(statements, "sqs:SendMessage", "arn:aws:sqs:::letters") is allowed


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({}, True),
        ({"ArnEquals": {"aws:SourceArn": ["arn:rule/a", "arn:rule/b"]}}, True),
        ({"ArnLike": {"AWS:SourceArn": "arn:rule/*"}}, True),
        ({"ArnEquals": {"aws:SourceArn": "arn:rule/b"}}, False),
        ({"IpAddress": {"aws:SourceIp": "203.0.113.7"}}, False),
    ],
)
def test_a_service_may_what_the_conditions_let_it(condition: Any, allowed: bool) -> None:
    statements = [FOR_RULES | {"Condition": condition}]
    context = {"aws:SourceArn": "arn:rule/a"}
    for service, as_it_should in (("events.amazonaws.com", allowed), ("s3.amazonaws.com", False)):
        told = allows_service(statements, service, "sqs:SendMessage", "arn:aws:sqs:::letters", context)
        assert told is as_it_should
