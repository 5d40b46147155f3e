"""What starts a function: which rules and schedules are due, what an upload sets off, and the events that they send."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from moto.events.models import EventPattern

from local.cloud.account import ACCOUNT_ID, Account
from local.cloud.schedule_expressions import is_due


@dataclass(frozen=True, slots=True)
class Start:
    """``role_arn`` is what the Scheduler delivers as; EventBridge's rules deliver as themselves."""

    trigger: str
    trigger_arn: str
    target_arn: str
    event: Any
    role_arn: str | None = None
    dead_letters_arn: str | None = None


def due(account: Account, at: datetime) -> Iterator[Start]:
    """What the rules and the Scheduler start in the minute of ``at``, an aware time."""
    for rule in _rules(account, "ScheduleExpression"):
        if is_due(rule["ScheduleExpression"], at):
            yield from _of_rule(account, rule, _event(account, "aws.events", "Scheduled Event", rule["Arn"], {}, at))
    yield from _of_scheduler(account, at)


def uploaded(account: Account, bucket: str, key: str, at: datetime) -> Iterator[Start]:
    """What an object that lies in a bucket starts. Nothing, where the bucket does not tell EventBridge."""
    if bucket not in account.buckets_on_eventbridge:
        return
    found = account.client("s3").head_object(Bucket=bucket, Key=key)
    thing = {
        "key": key,
        "size": found["ContentLength"],
        "etag": found["ETag"].strip('"'),
        "sequencer": uuid4().hex[:16],
    }
    if "VersionId" in found:
        thing["version-id"] = found["VersionId"]
    detail = {"version": "0", "bucket": {"name": bucket}, "object": thing, "reason": "PutObject"}
    event = _event(account, "aws.s3", "Object Created", f"arn:aws:s3:::{bucket}", detail, at)
    for rule in _rules(account, "EventPattern"):
        if EventPattern.load(rule["EventPattern"]).matches_event(event):
            yield from _of_rule(account, rule, event)


def _rules(account: Account, having: str) -> Iterator[dict[str, Any]]:
    for rule in account.client("events").list_rules()["Rules"]:
        if rule["State"] == "ENABLED" and rule.get(having):
            yield rule


def _of_rule(account: Account, rule: dict[str, Any], event: Any) -> Iterator[Start]:
    for target in account.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]:
        dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
        sent = json.loads(target["Input"]) if "Input" in target else event
        yield Start(rule["Name"], rule["Arn"], target["Arn"], sent, dead_letters_arn=dead_letters)


def _of_scheduler(account: Account, at: datetime) -> Iterator[Start]:
    scheduler = account.client("scheduler")
    for listed in scheduler.list_schedules()["Schedules"]:
        one = scheduler.get_schedule(Name=listed["Name"], GroupName=listed["GroupName"])
        zone = one.get("ScheduleExpressionTimezone", "UTC")
        if one["State"] == "ENABLED" and is_due(one["ScheduleExpression"], at, zone):
            target = one["Target"]
            sent = json.loads(target["Input"].replace("<aws.scheduler.scheduled-time>", _told(at)))
            group = account.arn("scheduler", f"schedule-group/{one['GroupName']}")
            dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
            yield Start(one["Name"], group, target["Arn"], sent, target["RoleArn"], dead_letters)


def _event(account: Account, source: str, kind: str, resource: str, detail: Any, at: datetime) -> Any:
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": kind,
        "source": source,
        "account": ACCOUNT_ID,
        "time": _told(at),
        "region": account.region,
        "resources": [resource],
        "detail": detail,
    }


def _told(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
