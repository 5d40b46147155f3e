"""CloudFormation's actions, as far as `sam deploy` and the owner's commands use them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from local.cloud import deployment
from local.cloud.account import ACCOUNT_ID, Account
from local.cloud.refusal import RefusedError
from local.cloud.stacks import ChangeSet, Event, Stack
from local.cloud.template import plan

Answer = Mapping[str, Any]
_NO_CHANGES: Final = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


class CloudFormation:
    """Each action takes its parameters by name and returns its result. They raise RefusedError.

    An action ends when its work is done: a stack is there, or rolled back, before ExecuteChangeSet answers.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self.stacks: dict[str, Stack] = {}
        self._change_sets: dict[str, ChangeSet] = {}
        self.actions: Mapping[str, Callable[..., Answer]] = {
            "CreateChangeSet": self.create_change_set,
            "DescribeChangeSet": self.describe_change_set,
            "ExecuteChangeSet": self.execute_change_set,
            "DescribeStacks": self.describe_stacks,
            "DescribeStackEvents": self.describe_stack_events,
            "DescribeStackResources": self.describe_stack_resources,
            "GetTemplateSummary": self.get_template_summary,
            "DeleteStack": self.delete_stack,
        }

    def create_change_set(
        self,
        StackName: str,  # noqa: N803 - CloudFormation's names, here and below
        ChangeSetName: str,  # noqa: N803
        ChangeSetType: str = "UPDATE",  # noqa: N803
        TemplateBody: str | None = None,  # noqa: N803
        TemplateURL: str | None = None,  # noqa: N803
        Parameters: Sequence[Mapping[str, str]] = (),  # noqa: N803
        Capabilities: Sequence[str] = (),  # noqa: N803
        Tags: Sequence[Mapping[str, str]] = (),  # noqa: N803
        **_: Any,
    ) -> Answer:
        stack = self._of_change(StackName, ChangeSetType, Tags)
        values = {
            one["ParameterKey"]: one["ParameterValue"] for one in Parameters if one.get("UsePreviousValue") != "true"
        }
        pseudo = {
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::NotificationARNs": "",
            "AWS::Partition": "aws",
            "AWS::Region": self._account.region,
            "AWS::StackId": stack.stack_id,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        body = TemplateBody if TemplateBody is not None else self._fetched(TemplateURL or "")
        planned = plan(body, values, pseudo, Capabilities)
        change_set = ChangeSet(ChangeSetName, self._arn(f"changeSet/{ChangeSetName}/{uuid4()}"), stack, planned)
        if stack.plan is None:
            self.stacks[stack.name] = stack
            stack.becomes("REVIEW_IN_PROGRESS", "User Initiated")
        elif (planned.body, planned.values) == (stack.plan.body, stack.plan.values):
            change_set.status, change_set.reason = "FAILED", _NO_CHANGES
        else:
            raise RefusedError(
                "The local cloud makes stacks from nothing, and changes none: end it, start it anew, and deploy again."
            )
        self._change_sets[change_set.change_set_id] = change_set
        return {"Id": change_set.change_set_id, "StackId": stack.stack_id}

    def describe_change_set(self, ChangeSetName: str, StackName: str = "", **_: Any) -> Answer:  # noqa: N803
        change_set = self._change_set(ChangeSetName, StackName)
        changes = [
            {"Action": "Add", "LogicalResourceId": name, "ResourceType": resource["Type"]}
            for name, resource in change_set.plan.resources.items()
            if change_set.status == "CREATE_COMPLETE"
        ]
        return {
            "ChangeSetName": change_set.name,
            "ChangeSetId": change_set.change_set_id,
            "StackId": change_set.stack.stack_id,
            "StackName": change_set.stack.name,
            "Status": change_set.status,
            "StatusReason": change_set.reason,
            "ExecutionStatus": "AVAILABLE" if change_set.status == "CREATE_COMPLETE" else "UNAVAILABLE",
            "Changes": [{"Type": "Resource", "ResourceChange": one} for one in changes],
        }

    def execute_change_set(self, ChangeSetName: str, StackName: str = "", **_: Any) -> Answer:  # noqa: N803
        change_set = self._change_set(ChangeSetName, StackName)
        if change_set.status != "CREATE_COMPLETE" or change_set.stack.status != "REVIEW_IN_PROGRESS":
            raise RefusedError(
                f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current state",
                "InvalidChangeSetStatus",
            )
        others = [one for one in self.stacks.values() if one is not change_set.stack]
        exported = [output["ExportName"] for one in others for output in one.outputs if "ExportName" in output]
        deployment.create(self._account, change_set.stack, change_set.plan, exported)
        return {}

    def describe_stacks(self, StackName: str | None = None, **_: Any) -> Answer:  # noqa: N803
        stacks = [self.stack(StackName)] if StackName else self.stacks.values()
        return {"Stacks": [_described(stack) for stack in stacks]}

    def describe_stack_events(self, StackName: str, **_: Any) -> Answer:  # noqa: N803
        stack = self.stack(StackName)
        return {"StackEvents": [_event(stack, event) for event in reversed(stack.events)]}

    def describe_stack_resources(self, StackName: str, **_: Any) -> Answer:  # noqa: N803
        stack = self.stack(StackName)
        latest = {event.logical_id: event for event in stack.events if event.logical_id != stack.name}
        return {"StackResources": [_event(stack, event) for event in latest.values()]}

    def get_template_summary(self, StackName: str, **_: Any) -> Answer:  # noqa: N803
        stack = self.stack(StackName)
        names = stack.plan.values if stack.plan else ()
        return {"Parameters": [{"ParameterKey": name} for name in names if not name.startswith("AWS::")]}

    def delete_stack(self, StackName: str, **_: Any) -> Answer:  # noqa: N803
        stack = next((one for one in self.stacks.values() if StackName in (one.name, one.stack_id)), None)
        if stack is not None:
            deployment.delete(stack)
            if stack.status == "DELETE_COMPLETE":
                del self.stacks[stack.name]
        return {}

    def stack(self, name: str) -> Stack:
        """The stack of this name or id."""
        for stack in self.stacks.values():
            if name in (stack.name, stack.stack_id):
                return stack
        raise RefusedError(f"Stack with id {name} does not exist")

    def _of_change(self, name: str, change: str, tags: Sequence[Mapping[str, str]]) -> Stack:
        known = self.stacks.get(name)
        if known is None or known.status == "REVIEW_IN_PROGRESS":
            if change != "CREATE":
                raise RefusedError(f"Stack [{name}] does not exist")
            return Stack(name, self._arn(f"stack/{name}/{uuid4()}"), tags)
        if change == "CREATE":
            raise RefusedError(f"Stack [{name}] already exists and cannot be created again with the changeSet")
        if known.status != "CREATE_COMPLETE":
            raise RefusedError(f"Stack:{known.stack_id} is in {known.status} state and can not be updated.")
        return known

    def _change_set(self, name: str, stack_name: str) -> ChangeSet:
        for change_set in self._change_sets.values():
            of_stack = stack_name in ("", change_set.stack.name, change_set.stack.stack_id)
            if name == change_set.change_set_id or (name == change_set.name and of_stack):
                return change_set
        raise RefusedError(f"ChangeSet [{name}] does not exist", "ChangeSetNotFound")

    def _fetched(self, url: str) -> str:
        """The template that lies in S3 under a path-style URL, the one form that SAM gives."""
        bucket, _, key = unquote(urlsplit(url).path).removeprefix("/").partition("/")
        s3 = self._account.client("s3")
        try:
            body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except s3.exceptions.ClientError as error:
            raise RefusedError(f"S3 error: the template {url} cannot be read: {error}") from error
        return body.decode()

    def _arn(self, name: str) -> str:
        return self._account.arn("cloudformation", name)


def _described(stack: Stack) -> Answer:
    return {
        "StackName": stack.name,
        "StackId": stack.stack_id,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "CreationTime": stack.created.isoformat(),
        "Tags": stack.tags,
        "Outputs": stack.outputs,
    }


def _event(stack: Stack, event: Event) -> Answer:
    return {
        "EventId": event.event_id,
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.kind,
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason,
        "Timestamp": event.at.isoformat(),
    }
