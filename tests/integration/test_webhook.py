"""The webhook's function on its queue's events, and the owner's commands for it: SSM by moto, over real HTTP."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest

from adapters.clock import SystemClock
from adapters.dynamo import Tables
from adapters.dynamo.tables import post_item
from adapters.webhook_secret import WebhookSecretError
from contract.receivers import Receiver
from contract.test_webhook_delivery import the_documented_receiver
from domain.posts import Post
from fakes.library import a_post
from handlers import wiring
from handlers.events import EventRefusedError
from integration.deployment import Told
from integration.test_cli_stack import CliStack
from local.lambda_context import LambdaContext
from unit.test_notices import ENDS

SECRET = "a-webhook-secret-that-nobody-may-see"
TABLES = Tables.named(personas="personas", photos="photos", posts="posts", lookalikes="lookalikes")

Deliver = Callable[..., dict[str, Any]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def stack(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        monkeypatch.setenv("WEBHOOK_URL", receiver.url)
        wiring.build_webhook.cache_clear()
        yield stack
        wiring.build_webhook.cache_clear()


@pytest.fixture
def deployed(
    receiver: Receiver, moto_url: str, aws_environment: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The function's environment, with a secret in SSM; gives the prefix of its parameters."""
    prefix = f"/{uuid4().hex}"
    names = {**dict.fromkeys(wiring._NAMES, "unused"), "TOKEN_PREFIX": prefix, "WEBHOOK_URL": receiver.url}
    for name, value in {**names, "AWS_ENDPOINT_URL": moto_url}.items():
        monkeypatch.setenv(name, value)
    boto3.client("ssm").put_parameter(Name=f"{prefix}/webhook-secret", Value=SECRET, Type="SecureString")
    wiring.build_webhook.cache_clear()
    yield prefix
    wiring.build_webhook.cache_clear()


@pytest.fixture
def deliver(deployed: str, monkeypatch: pytest.MonkeyPatch) -> Deliver:
    module = importlib.import_module("handlers.webhook")

    def run(event: object) -> dict[str, Any]:
        # Powertools took hold of the standard output that there was when the handler was imported.
        monkeypatch.setattr(module.logger.registered_handler, "stream", sys.stdout)
        answer: dict[str, Any] = module.handler(event, LambdaContext())
        return answer

    return run


def image(post: Post) -> Mapping[str, Any]:
    return post_item(TABLES, post).to_dynamodb_dict()


def record(after: Post | None, before: Post | None) -> dict[str, Any]:
    """A record of the posts' stream, as the pipe hands it on."""
    images = {name: image(post) for name, post in (("NewImage", after), ("OldImage", before)) if post is not None}
    name = "REMOVE" if after is None else "INSERT" if before is None else "MODIFY"
    return {
        "eventID": "1",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {"SequenceNumber": "1", "StreamViewType": "NEW_AND_OLD_IMAGES", **images},
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/posts/stream/2026-11-22T00:00:00.000",
    }


def queued(*bodies: object, waiting: timedelta = timedelta(0)) -> dict[str, Any]:
    """An event of SQS; its messages are numbered from 1."""
    sent = int((SystemClock().now() - waiting).timestamp() * 1000)
    return {
        "Records": [
            {
                "messageId": str(number),
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(sent)},
                "eventSource": "aws:sqs",
            }
            for number, body in enumerate(bodies, start=1)
        ]
    }


def failures(answer: Mapping[str, Any]) -> list[str]:
    assert answer.keys() == {"batchItemFailures"}
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


# ---- the function ----


def test_a_finished_post_is_told_and_verifies(deliver: Deliver, receiver: Receiver) -> None:
    assert failures(deliver(queued(record(ENDS["posted"], a_post())))) == []
    ((headers, body),) = receiver.received
    notice = the_documented_receiver()(SECRET, headers, body)
    assert (notice["event"], notice["photo_id"]) == ("post.posted", ENDS["posted"].photo_id)


def test_of_a_batch_only_the_one_that_failed_is_sent_again(deliver: Deliver, receiver: Receiver) -> None:
    receiver.refused = {"default/2026-11-22T09:00:00Z/failed"}
    batch = queued(*(record(post, a_post()) for post in ENDS.values()))
    assert failures(deliver(batch)) == ["2"]
    assert receiver.deliveries == [f"default/2026-11-22T09:00:00Z/{end}" for end in ("posted", "failed", "unconfirmed")]


@pytest.mark.parametrize("change", ["permalink found", "claimed", "deleted"])
def test_what_is_no_end_is_told_to_nobody_and_is_done_with(deliver: Deliver, receiver: Receiver, change: str) -> None:
    after, before = {
        "permalink found": (ENDS["posted"], ENDS["posted"]),
        "claimed": (a_post(), None),
        "deleted": (None, ENDS["posted"]),
    }[change]
    assert failures(deliver(queued(record(after, before)))) == []
    assert receiver.received == []


@pytest.mark.parametrize(
    "body",
    [
        *("no json", "[]", "{}", '{"dynamodb": {}}', '{"dynamodb": {"NewImage": {}}}', "null", 5000 * "["),
        json.dumps({"dynamodb": {"NewImage": {**image(ENDS["posted"]), "status": {"S": "gone"}}}}),
    ],
)
def test_a_message_that_cannot_be_read_is_kept_and_holds_up_no_other(
    deliver: Deliver, receiver: Receiver, body: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert failures(deliver(queued(body, record(ENDS["posted"], a_post())))) == ["1"]
    assert len(receiver.received) == 1
    (line,) = Told.of(capsys.readouterr().out).at("ERROR")
    assert line["message_id"] == "1"


def test_a_failure_is_logged_without_the_address_and_the_secret(
    deliver: Deliver, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.status = 503
    capsys.readouterr()
    deliver(queued(record(ENDS["posted"], a_post())))
    told = Told.of(capsys.readouterr().out)
    (line,) = told.at("WARNING")
    assert (line["delivery"], line["receiver"]) == ("default/2026-11-22T09:00:00Z/posted", "127.0.0.1")
    assert line["reason"] == "127.0.0.1 answered HTTP 503"
    assert not any(secret in told.text for secret in (SECRET, "a-secret-path", "a-secret-key"))


@pytest.mark.parametrize(("minutes", "late"), [(59, {}), (61, {"NoticesLate": 1.0})])
def test_a_notice_that_has_waited_for_an_hour_is_counted(
    deliver: Deliver, receiver: Receiver, capsys: pytest.CaptureFixture[str], minutes: int, late: Mapping[str, float]
) -> None:
    receiver.status = 503
    capsys.readouterr()
    deliver(queued(record(ENDS["posted"], a_post()), waiting=timedelta(minutes=minutes)))
    assert Told.of(capsys.readouterr().out).counts == late


def test_without_a_secret_nothing_is_sent_and_the_function_fails(
    deployed: str, deliver: Deliver, receiver: Receiver
) -> None:
    boto3.client("ssm").delete_parameter(Name=f"{deployed}/webhook-secret")
    with pytest.raises(WebhookSecretError, match=r"There is no webhook secret\. Set one with `fluffy-train webhook"):
        deliver(queued(record(ENDS["posted"], a_post())))
    assert receiver.received == []


def test_an_event_that_is_none_of_a_queues_is_refused(deliver: Deliver) -> None:
    events: tuple[object, ...] = ({}, {"Records": None}, {"Records": [{}]}, [])
    for event in events:
        with pytest.raises(EventRefusedError, match="Records: it must be a list"):
            deliver(event)


# ---- the commands ----


def test_the_secret_is_stored_encrypted_beside_the_tokens_and_never_shown(stack: CliStack) -> None:
    result = stack.run("webhook", "set-secret", stdin=f"{SECRET}\n")
    assert result.exit_code == 0
    assert SECRET not in result.output
    assert stack.parameters() == {"webhook-secret": ("SecureString", SECRET)}


def test_a_generated_secret_is_printed_once_and_alone(stack: CliStack) -> None:
    printed = [stack.run("webhook", "set-secret", "--generate").stdout for _ in range(2)]
    assert printed[0] != printed[1]
    assert stack.parameters()["webhook-secret"][1] == printed[1].rstrip("\n")
    assert len(printed[1].rstrip("\n")) == 43


def test_what_is_no_good_secret_is_refused_and_not_shown(stack: CliStack) -> None:
    for given in ("", "too-short", "two words of no use here", 5000 * "x"):
        result = stack.run("webhook", "set-secret", stdin=given)
        assert result.exit_code == 2
        assert not given or given not in result.output
    assert stack.parameters() == {}


def test_a_secret_that_is_missing_is_not_called_a_token(stack: CliStack) -> None:
    told = " ".join(stack.run("webhook", "set-secret", stdin="").stderr.replace("│", " ").split())
    assert "The webhook secret is asked for at a hidden prompt" in told
    assert "token" not in told


def test_a_secret_among_the_arguments_is_refused_and_not_shown(stack: CliStack) -> None:
    result = stack.run("webhook", "set-secret", SECRET)
    assert result.exit_code == 2
    assert SECRET not in result.output


def test_the_test_tells_what_came_back(stack: CliStack, receiver: Receiver) -> None:
    stack.run("webhook", "set-secret", stdin=SECRET)
    result = stack.run("webhook", "test")
    assert result.exit_code == 0
    assert result.stdout.endswith("HTTP 200.\n")
    ((headers, body),) = receiver.received
    assert the_documented_receiver()(SECRET, headers, body)["event"] == "webhook.test"


def test_the_test_tells_of_a_refusal_in_one_line(stack: CliStack, receiver: Receiver) -> None:
    stack.run("webhook", "set-secret", stdin=SECRET)
    receiver.status = 401
    result = stack.run("webhook", "test")
    assert (result.exit_code, result.stderr) == (1, "Error: 127.0.0.1 answered HTTP 401\n")


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "There is no webhook: deploy the stack with the parameter WebhookUrl."),
        ("http://example.com/the-path", "WEBHOOK_URL: the webhook's address must begin with https://."),
    ],
)
def test_without_a_good_address_the_test_says_so(
    stack: CliStack, monkeypatch: pytest.MonkeyPatch, url: str, complaint: str
) -> None:
    monkeypatch.setenv("WEBHOOK_URL", url)
    result = stack.run("webhook", "test")
    assert (result.exit_code, result.stderr) == (1, f"Error: {complaint}\n")


def test_the_secret_is_asked_for_once_in_five_minutes(deployed: str, deliver: Deliver, receiver: Receiver) -> None:
    batch = queued(*(record(post, a_post()) for post in ENDS.values()))
    deliver(batch)
    boto3.client("ssm").delete_parameter(Name=f"{deployed}/webhook-secret")
    assert failures(deliver(batch)) == []
    assert len(receiver.received) == 6
