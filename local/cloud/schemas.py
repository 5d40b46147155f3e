"""What CloudFormation knows of each resource type: AWS's own schemas, which cfn-lint carries."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import regex
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from local.cloud.refusal import RefusedError

_TRUTHS: Final = {"true": True, "false": False}


def is_known(kind: str, region: str) -> bool:
    """Whether there is such a resource type in the region."""
    try:
        PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind)
    except ResourceNotFoundError:
        return False
    return True


def has_attribute(kind: str, attribute: str, region: str) -> bool:
    """Whether `Fn::GetAtt` may ask this attribute of such a resource."""
    return attribute in PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind).get_atts


def checked(kind: str, properties: Mapping[str, Any], region: str) -> dict[str, Any]:
    """The properties with the types that the schema has, where the template has texts. Raises RefusedError."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind).schema
    coerced: dict[str, Any] = _coerced(properties, schema, schema)
    faults = [_told(error) for error in _Validator(schema).iter_errors(coerced)]
    read_only = {path.split("/")[2] for path in schema.get("readOnlyProperties", ()) if path.count("/") == 2}
    faults += [f"#: {name} is read-only" for name in sorted(read_only & coerced.keys())]
    if faults:
        raise RefusedError(f"Properties validation failed for resource with message: {'; '.join(faults)}")
    return coerced


def _matches_pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    # AWS writes patterns with \p{L}, which Python's re does not know.
    if isinstance(value, str) and regex.search(pattern, value) is None:
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator: Final = extend(Draft7Validator, {"pattern": _matches_pattern})


def _told(error: ValidationError) -> str:
    return f"#/{'/'.join(map(str, error.absolute_path))}: {error.message}"


def _coerced(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """As CloudFormation takes "30" for a number and "true" for a boolean; a parameter's value is always a text."""
    while "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, Mapping):
        known = schema.get("properties", {})
        return {name: _coerced(one, known.get(name, {}), root) for name, one in value.items()}
    if isinstance(value, list):
        return [_coerced(one, schema.get("items", {}), root) for one in value]
    match schema.get("type"):
        case "boolean" if isinstance(value, str):
            return _TRUTHS.get(value, value)
        case "integer" | "number" if isinstance(value, str) and regex.fullmatch(r"-?\d+", value):
            return int(value)
        case "string" if isinstance(value, int):
            return str(value).lower() if isinstance(value, bool) else str(value)
    return value
