"""What a message of the dead-letter queue is: whose, of what, and why it was given up.

Messages come in five shapes. A rule's (EventBridge) and a schedule's (EventBridge Scheduler) have the event as body,
and the target's ARN and the error beside it. Lambda's destination for failures has all of it in the body. What the
webhook's queue gives up is moved here as it was, so it is a record of the posts' stream and says no error. The pipe
before that queue tells only where in the stream the records were that it gave up:

    {"context": {"partnerResourceArn": "arn:aws:pipes:…", "condition": …}, "DDBStreamBatchInfo": {"streamArn": …, …}}

AWS has no page on that last shape; so it was received by others (DVLA Engineering's post on EventBridge Pipes, 2024).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

_FUNCTION: Final = re.compile(r"arn:aws[a-z-]*:lambda:[^:]*:[^:]*:function:([A-Za-z0-9-_]+)(?::.*)?")
_PIPE: Final = re.compile(r"arn:aws[a-z-]*:pipes:.*")
MOST_QUOTED: Final = 300


class Kind(Enum):
    START = "an event for a function"
    NOTICE = "a record of a stream, that the webhook's queue gave up"
    MISSED = "a batch of a stream's records, that the webhook's pipe gave up"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """``function`` is the name of the one that the event was for, ``event`` what it was sent; None where unknown.

    Of a notice, ``event`` is the stream's record; of what a pipe missed, ``DDBStreamBatchInfo``.
    """

    function: str | None
    event: Mapping[str, Any] | None
    error: str
    kind: Kind = Kind.START


def parse(body: str, attributes: Mapping[str, str]) -> DeadLetter:
    """A message in any of its shapes. Raises nothing: what is not understood is None."""
    told = _object(body)
    context = told.get("requestContext") if told is not None else None
    if told is not None and isinstance(context, Mapping) and "requestPayload" in told:
        payload = told["requestPayload"]
        return DeadLetter(
            _function_of(context.get("functionArn")), payload if isinstance(payload, Mapping) else None, _failure(told)
        )
    if told is not None and told.get("eventSource") == "aws:dynamodb" and "TARGET_ARN" not in attributes:
        return DeadLetter(None, told, "it was not taken, however often it was tried", Kind.NOTICE)
    if told is not None and (missed := _missed(told)) is not None:
        return missed
    error = ": ".join(attributes[name] for name in ("ERROR_CODE", "ERROR_MESSAGE") if attributes.get(name))
    why = attributes.get("EXHAUSTED_RETRY_CONDITION", "")
    said = " ".join(filter(None, (error, f"({why})" if why else ""))) or "no error is told"
    return DeadLetter(_function_of(attributes.get("TARGET_ARN")), told, said[:MOST_QUOTED])


def _missed(told: Mapping[str, Any]) -> DeadLetter | None:
    context, batch = told.get("context"), told.get("DDBStreamBatchInfo")
    if not isinstance(context, Mapping) or not isinstance(batch, Mapping):
        return None
    pipe, condition = context.get("partnerResourceArn"), context.get("condition")
    if not isinstance(pipe, str) or _PIPE.fullmatch(pipe) is None:
        return None
    said = condition[:MOST_QUOTED] if isinstance(condition, str) else "no error is told"
    return DeadLetter(None, batch, said, Kind.MISSED)


def _failure(told: Mapping[str, Any]) -> str:
    response, context = told.get("responsePayload"), told["requestContext"]
    parts = [context.get("condition")]
    if isinstance(response, Mapping):
        parts += [response.get("errorType"), response.get("errorMessage")]
    return ": ".join(part for part in parts if isinstance(part, str))[:MOST_QUOTED] or "no error is told"


def _object(text: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _function_of(arn: object) -> str | None:
    match = _FUNCTION.fullmatch(arn) if isinstance(arn, str) else None
    return match[1] if match else None
