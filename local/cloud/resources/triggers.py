"""What starts the functions: rules, the Scheduler's groups, and pipes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud import policies
from local.cloud.account import ACCOUNT_ID
from local.cloud.refusal import RefusedError
from local.cloud.resources.making import Made, Request, pick
from local.cloud.schedule_expressions import refuse_invalid

# What a pipe does at its ends as its role (EventBridge user guide, "Pipes permissions").
_READS_A_STREAM = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
)


def rule(request: Request, properties: dict[str, Any]) -> Made:
    if "ScheduleExpression" in properties:
        refuse_invalid(properties["ScheduleExpression"])  # moto takes any
    events = request.account.client("events")
    name = properties.pop("Name", request.name(64))
    targets = properties.pop("Targets", [])
    pattern = {"EventPattern": json.dumps(properties.pop("EventPattern"))} if "EventPattern" in properties else {}
    arn = events.put_rule(Name=name, **pattern, **pick(properties, "Description", "ScheduleExpression", "State"))
    events.put_targets(Rule=name, Targets=targets)

    def undo() -> None:
        events.remove_targets(Rule=name, Ids=[target["Id"] for target in targets])
        events.delete_rule(Name=name)

    return Made(name, {"Arn": arn["RuleArn"]}, undo)


def schedule_group(request: Request, properties: dict[str, Any]) -> Made:
    scheduler = request.account.client("scheduler")
    name = properties.pop("Name", request.name(64))
    arn = scheduler.create_schedule_group(Name=name)["ScheduleGroupArn"]
    return Made(name, {"Arn": arn}, lambda: scheduler.delete_schedule_group(Name=name))


def pipe(request: Request, properties: dict[str, Any]) -> Made:
    pipes = request.account.client("pipes")
    name = properties.pop("Name", request.name(64))
    role, target = properties["RoleArn"], properties["Target"]
    if not policies.may_assume(request.account, role, "pipes.amazonaws.com", {"aws:SourceAccount": ACCOUNT_ID}):
        raise RefusedError(f"Pipes cannot assume the role {role}")
    needed = [(action, properties["Source"]) for action in _READS_A_STREAM]
    needed += [("sqs:SendMessage", queue) for queue in (target, *_dead_letters(properties))]
    for action, resource in needed:
        if not policies.role_allows(request.account, role, action, resource):
            raise RefusedError(f"The role {role} does not have permission to call {action} on {resource}")
    made = pipes.create_pipe(
        Name=name,
        **pick(properties, "Description", "RoleArn", "Source", "SourceParameters", "Target", "TargetParameters"),
    )
    return Made(name, {"Arn": made["Arn"]}, lambda: pipes.delete_pipe(Name=name))


def _dead_letters(properties: Mapping[str, Any]) -> Sequence[str]:
    """The queue to which the pipe sends what it gives up, where it has one."""
    of_stream = properties.get("SourceParameters", {}).get("DynamoDBStreamParameters", {})
    return [of_stream["DeadLetterConfig"]["Arn"]] if "DeadLetterConfig" in of_stream else []
