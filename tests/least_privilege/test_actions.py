"""What a call needs of IAM, and the verdict on a role, without node and without a run of the suites."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from botocore.stub import Stubber

from least_privilege import names as own
from least_privilege.actions import OPERATIONS, Need, UnknownOperationError, needs
from least_privilege.expectations import BY_THE_SDK, FORBIDDEN, FUNCTIONS, IN_RESERVE, MADE_BY_AWS, Asked
from least_privilege.names import Names
from least_privilege.package import packaged
from least_privilege.recorder import HANDLERS, Recorded, Recorder, recorded
from least_privilege.roles import grants, policies, role_of, whole_stack
from least_privilege.verdict import not_allowed, not_denied, not_needed, not_packaged
from template import expansion

NAMES: Final = Names({"t-photos": "PhotosTable", "t-posts": "PostsTable"}, "a-bucket", "/a-test")
TABLE: Final = "arn:aws:dynamodb:us-east-1:123456789012:table"
OBJECT: Final = "arn:aws:s3:::photosbucket"
TOKEN: Final = "arn:aws:ssm:us-east-1:123456789012:parameter/fluffy-train/default/access-token"
SOURCE: Final = {"Bucket": "a-bucket", "Key": "incoming/a.jpg", "VersionId": "1"}
TARGET: Final = {"Bucket": "a-bucket", "Key": "rejected/a.jpg"}


@pytest.mark.parametrize(
    ("operation", "params", "needed"),
    [
        (
            "dynamodb TransactWriteItems",
            {
                "TransactItems": [
                    {"ConditionCheck": {"TableName": "t-photos"}},
                    {"Put": {"TableName": "t-posts"}},
                    {"Update": {"TableName": "t-photos"}},
                    {"Delete": {"TableName": "t-posts"}},
                ]
            },
            {
                ("dynamodb:ConditionCheckItem", f"{TABLE}/PhotosTable"),
                ("dynamodb:PutItem", f"{TABLE}/PostsTable"),
                ("dynamodb:UpdateItem", f"{TABLE}/PhotosTable"),
                ("dynamodb:DeleteItem", f"{TABLE}/PostsTable"),
            },
        ),
        (
            "dynamodb Query",
            {"TableName": "t-photos", "IndexName": "queue"},
            {("dynamodb:Query", f"{TABLE}/PhotosTable/index/queue")},
        ),
        (
            "dynamodb BatchGetItem",
            {"RequestItems": {"t-photos": {}, "another": {}}},
            {("dynamodb:BatchGetItem", f"{TABLE}/PhotosTable"), ("dynamodb:BatchGetItem", f"{TABLE}/another")},
        ),
        ("s3 GetObject", SOURCE, {("s3:GetObjectVersion", f"{OBJECT}/incoming/a.jpg")}),
        (
            "s3 HeadObject",
            TARGET,
            {("s3:GetObject", f"{OBJECT}/rejected/a.jpg"), ("s3:ListBucket", OBJECT)},
        ),
        (
            "s3 CopyObject",
            {**TARGET, "CopySource": SOURCE, "Tagging": "a=b", "TaggingDirective": "REPLACE"},
            {
                ("s3:GetObjectVersion", f"{OBJECT}/incoming/a.jpg"),
                ("s3:PutObject", f"{OBJECT}/rejected/a.jpg"),
                ("s3:PutObjectTagging", f"{OBJECT}/rejected/a.jpg"),
            },
        ),
        (
            "s3 CopyObject",
            {**TARGET, "CopySource": SOURCE},
            {
                ("s3:GetObjectVersion", f"{OBJECT}/incoming/a.jpg"),
                ("s3:GetObjectVersionTagging", f"{OBJECT}/incoming/a.jpg"),
                ("s3:PutObject", f"{OBJECT}/rejected/a.jpg"),
            },
        ),
        ("s3 DeleteObject", SOURCE, {("s3:DeleteObjectVersion", f"{OBJECT}/incoming/a.jpg")}),
        ("ssm GetParameters", {"Names": ["/a-test/default/access-token"]}, {("ssm:GetParameters", TOKEN)}),
        (
            "bedrock-runtime Converse",
            {"modelId": "amazon.nova-lite-v1:0"},
            {("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0")},
        ),
    ],
)
def test_a_call_needs_these_actions_on_the_stacks_own_arns(
    operation: str, params: Mapping[str, Any], needed: set[tuple[str, str]]
) -> None:
    service, _, name = operation.partition(" ")
    assert {(need.action, need.resource) for need in needs(service, name, params, NAMES)} == needed


def test_an_operation_that_nobody_has_looked_up_names_the_file_to_teach() -> None:
    with pytest.raises(UnknownOperationError, match=r"s3 SelectObjectContent: .*tests/least_privilege/actions\.py"):
        needs("s3", "SelectObjectContent", {}, NAMES)


# ---- the recorder ----


def test_the_handlers_are_those_of_the_template() -> None:
    functions = whole_stack().of_type("AWS::Lambda::Function")
    assert {name: function["Properties"]["Handler"] for name, function in functions.items()} == HANDLERS
    assert set(FUNCTIONS) == set(HANDLERS)
    assert (own.ACCOUNT, own.REGION, own.STACK) == (expansion.ACCOUNT, expansion.REGION, expansion.STACK)


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    import botocore.session  # noqa: PLC0415 - what the recorder changes

    # Put back after the test: this process is the other tests' as well.
    monkeypatch.setattr(botocore.session.Session, "create_client", botocore.session.Session.create_client)
    for name, value in {"PHOTOS_TABLE": "t-photos", "PHOTOS_BUCKET": "a-bucket", "TOKEN_PREFIX": "/a-test"}.items():
        monkeypatch.setenv(name, value)
    recorder = Recorder(tmp_path)
    recorder.listen()
    return recorder


def a_client(service: str) -> Any:
    return boto3.session.Session("local", "local", region_name="eu-central-1").client(service)


def test_what_a_running_handler_calls_or_presigns_is_written_down_as_its_functions(
    recorder: Recorder, tmp_path: Path
) -> None:
    dynamodb, s3 = a_client("dynamodb"), a_client("s3")
    with Stubber(dynamodb) as stub, recorder.running("PostNextBest"):
        stub.add_response("get_item", {})
        dynamodb.get_item(TableName="t-photos", Key={"a": {"S": "secret"}})
        s3.generate_presigned_url("get_object", Params={"Bucket": "a-bucket", "Key": "library/a.jpg"})
    calls = recorded(tmp_path)
    assert calls.needs == {
        "PostNextBest": {
            Need("dynamodb:GetItem", f"{TABLE}/PhotosTable"): "dynamodb GetItem",
            Need("s3:GetObject", f"{OBJECT}/library/a.jpg"): "s3 GetObject",
        }
    }
    assert calls.operations == {"dynamodb GetItem", "s3 GetObject"}
    assert calls.problems == []
    assert "secret" not in "".join(file.read_text() for file in tmp_path.iterdir())


def test_what_is_called_while_no_handler_runs_is_nobodys(recorder: Recorder, tmp_path: Path) -> None:
    a_client("s3").generate_presigned_url("get_object", Params={"Bucket": "a-bucket", "Key": "library/a.jpg"})
    assert recorded(tmp_path) == Recorded({}, set(), [])


def test_a_call_that_cannot_be_understood_is_a_problem_and_no_failure_of_the_call(
    recorder: Recorder, tmp_path: Path
) -> None:
    with recorder.running("PostNextBest"):
        assert a_client("s3").generate_presigned_url("list_parts", Params={**TARGET, "UploadId": "1"})
    calls = recorded(tmp_path)
    assert calls.needs == {}
    (problem,) = calls.problems
    assert "s3 ListParts" in problem


def test_a_call_while_two_functions_run_is_a_problem(recorder: Recorder, tmp_path: Path) -> None:
    with recorder.running("PostNextBest"), recorder.running("Reconcile"):
        a_client("s3").generate_presigned_url("get_object", Params=TARGET)
    (problem,) = recorded(tmp_path).problems
    assert "PostNextBest and Reconcile" in problem


# ---- the verdict ----

GET: Final = Need("s3:GetObject", f"{OBJECT}/library/a.jpg")
GRANT: Final = Need("s3:GetObject", f"{OBJECT}/library/*")
ASKED: Final = Asked("PostNextBestRole", GET, "PostNextBest calls s3 GetObject")


def answering(answer: str) -> Any:
    def evaluate(asked: Sequence[Asked]) -> Sequence[str]:
        return [answer for _ in asked]

    return evaluate


@pytest.mark.parametrize(
    ("answer", "is_allowed", "is_denied"),
    [("Allowed", True, False), ("ImplicitlyDenied", False, True), ("error: invalid.action", False, False)],
)
def test_a_question_that_iam_does_not_know_proves_neither(answer: str, is_allowed: bool, is_denied: bool) -> None:
    assert (list(not_allowed([ASKED], answering(answer))) == []) == is_allowed
    assert (list(not_denied([ASKED], answering(answer))) == []) == is_denied


def test_a_grant_is_needed_by_its_own_role_or_kept_with_a_reason() -> None:
    role = {"PostNextBestRole": {GRANT}}
    assert list(not_needed(role, [ASKED], {})) == []
    (line,) = not_needed(role, [Asked("ReconcileRole", GET, "")], {})
    assert "PostNextBestRole is allowed s3:GetObject" in line
    assert list(not_needed(role, [], {("PostNextBestRole", GRANT): "a reason"})) == []


def test_a_reason_that_has_outlived_its_grant_is_told() -> None:
    reasons = {("PostNextBestRole", GRANT): "a reason"}
    (needed,) = not_needed({"PostNextBestRole": {GRANT}}, [ASKED], reasons)
    assert "is needed after all" in needed
    (gone,) = not_needed({"PostNextBestRole": set()}, [ASKED], reasons)
    assert "is not in the template" in gone


def test_a_call_that_the_package_does_not_describe_is_told() -> None:
    assert list(not_packaged({"s3 GetObject"}, {"s3 GetObject"}, {})) == []
    (line,) = not_packaged({"s3 GetObject", "s3 CopyObject"}, {"s3 GetObject"}, {})
    assert "s3 CopyObject is called" in line
    (line,) = not_packaged(set(), set(), {"s3 HeadBucket": "a reason"})
    assert "s3 HeadBucket is called" in line


def test_an_operation_in_the_package_that_nothing_calls_is_told_and_a_reason_keeps_it() -> None:
    (line,) = not_packaged(set(), {"s3 HeadBucket"}, {})
    assert "keeps s3 HeadBucket" in line
    assert list(not_packaged(set(), {"s3 HeadBucket"}, {"s3 HeadBucket": "a reason"})) == []
    (line,) = not_packaged({"s3 HeadBucket"}, {"s3 HeadBucket"}, {"s3 HeadBucket": "a reason"})
    assert "our own code calls as well" in line


# ---- the expectations ----


def test_every_role_is_asked_for_what_it_should_not_have() -> None:
    assert {one.role for one in FORBIDDEN} == set(policies())


def test_what_aws_does_and_what_is_in_reserve_is_of_roles_that_there_are() -> None:
    assert {one.role for one in MADE_BY_AWS} | {role for role, _ in IN_RESERVE} <= set(policies())
    assert all(reason for reason in IN_RESERVE.values())


def test_the_package_describes_no_operation_whose_actions_are_unknown() -> None:
    asked = {operation for operation in packaged() if operation not in BY_THE_SDK}
    assert asked
    assert asked <= {" ".join(known) for known in OPERATIONS}


def test_the_resolved_policies_have_arns_and_no_name_of_the_template() -> None:
    assert json.dumps(dict(policies())).count(".Arn") == 0
    for role in policies():
        assert all(grant.resource.startswith("arn:aws:") for grant in grants(role))
    assert {role_of(function) for function in FUNCTIONS} <= set(policies())
