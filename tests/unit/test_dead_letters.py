"""What is made of the messages of the dead-letter queue, in each of their three shapes."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from cli.dead_letters import DeadLetter, Functions, judge, parse
from domain.ids import PersonaId

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
POST: Final = "arn:aws:lambda:eu-central-1:123456789012:function:train-PostNextBest-1A2B"
INGEST: Final = "arn:aws:lambda:eu-central-1:123456789012:function:train-IngestPhoto-1A2B"
RECONCILE: Final = "arn:aws:lambda:eu-central-1:123456789012:function:train-Reconcile-1A2B"
REFRESH: Final = "arn:aws:lambda:eu-central-1:123456789012:function:train-RefreshTokens-1A2B"
FUNCTIONS: Final = Functions(
    "train-PostNextBest-1A2B", "train-IngestPhoto-1A2B", "train-Reconcile-1A2B", "train-RefreshTokens-1A2B"
)
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
    verdict = judge(letter, FUNCTIONS, PersonaId("default"), "photos", now)
    assert (verdict.function is None) is bool(verdict.advice)
    return verdict.function


def test_each_shape_tells_its_function_its_event_and_its_error() -> None:
    assert by_rule(FROM_RULE) == DeadLetter(
        FUNCTIONS.post_next_best, FROM_RULE, "NO_PERMISSIONS: Lack of permissions. (MaximumRetryAttempts)"
    )
    assert by_lambda(FROM_RULE) == DeadLetter(
        FUNCTIONS.post_next_best,
        FROM_RULE,
        "RetriesExhausted: RecordsUnavailableError: DynamoDB did not claim a photo.",
    )
    assert by_scheduler(FROM_SCHEDULER) == DeadLetter(
        FUNCTIONS.post_next_best, FROM_SCHEDULER, "AWS.Scheduler.InternalServerError (MaximumEventAgeInSeconds)"
    )


@pytest.mark.parametrize(
    "letter", [by_rule(FROM_RULE), by_lambda(FROM_RULE), by_lambda(FROM_SCHEDULER), by_scheduler(FROM_SCHEDULER)]
)
def test_a_start_is_sent_again_for_six_hours(letter: DeadLetter) -> None:
    slot = datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert sent_to(letter, slot + timedelta(hours=6)) == FUNCTIONS.post_next_best
    assert sent_to(letter, slot + timedelta(hours=6, seconds=1)) is None


@pytest.mark.parametrize("letter", [by_rule(UPLOAD, INGEST), by_lambda(UPLOAD, INGEST)])
def test_an_upload_is_sent_again_at_any_age(letter: DeadLetter) -> None:
    assert sent_to(letter, NOW + timedelta(days=14)) == FUNCTIONS.ingest_photo


@pytest.mark.parametrize("event", [{}, {"persona_id": "anna"}, {**FROM_SCHEDULER, "dry_run": True}])
def test_what_names_no_slot_or_would_do_nothing_is_not_repeated(event: Mapping[str, Any]) -> None:
    """Its slot would be the moment of the repetition, so that a second one could post once more."""
    verdict = judge(by_lambda(event), FUNCTIONS, PersonaId("default"), "photos", NOW)
    assert (verdict.function, verdict.is_spent) == (None, True)


@pytest.mark.parametrize(("function", "name"), [(RECONCILE, "Reconcile"), (REFRESH, "RefreshTokens")])
def test_a_start_of_what_comes_by_again_starts_no_post_and_is_spent(function: str, name: str) -> None:
    rule = f"arn:aws:events:eu-central-1:123456789012:rule/train-{name}Schedule-1L0M"
    verdict = judge(
        by_rule({**FROM_RULE, "resources": [rule]}, function), FUNCTIONS, PersonaId("default"), "photos", NOW
    )
    assert (verdict.what, verdict.function, verdict.is_spent) == (f"a start of {name}", None, True)


def test_a_notice_that_was_not_taken_can_be_discarded_and_is_started_by_nothing() -> None:
    """SQS moves it here as it is: a record of the stream, with no target and no error beside it."""
    record = {
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"NewImage": {"status": {"S": "posted"}}},
    }
    verdict = judge(parse(json.dumps(record), {}), FUNCTIONS, PersonaId("default"), "photos", NOW)
    assert (verdict.function, verdict.is_spent) == (None, True)
    assert "fluffy-train history" in verdict.advice


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
    ],
)
def test_what_is_not_known_is_neither_sent_nor_thrown_away(letter: DeadLetter) -> None:
    verdict = judge(letter, FUNCTIONS, PersonaId("default"), "photos", NOW)
    assert (verdict.function, verdict.is_spent) == (None, False)


def test_nothing_is_sent_where_the_stack_does_not_tell_its_functions() -> None:
    verdict = judge(by_rule(FROM_RULE), Functions(None, None, None, None), PersonaId("default"), "photos", NOW)
    assert (verdict.function, verdict.is_spent) == (None, False)


def test_what_a_function_refuses_is_spent() -> None:
    for letter in (by_lambda({"persona": "anna"}), by_rule({**UPLOAD, "detail": {}}, INGEST)):
        verdict = judge(letter, FUNCTIONS, PersonaId("default"), "photos", NOW)
        assert (verdict.function, verdict.is_spent) == (None, True)
