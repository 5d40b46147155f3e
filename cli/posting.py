"""`fluffy-train next` and `post`: what comes, and what goes out now."""

from typing import Annotated, Any, Final

import typer

from cli.candidates import Candidate, candidates, why_none
from cli.options import INTERRUPTED, JsonOption, PersonaOption
from cli.session import existing_persona, opened
from cli.shown import complain, in_brief, out, plain, remark, report_facts, say, say_json, say_report, short, table
from cli.terminal_log import TerminalRunLog
from domain import instants
from domain.outcomes import Outcome
from domain.personas import Persona
from domain.post_next_best import Request
from domain.slots import Slot

RUN_MILLISECONDS: Final = 180_000
"""How long a post by hand may take: as long as the Lambda function."""

DONE: Final = frozenset({Outcome.POSTED, Outcome.ALREADY_DONE, Outcome.NOTHING_TO_POST, Outcome.DRY_RUN})
"""What a post by hand may come to without the owner having to do anything."""


def add_to(app: typer.Typer) -> None:
    app.command("next")(show_next)
    app.command("post")(post_now)


# ---- next ----


def show_next(
    ctx: typer.Context,
    persona_id: PersonaOption = None,
    count: Annotated[
        int, typer.Option("-n", "--count", min=1, max=100, metavar="COUNT", help="How many photos to show.")
    ] = 5,
    as_json: JsonOption = False,
) -> None:
    """Show which photo is posted next, and the runners-up, with the reason. Writes nothing."""
    stack = opened(ctx)
    persona = existing_persona(stack, persona_id)
    found = candidates(stack, persona, count)
    if as_json:
        say_json(_next_facts(persona, found))
        return
    if persona.paused_reason is not None:
        remark(f"{persona.persona_id} is paused, so nothing is posted: {persona.paused_reason}")
    if not found:
        say(why_none(stack, persona))
        return
    rows = table("#", "Score", "Photo", "Caption", "Why")
    for one in found:
        why = one.why if one.problem is None else f"{one.why}; but Instagram would refuse it: {one.problem}"
        rows.add_row(str(one.place), f"{one.score:g}", short(one.photo.photo_id), in_brief(one.caption), plain(why))
    out().print(rows)


def _next_facts(persona: Persona, found: list[Candidate]) -> dict[str, Any]:
    return {
        "persona_id": persona.persona_id,
        "paused_reason": persona.paused_reason,
        "minimum_score": persona.minimum_score,
        "photos": [
            {
                "rank": one.place,
                "photo_id": one.photo.photo_id,
                "aesthetic_score": one.score,
                "scorer": one.photo.analysis.scorer if one.photo.analysis else None,
                "caption": one.caption,
                "caption_from": one.caption_from,
                "alt_text": one.photo.alt_text,
                "object_key": one.photo.object_key,
                "width": one.photo.width,
                "height": one.photo.height,
                "imported_at": instants.to_text(one.photo.imported_at),
                "why": one.why,
                "problem": one.problem,
            }
            for one in found
        ],
    }


# ---- post ----


def post_now(
    ctx: typer.Context,
    persona_id: PersonaOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be posted and why. Writes nothing and calls nobody.")
    ] = False,
    as_json: JsonOption = False,
    is_verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show each step on standard error.")] = False,
) -> None:
    """Post the best photo now, for real, as the schedule would. Takes up to 180 seconds.

    Its slot is this second, beside those of the schedule, which goes on as before.

    Exit status 0: posted, done before, nothing to post, or a dry run. 1: anything else; `fluffy-train history` tells.
    """
    stack = opened(ctx)
    persona = existing_persona(stack, persona_id)
    request = Request(persona.persona_id, Slot.by_hand(stack.clock.now()), dry_run)
    post_next_best = stack.post_next_best(TerminalRunLog(is_verbose=is_verbose))
    try:
        report = post_next_best(request, lambda: stack.start_run(RUN_MILLISECONDS))
    except KeyboardInterrupt:
        complain(
            "Interrupted. What was begun stays on record, and a later run finishes it without posting anything twice: "
            "see `fluffy-train history`."
        )
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        say_json(report_facts(report))
    else:
        say_report(report)
    if report.outcome not in DONE:
        raise typer.Exit(1)
