"""The webhook is there only where it is asked for, is fed by the posts' stream alone, and may do next to nothing."""

import copy
import json
import re

import pytest

from template.expansion import ACCOUNT, REGION, Stack, expand, read_template
from template.test_permissions import granted_to

PATTERN = read_template()["Parameters"]["WebhookUrl"]["AllowedPattern"]
WITH = expand(WebhookUrl="https://example.com/hook")


def test_without_an_address_there_is_nothing_of_it(stack: Stack) -> None:
    added = WITH.resources.keys() - stack.resources.keys()
    assert {name for name in added if not re.match("Webhook|NoticesLate", name)} == set()
    assert len(added) == 9
    assert not [name for name in stack.resources if "ebhook" in name]
    assert "StreamSpecification" not in stack.properties("PostsTable")
    assert not [name for name in stack.outputs if "ebhook" in name]


def test_all_else_stays_as_it_is_but_for_the_stream_and_what_watches(stack: Stack) -> None:
    with_it = copy.deepcopy(WITH.resources)
    stream = with_it["PostsTable"]["Properties"].pop("StreamSpecification")
    assert stream == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    throttles = with_it["ThrottlesAlarm"]["Properties"]["Metrics"]
    assert throttles.pop()["MetricStat"]["Metric"]["Dimensions"] == [{"Name": "FunctionName", "Value": "Webhook"}]
    with_it["Dashboard"] = stack.resources["Dashboard"]  # test_watching.py has what it shows
    assert {name: with_it[name] for name in stack.resources} == stack.resources


def test_only_its_own_function_is_told_the_address() -> None:
    told = [
        name
        for name, function in WITH.of_type("AWS::Lambda::Function").items()
        if "WEBHOOK_URL" in function["Properties"]["Environment"]["Variables"]
    ]
    assert told == ["Webhook"]
    assert WITH.outputs["WebhookUrl"]["Value"] == "https://example.com/hook"


def test_the_commands_are_told_the_queue_that_a_given_up_notice_goes_back_to() -> None:
    assert WITH.outputs["WebhookQueueUrl"]["Value"] == "WebhookQueue"


def test_the_pipe_takes_the_ends_of_posts_from_the_stream_to_the_queue() -> None:
    pipe = WITH.properties("WebhookPipe")
    assert (pipe["Source"], pipe["Target"]) == ("PostsTable.StreamArn", "WebhookQueue.Arn")
    (only,) = pipe["SourceParameters"]["FilterCriteria"]["Filters"]
    assert json.loads(only["Pattern"]) == {
        "dynamodb": {"NewImage": {"status": {"S": ["posted", "failed", "unconfirmed"]}}}
    }
    stream = pipe["SourceParameters"]["DynamoDBStreamParameters"]
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert stream["MaximumRetryAttempts"] == -1
    assert stream["MaximumRecordAgeInSeconds"] < 24 * 60 * 60, "the stream forgets before it could be kept"
    assert stream["DeadLetterConfig"] == {"Arn": "DeadLetters.Arn"}


def test_a_receiver_may_be_down_for_two_days() -> None:
    queue, function = WITH.properties("WebhookQueue"), WITH.properties("Webhook")
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
    redrive = queue["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == "DeadLetters.Arn"
    tried_for = queue["VisibilityTimeout"] * redrive["maxReceiveCount"]
    assert 48 * 3600 <= tried_for < queue["MessageRetentionPeriod"]
    assert queue["SqsManagedSseEnabled"] is True


def test_one_that_fails_does_not_send_the_others_again() -> None:
    (mapping,) = (one["Properties"] for one in WITH.of_type("AWS::Lambda::EventSourceMapping").values())
    assert (mapping["EventSourceArn"], mapping["FunctionName"]) == ("WebhookQueue.Arn", "Webhook")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # adapters.webhook.TIME_LIMIT and its grace, and what SSM may take at most
    assert mapping["BatchSize"] * 8.5 + 3 * (2 + 3) < WITH.properties("Webhook")["Timeout"]
    assert WITH.properties("Webhook")["Handler"] == "handlers.webhook.handler"


def test_the_function_and_the_pipe_may_do_what_they_do_and_no_more() -> None:
    assert granted_to(WITH, "WebhookRole") == {
        ("sqs:ReceiveMessage", "WebhookQueue.Arn"),
        ("sqs:DeleteMessage", "WebhookQueue.Arn"),
        ("sqs:GetQueueAttributes", "WebhookQueue.Arn"),
        ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/fluffy-train/webhook-secret"),
        ("logs:CreateLogStream", "WebhookLogGroup.Arn"),
        ("logs:PutLogEvents", "WebhookLogGroup.Arn"),
    }
    assert granted_to(WITH, "WebhookPipeRole") == {
        *((f"dynamodb:{name}", "PostsTable.StreamArn") for name in ("DescribeStream", "GetRecords")),
        *((f"dynamodb:{name}", "PostsTable.StreamArn") for name in ("GetShardIterator", "ListStreams")),
        ("sqs:SendMessage", "WebhookQueue.Arn"),
        ("sqs:SendMessage", "DeadLetters.Arn"),
    }
    for role in ("WebhookRole", "WebhookPipeRole"):
        assert "ManagedPolicyArns" not in WITH.properties(role)


@pytest.mark.parametrize("alarm", ["WebhookErrorsAlarm", "NoticesLateAlarm"])
def test_its_alarms_reach_the_owner_with_words_that_help(alarm: str) -> None:
    properties = WITH.properties(alarm)
    assert properties["AlarmActions"] == ["AlarmTopic"]
    assert properties["TreatMissingData"] == "notBreaching"
    assert 80 < len(properties["AlarmDescription"]) <= 1024
    assert (properties["ComparisonOperator"], properties["Threshold"]) == ("GreaterThanThreshold", 0)


def test_its_log_forgets() -> None:
    assert WITH.properties("Webhook")["LoggingConfig"]["LogGroup"] == "WebhookLogGroup"
    assert WITH.properties("WebhookLogGroup")["RetentionInDays"] == "90"


@pytest.mark.parametrize(
    "url", ["", "https://example.com", "https://a.example.co.uk:8443/a/b?c=d@e", "https://1.2.3.4/"]
)
def test_an_address_is_taken(url: str) -> None:
    assert _is_taken(url)


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "https://user@example.com/", "https://user:word@example.com/", "https://"),
        *("example.com", "https://example.com/ a", "https://example.com/#a", "ftp://example.com/"),
    ],
)
def test_an_address_is_refused(url: str) -> None:
    assert not _is_taken(url)


def _is_taken(url: str) -> bool:
    return re.fullmatch(PATTERN, url) is not None
