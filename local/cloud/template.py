"""What a template asks for, read and checked as CloudFormation does before it makes anything."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local.cloud import sam_transform, schemas
from local.cloud.dependencies import order
from local.cloud.intrinsics import Intrinsics, Lookup, names_in
from local.cloud.parameters import parameter_values
from local.cloud.refusal import RefusedError

_IAM = "AWS::IAM::"
_SECTIONS = {
    *("AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Metadata", "Outputs", "Parameters"),
    *("Resources", "Transform"),
}
_NOT_KNOWN_HERE = {"Mappings", "Rules"}
_ATTRIBUTES = {
    *("Condition", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdateReplacePolicy"),
}
_EXACTLY_THIS_TRANSFORM = (sam_transform.NAME, [sam_transform.NAME])


@dataclass(frozen=True)
class Plan:
    """A template that can be deployed, as far as one can tell before."""

    body: str
    values: Mapping[str, str]
    """The parameters and pseudo parameters."""
    conditions: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    """Those whose condition holds, in the order in which they are to be made."""
    outputs: Mapping[str, Mapping[str, Any]]
    needs: Mapping[str, set[str]]

    def intrinsics(self, resource: Lookup) -> Intrinsics:
        return Intrinsics(self.values, self.conditions, resource)


def plan(
    body: str,
    parameters: Mapping[str, str],
    pseudo: dict[str, str],
    capabilities: Sequence[str] = ("CAPABILITY_IAM",),
) -> Plan:
    """Read ``body`` with its parameters; ``pseudo`` are AWS::Region and its kin. Raises RefusedError."""
    template = _read(body)
    values = parameter_values(template.get("Parameters", {}), parameters)
    region = pseudo["AWS::Region"]
    if transforms := template.get("Transform"):
        if transforms not in _EXACTLY_THIS_TRANSFORM:
            raise RefusedError(f"No transform named {transforms} found.")
        template = sam_transform.expanded(template, values, region)
    _refuse_undeclared(template, values.keys() | pseudo.keys() | {"AWS::NoValue"})
    conditions = template.get("Conditions", {})
    of_parameters = Intrinsics(values | pseudo, conditions, _no_resource)
    for condition in conditions:
        of_parameters.holds(condition)
    resources, outputs = (
        {name: one for name, one in part.items() if "Condition" not in one or of_parameters.holds(one["Condition"])}
        for part in (template["Resources"], template.get("Outputs", {}))
    )
    _refuse_unknown(resources, region)
    _refuse_without(capabilities, resources)
    references = _References(resources, region)
    needs = {}
    for name, resource in resources.items():
        references.found = set(_listed(resource.get("DependsOn", [])))
        references.refuse_missing("Resources")
        Intrinsics(values | pseudo, conditions, references).resolve(resource.get("Properties", {}))
        references.refuse_missing("Resources")
        needs[name] = references.found
    for output in outputs.values():
        references.found = set()
        Intrinsics(values | pseudo, conditions, references).resolve([output["Value"], output.get("Export")])
        references.refuse_missing("Outputs")
    ordered = {name: resources[name] for name in order(needs)}
    return Plan(body, values | pseudo, conditions, ordered, outputs, needs)


def _no_resource(name: str, _: str | None) -> str:
    raise RefusedError(
        f"Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the Conditions block "
        "of the template"
    )


class _References:
    """Stands in for the resources while a part of the template is looked through, and notes what it asks for."""

    def __init__(self, resources: Mapping[str, Mapping[str, Any]], region: str) -> None:
        self._resources, self._region = resources, region
        self.found: set[str] = set()

    def __call__(self, name: str, attribute: str | None) -> str:
        self.found.add(name)
        if name in self._resources and attribute is not None:
            kind = self._resources[name]["Type"]
            if not schemas.has_attribute(kind, attribute, self._region):
                raise RefusedError(
                    f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt"
                )
        return f"{name}.{attribute}"

    def refuse_missing(self, section: str) -> None:
        if missing := sorted(self.found - self._resources.keys()):
            raise _unresolved(missing, section)


def _unresolved(names: Sequence[str], section: str) -> RefusedError:
    return RefusedError(
        f"Template format error: Unresolved resource dependencies [{', '.join(names)}] in the {section} block of the "
        "template"
    )


def _refuse_undeclared(template: Mapping[str, Any], values: Set[str]) -> None:
    """Raises RefusedError for a name that is declared nowhere, in the branch of an `Fn::If` that does not hold as well.

    CloudFormation validates a template without its parameters, so without knowing which conditions hold.
    """
    resources, outputs = template["Resources"], template.get("Outputs", {})
    declared = values | resources.keys()
    properties = [one.get("Properties", {}) for one in resources.values()]
    depended_on = {name for one in resources.values() for name in _listed(one.get("DependsOn", []))}
    if missing := sorted({*names_in(properties), *depended_on} - declared):
        raise _unresolved(missing, "Resources")
    if missing := sorted({*names_in(list(outputs.values()))} - declared):
        raise _unresolved(missing, "Outputs")


def _read(body: str) -> dict[str, Any]:
    template = yaml_parse(body)
    if not isinstance(template, dict) or not template.get("Resources"):
        raise RefusedError("Template format error: At least one Resources member must be defined.")
    if unknown := sorted(template.keys() - _SECTIONS - _NOT_KNOWN_HERE):
        raise RefusedError(f"Invalid template property or properties [{', '.join(unknown)}]")
    if strange := sorted(template.keys() & _NOT_KNOWN_HERE):
        raise RefusedError(f"The local cloud does not know {', '.join(strange)}: teach {__name__} what they mean.")
    return template


def _refuse_unknown(resources: Mapping[str, Mapping[str, Any]], region: str) -> None:
    if unknown := sorted({one["Type"] for one in resources.values() if not schemas.is_known(one["Type"], region)}):
        raise RefusedError(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    for name, resource in resources.items():
        if strange := sorted(resource.keys() - _ATTRIBUTES):
            raise RefusedError(f"Invalid template resource property '{strange[0]}' of the resource {name}")


def _refuse_without(capabilities: Sequence[str], resources: Mapping[str, Mapping[str, Any]]) -> None:
    iam = [one for one in resources.values() if one["Type"].startswith(_IAM)]
    named = any(key.endswith("Name") and key != "PolicyName" for one in iam for key in one.get("Properties", {}))
    sufficient = {"CAPABILITY_NAMED_IAM"} if named else {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"}
    if iam and not sufficient & set(capabilities):
        needed = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
        raise RefusedError(f"Requires capabilities : [{needed}]", "InsufficientCapabilitiesException")


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
