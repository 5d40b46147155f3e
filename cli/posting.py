"""`fluffy-train next`, `post` and `history`: what comes, what goes out now, and what went out."""

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Annotated, Any, Final

import typer

from cli.options import INTERRUPTED, JsonOption, PersonaOption
from cli.session import existing_persona, opened
from cli.shown import (
    complain,
    in_brief,
    out,
    plain,
    post_facts,
    remark,
    report_facts,
    say,
    say_json,
    say_posts,
    say_report,
    short,
    table,
)
from cli.terminal_log import TerminalRunLog
from domain import instants
from domain.captions import caption_problem
from domain.curators_choice import CuratorsChoice
from domain.faults import Fault
from domain.outcomes import Outcome
from domain.personas import Persona
from domain.photos import Photo
from domain.ports import RecordsUnavailableError
from domain.post_next_best import Request
from domain.posts import Post, PostStatus
from domain.slots import Slot
from handlers.wiring import Stack

RUN_MILLISECONDS: Final = 180_000
"""How long a post by hand may take: as long as the Lambda function."""

PERMALINK_LIMIT: Final = timedelta(seconds=10)

_DONE: Final = frozenset({Outcome.POSTED, Outcome.ALREADY_DONE, Outcome.NOTHING_TO_POST, Outcome.DRY_RUN})


def add_to(app: typer.Typer) -> None:
    app.command("next")(show_next)
    app.command("post")(post_now)
    app.command("history")(show_history)


# ---- next ----


@dataclass(frozen=True, slots=True)
class _Candidate:
    place: int
    photo: Photo
    score: float
    caption: str
    caption_from: str
    why: str
    problem: str | None


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
    candidates = _candidates(stack, persona, count)
    if as_json:
        say_json(_next_facts(persona, candidates))
        return
    if persona.paused_reason is not None:
        remark(f"{persona.persona_id} is paused, so nothing is posted: {persona.paused_reason}")
    if not candidates:
        say(_why_none(stack, persona))
        return
    rows = table("#", "Score", "Photo", "Caption", "Why")
    for one in candidates:
        why = one.why if one.problem is None else f"{one.why}; but Instagram would refuse it: {one.problem}"
        rows.add_row(str(one.place), f"{one.score:g}", short(one.photo.photo_id), in_brief(one.caption), plain(why))
    out().print(rows)


def _candidates(stack: Stack, persona: Persona, count: int) -> list[_Candidate]:
    choice = CuratorsChoice(persona)
    queue = stack.library.best_first(persona.persona_id, page_size=count)
    candidates: list[_Candidate] = []
    for place, photo in enumerate(islice(choice.candidates(queue), count), start=1):
        caption = choice.caption(photo)
        candidates.append(
            _Candidate(
                place=place,
                photo=photo,
                score=photo.analysis.aesthetic_score if photo.analysis else 0.0,
                caption=caption,
                caption_from=_caption_from(persona, photo),
                why=_why(photo, candidates[-1] if candidates else None),
                problem=caption_problem(caption),
            )
        )
    return candidates


def _why(photo: Photo, before: _Candidate | None) -> str:
    if before is None:
        return "the highest score in the queue"
    if photo.analysis is None or photo.analysis.aesthetic_score < before.score:
        return "the next highest score"
    if photo.imported_at > before.photo.imported_at:
        return f"the same score as {before.place}, imported later"
    return f"the same score and time of import as {before.place}, higher photo id"


def _caption_from(persona: Persona, photo: Photo) -> str:
    if photo.caption is not None:
        return "photo"
    return "default" if persona.caption is None else "persona"


def _why_none(stack: Stack, persona: Persona) -> str:
    best = next(iter(stack.library.best_first(persona.persona_id)), None)
    if best is None or best.analysis is None:
        return (
            f"Nothing to post: no scored photo of {persona.persona_id} is waiting. Add some with `fluffy-train photos "
            f"import FOLDER --persona {persona.persona_id} --scores scores.csv`."
        )
    return (
        f"Nothing to post: the best photo in the queue, {short(best.photo_id)}, has {best.analysis.aesthetic_score:g}, "
        f"under the minimum score {persona.minimum_score:g} of {persona.persona_id}."
    )


def _next_facts(persona: Persona, candidates: list[_Candidate]) -> dict[str, Any]:
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
            for one in candidates
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
    if report.outcome not in _DONE:
        raise typer.Exit(1)


# ---- history ----


def show_history(
    ctx: typer.Context,
    persona_id: PersonaOption = None,
    count: Annotated[
        int, typer.Option("-n", "--count", min=1, max=1000, metavar="COUNT", help="How many posts to show.")
    ] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show the newest posts by slot (UTC), newest first: status, photo, media id, permalink, and what went wrong.

    A permalink that is not on record yet is asked of Instagram, where it answers, and kept.
    """
    stack = opened(ctx)
    persona = existing_persona(stack, persona_id)
    posts = _with_permalinks(stack, persona, list(stack.ledger.history(persona.persona_id, limit=count)))
    if as_json:
        say_json([post_facts(post) for post in posts])
    elif posts:
        say_posts(posts)
    else:
        say(f"Nothing was posted for {persona.persona_id} yet.")


def _with_permalinks(stack: Stack, persona: Persona, posts: list[Post]) -> list[Post]:
    """Best effort: at the first that Instagram does not tell, the others are left for another time."""
    for place, post in enumerate(posts):
        if post.status is not PostStatus.POSTED or post.provider_post_id is None or post.permalink is not None:
            continue
        try:
            permalink = stack.publisher.permalink(persona, post.provider_post_id, within=PERMALINK_LIMIT)
            posts[place] = replace(post, permalink=permalink)
            stack.ledger.set_permalink(post, permalink)
        except (Fault, RecordsUnavailableError) as error:
            remark(f"The missing permalinks are not to be had now: {error}")
            break
    return posts
