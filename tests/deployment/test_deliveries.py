"""That a deployed rule starts its function, and only if it may: with a runtime that notes what it is to run."""

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deployment.owner import Owner
from local.cloud.delivery import Delivery, Invocation, deliver
from local.cloud.starts import Start, due, uploaded

Json = Any

MORNING = datetime(2036, 1, 1, 9, 0, tzinfo=UTC)
EVENTS = Path(__file__).parents[2] / "events"


@dataclass
class NotingRuntime:
    invoked: list[tuple[str, Json]] = field(default_factory=list)

    def invoke(self, function_arn: str, event: Json) -> Invocation:
        self.invoked.append((function_arn, event))
        return Invocation({"outcome": "noted"}, failed=False, log="")


@dataclass
class Deployed:
    """A stack of the cloud, and what is delivered in it; other stacks of the same cloud are left alone."""

    owner: Owner
    name: str
    runtime: NotingRuntime = field(default_factory=NotingRuntime)

    def output(self, name: str) -> str:
        stack = self.owner.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        values: dict[str, str] = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        return values[name]

    def at(self, time: datetime) -> Sequence[Delivery]:
        return self._deliver(due(self.owner.cloud.account, time))

    def upload(self, key: str) -> Sequence[Delivery]:
        bucket = self.output("PhotosBucketName")
        self.owner.cloud.account.client("s3").put_object(Bucket=bucket, Key=key, Body=b"a picture")
        return self._deliver(uploaded(self.owner.cloud.account, bucket, key, MORNING))

    def dead_letters(self) -> Sequence[Json]:
        sqs = self.owner.cloud.account.client("sqs")
        told = sqs.receive_message(QueueUrl=self.output("DeadLettersUrl"), MessageAttributeNames=["All"])
        letters: list[Json] = told.get("Messages", [])
        return letters

    def schedule(self, cron: str, timezone: str) -> None:
        """As `fluffy-train persona schedule` does."""
        self.owner.cloud.account.client("scheduler").create_schedule(
            Name=f"{self.name}-anna",
            GroupName=self.output("ScheduleGroup"),
            ScheduleExpression=cron,
            ScheduleExpressionTimezone=timezone,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": self.output("PostNextBestArn"),
                "RoleArn": self.output("ScheduleRoleArn"),
                "Input": '{"persona_id": "anna", "time": "<aws.scheduler.scheduled-time>"}',
                "DeadLetterConfig": {"Arn": self.output("DeadLettersArn")},
            },
        )

    def _deliver(self, starts: Iterator[Start]) -> Sequence[Delivery]:
        own = [start for start in starts if start.trigger.startswith(f"{self.name}-")]
        return list(deliver(self.owner.cloud.account, own, self.runtime))


def deployed(owner: Owner, template: Json) -> Deployed:
    stack = owner.deploy(template)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack["StackStatusReason"]
    return Deployed(owner, stack["StackName"])


@pytest.fixture(scope="module")
def stack(owner: Owner) -> Deployed:
    return deployed(owner, owner.packaged())


@pytest.fixture
def fresh(stack: Deployed) -> Deployed:
    stack.runtime.invoked.clear()
    return stack


def test_the_rule_starts_the_function_at_its_time(fresh: Deployed) -> None:
    started = [one for one in fresh.at(MORNING) if "PostNextBest" in one.start.trigger]
    assert [one.refused for one in started] == [None]
    assert started[0].start.target_arn == fresh.output("PostNextBestArn")


def test_its_event_is_as_the_sample_event(fresh: Deployed) -> None:
    fresh.at(MORNING)
    (event,) = [event for arn, event in fresh.runtime.invoked if arn == fresh.output("PostNextBestArn")]
    sample = json.loads((EVENTS / "schedule.json").read_text())
    assert event.keys() == sample.keys()
    assert {name: event[name] for name in ("version", "detail-type", "source", "time", "detail")} == {
        name: sample[name] for name in ("version", "detail-type", "source", "time", "detail")
    }
    assert event["resources"] == [
        fresh.owner.cloud.account.arn("events", f"rule/{fresh.output('ScheduleRule')}"),
    ]


def test_at_another_time_it_starts_nothing(fresh: Deployed) -> None:
    assert not [one for one in fresh.at(MORNING.replace(hour=10)) if "PostNextBest" in one.start.trigger]


def test_each_rate_has_its_turn(fresh: Deployed) -> None:
    midnight = {one.start.trigger.split("-")[2] for one in fresh.at(MORNING.replace(hour=0))}
    quarter = {one.start.trigger.split("-")[2] for one in fresh.at(MORNING.replace(minute=15))}
    assert midnight == {"ReconcileSchedule", "RefreshTokensSchedule"}
    assert quarter == {"ReconcileSchedule"}
    assert not fresh.at(MORNING.replace(minute=16))


def test_a_rule_without_permission_starts_nothing_and_its_start_is_kept(owner: Owner) -> None:
    template = owner.transformed()
    del template["Resources"]["PostNextBestSchedulePermission"]
    stack = deployed(owner, template)
    (refused,) = [one for one in stack.at(MORNING) if "PostNextBest" in one.start.trigger]
    assert refused.invocation is None
    assert "has no permission for events.amazonaws.com" in str(refused.refused)
    assert stack.output("PostNextBestArn") not in [arn for arn, _ in stack.runtime.invoked]
    assert refused.dead_letter
    (letter,) = stack.dead_letters()
    assert json.loads(letter["Body"])["time"] == "2036-01-01T09:00:00Z"
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


def test_a_permission_for_another_rule_is_none_for_this_one(owner: Owner) -> None:
    template = owner.transformed()
    permission = template["Resources"]["PostNextBestSchedulePermission"]["Properties"]
    permission["SourceArn"] = {"Fn::GetAtt": ["ReconcileSchedule", "Arn"]}
    (refused,) = [one for one in deployed(owner, template).at(MORNING) if "PostNextBest" in one.start.trigger]
    assert refused.invocation is None


def test_without_the_queues_policy_not_even_the_start_is_kept(owner: Owner) -> None:
    template = owner.transformed()
    del template["Resources"]["PostNextBestSchedulePermission"]
    del template["Resources"]["DeadLettersPolicy"]
    stack = deployed(owner, template)
    (refused,) = [one for one in stack.at(MORNING) if "PostNextBest" in one.start.trigger]
    assert (refused.invocation, refused.dead_letter, stack.dead_letters()) == (None, False, [])


def test_a_personas_schedule_starts_the_function_by_its_own_clock(owner: Owner) -> None:
    stack = deployed(owner, owner.packaged())
    stack.schedule("cron(30 9 * * ? *)", "Europe/Berlin")
    (started,) = [one for one in stack.at(MORNING.replace(hour=8, minute=30)) if one.start.role_arn]
    assert started.refused is None
    assert (stack.output("PostNextBestArn"), {"persona_id": "anna", "time": "2036-01-01T08:30:00Z"}) in (
        stack.runtime.invoked
    )


@pytest.mark.parametrize("wrong", ["nothing allowed", "another group trusted"])
def test_a_schedule_whose_role_is_wrong_starts_nothing(owner: Owner, wrong: str) -> None:
    template = owner.packaged()
    role = template["Resources"]["ScheduleRole"]["Properties"]
    if wrong == "nothing allowed":
        del role["Policies"][0]["PolicyDocument"]["Statement"][0]
    else:
        trust = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["ArnEquals"]
        trust["aws:SourceArn"] = "arn:aws:scheduler:eu-central-1:123456789012:schedule-group/another"
    stack = deployed(owner, template)
    stack.schedule("cron(0 9 * * ? *)", "UTC")
    (refused,) = [one for one in stack.at(MORNING) if one.start.role_arn]
    assert refused.invocation is None
    assert "may not" in str(refused.refused)


def test_an_upload_starts_the_intake(fresh: Deployed) -> None:
    (started,) = fresh.upload("incoming/default/sunrise.jpg")
    assert started.refused is None
    assert "IngestPhoto" in started.start.target_arn
    event = started.start.event
    sample = json.loads((EVENTS / "ingest-photo.json").read_text())
    assert event.keys() == sample.keys()
    assert event["detail"]["object"].keys() == sample["detail"]["object"].keys()
    assert event["detail"]["object"]["key"] == "incoming/default/sunrise.jpg"


def test_what_is_put_elsewhere_starts_nothing(fresh: Deployed) -> None:
    assert fresh.upload("library/default/sunrise.jpg") == []


def test_a_bucket_that_does_not_tell_eventbridge_starts_nothing(owner: Owner) -> None:
    template = owner.packaged()
    del template["Resources"]["PhotosBucket"]["Properties"]["NotificationConfiguration"]
    assert deployed(owner, template).upload("incoming/default/sunrise.jpg") == []


def test_an_upload_that_may_not_start_the_intake_is_kept(owner: Owner) -> None:
    template = copy.deepcopy(owner.transformed())
    del template["Resources"]["IngestPhotoUploadPermission"]
    (refused,) = deployed(owner, template).upload("incoming/default/sunrise.jpg")
    assert (refused.invocation, refused.dead_letter) == (None, True)
