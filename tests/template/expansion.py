"""Expands template.yaml as a deployment would, without AWS: SAM's own transform, then the intrinsic functions.

What only a deployment can know is named by where it comes from: `!Ref PhotosTable` becomes "PhotosTable", and
`!GetAtt PhotosTable.Arn` becomes "PhotosTable.Arn", so "PhotosTable.Arn/index/queue" reads as in the template.
"""

import copy
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).parents[2]
ACCOUNT, REGION, STACK = "123456789012", "us-east-1", "fluffy-train"
PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
}
NO_VALUE = object()

# CloudFormation's objects are JSON of any shape; the assertions are what gives them types.
Json = Any


@dataclass(frozen=True)
class Stack:
    """The resources and outputs that a deployment would ask CloudFormation for."""

    resources: dict[str, Json]
    outputs: dict[str, Json]
    needs: dict[str, set[str]]
    """Of each resource, those that it refers to, which CloudFormation therefore makes before it."""

    def of_type(self, kind: str) -> dict[str, Json]:
        return {name: resource for name, resource in self.resources.items() if resource["Type"] == kind}

    def properties(self, logical_id: str) -> dict[str, Json]:
        properties: dict[str, Json] = self.resources[logical_id]["Properties"]
        return properties


def read_template() -> dict[str, Json]:
    """template.yaml as it is written, each short tag in its long form."""
    template: dict[str, Json] = yaml_parse((PROJECT / "template.yaml").read_text(encoding="utf-8"))
    return template


def expand(template: dict[str, Json] | None = None, /, **parameters: str) -> Stack:
    """The stack that `template` (else template.yaml) deploys with `parameters`, the others at their defaults."""
    template = copy.deepcopy(template) if template else read_template()
    values = {name: str(p["Default"]) for name, p in template["Parameters"].items()} | parameters
    for resource in template["Resources"].values():
        # As `sam deploy` does once it has uploaded them.
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://packages/package"
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = "s3://packages/layer"
    with patch.dict(os.environ, {"AWS_DEFAULT_REGION": REGION}):  # the transform asks botocore for the partition
        template = transform(template, dict(values), _ManagedPolicies())
    intrinsics = _Intrinsics(values | PSEUDO_PARAMETERS, template.get("Conditions", {}))
    resources = {
        name: intrinsics.resolve(resource)
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or intrinsics.holds(resource["Condition"])
    }
    outputs = {
        name: intrinsics.resolve(output)
        for name, output in template["Outputs"].items()
        if "Condition" not in output or intrinsics.holds(output["Condition"])
    }
    needs = {name: set(_named(template["Resources"][name])) & resources.keys() for name in resources}
    return Stack(resources, outputs, needs)


def _named(node: Json) -> Iterator[str]:
    """What an unresolved part of a template refers to, by logical id."""
    if isinstance(node, list):
        for part in node:
            yield from _named(part)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("Ref", "DependsOn", "Fn::GetAtt"):
                # The attribute's name beside the resource's does no harm: it is none.
                yield from (value.split(".") if isinstance(value, str) else value)
            elif key == "Fn::Sub":
                yield from re.findall(r"\$\{([^!}.]+)", value if isinstance(value, str) else value[0])
            yield from _named(value)


class _ManagedPolicies:
    """Stands in for SAM's loader, which asks IAM for the ARNs of AWS's managed policies."""

    def load(self) -> dict[str, str]:
        return {}


class _Intrinsics:
    def __init__(self, values: dict[str, str], conditions: dict[str, Json]) -> None:
        self._values = values
        self._conditions = conditions

    def holds(self, condition: str) -> bool:
        return bool(self.resolve(self._conditions[condition]))

    def resolve(self, node: Json) -> Json:
        if isinstance(node, list):
            return [value for value in map(self.resolve, node) if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not NO_VALUE}

    def _call(self, name: str, argument: Json) -> Json:
        match name:
            case "Ref" if argument == "AWS::NoValue":
                return NO_VALUE
            case "Ref":
                return self._values.get(argument, argument)
            case "Fn::GetAtt":
                return argument if isinstance(argument, str) else ".".join(argument)
            case "Fn::Sub":
                text, own = (argument, {}) if isinstance(argument, str) else argument
                values = self._values | {key: self.resolve(value) for key, value in own.items()}
                return re.sub(r"\$\{([^!}]+)\}", lambda found: str(values.get(found[1], found[1])), text)
            case "Fn::Equals":
                left, right = map(self.resolve, argument)
                return left == right
            case "Fn::Not":
                return not self.resolve(argument[0])
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolve(then if self.holds(condition) else otherwise)
        raise LookupError(f"{name} of {argument}: teach {__name__} what it means")
