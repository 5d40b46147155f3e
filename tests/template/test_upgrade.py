"""An update of the stack loses no data, and its end leaves all of it behind.

CloudFormation replaces a resource when a property changes that cannot be changed in place: of a table its name and its
key, of a bucket its name. A replaced table is a new and empty one; what Retain keeps of the old one, nobody reads any
more. So these are pinned here.
"""

from typing import Any

import pytest

from template.expansion import Stack, expand

WHY = (
    "CloudFormation would make a new, empty table in its place: all photos would be posted again. To change a key, see "
    "docs/runbook.md, Upgrade: a table beside it, the records moved, the old one taken out in a later version."
)

KEYS = {
    "PersonasTable": [("persona_id", "HASH", "S")],
    "PhotosTable": [("persona_id", "HASH", "S"), ("photo_id", "RANGE", "S")],
    "PostsTable": [("persona_id", "HASH", "S"), ("slot", "RANGE", "S")],
    "LookalikesTable": [("name", "HASH", "S")],
}
BUCKETS = ["PhotosBucket"]
DATA = {
    "AWS::DynamoDB::Table": set(KEYS),
    "AWS::S3::Bucket": set(BUCKETS),
    "AWS::S3::BucketPolicy": {"PhotosBucketPolicy"},
}

# What the queue and the open posts are found by. An index that is built anew finds nothing until it is done.
INDEXES = {
    "PhotosTable": {"queue": ["queued_for", "rank"]},
    "PostsTable": {"in_flight": ["in_flight", "lease_until"]},
}

# Every other kind of resource holds nothing that is not made again by a deployment. A new kind is to be thought about.
HOLDS_NO_DATA = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Events::Rule",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::ScheduleGroup",  # has the personas' schedules: see below
}

VARIANTS: list[dict[str, str]] = [
    {},
    {"Scorer": "bedrock"},
    {"AlarmEmail": "owner@example.com", "DefaultPersona": "anna"},
]


@pytest.fixture(scope="module", params=VARIANTS, ids=["defaults", "bedrock", "another owner"])
def any_stack(request: pytest.FixtureRequest) -> Stack:
    return expand(**request.param)


def test_every_kind_of_resource_is_known_to_hold_data_or_none(any_stack: Stack) -> None:
    kinds = {resource["Type"] for resource in any_stack.resources.values()}
    assert kinds <= HOLDS_NO_DATA | set(DATA), "think about its deletion policy, then name it here"


@pytest.mark.parametrize("kind", DATA)
def test_what_holds_data_is_known_by_its_logical_id(any_stack: Stack, kind: str) -> None:
    assert set(any_stack.of_type(kind)) == DATA[kind], f"a logical id that changes is a deletion and a creation. {WHY}"


@pytest.mark.parametrize("name", sorted({name for names in DATA.values() for name in names}))
def test_data_outlives_its_replacement_and_its_stack(any_stack: Stack, name: str) -> None:
    resource = any_stack.resources[name]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert "Condition" not in resource, "a parameter must not be able to take data out of the stack"


@pytest.mark.parametrize("name", KEYS)
def test_the_key_of_a_table_never_changes(any_stack: Stack, name: str) -> None:
    assert _key(any_stack.properties(name)) == KEYS[name], WHY


@pytest.mark.parametrize("name", KEYS)
def test_no_other_property_that_replaces_a_table_is_set(any_stack: Stack, name: str) -> None:
    """(CloudFormation template reference, AWS::DynamoDB::Table: "Update requires: Replacement".)"""
    replacing = {"TableName", "ImportSourceSpecification", "LocalSecondaryIndexes"}
    assert not replacing & set(any_stack.properties(name)), WHY


@pytest.mark.parametrize("name", BUCKETS)
def test_no_property_that_replaces_a_bucket_is_set(any_stack: Stack, name: str) -> None:
    """(CloudFormation template reference, AWS::S3::Bucket: "Update requires: Replacement".)"""
    assert not {"BucketName", "ObjectLockEnabled", "BucketNamePrefix"} & set(any_stack.properties(name))


@pytest.mark.parametrize("name", INDEXES)
def test_the_indexes_that_are_asked_keep_their_names_and_keys(any_stack: Stack, name: str) -> None:
    indexes = {index["IndexName"]: index for index in any_stack.properties(name)["GlobalSecondaryIndexes"]}
    found = {index: [key["AttributeName"] for key in indexes[index]["KeySchema"]] for index in indexes}
    assert found == INDEXES[name], "functions of the version before run until the update is through, and ask for these"


def test_nothing_replaces_the_group_with_all_the_personas_schedules(any_stack: Stack) -> None:
    group: dict[str, Any] = any_stack.resources["ScheduleGroup"]
    assert "Properties" not in group or "Name" not in group["Properties"], "its name is all that replaces it"


def test_tokens_are_under_the_stacks_name_and_no_resource_of_its(any_stack: Stack) -> None:
    """An update cannot touch them. A stack of the same name, deployed again, finds them."""
    assert not any_stack.of_type("AWS::SSM::Parameter")
    assert any_stack.outputs["TokenPrefix"]["Value"] == "/fluffy-train"


def _key(table: dict[str, Any]) -> list[tuple[str, str, str]]:
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    return [(key["AttributeName"], key["KeyType"], types[key["AttributeName"]]) for key in table["KeySchema"]]
