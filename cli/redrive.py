"""`fluffy-train redrive`: the events that were given up, and sending once more what is still of use."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import boto3
import typer

from adapters.dead_letters import LambdaStarts, Message, SqsDeadLetters, SqsForwards
from adapters.schedules import CLIENT_CONFIG
from cli.dead_letters import DeadLetter, Kind, parse
from cli.failures import CommandError
from cli.options import JsonOption
from cli.session import opened_with_extras
from cli.shown import age, remark, say, say_json
from cli.verdicts import Names, Verdict, judge
from domain import instants
from handlers.wiring import Settings


@dataclass(frozen=True, slots=True)
class _Done:
    """``became``: sent, not accepted, kept or discarded; or what would be. ``is_spent``: it is of no use any more."""

    became: str
    what: str
    error: str
    given_up_at: str
    advice: str
    is_spent: bool


@dataclass(frozen=True, slots=True)
class _Ways:
    """Where a message may go."""

    starts: LambdaStarts
    forwards: SqsForwards
    is_dry_run: bool
    discard_old: bool

    def take(self, message: Message, letter: DeadLetter, verdict: Verdict) -> str:
        """Send it, if it is of use; what became of it. The message itself stays where it is."""
        if verdict.queue is not None:
            if not self.is_dry_run:
                self.forwards.forward(message, verdict.queue)
            return "would be sent" if self.is_dry_run else "sent"
        if verdict.function is not None and letter.event is not None:
            if self.is_dry_run:
                return "would be sent"
            return "sent" if self.starts.start(verdict.function, letter.event) else "not accepted"
        if not (self.discard_old and verdict.is_spent):
            return "kept"
        return "would be discarded" if self.is_dry_run else "discarded"


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
    """Go through the dead-letter queue: show each event that was given up, and send once more what is still of use.

    Sent are starts of the last 6 h, uploads of any age, and notices for the webhook's receiver. All may be repeated
    without harm: a start names its slot, an upload its file, a notice itself. A message is deleted once it was taken;
    what fails again comes back.

    What is of no use any more is shown with what to do, and stays until --discard-old deletes it.

    Exit status 0: nothing is left in the queue. 1: something is.
    """
    stack, extras = opened_with_extras(ctx)
    if "DEAD_LETTERS_URL" not in extras:
        raise CommandError(
            "The stack does not tell its dead-letter queue (output DeadLettersUrl): deploy this version of it first."
        )
    sqs = boto3.client("sqs", config=CLIENT_CONFIG)
    letters = SqsDeadLetters(sqs, extras["DEAD_LETTERS_URL"])
    starts = LambdaStarts(boto3.client("lambda", config=CLIENT_CONFIG))
    ways = _Ways(starts, SqsForwards(sqs), is_dry_run=is_dry_run, discard_old=discard_old)
    names = _names(stack.settings, extras)
    done: list[_Done] = []
    kept: list[Message] = []
    now = stack.clock.now()
    try:
        for message in letters:
            kept.append(message)  # until it is gone, so that no error here hides it from the next look
            letter = parse(message.body, message.attributes)
            verdict = judge(letter, names, now)
            became = ways.take(message, letter, verdict)
            if became in {"sent", "discarded"}:
                letters.delete(message)
                kept.pop()
            sent_at = instants.to_text(message.sent_at)
            one = _Done(became, verdict.what, letter.error, sent_at, verdict.advice, verdict.is_spent)
            done.append(one)
            if not as_json:
                # A message that SQS itself moves here keeps the time at which it was first sent.
                since = "first sent" if letter.kind is Kind.NOTICE else "given up"
                say(f"{became}: {one.what}, {since} {age(now - message.sent_at)} ago: {one.error}")
                if one.advice:
                    say(f"    {one.advice}")
    finally:
        # Only now: they would be given to this loop again.
        for message in kept:
            letters.put_back(message)
    _say_end(done, as_json=as_json)
    if kept:
        raise typer.Exit(1)


def _names(settings: Settings, extras: Mapping[str, str]) -> Names:
    return Names(
        default_persona=settings.default_persona,
        photos_bucket=settings.photos_bucket,
        posts_table=settings.posts_table,
        has_webhook=bool(settings.webhook_url),
        post_next_best=extras.get("POST_NEXT_BEST_FUNCTION"),
        ingest_photo=extras.get("INGEST_PHOTO_FUNCTION"),
        reconcile=extras.get("RECONCILE_FUNCTION"),
        refresh_tokens=extras.get("REFRESH_TOKENS_FUNCTION"),
        webhook_queue=extras.get("WEBHOOK_QUEUE_URL"),
    )


def _say_end(done: list[_Done], *, as_json: bool) -> None:
    if as_json:
        facts: list[dict[str, Any]] = [asdict(one) for one in done]
        say_json(facts)
    elif not done:
        say("The dead-letter queue is empty.")
    elif any(one.is_spent and one.became == "kept" for one in done):
        remark(
            "`fluffy-train redrive --discard-old` deletes what is of no use any more; the empty queue ends the alarm."
        )
