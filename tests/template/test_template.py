"""What others rely on by name: logical ids, parameters, outputs, sample events, the package's services."""

import ast
import json
import re

import pytest

from domain.near_duplicates import DEFAULT_DISTANCE, FEWEST_BITS, MOST_BITS
from handlers.wiring import SCORERS
from least_privilege.package import packaged
from template.expansion import PROJECT, Json, Stack, expand, read_template

PARAMETERS = read_template()["Parameters"]
SAMPLE_EVENTS = sorted(path.name for path in (PROJECT / "events").glob("*.json"))


@pytest.mark.parametrize(
    ("logical_id", "kind"),
    [
        ("PostNextBest", "AWS::Lambda::Function"),
        ("Reconcile", "AWS::Lambda::Function"),
        ("IngestPhoto", "AWS::Lambda::Function"),
        ("LookalikesTable", "AWS::DynamoDB::Table"),
        ("RefreshTokens", "AWS::Lambda::Function"),
        ("PersonasTable", "AWS::DynamoDB::Table"),
        ("PhotosTable", "AWS::DynamoDB::Table"),
        ("PostsTable", "AWS::DynamoDB::Table"),
        ("PhotosBucket", "AWS::S3::Bucket"),
        ("AlarmTopic", "AWS::SNS::Topic"),
    ],
)
def test_a_resource_is_known_by_its_logical_id(stack: Stack, logical_id: str, kind: str) -> None:
    assert stack.resources[logical_id]["Type"] == kind


def test_a_reader_meets_the_sections_in_the_order_of_the_house() -> None:
    assert [section for section in read_template() if section not in ("AWSTemplateFormatVersion", "Transform")] == [
        "Description",
        "Metadata",
        "Parameters",
        "Conditions",
        "Globals",
        "Resources",
        "Outputs",
    ]


def test_the_cli_finds_each_name_among_the_outputs(stack: Stack) -> None:
    assert {name: output["Value"] for name, output in stack.outputs.items()} == {
        "PersonasTableName": "PersonasTable",
        "PhotosTableName": "PhotosTable",
        "PostsTableName": "PostsTable",
        "LookalikesTableName": "LookalikesTable",
        "PhotosBucketName": "PhotosBucket",
        "TokenPrefix": "/fluffy-train",
        "DefaultPersona": "default",
        "GraphVersion": "v26.0",
        "Scorer": "measured",
        "BedrockModelId": "amazon.nova-lite-v1:0",
        "NearDuplicateBits": "6",
        "PostNextBestFunction": "PostNextBest",
        "IngestPhotoFunction": "IngestPhoto",
        "ScheduleRule": "PostNextBestSchedule",
        "DeadLettersUrl": "DeadLetters",
        "ReconcileFunction": "Reconcile",
        "ScheduleGroup": "ScheduleGroup",
        "ScheduleRoleArn": "ScheduleRole.Arn",
        "PostNextBestArn": "PostNextBest.Arn",
        "DeadLettersArn": "DeadLetters.Arn",
        "Dashboard": "Dashboard",
        "RefreshTokensFunction": "RefreshTokens",
        "AlarmTopicArn": "AlarmTopic",
    }


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_parameter_says_what_it_takes_and_takes_its_own_default(name: str) -> None:
    parameter = PARAMETERS[name]
    assert parameter["Description"].endswith(".")
    assert parameter["ConstraintDescription"].startswith("must ")
    if "AllowedValues" in parameter:
        assert parameter["Default"] in parameter["AllowedValues"]
    elif parameter["Type"] == "Number":
        assert parameter["MinValue"] <= parameter["Default"] <= parameter["MaxValue"]
    else:
        assert _accepts(name, str(parameter["Default"]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DefaultPersona", "a"),
        ("DefaultPersona", "9-lives"),
        ("DefaultPersona", "a" * 63),
        ("GraphVersion", "v27.10"),
        ("BedrockModelId", "eu.amazon.nova-lite-v1:0"),
        ("BedrockModelId", "global.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("HoursWithoutPost", "2"),
        ("HoursWithoutPost", "168"),
        ("AlarmEmail", ""),
        ("AlarmEmail", "first.last+train@mail.example.co.uk"),
    ],
)
def test_a_parameter_accepts(name: str, value: str) -> None:
    assert _accepts(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DefaultPersona", ""),
        ("DefaultPersona", "-a"),
        ("DefaultPersona", "Anna"),
        ("DefaultPersona", "a/b"),
        ("DefaultPersona", "a" * 64),
        ("GraphVersion", "26.0"),
        ("BedrockModelId", ""),
        ("BedrockModelId", "*"),
        ("BedrockModelId", "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1"),
        ("GraphVersion", "v26.0/me"),
        ("HoursWithoutPost", "1"),
        ("HoursWithoutPost", "169"),
        ("AlarmEmail", "owner"),
        ("AlarmEmail", "a@b.example, c@d.example"),
    ],
)
def test_a_parameter_refuses(name: str, value: str) -> None:
    assert not _accepts(name, value)


def test_the_parameters_have_the_defaults_and_the_limits_of_the_code() -> None:
    bits = PARAMETERS["NearDuplicateBits"]
    assert (bits["MinValue"], bits["Default"], bits["MaxValue"]) == (FEWEST_BITS, DEFAULT_DISTANCE, MOST_BITS)
    assert PARAMETERS["Scorer"]["AllowedValues"] == list(SCORERS)


def test_what_the_owner_chooses_reaches_the_function() -> None:
    stack = expand(DefaultPersona="anna", GraphVersion="v27.0", LogRetentionDays="7")
    variables = stack.properties("PostNextBest")["Environment"]["Variables"]
    assert (variables["DEFAULT_PERSONA"], variables["GRAPH_VERSION"]) == ("anna", "v27.0")
    assert stack.properties("PostNextBestLogGroup")["RetentionInDays"] == "7"


@pytest.mark.parametrize("name", SAMPLE_EVENTS)
def test_a_sample_event_is_a_json_object(name: str) -> None:
    assert isinstance(_sample_event(name), dict)


def test_the_sample_events_are_every_kind_that_the_handler_accepts() -> None:
    assert {
        "schedule.json",
        "scheduler.json",
        "by-hand.json",
        "by-hand-persona.json",
        "dry-run.json",
        "ingest-photo.json",
        "ingest-photo-s3.json",
    } <= set(SAMPLE_EVENTS)


def test_the_sample_of_the_rules_event_is_what_eventbridge_sends() -> None:
    event = _sample_event("schedule.json")
    assert {key: type(value) for key, value in event.items()} == {
        "version": str,
        "id": str,
        "detail-type": str,
        "source": str,
        "account": str,
        "time": str,
        "region": str,
        "resources": list,
        "detail": dict,
    }
    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
    assert "PostNextBestSchedule" in event["resources"][0]


@pytest.mark.parametrize("name", ["schedule.json", "scheduler.json"])
def test_a_sample_slot_lies_ahead_so_that_it_is_never_too_late(name: str) -> None:
    assert _sample_event(name)["time"].startswith("2036-01-0")


def test_the_package_describes_every_service_that_the_code_calls() -> None:
    """src/Makefile leaves out the SDK's descriptions of all other services."""
    assert _services_called() == {call.split()[0] for call in packaged()}


def test_the_layer_is_built_for_the_runtime_that_the_functions_have(stack: Stack) -> None:
    (layer,) = stack.of_type("AWS::Lambda::LayerVersion").values()
    runtime, architecture = "python3.13", "x86_64"
    assert layer["Properties"]["CompatibleRuntimes"] == [runtime]
    assert layer["Properties"]["CompatibleArchitectures"] == [architecture]
    for function in stack.of_type("AWS::Lambda::Function").values():
        assert (function["Properties"]["Runtime"], function["Properties"]["Architectures"]) == (runtime, [architecture])
    lines = [
        [line for line in (PROJECT / folder / "Makefile").read_text(encoding="utf-8").splitlines() if ":=" in line]
        for folder in ("src", "layers/imaging")
    ]
    (ours, theirs) = ([line for line in made if line.startswith("RUNTIME :=")] for made in lines)
    assert ours == theirs == ["RUNTIME := 3.13"]


@pytest.mark.parametrize(("architecture", "name"), [("x86_64", "ImagingLayer"), ("arm64", "ImagingLayerArm64")])
def test_the_layer_of_the_chosen_architecture_is_deployed_and_no_other(architecture: str, name: str) -> None:
    stack = expand(Architecture=architecture)
    ((deployed, layer),) = stack.of_type("AWS::Lambda::LayerVersion").items()
    assert deployed.startswith(name)
    assert layer["Properties"]["CompatibleArchitectures"] == [architecture]
    assert stack.properties("IngestPhoto")["Layers"] == [deployed]
    source = read_template()["Resources"][name]
    assert source["Metadata"]["BuildArchitecture"] == architecture
    makefile = (PROJECT / "layers" / "imaging" / "Makefile").read_text(encoding="utf-8")
    wheels = {"x86_64": "x86_64", "arm64": "aarch64"}[architecture]
    assert f"build-{name}: PLATFORMS := $(GLIBC:%=%_{wheels})" in makefile.splitlines()


def test_the_functions_package_is_the_same_for_every_architecture() -> None:
    makefile = (PROJECT / "src" / "Makefile").read_text(encoding="utf-8")
    (pure,) = (line for line in makefile.splitlines() if line.startswith("PURE :="))
    for option in ("--only-binary :all:", "--implementation py", "--abi none", "--platform any"):
        assert option in pure


def _services_called() -> set[str]:
    """The names in calls like `boto3.client("s3", …)` and `_client(session, "ssm", …)`, and PynamoDB's dynamodb."""
    called = {"dynamodb"}
    for path in (PROJECT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case (
                    ast.Call(
                        func=ast.Attribute(attr="client" | "resource"), args=[ast.Constant(value=str(service)), *_]
                    )
                    | ast.Call(func=ast.Name(id="_client"), args=[_, ast.Constant(value=str(service)), *_])
                ):
                    called.add(service)
                case _:
                    pass
    return called


def _accepts(parameter: str, value: str) -> bool:
    """As CloudFormation does: the pattern has to match the whole value; a number lies between its bounds."""
    rules = PARAMETERS[parameter]
    if "AllowedPattern" not in rules:
        return value.isdecimal() and rules["MinValue"] <= int(value) <= rules["MaxValue"]
    return re.fullmatch(rules["AllowedPattern"], value) is not None


def _sample_event(name: str) -> dict[str, Json]:
    event: dict[str, Json] = json.loads((PROJECT / "events" / name).read_text(encoding="utf-8"))
    return event
