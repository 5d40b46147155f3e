"""The stack's tables, created from template.yaml itself, so that a local stack cannot differ from a deployed one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from adapters.dynamo import Tables

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"

_NEEDED = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def resources_of(template: Path = TEMPLATE) -> Mapping[str, Any]:
    """The template's resources by logical id, each short tag in its long form."""
    resources: Mapping[str, Any] = yaml_parse(template.read_text(encoding="utf-8"))["Resources"]
    return resources


def table_definitions(template: Path = TEMPLATE) -> Mapping[str, Mapping[str, Any]]:
    """Each table's CreateTable arguments by its logical id, which is its name here, as in `sam local invoke`."""
    resources = resources_of(template)
    return {
        logical_id: {key: resource["Properties"][key] for key in _NEEDED if key in resource["Properties"]}
        for logical_id, resource in resources.items()
        if resource["Type"] == "AWS::DynamoDB::Table"
    }


def create_tables(dynamodb: Any, *, prefix: str = "") -> Mapping[str, str]:
    """Create them by a boto3 DynamoDB client; the names given, by logical id. ``prefix`` keeps two stacks apart."""
    names = {}
    for logical_id, definition in table_definitions().items():
        names[logical_id] = f"{prefix}{logical_id}"
        dynamodb.create_table(TableName=names[logical_id], **definition)
    return names


def opened_tables(names: Mapping[str, str]) -> Tables:
    """The tables that ``create_tables`` made, as the adapters have them. They go where the environment says."""
    return Tables.named(
        personas=names["PersonasTable"],
        photos=names["PhotosTable"],
        posts=names["PostsTable"],
        lookalikes=names["LookalikesTable"],
    )
