"""That template.yaml deploys from nothing in one go."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli import settings
from deployment.owner import Owner

EVERYTHING = {
    "WebhookUrl": "https://example.com/told",
    "AlarmEmail": "owner@example.com",
    "Scorer": "bedrock",
    "HoursWithoutPost": "168",  # a week, the longest that an alarm looks back
}
ON_ARM_TO_BE_DELETED = {"Architecture": "arm64", "ProtectData": "false"}


@pytest.mark.parametrize(
    "parameters",
    [{}, EVERYTHING, ON_ARM_TO_BE_DELETED],
    ids=["by default", "with everything", "on arm64, unprotected"],
)
def test_the_template_deploys_in_one_go(owner: Owner, parameters: dict[str, str]) -> None:
    stack = owner.deploy(owner.packaged(), **parameters)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack["StackStatusReason"]
    made = owner.cloudformation.describe_stack_resources(StackName=stack["StackName"])["StackResources"]
    assert {one["ResourceStatus"] for one in made} == {"CREATE_COMPLETE"}
    assert {"PostNextBestSchedulePermission", "IngestPhotoUploadPermission", "PhotosBucket"} <= {
        one["LogicalResourceId"] for one in made
    }
    assert ("WebhookPipe" in {one["LogicalResourceId"] for one in made}) == ("WebhookUrl" in parameters)


def test_the_functions_are_deployed_as_the_template_has_them(owner: Owner) -> None:
    stack = owner.deploy(owner.packaged(), GraphVersion="v25.0")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    client = owner.cloud.account.client("lambda")
    function = client.get_function_configuration(FunctionName=outputs["PostNextBestFunction"])
    variables = function["Environment"]["Variables"]
    assert variables["POSTS_TABLE"] == outputs["PostsTableName"]
    assert variables["GRAPH_VERSION"] == "v25.0"
    assert "AWS_ENDPOINT_URL" not in variables
    assert (function["Handler"], function["Timeout"]) == ("handlers.post_next_best.handler", 180)


def test_the_commands_find_the_stack_by_its_outputs(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = owner.deploy(owner.packaged())
    for name, value in owner.cloud.environment.items():
        monkeypatch.setenv(name, value)
    found = settings.find(stack["StackName"], {})
    assert found.settings.token_prefix == f"/{stack['StackName']}"
    without_webhook = settings.EXTRAS.keys() - {"WEBHOOK_QUEUE_URL"}
    assert found.extras.keys() == without_webhook


def test_the_same_template_once_more_is_no_change(owner: Owner) -> None:
    name = owner.deploy(owner.packaged())["StackName"]
    with pytest.raises(ClientError, match="cannot be executed in its current state"):
        owner.deploy(owner.packaged(), name)
    told = owner.cloudformation.describe_change_set(ChangeSetName="change", StackName=name)
    # The newest of that name is asked for by its id; the older one has been executed.
    assert told["StackName"] == name


def test_another_template_for_a_stack_that_is_there_is_refused_and_not_half_done(owner: Owner) -> None:
    name = owner.deploy(owner.packaged())["StackName"]
    with pytest.raises(ClientError, match="makes stacks from nothing"):
        owner.deploy(owner.packaged(), name, GraphVersion="v25.0")


def test_a_deleted_stack_leaves_its_data_behind_and_nothing_else(owner: Owner) -> None:
    stack = owner.deploy(owner.packaged())
    made = _physical_ids(owner, stack)
    owner.cloudformation.delete_stack(StackName=stack["StackId"])
    tables = owner.cloud.account.client("dynamodb").list_tables()["TableNames"]
    queues = owner.cloud.account.client("sqs").list_queues().get("QueueUrls", [])
    assert made["PostsTable"] in tables
    assert made["DeadLetters"] not in queues
    with pytest.raises(ClientError, match="does not exist"):
        owner.cloudformation.describe_stacks(StackName=stack["StackName"])


def _physical_ids(owner: Owner, stack: Any) -> dict[str, str]:
    made = owner.cloudformation.describe_stack_resources(StackName=stack["StackName"])["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in made}
