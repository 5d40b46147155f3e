"""What IAM's policies allow: as much of its evaluation as deployments and deliveries ask for."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from local.cloud.account import ACCOUNT_ID, Account

Statement = Mapping[str, Any]
Context = Mapping[str, str]

# A condition that is not among these is never met: an Allow that hangs on it allows nothing here.
_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": fnmatchcase,
    "ArnEquals": fnmatchcase,
    "ArnLike": fnmatchcase,
}


def allows(statements: Sequence[Statement], action: str, resource: str, context: Context | None = None) -> bool:
    """Whether ``action`` on ``resource`` is allowed, and by no statement denied."""
    effects = {
        one["Effect"]
        for one in statements
        if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in listed(one.get("Action", [])))
        and any(fnmatchcase(resource, pattern) for pattern in listed(one.get("Resource", [])))
        and _meets(one, context or {})
    }
    return "Allow" in effects and "Deny" not in effects


def allows_service(
    statements: Sequence[Statement], service: str, action: str, resource: str, context: Context | None = None
) -> bool:
    """The same of a resource's own policy, for a service such as events.amazonaws.com."""
    of_service = [one for one in statements if _names(one.get("Principal"), service)]
    # In a function's, a queue's or a role's own policy the resource is what it belongs to.
    return allows([{"Resource": resource, **one} for one in of_service], action, resource, context)


def may_assume(account: Account, role_arn: str, service: str, context: Context | None = None) -> bool:
    """Whether the role lets the service take it on."""
    role = account.client("iam").get_role(RoleName=_name(role_arn))["Role"]
    trust = role["AssumeRolePolicyDocument"]["Statement"]
    return allows_service(trust, service, "sts:AssumeRole", role_arn, context)


def role_allows(account: Account, role_arn: str, action: str, resource: str) -> bool:
    """Whether the role's own policies let it do this."""
    return allows(list(_statements(account, _name(role_arn))), action, resource)


def may_invoke(account: Account, function_arn: str, service: str, source_arn: str) -> bool:
    """Whether the function's own policy lets the service invoke it for this source."""
    client = account.client("lambda")
    try:
        document = client.get_policy(FunctionName=function_arn)["Policy"]
    except client.exceptions.ResourceNotFoundException:
        return False
    source = {"aws:SourceArn": source_arn, "aws:SourceAccount": ACCOUNT_ID}
    return allows_service(statements_of(document), service, "lambda:InvokeFunction", function_arn, source)


def _statements(account: Account, role: str) -> Iterator[Statement]:
    iam = account.client("iam")
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield from listed(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"])


def statements_of(document: str) -> Sequence[Statement]:
    """Those of a resource's policy, as services return it: a text."""
    return listed(json.loads(document)["Statement"])


def _meets(statement: Statement, context: Context) -> bool:
    told = {key.lower(): value for key, value in context.items()}
    return all(
        operator in _OPERATORS
        and key.lower() in told
        and any(_OPERATORS[operator](told[key.lower()], wanted) for wanted in listed(values))
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def _names(principal: Any, service: str) -> bool:
    return principal == "*" or (isinstance(principal, Mapping) and service in listed(principal.get("Service", [])))


def _name(role_arn: str) -> str:
    return role_arn.rsplit("/", 1)[1]


def listed(value: Any) -> list[Any]:
    """IAM lets one stand where a list may be."""
    return value if isinstance(value, list) else [value]
