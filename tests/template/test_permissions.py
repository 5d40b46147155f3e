"""What each role and each resource policy allows: action by action, resource by resource, nothing that is not used."""

from collections.abc import Iterator
from typing import Any

import pytest

from template.expansion import ACCOUNT, REGION, Stack, expand

TOKENS = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/fluffy-train/*"

ALLOWED = {
    "PostNextBest": {
        ("dynamodb:GetItem", "PersonasTable.Arn"),
        ("dynamodb:ConditionCheckItem", "PersonasTable.Arn"),
        ("dynamodb:UpdateItem", "PersonasTable.Arn"),
        ("dynamodb:GetItem", "PhotosTable.Arn"),
        ("dynamodb:UpdateItem", "PhotosTable.Arn"),
        ("dynamodb:Query", "PhotosTable.Arn/index/queue"),
        ("dynamodb:GetItem", "PostsTable.Arn"),
        ("dynamodb:Query", "PostsTable.Arn"),
        ("dynamodb:PutItem", "PostsTable.Arn"),
        ("dynamodb:UpdateItem", "PostsTable.Arn"),
        ("s3:GetObject", "PhotosBucket.Arn/library/*"),
        ("s3:ListBucket", "PhotosBucket.Arn"),
        ("ssm:GetParameters", TOKENS),
        ("sqs:SendMessage", "DeadLetters.Arn"),
        ("logs:CreateLogStream", "PostNextBestLogGroup.Arn"),
        ("logs:PutLogEvents", "PostNextBestLogGroup.Arn"),
    },
}

ALLOWED["Reconcile"] = {
    (action, resource.replace("PostNextBest", "Reconcile"))
    for action, resource in ALLOWED["PostNextBest"]
    if action != "sqs:SendMessage"
} | {
    ("dynamodb:Query", "PostsTable.Arn/index/in_flight"),
    ("dynamodb:Scan", "PersonasTable.Arn"),
}

ALLOWED["RefreshTokens"] = {
    ("dynamodb:Scan", "PersonasTable.Arn"),
    ("dynamodb:GetItem", "PersonasTable.Arn"),
    ("dynamodb:UpdateItem", "PersonasTable.Arn"),
    ("ssm:GetParameters", TOKENS),
    ("ssm:PutParameter", TOKENS),
    ("logs:CreateLogStream", "RefreshTokensLogGroup.Arn"),
    ("logs:PutLogEvents", "RefreshTokensLogGroup.Arn"),
}

ALLOWED["IngestPhoto"] = {
    ("dynamodb:GetItem", "PersonasTable.Arn"),
    ("dynamodb:GetItem", "PhotosTable.Arn"),
    ("dynamodb:BatchGetItem", "PhotosTable.Arn"),
    ("dynamodb:PutItem", "PhotosTable.Arn"),
    ("dynamodb:UpdateItem", "PhotosTable.Arn"),
    ("dynamodb:GetItem", "LookalikesTable.Arn"),
    ("dynamodb:BatchGetItem", "LookalikesTable.Arn"),
    ("dynamodb:UpdateItem", "LookalikesTable.Arn"),
    ("s3:GetObject", "PhotosBucket.Arn/incoming/*"),
    ("s3:GetObjectVersion", "PhotosBucket.Arn/incoming/*"),
    ("s3:DeleteObject", "PhotosBucket.Arn/incoming/*"),
    ("s3:DeleteObjectVersion", "PhotosBucket.Arn/incoming/*"),
    ("s3:PutObject", "PhotosBucket.Arn/rejected/*"),
    ("s3:PutObjectTagging", "PhotosBucket.Arn/rejected/*"),
    ("s3:PutObjectVersionTagging", "PhotosBucket.Arn/rejected/*"),
    ("s3:AbortMultipartUpload", "PhotosBucket.Arn/rejected/*"),
    ("s3:GetObject", "PhotosBucket.Arn/library/*"),
    ("s3:PutObject", "PhotosBucket.Arn/library/*"),
    ("s3:ListBucket", "PhotosBucket.Arn"),
    ("sqs:SendMessage", "DeadLetters.Arn"),
    ("logs:CreateLogStream", "IngestPhotoLogGroup.Arn"),
    ("logs:PutLogEvents", "IngestPhotoLogGroup.Arn"),
}

MODEL = "eu.amazon.nova-lite-v1:0"
PROFILE = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile/{MODEL}"
BEDROCK = {
    ("bedrock:InvokeModel", f"arn:aws:bedrock:{REGION}::foundation-model/{MODEL}"),
    ("bedrock:InvokeModel", PROFILE),
    ("bedrock:InvokeModel", "arn:aws:bedrock:*::foundation-model/*"),
}

# Resources that end in a star, because the template cannot know the names: the photos' files, the personas' tokens.
STARRED = {*(f"PhotosBucket.Arn/{folder}/*" for folder in ("library", "incoming", "rejected")), TOKENS}

# Statements that are no grant to a function, by Sid: a denial is wide on purpose.
STARS_WITH_A_REASON = {"TlsOnly", "NoOldTls"}

FUNCTIONS = sorted(expand().of_type("AWS::Lambda::Function"))
ROLES = sorted(expand().of_type("AWS::IAM::Role"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_what_it_does_and_no_more(stack: Stack, function: str) -> None:
    role, _, attribute = stack.properties(function)["Role"].partition(".")
    assert attribute == "Arn"
    assert granted_to(stack, role) == ALLOWED[function]


def test_only_the_scorer_bedrock_may_ask_a_model_and_only_the_intake_has_it() -> None:
    stack = expand(Scorer="bedrock", BedrockModelId=MODEL)
    for function in FUNCTIONS:
        more = BEDROCK if function == "IngestPhoto" else set()
        assert granted_to(stack, f"{function}Role") == ALLOWED[function] | more
    (behind,) = [
        statement
        for statement in _role_statements(stack, "IngestPhotoRole")
        if statement["Resource"] == "arn:aws:bedrock:*::foundation-model/*"
    ]
    assert behind["Condition"] == {"ArnEquals": {"bedrock:InferenceProfileArn": PROFILE}}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_two_functions_share_a_role(stack: Stack, function: str) -> None:
    roles = [stack.properties(name)["Role"] for name in FUNCTIONS]
    assert roles.count(stack.properties(function)["Role"]) == 1


@pytest.mark.parametrize("role", ROLES)
def test_a_role_holds_only_what_stands_in_the_template(stack: Stack, role: str) -> None:
    properties = stack.properties(role)
    assert "ManagedPolicyArns" not in properties, "AWS's managed policies allow more than is used"
    assert "RoleName" not in properties, "a named role would ask for CAPABILITY_NAMED_IAM"
    assert {statement["Effect"] for statement in _role_statements(stack, role)} == {"Allow"}


def test_no_policy_is_kept_apart_from_its_role(stack: Stack) -> None:
    kinds = {resource["Type"] for resource in stack.resources.values()}
    assert not kinds & {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"}


@pytest.mark.parametrize("role", [f"{function}Role" for function in FUNCTIONS])
def test_a_functions_role_is_for_lambda_alone(stack: Stack, role: str) -> None:
    (statement,) = stack.properties(role)["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }


def test_a_personas_schedule_may_start_posts_and_hand_over_what_was_given_up(stack: Stack) -> None:
    assert granted_to(stack, "ScheduleRole") == {
        ("lambda:InvokeFunction", "PostNextBest.Arn"),
        ("sqs:SendMessage", "DeadLetters.Arn"),
    }


def test_only_the_schedules_of_this_stacks_group_take_on_their_role(stack: Stack) -> None:
    assert stack.properties("ScheduleRole")["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "scheduler.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
                "ArnEquals": {"aws:SourceArn": "ScheduleGroup.Arn"},
            },
        }
    ]


def test_no_action_and_no_resource_has_a_star_where_a_name_exists(stack: Stack) -> None:
    starred = [
        (where, word)
        for where, statement in _every_statement(stack)
        if statement.get("Sid") not in STARS_WITH_A_REASON
        for word in [*_listed(statement["Action"]), *_listed(statement.get("Resource", []))]
        if "*" in word and word not in STARRED
    ]
    assert starred == []


def test_no_statement_grants_by_exception(stack: Stack) -> None:
    for where, statement in _every_statement(stack):
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement), where
        if statement["Effect"] == "Allow":
            assert statement.get("Principal") != "*", where


def granted_to(stack: Stack, role: str) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for statement in _role_statements(stack, role)
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }


def _role_statements(stack: Stack, role: str) -> list[dict[str, Any]]:
    policies = stack.properties(role).get("Policies", [])
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def _every_statement(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in stack.resources.items():
        properties = resource.get("Properties", {})
        documents = [properties[key] for key in ("PolicyDocument", "KeyPolicy") if key in properties]
        documents += [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        for document in documents:
            for statement in document["Statement"]:
                yield name, statement


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
