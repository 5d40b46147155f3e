"""`fluffy-train redrive` on a dead-letter queue, as moto plays SQS, over real HTTP."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from adapters.dead_letters import LambdaStarts
from fakes.library import a_post
from integration.test_cli_posting import Clock, clock
from integration.test_cli_stack import CliStack, error_line
from integration.test_webhook import record
from unit.test_notices import ENDS

__all__ = ["clock"]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        stack.add_persona()
        yield stack


@dataclass
class Letters:
    """A dead-letter queue, and what was sent to the functions from it."""

    url: str
    started: list[tuple[str, Any]] = field(default_factory=list)
    accepts: bool = True

    def send(self, event: object, function: str = "Post") -> None:
        arn = f"arn:aws:lambda:eu-central-1:123456789012:function:{function}"
        boto3.client("sqs").send_message(
            QueueUrl=self.url,
            MessageBody=json.dumps(event),
            MessageAttributes={"TARGET_ARN": {"DataType": "String", "StringValue": arn}},
        )

    def left(self) -> int:
        told = boto3.client("sqs").get_queue_attributes(
            QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(told["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture
def letters(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> Letters:
    letters = Letters(boto3.client("sqs").create_queue(QueueName=stack.environment["PHOTOS_BUCKET"])["QueueUrl"])

    def start(_: LambdaStarts, function: str, event: Any) -> bool:
        letters.started.append((function, event))
        return letters.accepts

    monkeypatch.setattr(LambdaStarts, "start", start)
    monkeypatch.setattr("adapters.dead_letters._WAIT_SECONDS", 0)
    monkeypatch.setenv("DEAD_LETTERS_URL", letters.url)
    monkeypatch.setenv("POST_NEXT_BEST_FUNCTION", "Post")
    monkeypatch.setenv("INGEST_PHOTO_FUNCTION", "Ingest")
    return letters


FRESH = {"persona_id": "default", "time": "2026-11-22T09:00:00Z"}
OLD = {"persona_id": "default", "time": "2026-11-21T09:00:00Z"}


def test_redrive_sends_what_is_of_use_and_keeps_the_rest(stack: CliStack, letters: Letters) -> None:
    bucket = stack.environment["PHOTOS_BUCKET"]
    upload = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": {"key": "incoming/default/a.jpg"}},
    }
    letters.send(FRESH)
    letters.send(upload, "Ingest")
    letters.send(OLD)
    assert json.loads(stack.run("status", "--json").stdout)["dead_letters"] == 3
    result = stack.run("redrive")
    assert result.exit_code == 1
    assert sorted(letters.started, key=str) == [("Ingest", upload), ("Post", FRESH)]
    assert "sent: a start for default/2026-11-22T09:00:00Z" in result.stdout
    assert "It is more than 6 h late" in result.stdout
    assert letters.left() == 1
    letters.send({"what": "ever"}, "Unknown")
    assert stack.run("redrive", "--discard-old").exit_code == 1, "what is not known is not thrown away"
    assert letters.left() == 1
    assert len(letters.started) == 2


def test_only_what_is_of_no_use_is_said_to_be_discarded(stack: CliStack, letters: Letters) -> None:
    letters.send({"what": "ever"}, "Unknown")
    result = stack.run("redrive")
    assert (result.exit_code, result.stderr) == (1, "")
    assert "look at the message in the Amazon SQS console" in result.stdout
    letters.send(OLD)
    assert "--discard-old" in stack.run("redrive").stderr


def test_a_rehearsed_redrive_does_nothing(stack: CliStack, letters: Letters) -> None:
    letters.send(FRESH)
    letters.send(OLD)
    for _ in range(2):
        result = stack.run("redrive", "--dry-run", "--discard-old", "--json")
        assert result.exit_code == 1
        assert sorted(one["became"] for one in json.loads(result.stdout)) == ["would be discarded", "would be sent"]
    assert (letters.started, letters.left()) == ([], 2)


def test_what_its_function_does_not_accept_stays(stack: CliStack, letters: Letters) -> None:
    letters.accepts = False
    letters.send(FRESH)
    assert json.loads(stack.run("redrive", "--json").stdout)[0]["became"] == "not accepted"
    assert letters.left() == 1


def test_a_redrive_that_is_cut_off_puts_back_what_it_kept(
    stack: CliStack, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise KeyboardInterrupt

    letters.send(OLD)
    letters.send(OLD)
    assert stack.run("redrive").exit_code == 1
    assert letters.left() == 2
    letters.send(FRESH)
    monkeypatch.setattr(LambdaStarts, "start", fail)
    assert stack.run("redrive").exit_code != 0
    assert letters.left() >= 2


def test_an_error_of_aws_hides_no_message_from_the_next_look(
    stack: CliStack, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")

    letters.send(FRESH)
    monkeypatch.setattr(LambdaStarts, "start", refuse)
    assert stack.run("redrive").exit_code == 1
    assert letters.left() == 1


def test_starts_that_the_next_one_makes_up_for_are_discarded_at_once(
    stack: CliStack, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILE_FUNCTION", "Reconcile")
    monkeypatch.setenv("REFRESH_TOKENS_FUNCTION", "Refresh")
    for function in ("Reconcile", "Refresh"):
        letters.send({"source": "aws.events", "time": "2026-11-22T11:59:00Z"}, function)
    result = stack.run("redrive")
    assert (result.exit_code, letters.left(), letters.started) == (1, 2, [])
    assert "a start of RefreshTokens" in result.stdout
    assert stack.run("redrive", "--discard-old").exit_code == 0
    assert (letters.left(), letters.started) == (0, [])


def a_notice(stack: CliStack) -> dict[str, Any]:
    return record(ENDS["posted"], a_post()) | {
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/"
        f"{stack.environment['POSTS_TABLE']}/stream/2026-11-22T00:00:00.000"
    }


def test_a_notice_that_the_webhooks_queue_gave_up_is_queued_once_more(
    stack: CliStack, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs, name = boto3.client("sqs"), stack.environment["PHOTOS_BUCKET"]
    arn = sqs.get_queue_attributes(QueueUrl=letters.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "1"})
    attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "0"}
    webhook_queue = sqs.create_queue(QueueName=f"{name}-webhook", Attributes=attributes)["QueueUrl"]
    monkeypatch.setenv("WEBHOOK_URL", "https://example.com/hook")
    sqs.send_message(QueueUrl=webhook_queue, MessageBody=json.dumps(a_notice(stack)))
    while letters.left() == 0:  # each look is a try; SQS itself gives it up after the last
        sqs.receive_message(QueueUrl=webhook_queue)

    older_stack = stack.run("redrive", "--discard-old")
    assert (older_stack.exit_code, letters.left()) == (1, 1)
    assert "output WebhookQueueUrl" in older_stack.stdout

    monkeypatch.setenv("WEBHOOK_QUEUE_URL", webhook_queue)
    result = stack.run("redrive")
    assert (result.exit_code, letters.left(), letters.started) == (0, 0, [])
    assert "sent: the webhook's notice default/2026-11-22T09:00:00Z/posted, first sent" in result.stdout
    (message,) = sqs.receive_message(QueueUrl=webhook_queue)["Messages"]
    assert json.loads(message["Body"]) == a_notice(stack)


def test_an_empty_queue_of_dead_letters_is_well(stack: CliStack, letters: Letters) -> None:
    result = stack.run("redrive")
    assert (result.exit_code, result.stdout) == (0, "The dead-letter queue is empty.\n")


def test_a_stack_that_does_not_tell_its_dead_letters_says_what_to_do(stack: CliStack) -> None:
    assert "DeadLettersUrl" in error_line(stack.run("redrive"))
