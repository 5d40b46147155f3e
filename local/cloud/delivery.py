"""Delivers starts to functions, as far as AWS would: who may not invoke does not."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from local.cloud import policies
from local.cloud.account import ACCOUNT_ID, Account
from local.cloud.starts import Start


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a function answered; ``failed`` where it raised an error or ran out of time. ``log`` is what it printed."""

    answer: Any
    failed: bool
    log: str


class Runtime(Protocol):
    def invoke(self, function_arn: str, event: Any) -> Invocation: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """``refused`` says why the function was not invoked; ``dead_letter`` whether the start was kept."""

    start: Start
    invocation: Invocation | None = None
    refused: str | None = None
    dead_letter: bool = False


def deliver(account: Account, starts: Iterable[Start], runtime: Runtime) -> Iterator[Delivery]:
    """Invoke what each start may invoke, in turn. Else it goes to its dead-letter queue, where that is allowed."""
    for start in starts:
        if refused := _refusal(account, start):
            yield Delivery(start, refused=refused, dead_letter=_kept(account, start, refused))
        else:
            yield Delivery(start, runtime.invoke(start.target_arn, start.event))


def _refusal(account: Account, start: Start) -> str | None:
    if start.role_arn is None:
        if policies.may_invoke(account, start.target_arn, "events.amazonaws.com", start.trigger_arn):
            return None
        return (
            f"The rule {start.trigger} may not invoke {start.target_arn}: the function has no permission for "
            f"events.amazonaws.com with {start.trigger_arn} as its source."
        )
    context = {"aws:SourceAccount": ACCOUNT_ID, "aws:SourceArn": start.trigger_arn}
    if not policies.may_assume(account, start.role_arn, "scheduler.amazonaws.com", context):
        return f"The schedule {start.trigger} may not assume {start.role_arn}."
    if not policies.role_allows(account, start.role_arn, "lambda:InvokeFunction", start.target_arn):
        return f"The schedule {start.trigger} may not invoke {start.target_arn}: {start.role_arn} does not let it."
    return None


def _kept(account: Account, start: Start, refused: str) -> bool:
    arn = start.dead_letters_arn
    if arn is None:
        return False
    sqs = account.client("sqs")
    url = sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
    if start.role_arn is None:
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {}).get("Policy")
        statements = policies.statements_of(policy) if policy else []
        context = {"aws:SourceArn": start.trigger_arn, "aws:SourceAccount": ACCOUNT_ID}
        allowed = policies.allows_service(statements, "events.amazonaws.com", "sqs:SendMessage", arn, context)
    else:
        allowed = policies.role_allows(account, start.role_arn, "sqs:SendMessage", arn)
    if allowed:
        # The attributes of EventBridge's dead letters (user guide, "Using dead-letter queues").
        told = {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": refused, "TARGET_ARN": start.target_arn}
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(start.event), MessageAttributes=attributes)
    return allowed
