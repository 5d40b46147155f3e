"""What people see: lines, tables and JSON. Texts from outside are shown without their control characters."""

import json
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table

from domain import instants
from domain.faults import FaultRecord
from domain.ids import PhotoId
from domain.outcomes import Outcome, Report
from domain.personas import Persona
from domain.posts import Post, PostStatus, why_it_waits
from domain.tokens import days_left
from handlers.telling import answer_of

_WIDTH_WITHOUT_TERMINAL: Final = 1000  # one line for each row, however long: something reads it
_SHORT_ID: Final = 12
_SHORT_CAPTION: Final = 60
_UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"


def out() -> Console:
    """Standard output: what was asked for."""
    return _console(stderr=False)


def err() -> Console:
    """Standard error: what goes on, and what went wrong."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    # No markup, no emoji codes: captions and file names are not ours.
    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    width = None if is_terminal else _WIDTH_WITHOUT_TERMINAL
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)


def say(text: str, style: str | None = None) -> None:
    out().print(plain(text), style=style, soft_wrap=True)


def remark(text: str) -> None:
    err().print(plain(text), style="yellow", soft_wrap=True)


def complain(text: str) -> None:
    err().print(plain(f"Error: {text}"), style="red", soft_wrap=True)


def say_json(value: Any) -> None:
    """JSON and nothing else, in ASCII: whatever reads it, reads it right."""
    typer.echo(json.dumps(value, indent=2))


def plain(text: str) -> str:
    """``text`` in one line, without what would move a terminal's cursor and what no encoding has."""
    return "".join(_UNKNOWN if unicodedata.category(character) in {"Cc", "Cs"} else character for character in text)


def short(photo_id: PhotoId) -> str:
    return photo_id[:_SHORT_ID]


def in_brief(caption: str) -> str:
    """A caption in one short line."""
    line = plain(" ".join(caption.split()))
    return line if len(line) <= _SHORT_CAPTION else line[: _SHORT_CAPTION - 1] + "…"


def table(*columns: str) -> Table:
    rows = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        rows.add_column(column, overflow="fold")
    return rows


# ---- personas ----


def say_personas(personas: Sequence[Persona], default: str, now: datetime) -> None:
    if not personas:
        say("There is no persona yet. Add one with `fluffy-train persona add PERSONA`.")
        return
    rows = table("Persona", "Instagram user", "Login", "Minimum score", "Fit", "Caption", "Token", "State")
    for persona in personas:
        name = persona.persona_id if persona.name == persona.persona_id else f"{persona.persona_id} ({persona.name})"
        rows.add_row(
            plain(f"{name}, the default" if persona.persona_id == default else name),
            plain(persona.instagram_user_id),
            persona.login.value,
            f"{persona.minimum_score:g}",
            persona.fit.value,
            "the default one" if persona.caption is None else in_brief(persona.caption),
            _life(persona.token_expires_at, now),
            "active" if persona.paused_reason is None else plain(f"paused: {persona.paused_reason}"),
        )
    out().print(rows)


def days(left: int) -> str:
    return {0: "less than a day left", 1: "1 day left"}.get(left, f"{left} days left")


def _life(expires_at: datetime | None, now: datetime) -> str:
    if expires_at is None:
        return "not known"
    return "expired" if expires_at <= now else days(days_left(expires_at, now))


def persona_facts(persona: Persona, now: datetime) -> dict[str, Any]:
    expires_at = persona.token_expires_at
    return {
        "persona_id": persona.persona_id,
        "name": persona.name,
        "instagram_user_id": persona.instagram_user_id,
        "login": persona.login.value,
        "caption": persona.caption,
        "minimum_score": persona.minimum_score,
        "fit": persona.fit.value,
        "paused_reason": persona.paused_reason,
        "token_expires_at": _instant(expires_at),
        "token_days_left": days_left(expires_at, now) if expires_at else None,
        "token_refreshed_at": _instant(persona.token_refreshed_at),
    }


# ---- outcomes ----

_HEADLINES: Final = {
    Outcome.POSTED: ("Posted.", "green"),
    Outcome.ALREADY_DONE: ("This slot was done before; nothing was posted now.", None),
    Outcome.IN_PROGRESS: ("Another run is posting for this slot.", "yellow"),
    Outcome.NOTHING_TO_POST: ("Nothing to post.", "yellow"),
    Outcome.FAILED: ("Not posted: refused, and on record as failed.", "red"),
    Outcome.DEFERRED: ("Not posted yet: it waits, and a later run goes on with it.", "yellow"),
    Outcome.UNRESOLVED: (
        "It may be live: Instagram's answer was lost. It is not sent again; a later run asks what became of it.",
        "yellow",
    ),
    Outcome.UNCONFIRMED: ("It may be live, and Instagram would not say: look at the account.", "red"),
    Outcome.PAUSED: ("Not posted: the persona is paused.", "yellow"),
    Outcome.TOO_LATE: ("Not posted: too late for its slot.", "yellow"),
    Outcome.DRY_RUN: ("Dry run: nothing was posted or written.", None),
}


def say_report(report: Report) -> None:
    for one in (*report.earlier, report):
        headline, style = _HEADLINES[one.outcome]
        say(headline, style)
        facts = {
            "persona": one.persona_id,
            "slot": str(one.slot),
            "photo": one.photo_id,
            "media id": one.provider_post_id,
            "reason": one.reason,
            "next try": one.waits_until and f"from {one.waits_until:%Y-%m-%d %H:%M} UTC on, by itself",
        }
        for name, value in facts.items():
            if value is not None:
                say(f"  {name:<8} {value}")


def report_facts(report: Report) -> dict[str, Any]:
    """The answer of the Lambda function, and ``earlier``: the slot's refused photos, where there are any."""
    earlier = [report_facts(one) for one in report.earlier]
    return answer_of(report) | ({"earlier": earlier} if earlier else {})


# ---- history ----

_STATUS_STYLES: Final = {
    PostStatus.POSTED: "green",
    PostStatus.FAILED: "red",
    PostStatus.UNCONFIRMED: "bold red",
    PostStatus.POSTING: "yellow",
}


def say_posts(posts: Sequence[Post]) -> None:
    """One line for each post, and under it where it is to be seen, or what went wrong."""
    for post in posts:
        media = f"  media {post.provider_post_id}" if post.provider_post_id else ""
        line = f"{post.slot!s:<22}  {post.status.value:<11}  photo {short(post.photo_id)}{media}"
        say(line, _STATUS_STYLES[post.status])
        if post.permalink:
            say(f"    {post.permalink}")
        if post.retry_of:
            say(f"    the retry of {post.retry_of}")
        if post.retried_in:
            say(f"    retried in {post.retried_in}")
        if (waits := why_it_waits(post)) is not None:
            say(f"    {waits}")
        elif post.fault:
            say(f"    {fault_in_words(post.fault)}")
        if post.evidence:
            media_seen = ", ".join(post.evidence.candidate_media) or "none"
            say(f"    seen: container {post.evidence.container_status}; media that may be it: {media_seen}")


def fault_in_words(fault: FaultRecord) -> str:
    return f"{_named(fault)}: {fault.message}"


def _named(fault: FaultRecord) -> str:
    numbers = [f"code {fault.code}"] if fault.code is not None else []
    numbers += [f"subcode {fault.subcode}"] if fault.subcode is not None else []
    return f"{fault.kind} ({', '.join(numbers)})" if numbers else fault.kind


def post_facts(post: Post) -> dict[str, Any]:
    fault, evidence = post.fault, post.evidence
    return {
        "persona_id": post.persona_id,
        "slot": str(post.slot),
        "status": post.status.value,
        "photo_id": post.photo_id,
        "caption": post.caption,
        "provider_post_id": post.provider_post_id,
        "permalink": post.permalink,
        "posted_at": _instant(post.posted_at),
        "fault": fault and {"kind": fault.kind, "message": fault.message, "code": fault.code, "subcode": fault.subcode},
        "evidence": evidence
        and {"container_status": evidence.container_status, "candidate_media": list(evidence.candidate_media)},
        "waits_until": _instant(post.lease.until) if post.waits_for else None,
        "retried_in": str(post.retried_in) if post.retried_in else None,
        "retry_of": str(post.retry_of) if post.retry_of else None,
        "created_at": _instant(post.created_at),
        "updated_at": _instant(post.updated_at),
    }


def _instant(instant: datetime | None) -> str | None:
    return instants.to_text(instant) if instant else None


def age(duration: timedelta) -> str:
    """A duration in its largest unit, rounded down: ``3 d``, ``5 h``, ``12 min``."""
    for unit, name in ((timedelta(days=1), "d"), (timedelta(hours=1), "h")):
        if duration >= unit:
            return f"{duration // unit} {name}"
    return f"{max(duration, timedelta(0)) // timedelta(minutes=1)} min"
