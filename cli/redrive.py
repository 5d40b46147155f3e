"""`fluffy-train redrive`: the events that were given up, and sending once more what is still of use."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

import boto3
import typer

from adapters.dead_letters import LambdaStarts, Message, SqsDeadLetters
from adapters.schedules import CLIENT_CONFIG
from cli.dead_letters import DeadLetter, Functions, Verdict, judge, parse
from cli.failures import CommandError
from cli.options import JsonOption
from cli.session import opened_with_extras
from cli.shown import age, remark, say, say_json
from domain import instants


@dataclass(frozen=True, slots=True)
class _Done:
    """``became``: sent, would be sent, not accepted, kept or discarded."""

    became: str
    what: str
    error: str
    given_up_at: str
    advice: str


def add_to(app: typer.Typer) -> None:
    app.command("redrive")(redrive)


def redrive(
    ctx: typer.Context,
    is_dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done. Sends and deletes nothing.")
    ] = False,
    discard_old: Annotated[
        bool, typer.Option("--discard-old", help="Delete what is of no use any more, once it was shown.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Go through the dead-letter queue: show each event that was given up, and send it to its function once more.

    Sent are starts of the last 6 h, and uploads of any age. Both may be repeated without harm: a start names its slot,
    an upload its file. An event is deleted once its function has accepted it; what fails again comes back.

    What is of no use any more is shown with what to do, and stays until --discard-old deletes it.

    Exit status 0: nothing is left in the queue. 1: something is.
    """
    stack, extras = opened_with_extras(ctx)
    if "DEAD_LETTERS_URL" not in extras:
        raise CommandError(
            "The stack does not tell its dead-letter queue (output DeadLettersUrl): deploy this version of it first."
        )
    letters = SqsDeadLetters(boto3.client("sqs", config=CLIENT_CONFIG), extras["DEAD_LETTERS_URL"])
    starts = LambdaStarts(boto3.client("lambda", config=CLIENT_CONFIG))
    functions = Functions(
        post_next_best=extras.get("POST_NEXT_BEST_FUNCTION"),
        ingest_photo=extras.get("INGEST_PHOTO_FUNCTION"),
        reconcile=extras.get("RECONCILE_FUNCTION"),
        refresh_tokens=extras.get("REFRESH_TOKENS_FUNCTION"),
    )
    done: list[_Done] = []
    kept: list[Message] = []
    now = stack.clock.now()
    try:
        for message in letters:
            letter = parse(message.body, message.attributes)
            verdict = judge(letter, functions, stack.settings.default_persona, stack.settings.photos_bucket, now)
            became = _became(starts, letter, verdict, is_dry_run=is_dry_run, discard_old=discard_old)
            if became in {"sent", "discarded"}:
                letters.delete(message)
            else:
                kept.append(message)
            one = _Done(became, verdict.what, letter.error, instants.to_text(message.sent_at), verdict.advice)
            done.append(one)
            if not as_json:
                say(f"{became}: {one.what}, given up {age(now - message.sent_at)} ago: {one.error}")
                if one.advice:
                    say(f"    {one.advice}")
    finally:
        # Only now: they would be given to this loop again.
        for message in kept:
            letters.put_back(message)
    _say_end(done, as_json=as_json)
    if kept:
        raise typer.Exit(1)


def _became(starts: LambdaStarts, letter: DeadLetter, verdict: Verdict, *, is_dry_run: bool, discard_old: bool) -> str:
    if verdict.function is None or letter.event is None:
        if not (discard_old and verdict.is_spent):
            return "kept"
        return "would be discarded" if is_dry_run else "discarded"
    if is_dry_run:
        return "would be sent"
    return "sent" if starts.start(verdict.function, letter.event) else "not accepted"


def _say_end(done: list[_Done], *, as_json: bool) -> None:
    if as_json:
        facts: list[dict[str, Any]] = [asdict(one) for one in done]
        say_json(facts)
    elif not done:
        say("The dead-letter queue is empty.")
    elif any(one.became == "kept" for one in done):
        remark(
            "`fluffy-train redrive --discard-old` deletes what is of no use any more; what is of an unknown kind is "
            "deleted in the Amazon SQS console. The empty queue ends the alarm."
        )
