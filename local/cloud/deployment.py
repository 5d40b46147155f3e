"""Makes a stack from nothing, resource by resource, and takes away what it made when one of them fails."""

from collections.abc import Iterable

from botocore.exceptions import ClientError, ParamValidationError

from local.cloud import schemas
from local.cloud.account import Account
from local.cloud.refusal import RefusedError
from local.cloud.resources import MAKERS
from local.cloud.resources.making import Made, Request
from local.cloud.stacks import Stack
from local.cloud.template import Plan

_REFUSALS = (RefusedError, ClientError, ParamValidationError)


def create(account: Account, stack: Stack, plan: Plan, exported: Iterable[str]) -> None:
    """Make ``stack`` as ``plan`` has it; its status and events say what came of it. ``exported`` are other stacks'."""
    stack.plan = plan
    stack.becomes("CREATE_IN_PROGRESS", "User Initiated")
    for name in plan.resources:
        stack.tells(name, "CREATE_IN_PROGRESS")
        try:
            stack.made[name] = _make(account, stack, plan, name)
        except _REFUSALS as error:
            stack.tells(name, "CREATE_FAILED", str(error))
            _roll_back(stack, f"The following resource(s) failed to create: [{name}]. {error}")
            return
        stack.tells(name, "CREATE_COMPLETE")
    try:
        stack.outputs = _outputs(stack, plan, set(exported))
    except RefusedError as error:
        _roll_back(stack, str(error))
        return
    stack.becomes("CREATE_COMPLETE")


def delete(stack: Stack) -> None:
    """Take the stack's resources away, the last one first, but for those that are to be retained."""
    stack.becomes("DELETE_IN_PROGRESS", "User Initiated")
    try:
        _delete_made(stack)
    except ClientError as error:
        stack.becomes("DELETE_FAILED", str(error))
    else:
        stack.becomes("DELETE_COMPLETE")


def _make(account: Account, stack: Stack, plan: Plan, name: str) -> Made:
    resource = plan.resources[name]
    kind = resource["Type"]
    if kind not in MAKERS:
        raise RefusedError(f"The local cloud does not know how to make {kind}: teach local/cloud/resources.")
    properties = plan.intrinsics(stack.lookup).resolve(resource.get("Properties", {}))
    properties = schemas.checked(kind, properties, account.region)
    made = MAKERS[kind](Request(account, stack.name, name), properties)
    if properties:
        made.undo()
        unknown = ", ".join(sorted(properties))
        raise RefusedError(f"The local cloud does not know {unknown} of {kind}: teach local/cloud/resources.")
    return made


def _outputs(stack: Stack, plan: Plan, exported: set[str]) -> list[dict[str, str]]:
    told = []
    for name, output in plan.outputs.items():
        values = plan.intrinsics(stack.lookup).resolve({key: output[key] for key in output if key != "Condition"})
        record = {"OutputKey": name, "OutputValue": str(values["Value"])}
        if "Description" in values:
            record["Description"] = values["Description"]
        if "Export" in values:
            record["ExportName"] = values["Export"]["Name"]
            if record["ExportName"] in exported:
                raise RefusedError(f"Export with name {record['ExportName']} is already exported.")
            exported.add(record["ExportName"])
        told.append(record)
    return told


def _roll_back(stack: Stack, reason: str) -> None:
    stack.becomes("ROLLBACK_IN_PROGRESS", reason)
    try:
        _delete_made(stack)
    except ClientError as error:
        stack.becomes("ROLLBACK_FAILED", str(error))
    else:
        stack.becomes("ROLLBACK_COMPLETE", reason)


def _delete_made(stack: Stack) -> None:
    for name in reversed(list(stack.made)):
        if stack.resource(name).get("DeletionPolicy") == "Retain":
            stack.tells(name, "DELETE_SKIPPED")
        else:
            stack.made[name].undo()
            stack.tells(name, "DELETE_COMPLETE")
        del stack.made[name]
