"""What is to be done about a dead letter: sent once more, or of no use any more, or for a person to look at."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from adapters.dynamo.stream import UnreadableChangeError, change_of
from cli.dead_letters import MOST_QUOTED, DeadLetter, Kind
from domain import notices
from domain.ids import PersonaId
from domain.post_next_best import LATEST_START
from handlers import events, uploads

_STREAM: Final = re.compile(r"arn:aws[a-z-]*:dynamodb:[^:]*:[^:]*:table/([A-Za-z0-9_.-]+)(?:/stream/.*)?")
_LONGEST_FACT: Final = 30
_LOOK: Final = "look at the message in the Amazon SQS console"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``function``, or ``queue`` by its URL, is where it goes once more.

    Both None: then ``advice`` says why not, and what to do. ``is_spent``: it is of no use to anybody any more.
    """

    what: str
    advice: str
    function: str | None = None
    queue: str | None = None
    is_spent: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """What the stack calls its own: functions by name, the webhook's queue by URL. None where it does not tell."""

    default_persona: PersonaId
    photos_bucket: str
    posts_table: str
    has_webhook: bool = False
    post_next_best: str | None = None
    ingest_photo: str | None = None
    reconcile: str | None = None
    refresh_tokens: str | None = None
    webhook_queue: str | None = None


def judge(letter: DeadLetter, names: Names, now: datetime) -> Verdict:
    """Whether it is still worth its while. Only what names its slot, its file or its notice may be repeated."""
    match letter.kind:
        case Kind.START:
            return _judge_event(letter, names, now)
        case Kind.NOTICE:
            return _judge_notice(letter.event or {}, names)
        case Kind.MISSED:
            return _judge_missed(letter.event or {}, names)


def _judge_event(letter: DeadLetter, names: Names, now: datetime) -> Verdict:
    if letter.function is None or letter.event is None:
        return Verdict("an event of an unknown kind", f"That is nothing of this stack's: {_LOOK}.")
    try:
        if letter.function == names.post_next_best:
            return _judge_start(letter.event, letter.function, names.default_persona, now)
        if letter.function == names.ingest_photo:
            keys = uploads.parse(letter.event, names.photos_bucket)
            return Verdict(f"an upload: {', '.join(keys)[:MOST_QUOTED]}", "", letter.function)
    except events.EventRefusedError as error:
        return Verdict("an event that its function refuses", f"Nothing was done by it: {error}.", is_spent=True)
    if letter.function == names.reconcile:
        done = "Nothing is to be done: the next start, 15 minutes later, did its work."
        return Verdict("a start of Reconcile", done, is_spent=True)
    if letter.function == names.refresh_tokens:
        done = "Nothing is to be done: the next day's start does its work, and a token has weeks."
        return Verdict("a start of RefreshTokens", done, is_spent=True)
    return Verdict(
        f"an event for {letter.function}", f"That is none of the functions that this command knows: {_LOOK}."
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


def _judge_notice(record: Mapping[str, Any], names: Names) -> Verdict:
    if not _is_of(record.get("eventSourceARN"), names.posts_table):
        return Verdict("a change of an unknown table", f"That is none of this stack's posts: {_LOOK}.")
    try:
        change = change_of(record)
    except UnreadableChangeError as error:
        return Verdict("a change of a post that cannot be read", f"No notice can be made of it ({error}): {_LOOK}.")
    notice = notices.of_change(change.before, change.post) if change is not None else None
    if notice is None:
        return Verdict("a change of a post that is no end of it", "There is nothing to tell.", is_spent=True)
    what = f"the webhook's notice {notice.id}"
    if names.webhook_queue is not None:
        return Verdict(what, "", queue=names.webhook_queue)
    if names.has_webhook:
        deploy = "The stack does not tell its queue (output WebhookQueueUrl): deploy this version of it first."
        return Verdict(what, deploy)
    return Verdict(
        what,
        "This stack has no webhook any more. `fluffy-train history` has what the notice would have said.",
        is_spent=True,
    )


def _judge_missed(batch: Mapping[str, Any], names: Names) -> Verdict:
    if not _is_of(batch.get("streamArn"), names.posts_table):
        return Verdict("a batch of an unknown stream", f"That is none of this stack's posts: {_LOOK}.")
    facts = ("batchSize", "approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord")
    size, first, last = (str(batch.get(fact, "unknown"))[:_LONGEST_FACT] for fact in facts)
    return Verdict(
        f"{size} ends of posts, of {first} to {last}, that the webhook's pipe could not hand on",
        "Their notices cannot be sent any more: the stream forgets its records after a day. `fluffy-train history` has "
        "the posts of that time.",
        is_spent=True,
    )


def _is_of(arn: object, table: str) -> bool:
    match = _STREAM.fullmatch(arn) if isinstance(arn, str) else None
    return match is not None and match[1] == table
