"""A stack's parameters: what CloudFormation takes for them, and what it refuses."""

import re
from collections.abc import Mapping
from typing import Any

from local.cloud.refusal import RefusedError


def parameter_values(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Each declared parameter's value, given or by default. Raises RefusedError."""
    if unknown := sorted(given.keys() - declared.keys()):
        raise RefusedError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    if missing := [name for name, one in declared.items() if name not in given and "Default" not in one]:
        raise RefusedError(f"Parameters: [{', '.join(missing)}] must have values")
    values = {name: given.get(name, str(one.get("Default"))) for name, one in declared.items()}
    for name, value in values.items():
        if wrong := _wrong(declared[name], value):
            told = declared[name].get("ConstraintDescription", wrong)
            raise RefusedError(f"Parameter '{name}' {told}")
    return values


def _wrong(declared: Mapping[str, Any], value: str) -> str | None:
    if declared["Type"] == "Number":
        try:
            number = float(value)
        except ValueError:
            return "must be a number"
        if not declared.get("MinValue", number) <= number <= declared.get("MaxValue", number):
            return "must be within MinValue and MaxValue"
    elif declared["Type"] != "String":
        return f"is of the type {declared['Type']}, which the local cloud does not know"
    if not declared.get("MinLength", 0) <= len(value) <= declared.get("MaxLength", len(value)):
        return "must be as long as MinLength and MaxLength say"
    if "AllowedPattern" in declared and re.fullmatch(declared["AllowedPattern"], value) is None:
        return f"must match pattern {declared['AllowedPattern']}"
    if "AllowedValues" in declared and value not in map(str, declared["AllowedValues"]):
        return "must be one of AllowedValues"
    return None
