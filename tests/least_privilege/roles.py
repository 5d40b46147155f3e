"""The roles of the resolved template as AWS would have them: their policies, with ARNs for what the stack makes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Final

from least_privilege.actions import Need
from least_privilege.names import bucket_arn, regional, stream_arn, table_arn
from template.expansion import Stack, expand

MODEL: Final = "eu.amazon.nova-lite-v1:0"
"""An inference profile: then the role has all that it ever has for Bedrock."""

_ATTRIBUTE: Final = re.compile(r"(?P<resource>[A-Za-z0-9]+)\.(?P<attribute>[A-Za-z]+)(?P<rest>.*)")


@cache
def whole_stack() -> Stack:
    """The stack with everything that a parameter can add to it."""
    return expand(Scorer="bedrock", BedrockModelId=MODEL, WebhookUrl="https://hooks.example.com/posts")


def role_of(function: str) -> str:
    role: str = whole_stack().properties(function)["Role"]
    return role.removesuffix(".Arn")


@cache
def policies() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The policy documents of each role, by the role's logical id."""
    stack = whole_stack()
    return {
        role: [_with_arns(stack, policy["PolicyDocument"]) for policy in resource["Properties"].get("Policies", ())]
        for role, resource in sorted(stack.of_type("AWS::IAM::Role").items())
    }


def grants(role: str) -> Iterator[Need]:
    """Each action that the role is allowed, on each resource, which may hold stars."""
    for document in policies()[role]:
        for statement in document["Statement"]:
            for action in _listed(statement["Action"]):
                for resource in _listed(statement["Resource"]):
                    yield Need(action, resource)


def covers(grant: Need, need: Need) -> bool:
    """Whether the grant is what the need is met by, conditions aside."""
    return grant.action == need.action and fnmatchcase(need.resource, grant.resource)


def _with_arns(stack: Stack, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_arns(stack, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_arns(stack, each) for each in value]
    match = _ATTRIBUTE.fullmatch(value) if isinstance(value, str) else None
    if match is None or match["resource"] not in stack.resources:
        return value
    return _arn(stack, match["resource"], match["attribute"]) + match["rest"]


def _arn(stack: Stack, logical_id: str, attribute: str) -> str:
    match stack.resources[logical_id]["Type"], attribute:
        case "AWS::DynamoDB::Table", "Arn":
            return table_arn(logical_id)
        case "AWS::DynamoDB::Table", "StreamArn":
            return stream_arn(logical_id)
        case "AWS::S3::Bucket", "Arn":
            return bucket_arn(logical_id)
        case "AWS::SQS::Queue", "Arn":
            return regional("sqs", logical_id)
        case "AWS::Lambda::Function", "Arn":
            return regional("lambda", f"function:{logical_id}")
        case "AWS::Logs::LogGroup", "Arn":
            # CloudFormation's has this ending, which stands for the streams.
            return regional("logs", f"log-group:{stack.properties(logical_id)['LogGroupName']}:*")
        case kind, _:
            raise LookupError(f"tests/least_privilege/roles.py does not know {attribute} of a {kind}: teach it")


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
