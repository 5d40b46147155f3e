"""`fluffy-train status`: how each persona stands, and what needs its owner."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError

from adapters.dead_letters import SqsDeadLetters
from adapters.schedules import CLIENT_CONFIG, AwsSchedules
from cli.failed_posts import SHOWN_FOR
from cli.options import JsonOption, PersonaOption
from cli.persona_status import PersonaStatus, status_of
from cli.session import existing_persona, opened_with_extras
from cli.shown import age, days, remark, say, say_json, short
from domain import instants
from domain.posts import Post, why_it_waits
from handlers.wiring import Stack


def add_to(app: typer.Typer) -> None:
    app.command("status")(show_status)


def show_status(ctx: typer.Context, persona_id: PersonaOption = None, as_json: JsonOption = False) -> None:
    """Show how each persona stands: last post, next slot, how long photos last, its token, what is open, what failed.

    Exit status 0: all is well. 1: something needs you; it is said what, and what to do.
    """
    stack, extras = opened_with_extras(ctx)
    personas = stack.personas.all() if persona_id is None else [existing_persona(stack, persona_id)]
    schedules = AwsSchedules(
        boto3.client("events", config=CLIENT_CONFIG),
        boto3.client("scheduler", config=CLIENT_CONFIG),
        rule=extras.get("SCHEDULE_RULE"),
        group=extras.get("SCHEDULE_GROUP"),
        default_persona=stack.settings.default_persona,
    )
    now = stack.clock.now()
    every = [status_of(stack, persona, schedules, now) for persona in personas]
    dead_letters = _dead_letters(extras)
    wants = [want for one in every for want in one.wants]
    if not personas:
        wants.append("There is no persona yet: `fluffy-train persona add PERSONA`.")
    if dead_letters:
        wants.append(f"{dead_letters} given-up events lie in the dead-letter queue: `fluffy-train redrive --dry-run`.")
    if as_json:
        say_json(_facts(every, dead_letters, wants, stack))
    else:
        for one in every:
            _say(one, now)
        for want in wants:
            say(f"! {want}", "red")
    if wants:
        raise typer.Exit(1)


def _dead_letters(extras: Mapping[str, str]) -> int | None:
    """How many there are; None where that cannot be told."""
    if "DEAD_LETTERS_URL" not in extras:
        return None
    try:
        return SqsDeadLetters(boto3.client("sqs", config=CLIENT_CONFIG), extras["DEAD_LETTERS_URL"]).count()
    except (ClientError, BotoCoreError) as error:
        remark(f"The dead-letter queue does not tell how many messages it has ({type(error).__name__}).")
        return None


def _say(one: PersonaStatus, now: datetime) -> None:
    persona = one.persona
    say(f"{persona.persona_id}: {'posting' if persona.paused_reason is None else f'paused: {persona.paused_reason}'}")
    lines = {
        "last post": _last(one.last, now),
        "next slot": _next(one, now),
        "photos": f"{one.queued}{'+' if one.is_more else ''} in the queue{_runway(one)}",
        "token": _token(one),
        "open": ", ".join(f"{post.slot} {one.words(post)}" for post in one.open) or "nothing",
        "failed": _failed(one) or f"nothing in {SHOWN_FOR.days} days",
    }
    for name, value in lines.items():
        say(f"  {name:<10} {value}")
    for post in one.open:
        if (waits := why_it_waits(post)) is not None:
            say(f"    {post.slot}: {waits}")


def _last(post: Post | None, now: datetime) -> str:
    if post is None:
        return "none yet"
    seen = f"  {post.permalink}" if post.permalink else ""
    return f"{post.slot}, {age(now - (post.posted_at or post.slot.start))} ago, photo {short(post.photo_id)}{seen}"


def _next(one: PersonaStatus, now: datetime) -> str:
    if one.next_slot is None:
        return one.why_no_next or "unknown"
    local = one.next_slot.astimezone()
    paused = "" if one.persona.paused_reason is None else ", and skipped while it is paused"
    return f"{local:%a %Y-%m-%d %H:%M %Z}, in {age(one.next_slot - now)}{paused}"


def _runway(one: PersonaStatus) -> str:
    if one.runway_days is None:
        return ""
    pace = "1 post" if one.posts_per_day == 1 else f"{one.posts_per_day:g} posts"
    return f", {'more than ' if one.is_more else ''}{one.runway_days:.0f} days at {pace} a day"


def _failed(one: PersonaStatus) -> str:
    """Which ones, and of each whether it needs anything: what it needs is told below."""
    return "; ".join(
        f"{failed.post.slot} {'needs you' if failed.want else 'needs nothing'}: {failed.what}" for failed in one.failed
    )


def _token(one: PersonaStatus) -> str:
    if one.token_days_left is None:
        return "it is not known when it expires"
    # Whole days, rounded down, as `persona list` and the alarm have it.
    return "expired" if one.token_days_left <= 0 else days(int(one.token_days_left))


def _facts(
    every: Sequence[PersonaStatus], dead_letters: int | None, wants: Sequence[str], stack: Stack
) -> dict[str, Any]:
    return {
        "default_persona": stack.settings.default_persona,
        "dead_letters": dead_letters,
        "needs_you": list(wants),
        "personas": [
            {
                "persona_id": one.persona.persona_id,
                "paused_reason": one.persona.paused_reason,
                "last_post": one.last
                and {
                    "slot": str(one.last.slot),
                    "photo_id": one.last.photo_id,
                    "posted_at": _instant(one.last.posted_at),
                    "permalink": one.last.permalink,
                },
                "next_slot": _instant(one.next_slot),
                "next_slot_unknown": one.why_no_next,
                "queued": one.queued,
                "queued_is_more": one.is_more,
                "posts_per_day": one.posts_per_day,
                "runway_days": one.runway_days,
                "token_expires_at": _instant(one.persona.token_expires_at),
                "token_days_left": one.token_days_left,
                "open": [_open(post, one.words(post)) for post in one.open],
                "failed": [
                    {"slot": str(failed.post.slot), "what": failed.what, "needs_you": failed.want is not None}
                    for failed in one.failed
                ],
                "needs_you": list(one.wants),
            }
            for one in every
        ],
    }


def _open(post: Post, words: str) -> dict[str, str | None]:
    waits_for = post.waits_for
    return {
        "slot": str(post.slot),
        "status": words,
        "waits_until": _instant(post.lease.until) if waits_for else None,
        "waits_for": waits_for.message if waits_for else None,
    }


def _instant(instant: datetime | None) -> str | None:
    return instants.to_text(instant) if instant else None
