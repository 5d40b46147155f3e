"""Expands template.yaml as a deployment would, without AWS: SAM's own transform, then the intrinsic functions.

What only a deployment can know is named by where it comes from: `!Ref PhotosTable` becomes "PhotosTable", and
`!GetAtt PhotosTable.Arn` becomes "PhotosTable.Arn", so "PhotosTable.Arn/index/queue" reads as in the template.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local.cloud import sam_transform
from local.cloud.intrinsics import Intrinsics

PROJECT = Path(__file__).parents[2]
ACCOUNT, REGION, STACK = "123456789012", "us-east-1", "fluffy-train"
PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
}

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
    template = sam_transform.as_uploaded(template or read_template())
    values = {name: str(p["Default"]) for name, p in template["Parameters"].items()} | parameters
    template = sam_transform.expanded(template, values, REGION)
    asked: set[str] = set()

    def named(resource: str, attribute: str | None) -> str:
        asked.add(resource)
        return resource if attribute is None else f"{resource}.{attribute}"

    intrinsics = Intrinsics(values | PSEUDO_PARAMETERS, template.get("Conditions", {}), named)
    resources, needs = {}, {}
    for name, resource in template["Resources"].items():
        if "Condition" not in resource or intrinsics.holds(resource["Condition"]):
            asked.clear()
            resources[name] = {key: _resolved(intrinsics, key, value) for key, value in resource.items()}
            depends = resource.get("DependsOn", [])
            needs[name] = asked | set([depends] if isinstance(depends, str) else depends)
    outputs = {
        name: {key: _resolved(intrinsics, key, value) for key, value in output.items()}
        for name, output in template["Outputs"].items()
        if "Condition" not in output or intrinsics.holds(output["Condition"])
    }
    return Stack(resources, outputs, needs)


def _resolved(intrinsics: Intrinsics, key: str, value: Json) -> Json:
    return value if key == "Condition" else intrinsics.resolve(value)
