"""What IAM asks of a role for each operation of AWS's API that the functions call: actions, each on a resource.

Where an operation needs other actions than the one of its own name, the comment names AWS's page that says so.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from least_privilege.names import Names

HERE: Final = "tests/least_privilege/actions.py"

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """One action on one resource, whose ARN is that of the template's stack, whatever a test named its own."""

    action: str
    resource: str


class UnknownOperationError(Exception):
    """Nobody has said yet what the operation needs."""


def needs(service: str, operation: str, params: Params, names: Names) -> Sequence[Need]:
    """What a call of ``operation`` with ``params``, as botocore takes them, needs. Raises UnknownOperationError.

    ``service`` is botocore's name of it, such as ``dynamodb``.
    """
    try:
        needed = OPERATIONS[service, operation]
    except KeyError:
        raise UnknownOperationError(f"{service} {operation}: say in {HERE} which actions it needs") from None
    return [Need(action, resource) for action, resource in needed(params, names)]


_Needed = Iterator[tuple[str, str]]


def _on_a_table(action: str) -> Callable[[Params, Names], _Needed]:
    def needed(params: Params, names: Names) -> _Needed:
        # A query or scan of an index is asked for on the index alone.
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield f"dynamodb:{action}", names.table(params["TableName"]) + index

    return needed


def _batch(action: str) -> Callable[[Params, Names], _Needed]:
    def needed(params: Params, names: Names) -> _Needed:
        for table in params["RequestItems"]:
            yield f"dynamodb:{action}", names.table(table)

    return needed


def _transaction(params: Params, names: Names) -> _Needed:
    # Amazon DynamoDB developer guide, "Using IAM with DynamoDB transactions": the actions of its parts, and none of its
    # own name.
    for part in params["TransactItems"]:
        for kind, what in part.items():
            action = "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item"
            yield f"dynamodb:{action}", names.table(what["TableName"])


# Amazon S3 user guide, "Required permissions for Amazon S3 API operations".


def _version(params: Params) -> str:
    return "Version" if params.get("VersionId") else ""


def _get_object(params: Params, names: Names) -> _Needed:
    yield f"s3:GetObject{_version(params)}", names.object(params["Bucket"], params["Key"])


def _head_object(params: Params, names: Names) -> _Needed:
    yield from _get_object(params, names)
    # Without it S3 answers 403 where there is no such object, and not 404 (Amazon S3 API reference, "HeadObject").
    yield "s3:ListBucket", names.bucket(params["Bucket"])


def _put_object(params: Params, names: Names) -> _Needed:
    target = names.object(params["Bucket"], params["Key"])
    yield "s3:PutObject", target
    if params.get("Tagging"):
        yield "s3:PutObjectTagging", target


def _copy_object(params: Params, names: Names) -> _Needed:
    yield from _source(params, names)
    yield from _put_object(params, names)
    if params.get("TaggingDirective") != "REPLACE":
        bucket, key, version = _copied_from(params["CopySource"])
        yield f"s3:GetObject{version}Tagging", names.object(bucket, key)


def _source(params: Params, names: Names) -> _Needed:
    bucket, key, version = _copied_from(params["CopySource"])
    yield f"s3:GetObject{version}", names.object(bucket, key)


def _part_copy(params: Params, names: Names) -> _Needed:
    yield from _source(params, names)
    yield "s3:PutObject", names.object(params["Bucket"], params["Key"])


def _copied_from(source: Mapping[str, str] | str) -> tuple[str, str, str]:
    if isinstance(source, str):
        raise UnknownOperationError(f"S3's CopySource as a text: take it apart in {HERE}")
    return source["Bucket"], source["Key"], _version(source)


def _on_an_object(action: str) -> Callable[[Params, Names], _Needed]:
    def needed(params: Params, names: Names) -> _Needed:
        yield f"s3:{action}", names.object(params["Bucket"], params["Key"])

    return needed


def _put_tagging(params: Params, names: Names) -> _Needed:
    yield f"s3:PutObject{_version(params)}Tagging", names.object(params["Bucket"], params["Key"])


def _delete_object(params: Params, names: Names) -> _Needed:
    yield f"s3:DeleteObject{_version(params)}", names.object(params["Bucket"], params["Key"])


def _on_parameters(action: str) -> Callable[[Params, Names], _Needed]:
    def needed(params: Params, names: Names) -> _Needed:
        for name in params["Names"] if "Names" in params else [params["Name"]]:
            yield f"ssm:{action}", names.parameter(name)

    return needed


_OF_A_PROFILE: Final = re.compile(r"(us|us-gov|eu|apac|jp|au|ca|global)\.")


def _converse(params: Params, names: Names) -> _Needed:
    # Amazon Bedrock API reference, "Converse": it needs the action of InvokeModel.
    model = params["modelId"]
    kind = "inference-profile" if _OF_A_PROFILE.match(model) else "foundation-model"
    yield "bedrock:InvokeModel", names.model(kind, model)


OPERATIONS: Final[Mapping[tuple[str, str], Callable[[Params, Names], _Needed]]] = {
    **{
        ("dynamodb", operation): _on_a_table(operation)
        for operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "DescribeTable")
    },
    ("dynamodb", "BatchGetItem"): _batch("BatchGetItem"),
    ("dynamodb", "BatchWriteItem"): _batch("BatchWriteItem"),
    ("dynamodb", "TransactWriteItems"): _transaction,
    ("s3", "GetObject"): _get_object,
    ("s3", "HeadObject"): _head_object,
    ("s3", "PutObject"): _put_object,
    ("s3", "CopyObject"): _copy_object,
    ("s3", "DeleteObject"): _delete_object,
    ("s3", "PutObjectTagging"): _put_tagging,
    ("s3", "CreateMultipartUpload"): _put_object,
    ("s3", "UploadPartCopy"): _part_copy,
    ("s3", "CompleteMultipartUpload"): _on_an_object("PutObject"),
    ("s3", "AbortMultipartUpload"): _on_an_object("AbortMultipartUpload"),
    **{
        ("ssm", operation): _on_parameters(operation)
        for operation in ("GetParameter", "GetParameters", "GetParameterHistory", "PutParameter")
    },
    ("bedrock-runtime", "Converse"): _converse,
}
