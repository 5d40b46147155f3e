"""What is made of the messages of the dead-letter queue, in each of their five shapes."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from adapters.dynamo import Tables
from adapters.dynamo.tables import post_item
from cli.dead_letters import DeadLetter, Kind, parse
from cli.verdicts import Names, Verdict, judge
from domain.ids import PersonaId
from domain.posts import Post
from unit.test_notices import ENDS

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
POST: Final = "arn:aws:lambda:eu-central-1:123456789012:function:train-PostNextBest-1A2B"
INGEST: Final = "arn:aws:lambda:eu-central-1:123456789012:function:train-IngestPhoto-1A2B"
RECONCILE: Final = "arn:aws:lambda:eu-central-1:123456789012:function:train-Reconcile-1A2B"
REFRESH: Final = "arn:aws:lambda:eu-central-1:123456789012:function:train-RefreshTokens-1A2B"
QUEUE: Final = "https://sqs.eu-central-1.amazonaws.com/123456789012/train-WebhookQueue-1A2B"
STACK: Final = Names(
    default_persona=PersonaId("default"),
    photos_bucket="photos",
    posts_table="train-PostsTable-1A2B",
    has_webhook=True,
    post_next_best="train-PostNextBest-1A2B",
    ingest_photo="train-IngestPhoto-1A2B",
    reconcile="train-Reconcile-1A2B",
    refresh_tokens="train-RefreshTokens-1A2B",
    webhook_queue=QUEUE,
)
STREAM: Final = "arn:aws:dynamodb:eu-central-1:123456789012:table/train-PostsTable-1A2B/stream/2026-11-01T00:00:00.000"
TABLES: Final = Tables.named(personas="personas", photos="photos", posts="posts", lookalikes="lookalikes")
POSTED: Final = ENDS["posted"]
FROM_RULE: Final = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-22T09:00:00Z",
    "region": "eu-central-1",
    "resources": ["arn:aws:events:eu-central-1:123456789012:rule/train-PostNextBestSchedule-1L0M"],
    "detail": {},
}
FROM_SCHEDULER: Final = {"persona_id": "anna", "time": "2026-11-22T09:00:00Z"}
UPLOAD: Final = {
    "version": "0",
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "photos"}, "object": {"key": "incoming/default/a.jpg"}},
}


def by_rule(event: Mapping[str, Any], target: str = POST) -> DeadLetter:
    attributes = {
        "RULE_ARN": "arn:aws:events:eu-central-1:123456789012:rule/train-PostNextBestSchedule-1L0M",
        "TARGET_ARN": target,
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": "Lack of permissions.",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "185",
    }
    return parse(json.dumps(event), attributes)


def by_lambda(event: object, function: str = f"{POST}:$LATEST") -> DeadLetter:
    body = {
        "version": "1.0",
        "timestamp": "2026-11-22T09:05:00.000Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
            "functionArn": function,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "DynamoDB did not claim a photo.", "errorType": "RecordsUnavailableError"},
    }
    return parse(json.dumps(body), {})


def by_scheduler(event: Mapping[str, Any]) -> DeadLetter:
    attributes = {
        "SCHEDULE_ARN": "arn:aws:scheduler:eu-central-1:123456789012:schedule/train/anna",
        "TARGET_ARN": POST,
        "ERROR_CODE": "AWS.Scheduler.InternalServerError",
        "EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds",
    }
    return parse(json.dumps(event), attributes)


def sent_to(letter: DeadLetter, now: datetime = NOW) -> str | None:
    verdict = judge(letter, STACK, now)
    assert (verdict.function is None) is bool(verdict.advice)
    return verdict.function


def test_each_shape_tells_its_function_its_event_and_its_error() -> None:
    assert by_rule(FROM_RULE) == DeadLetter(
        STACK.post_next_best, FROM_RULE, "NO_PERMISSIONS: Lack of permissions. (MaximumRetryAttempts)"
    )
    assert by_lambda(FROM_RULE) == DeadLetter(
        STACK.post_next_best,
        FROM_RULE,
        "RetriesExhausted: RecordsUnavailableError: DynamoDB did not claim a photo.",
    )
    assert by_scheduler(FROM_SCHEDULER) == DeadLetter(
        STACK.post_next_best, FROM_SCHEDULER, "AWS.Scheduler.InternalServerError (MaximumEventAgeInSeconds)"
    )


@pytest.mark.parametrize(
    "letter", [by_rule(FROM_RULE), by_lambda(FROM_RULE), by_lambda(FROM_SCHEDULER), by_scheduler(FROM_SCHEDULER)]
)
def test_a_start_is_sent_again_for_six_hours(letter: DeadLetter) -> None:
    slot = datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert sent_to(letter, slot + timedelta(hours=6)) == STACK.post_next_best
    assert sent_to(letter, slot + timedelta(hours=6, seconds=1)) is None


@pytest.mark.parametrize("letter", [by_rule(UPLOAD, INGEST), by_lambda(UPLOAD, INGEST)])
def test_an_upload_is_sent_again_at_any_age(letter: DeadLetter) -> None:
    assert sent_to(letter, NOW + timedelta(days=14)) == STACK.ingest_photo


@pytest.mark.parametrize("event", [{}, {"persona_id": "anna"}, {**FROM_SCHEDULER, "dry_run": True}])
def test_what_names_no_slot_or_would_do_nothing_is_not_repeated(event: Mapping[str, Any]) -> None:
    """Its slot would be the moment of the repetition, so that a second one could post once more."""
    verdict = judge(by_lambda(event), STACK, NOW)
    assert (verdict.function, verdict.is_spent) == (None, True)


@pytest.mark.parametrize(
    ("target", "what"), [(RECONCILE, "a start of Reconcile"), (REFRESH, "a start of RefreshTokens")]
)
def test_a_start_that_the_next_one_makes_up_for_starts_no_post_and_is_of_no_use(target: str, what: str) -> None:
    verdict = judge(by_rule(FROM_RULE, target), STACK, NOW)
    assert (verdict.what, verdict.function, verdict.queue, verdict.is_spent) == (what, None, None, True)
    assert "Nothing is to be done" in verdict.advice


# ---- the webhook's ----


def changed(after: Post, before: str | None = "posting", **facts: Any) -> dict[str, Any]:
    """A record of the posts' stream, as the pipe puts it into the webhook's queue."""
    images: dict[str, Any] = {"NewImage": post_item(TABLES, after).to_dynamodb_dict()}
    if before is not None:
        images["OldImage"] = {"status": {"S": before}}
    return {
        "eventID": "1",
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {"SequenceNumber": "1", "StreamViewType": "NEW_AND_OLD_IMAGES", **images},
        "eventSourceARN": STREAM,
        **facts,
    }


def by_queue(record: Mapping[str, Any]) -> DeadLetter:
    """As SQS moves it: the body as it was, and no word on why."""
    return parse(json.dumps(record), {})


def by_pipe(stream: str = STREAM, **facts: Any) -> DeadLetter:
    body = {
        "context": {
            "partnerResourceArn": "arn:aws:pipes:eu-central-1:123456789012:pipe/WebhookPipe-1A2B",
            "condition": "MaximumRecordAgeExceeded",
        },
        "version": "1.0",
        "timestamp": "2026-11-22T09:00:00.000Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000001234567891234-aaa1abcd",
            "startSequenceNumber": "1234567800000000001234567890",
            "endSequenceNumber": "1234567800000000001234567891",
            "approximateArrivalOfFirstRecord": "2026-11-21T09:00:12Z",
            "approximateArrivalOfLastRecord": "2026-11-21T09:30:12Z",
            "batchSize": 2,
            "streamArn": stream,
        },
    } | facts
    return parse(json.dumps(body), {})


def test_a_notice_that_was_not_taken_goes_back_to_the_webhooks_queue() -> None:
    letter = by_queue(changed(POSTED))
    assert letter.kind is Kind.NOTICE
    verdict = judge(letter, STACK, NOW)
    assert verdict == Verdict(f"the webhook's notice default/{POSTED.slot}/posted", "", queue=QUEUE)


def test_a_notice_is_kept_where_the_stack_does_not_tell_its_queue_yet() -> None:
    verdict = judge(by_queue(changed(POSTED)), replace(STACK, webhook_queue=None), NOW)
    assert (verdict.queue, verdict.is_spent) == (None, False)
    assert "deploy this version" in verdict.advice


def test_a_notice_is_of_no_use_once_the_webhook_was_taken_away() -> None:
    verdict = judge(by_queue(changed(POSTED)), replace(STACK, webhook_queue=None, has_webhook=False), NOW)
    assert (verdict.queue, verdict.is_spent) == (None, True)
    assert "fluffy-train history" in verdict.advice


def test_a_change_that_is_no_end_of_a_post_is_told_to_nobody() -> None:
    for letter in (by_queue(changed(POSTED, "posted")), by_queue(changed(POSTED, eventName="REMOVE"))):
        verdict = judge(letter, STACK, NOW)
        assert (verdict.queue, verdict.is_spent) == (None, True)


def test_what_the_pipe_missed_is_said_and_of_no_use_any_more() -> None:
    letter = by_pipe()
    assert (letter.kind, letter.error) == (Kind.MISSED, "MaximumRecordAgeExceeded")
    verdict = judge(letter, STACK, NOW)
    assert (verdict.function, verdict.queue, verdict.is_spent) == (None, None, True)
    assert "2 ends of posts, of 2026-11-21T09:00:12Z to 2026-11-21T09:30:12Z" in verdict.what
    assert "`fluffy-train history` has" in verdict.advice


@pytest.mark.parametrize(
    "letter",
    [
        parse("not JSON", {"TARGET_ARN": POST}),
        parse("[]", {"TARGET_ARN": POST}),
        parse(json.dumps(FROM_RULE), {}),
        parse(json.dumps(FROM_RULE), {"TARGET_ARN": "arn:aws:sqs:eu-central-1:123456789012:queue"}),
        parse(json.dumps({"requestContext": 1, "requestPayload": {}}), {}),
        by_lambda(["a list"]),
        by_rule(FROM_RULE, POST.replace("PostNextBest", "SomethingElse")),
        parse("[" * 100_000, {}),
        by_queue(changed(POSTED, eventSourceARN=STREAM.replace("PostsTable", "OtherTable"))),
        by_queue(changed(POSTED, eventSourceARN=None)),
        by_queue(changed(POSTED, dynamodb={"NewImage": {"slot": {"S": "never"}}})),
        by_queue(changed(POSTED, dynamodb=None)),
        by_pipe(STREAM.replace("PostsTable", "OtherTable")),
        by_pipe(DDBStreamBatchInfo={}),
        by_pipe(DDBStreamBatchInfo=None),
        by_pipe(context={"partnerResourceArn": POST}),
    ],
)
def test_what_is_not_known_is_neither_sent_nor_thrown_away(letter: DeadLetter) -> None:
    verdict = judge(letter, STACK, NOW)
    assert (verdict.function, verdict.queue, verdict.is_spent) == (None, None, False)


def test_nothing_is_sent_where_the_stack_does_not_tell_its_functions() -> None:
    names = Names(PersonaId("default"), "photos", "train-PostsTable-1A2B")
    verdict = judge(by_rule(FROM_RULE), names, NOW)
    assert (verdict.function, verdict.is_spent) == (None, False)


def test_what_a_function_refuses_is_spent() -> None:
    for letter in (by_lambda({"persona": "anna"}), by_rule({**UPLOAD, "detail": {}}, INGEST)):
        verdict = judge(letter, STACK, NOW)
        assert (verdict.function, verdict.is_spent) == (None, True)
