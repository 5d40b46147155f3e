"""What a message of the dead-letter queue is, and what is to be done about it.

Messages come in four shapes. A rule's (EventBridge) and a schedule's (EventBridge Scheduler) have the event as body,
and the target's ARN and the error beside it. Lambda's destination for failures has all of it in the body. A notice that
the webhook's receiver did not take is a record of the posts' stream, with nothing beside it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.ids import PersonaId
from domain.post_next_best import LATEST_START
from handlers import events, uploads

_FUNCTION: Final = re.compile(r"arn:aws[a-z-]*:lambda:[^:]*:[^:]*:function:([A-Za-z0-9-_]+)(?::.*)?")
_MOST_QUOTED: Final = 300
_STREAM: Final = "aws:dynamodb"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """``function`` is the name of the one that the event was for, ``event`` what it was sent; None where unknown."""

    function: str | None
    event: Mapping[str, Any] | None
    error: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``function`` is where the event goes once more, or None: then ``advice`` says why not, and what to do.

    ``is_spent``: it is of no use to anybody any more.
    """

    what: str
    advice: str
    function: str | None = None
    is_spent: bool = False


@dataclass(frozen=True, slots=True)
class Functions:
    """The stack's functions by name; None where the stack does not tell."""

    post_next_best: str | None
    ingest_photo: str | None
    reconcile: str | None
    refresh_tokens: str | None


def parse(body: str, attributes: Mapping[str, str]) -> DeadLetter:
    """A message in any of its shapes. Raises nothing: what is not understood is None."""
    told = _object(body)
    context = told.get("requestContext") if told is not None else None
    if told is not None and isinstance(context, Mapping) and "requestPayload" in told:
        payload = told["requestPayload"]
        return DeadLetter(
            _function_of(context.get("functionArn")), payload if isinstance(payload, Mapping) else None, _failure(told)
        )
    error = ": ".join(attributes[name] for name in ("ERROR_CODE", "ERROR_MESSAGE") if attributes.get(name))
    why = attributes.get("EXHAUSTED_RETRY_CONDITION", "")
    said = " ".join(filter(None, (error, f"({why})" if why else ""))) or "no error is told"
    return DeadLetter(_function_of(attributes.get("TARGET_ARN")), told, said[:_MOST_QUOTED])


def _failure(told: Mapping[str, Any]) -> str:
    response, context = told.get("responsePayload"), told["requestContext"]
    parts = [context.get("condition")]
    if isinstance(response, Mapping):
        parts += [response.get("errorType"), response.get("errorMessage")]
    return ": ".join(part for part in parts if isinstance(part, str))[:_MOST_QUOTED] or "no error is told"


def _object(text: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _function_of(arn: object) -> str | None:
    match = _FUNCTION.fullmatch(arn) if isinstance(arn, str) else None
    return match[1] if match else None


def judge(letter: DeadLetter, functions: Functions, default_persona: PersonaId, bucket: str, now: datetime) -> Verdict:
    """Whether the event is still worth its function's while. Only what names its slot, or its file, may be repeated."""
    if letter.function is None and letter.event is not None and letter.event.get("eventSource") == _STREAM:
        return Verdict(
            "a notice that the webhook's receiver did not take for two days",
            "`fluffy-train history` has what it would have said. Once the receiver is mended, `aws sqs "
            "start-message-move-task --source-arn` with this queue's ARN sends it back.",
            is_spent=True,
        )
    if letter.function is None or letter.event is None:
        return Verdict("an event of an unknown kind", "Look at the message itself in the Amazon SQS console.")
    try:
        if letter.function == functions.post_next_best:
            return _judge_start(letter.event, letter.function, default_persona, now)
        if letter.function == functions.ingest_photo:
            keys = uploads.parse(letter.event, bucket)
            return Verdict(f"an upload: {', '.join(keys)[:_MOST_QUOTED]}", "", letter.function)
    except events.EventRefusedError as error:
        return Verdict("an event that its function refuses", f"Nothing was done by it: {error}.", is_spent=True)
    if letter.function == functions.reconcile:
        done = "Nothing is to be done: the next start, 15 minutes later, did its work."
        return Verdict("a start of Reconcile", done, is_spent=True)
    if letter.function == functions.refresh_tokens:
        done = "Nothing is to be done: the next start, a day later, did its work."
        return Verdict("a start of RefreshTokens", done, is_spent=True)
    return Verdict(
        f"an event for {letter.function}",
        "That is none of the functions that this command starts: look at the message in the Amazon SQS console.",
    )


def _judge_start(event: Mapping[str, Any], function: str, default_persona: PersonaId, now: datetime) -> Verdict:
    request = events.parse(event, default_persona, now)
    what = f"a start for {request.persona_id}/{request.slot}"
    if "time" not in event or request.dry_run:
        return Verdict(
            f"a start by hand for {request.persona_id}",
            "It names no slot, so that repeating it could post once more: run `fluffy-train post` if it is wanted.",
            is_spent=True,
        )
    if now - request.slot.start > LATEST_START:
        return Verdict(
            what,
            "It is more than 6 h late, so that slot stays empty, and no photo was lost: run `fluffy-train post` if "
            "one is to be posted now.",
            is_spent=True,
        )
    return Verdict(what, "", function)
