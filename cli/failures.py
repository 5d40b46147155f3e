"""What can be expected to go wrong, in one line that says what to do. No text here quotes a token or a request."""

from collections.abc import Iterator
from typing import Final

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from adapters.imaging import UnusableImageError
from adapters.webhook import DeliveryFailedError
from adapters.webhook_secret import WebhookSecretError
from domain.faults import Fault
from domain.ports import RecordsUnavailableError, ScorerUnavailableError
from domain.post_next_best import UnknownPersonaError
from domain.token_ports import TokenStoreUnavailableError
from handlers.wiring import SettingsError


class CommandError(Exception):
    """The command cannot do what was asked. The text says why, and what to do."""


EXPECTED: Final = (
    CommandError,
    SettingsError,
    UnknownPersonaError,
    RecordsUnavailableError,
    ScorerUnavailableError,
    UnusableImageError,
    TokenStoreUnavailableError,
    DeliveryFailedError,
    WebhookSecretError,
    Fault,
    aws.BotoCoreError,
    aws.ClientError,
    ResponseParserError,
)

_SIGN_IN: Final = "sign in with `aws configure` or `aws sso login`, or name a profile in AWS_PROFILE"

_UNREACHABLE: Final = "AWS cannot be reached: look at the network, and at AWS_ENDPOINT_URL if it is set."

_ADVICE: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aws.NoCredentialsError, f"There are no AWS credentials: {_SIGN_IN}."),
    (aws.PartialCredentialsError, f"The AWS credentials are incomplete: {_SIGN_IN}."),
    (aws.CredentialRetrievalError, f"The AWS credentials cannot be had: {_SIGN_IN}."),
    (aws.SSOError, "The AWS sign-in is missing or over: sign in again with `aws sso login`."),
    (aws.NoRegionError, "No AWS region is named: set AWS_DEFAULT_REGION, e.g. to eu-central-1, or AWS_PROFILE."),
    (aws.ProfileNotFound, "There is no such AWS profile: `aws configure list-profiles` shows those there are."),
    (ResponseParserError, "What answered is not AWS: look at AWS_ENDPOINT_URL, and at any proxy."),
    (aws.ConnectionError, _UNREACHABLE),
    (aws.HTTPClientError, _UNREACHABLE),
)

_SIGNED_OUT: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNKNOWN_KEY: Final = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_FORBIDDEN: Final = frozenset({"AccessDenied", "AccessDeniedException", "403"})
_GONE: Final = frozenset({"NoSuchBucket", "ResourceNotFoundException"})


def in_one_line(error: BaseException) -> str:
    """What happened and what to do, for one of ``EXPECTED``."""
    for cause in _chain(error):
        for kind, advice in _ADVICE:
            if isinstance(cause, kind):
                return advice
        if isinstance(cause, aws.ClientError):
            return _refused_by_aws(cause)
    if isinstance(error, aws.BotoCoreError):
        # Its text may quote what was sent.
        return f"AWS could not be asked ({type(error).__name__}): look at the AWS settings."
    return " ".join(str(error).split())


def _refused_by_aws(error: aws.ClientError) -> str:
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    if code in _SIGNED_OUT:
        return "The AWS sign-in is over: sign in again, e.g. with `aws sso login`."
    if code in _UNKNOWN_KEY:
        return f"AWS does not know these credentials ({code}): {_SIGN_IN}."
    if code in _FORBIDDEN:
        return f"These AWS credentials may not do {error.operation_name} ({code}): use others, or have it allowed."
    if code in _GONE:
        return (
            f"The stack's tables or its bucket are not there ({error.operation_name}: {code}). Look whether the region "
            "and the stack are the right ones, and whether it is deployed."
        )
    return f"AWS refused {error.operation_name} ({code}). Try again; if it stays, look the code up."


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what caused it, unless it was raised to say more; PynamoDB keeps a cause of its own."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            context = None if cause.__suppress_context__ else cause.__context__
            waiting += [getattr(cause, "cause", None), cause.__cause__, context]
