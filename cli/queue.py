"""`fluffy-train queue`: what comes next, with the reasons, to read or to look at."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.candidates import Candidate, candidates, why_none
from cli.contact_sheet import Group, Sheet, write_sheet
from cli.options import JsonOption, PersonaOption
from cli.picture_cards import candidate_cards
from cli.session import existing_persona, opened
from cli.sheet_option import HtmlOption, writing
from cli.shown import in_brief, out, plain, remark, say, say_json, short, table
from domain import instants
from domain.personas import Persona
from handlers.wiring import Stack


def add_to(app: typer.Typer) -> None:
    app.command("queue")(show_queue)


def show_queue(
    ctx: typer.Context,
    persona_id: PersonaOption = None,
    count: Annotated[
        int, typer.Option("-n", "--count", min=1, max=1000, metavar="COUNT", help="How many photos to show.")
    ] = 20,
    html: HtmlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the next photos in the order in which they are posted, with their scores and reasons. Writes no record.

    Of photos that look alike only the best is here. `fluffy-train photos skip PHOTO` keeps one out.
    """
    stack = opened(ctx)
    persona = existing_persona(stack, persona_id)
    found = [(one, _burst_size(stack, one)) for one in candidates(stack, persona, count)]
    if html is not None:
        _write(stack, persona, found, html)
    if as_json:
        say_json(_facts(persona, found))
        return
    if persona.paused_reason is not None:
        remark(f"{persona.persona_id} is paused, so nothing is posted: {persona.paused_reason}")
    if html is not None:
        say(f"The next {len(found)} photos of {persona.persona_id} are in {html}.")
    elif found:
        _show(found)
    else:
        say(why_none(stack, persona))


def _burst_size(stack: Stack, one: Candidate) -> int | None:
    """How many photos look alike, this one among them; None for one that is by itself."""
    burst = one.photo.burst
    return None if burst is None else len(stack.near_duplicates.members(one.photo.persona_id, burst))


def _show(found: list[tuple[Candidate, int | None]]) -> None:
    rows = table("#", "Score", "Scorer", "Photo", "Alike", "Caption", "Caption from", "Why")
    for one, burst in found:
        rows.add_row(
            str(one.place),
            f"{one.score:g}",
            plain(one.photo.analysis.scorer if one.photo.analysis else "-"),
            short(one.photo.photo_id),
            str(burst) if burst else "-",
            in_brief(one.caption),
            one.caption_from,
            plain(one.why if one.problem is None else f"{one.why}; but Instagram would refuse it: {one.problem}"),
        )
    out().print(rows)


def _write(stack: Stack, persona: Persona, found: list[tuple[Candidate, int | None]], path: Path) -> None:
    note = persona.paused_reason and f"Nothing is posted, since the persona is paused: {persona.paused_reason}"
    group = Group(f"The next {len(found)}, best first", note, candidate_cards(stack, found))
    subtitle = f"{persona.persona_id}, as it was on {stack.clock.now():%Y-%m-%d %H:%M} UTC"
    with writing(path):
        write_sheet(Sheet(f"The queue of {persona.name}", subtitle, [group] if found else []), path)


def _facts(persona: Persona, found: list[tuple[Candidate, int | None]]) -> dict[str, Any]:
    ids = [one.photo.photo_id for one, _ in found]
    return {
        "persona_id": persona.persona_id,
        "paused_reason": persona.paused_reason,
        "minimum_score": persona.minimum_score,
        "photos": [
            {
                "place": one.place,
                "photo_id": one.photo.photo_id,
                "aesthetic_score": one.score,
                "scorer": one.photo.analysis.scorer if one.photo.analysis else None,
                "rank": one.photo.rank,
                "runner_up": runner_up,
                "lookalikes": burst,
                "caption": one.caption,
                "caption_from": one.caption_from,
                "object_key": one.photo.object_key,
                "imported_at": instants.to_text(one.photo.imported_at),
                "why": one.why,
                "problem": one.problem,
            }
            for (one, burst), runner_up in zip(found, [*ids[1:], None], strict=True)
        ],
    }
