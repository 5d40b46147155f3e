"""What the roles are for beyond the functions' own calls, and what no role may do.

``MADE_BY_AWS`` is asked of IAM as the recorded calls are. ``IN_RESERVE`` is the one list of what is allowed and was
not seen: an entry without need, or one that was seen after all, fails the check as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from least_privilege.actions import Need
from least_privilege.names import ACCOUNT, PREFIX, REGION, STACK, bucket_arn, regional, stream_arn, table_arn
from least_privilege.roles import MODEL

FUNCTIONS: Final = ("PostNextBest", "Reconcile", "RefreshTokens", "IngestPhoto", "Webhook")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks a role for. ``context`` has IAM's condition keys."""

    role: str
    need: Need
    why: str
    context: Mapping[str, str] = field(default_factory=dict)


def _asked(role: str, action: str, resource: str, why: str, **context: str) -> Asked:
    return Asked(role, Need(action, resource), why, {key.replace("__", ":"): value for key, value in context.items()})


def _logs(function: str) -> Iterator[Asked]:
    stream = f"log-group:/aws/lambda/{STACK}-{function}:log-stream:2026/11/22/[$LATEST]0123456789abcdef"
    for action in ("CreateLogStream", "PutLogEvents"):
        why = "Lambda writes the function's log by its role."
        yield _asked(f"{function}Role", f"logs:{action}", regional("logs", stream), why)


_DEAD_LETTERS: Final = regional("sqs", "DeadLetters")
_STREAM: Final = stream_arn("PostsTable")
_PROFILE: Final = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile/{MODEL}"

_MODEL_BEHIND: Final = "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"
_POSTING_FUNCTION: Final = regional("lambda", "function:PostNextBest")

MADE_BY_AWS: Final[Sequence[Asked]] = (
    *(asked for function in FUNCTIONS for asked in _logs(function)),
    *(
        _asked(
            f"{function}Role",
            "sqs:SendMessage",
            _DEAD_LETTERS,
            "Lambda hands over a failed start by its role.",
        )
        for function in ("PostNextBest", "IngestPhoto")
    ),
    *(
        _asked("WebhookRole", f"sqs:{action}", regional("sqs", "WebhookQueue"), "Lambda polls the queue by its role.")
        for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    ),
    _asked(
        "IngestPhotoRole",
        "bedrock:InvokeModel",
        _MODEL_BEHIND,
        "An inference profile asks for the model behind it, in the region that it chose.",
        bedrock__InferenceProfileArn=_PROFILE,
    ),
    _asked(
        "ScheduleRole",
        "lambda:InvokeFunction",
        _POSTING_FUNCTION,
        "It starts a post.",
    ),
    _asked("ScheduleRole", "sqs:SendMessage", _DEAD_LETTERS, "The Scheduler hands over what it gave up."),
    *(
        _asked("WebhookPipeRole", f"dynamodb:{action}", _STREAM, "The pipe reads the posts' stream.")
        for action in ("DescribeStream", "GetRecords", "GetShardIterator")
    ),
    *(
        _asked("WebhookPipeRole", "sqs:SendMessage", regional("sqs", queue), "The pipe hands on, or gives up.")
        for queue in ("WebhookQueue", "DeadLetters")
    ),
)
"""Calls that AWS makes as one of the roles, and no code of ours."""

IN_RESERVE: Final[Mapping[tuple[str, Need], str]] = {
    (
        "IngestPhotoRole",
        Need("bedrock:InvokeModel", f"arn:aws:bedrock:{REGION}::foundation-model/{MODEL}"),
    ): "BedrockModelId may be a model and no profile, and the template cannot tell which.",
    (
        "WebhookPipeRole",
        Need("dynamodb:ListStreams", _STREAM),
    ): "The guide to EventBridge Pipes asks for it on the stream. IAM knows it on no resource but *, so that it grants "
    "nothing here; whether CreatePipe looks for it only AWS can tell.",
}
"""Each action on a resource that a role is allowed and that nothing was seen to need, with the reason why it stays."""

BY_THE_SDK: Final[Mapping[str, str]] = {
    "s3 HeadBucket": "botocore asks where a bucket is when S3 answers a HeadObject by 400, as it does to an ended key.",
}
"""Each operation in the package that our own code does not call, with the reason."""

_ROLES: Final = (*(f"{function}Role" for function in FUNCTIONS), "ScheduleRole", "WebhookPipeRole")


def _forbidden(
    action: str, resource: str, why: str, *, but: Sequence[str] = (), roles: Sequence[str] = _ROLES
) -> Iterator[Asked]:
    return (_asked(role, action, resource, why) for role in roles if role not in but)


_POSTING: Final = ("PostNextBestRole", "ReconcileRole")
_OTHER_TABLE: Final = table_arn("another-stack-PostsTable")
_POSTS, _PHOTOS, _PERSONAS = (table_arn(name) for name in ("PostsTable", "PhotosTable", "PersonasTable"))
_BUCKET: Final = bucket_arn("PhotosBucket")
_ANOTHERS_TOKEN: Final = regional("ssm", "parameter/another-stack/default/access-token")
_TOKEN: Final = regional("ssm", f"parameter{PREFIX}/default/access-token")

FORBIDDEN: Final[Sequence[Asked]] = (
    *(
        one
        for action in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan")
        for one in _forbidden(f"dynamodb:{action}", _OTHER_TABLE, "another stack's table")
    ),
    *(
        one
        for table in (_POSTS, _PHOTOS, _PERSONAS, table_arn("LookalikesTable"))
        for action in ("DeleteItem", "BatchWriteItem", "DeleteTable", "UpdateTable")
        for one in _forbidden(f"dynamodb:{action}", table, "no function deletes a record, or a table")
    ),
    *(one for table in (_POSTS, _PHOTOS) for one in _forbidden("dynamodb:Scan", table, "the owner's commands alone")),
    *_forbidden("dynamodb:PutItem", _PERSONAS, "personas are added by the owner"),
    *_forbidden("dynamodb:PutItem", _POSTS, "the ledger is kept by those who post", but=_POSTING),
    *_forbidden("dynamodb:UpdateItem", _POSTS, "the same", but=_POSTING),
    *_forbidden("s3:GetObject", f"{_BUCKET}/incoming/default/a.jpg", "raw uploads", but=("IngestPhotoRole",)),
    *_forbidden("s3:PutObject", f"{_BUCKET}/library/default/a.jpg", "what is posted", but=("IngestPhotoRole",)),
    *_forbidden("s3:PutObject", f"{_BUCKET}/incoming/default/a.jpg", "it would start itself"),
    *_forbidden("s3:DeleteObject", f"{_BUCKET}/library/default/a.jpg", "no function deletes a rendition"),
    *_forbidden("s3:DeleteObjectVersion", f"{_BUCKET}/library/default/a.jpg", "nor a version of it"),
    *_forbidden("s3:GetObject", "arn:aws:s3:::another-bucket/library/default/a.jpg", "another bucket"),
    *_forbidden("s3:ListBucket", "arn:aws:s3:::another-bucket", "another bucket"),
    *_forbidden("s3:PutBucketPolicy", _BUCKET, "the template's"),
    *_forbidden("s3:DeleteBucket", _BUCKET, "the owner's"),
    *_forbidden("ssm:PutParameter", _TOKEN, "tokens are replaced by RefreshTokens alone", but=("RefreshTokensRole",)),
    *_forbidden(
        "ssm:GetParameters",
        _TOKEN,
        "who neither posts nor refreshes needs no token",
        but=(*_POSTING, "RefreshTokensRole"),
    ),
    *_forbidden("ssm:GetParameter", _TOKEN, "one by one nobody asks"),
    *_forbidden("ssm:GetParametersByPath", regional("ssm", f"parameter{PREFIX}"), "all at once nobody asks"),
    *_forbidden("ssm:DeleteParameter", _TOKEN, "the owner's"),
    *(
        one
        for action in ("GetParameter", "GetParameters", "PutParameter")
        for one in _forbidden(f"ssm:{action}", _ANOTHERS_TOKEN, "another's")
    ),
    *_forbidden("ssm:GetParameters", regional("ssm", f"parameter{PREFIX}-two/default/access-token"), "a like name"),
    *(
        one
        for action in ("ReceiveMessage", "DeleteMessage", "PurgeQueue")
        for one in _forbidden(f"sqs:{action}", _DEAD_LETTERS, "the owner reads the dead letters")
    ),
    *_forbidden("bedrock:InvokeModel", _MODEL_BEHIND, "past its profile"),
    *_forbidden("bedrock:InvokeModel", _PROFILE, "the scorer's alone", but=("IngestPhotoRole",)),
    *_forbidden("lambda:InvokeFunction", _POSTING_FUNCTION, "the rule's", but=("ScheduleRole",)),
    *_forbidden("lambda:UpdateFunctionCode", _POSTING_FUNCTION, "a deployment's"),
    *_forbidden("logs:PutLogEvents", regional("logs", "log-group:/aws/lambda/another:log-stream:x"), "another's log"),
    *_forbidden("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/owner", "no role makes itself more than it is"),
    *_forbidden("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/PostNextBestRole", "the same"),
    *_forbidden("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/ScheduleRole", "the same"),
    *_forbidden("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/ScheduleRole", "the same"),
    *_forbidden("kms:Decrypt", regional("kms", "key/00000000-0000-4000-8000-000000000000"), "another's key"),
)
"""What each role is asked for that it should not have."""
