"""`fluffy-train history`: what was posted and what became of it, to read or to look at."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.meta.errors import NO_SUCH_OBJECT
from cli.contact_sheet import Group, Sheet, write_sheet
from cli.options import JsonOption, PersonaOption
from cli.picture_cards import post_cards
from cli.session import opened, whose_history
from cli.sheet_option import HtmlOption, writing
from cli.shown import post_facts, remark, say, say_json, say_posts
from domain.faults import Fault
from domain.ids import PersonaId
from domain.personas import Persona
from domain.ports import RecordsUnavailableError
from domain.posts import Post, PostStatus
from handlers.wiring import Stack

PERMALINK_LIMIT: Final = timedelta(seconds=10)


def add_to(app: typer.Typer) -> None:
    app.command("history")(show_history)


def show_history(
    ctx: typer.Context,
    persona_id: PersonaOption = None,
    count: Annotated[
        int, typer.Option("-n", "--count", min=1, max=1000, metavar="COUNT", help="How many posts to show.")
    ] = 20,
    html: HtmlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the newest posts by slot (UTC), newest first: status, photo, media id, permalink, and what went wrong.

    A permalink that is not on record yet is asked of Instagram, where it answers, and kept. The posts of a persona that
    was removed are shown as well.
    """
    stack = opened(ctx)
    meant, persona = whose_history(stack, persona_id)
    posts = list(stack.ledger.history(meant, limit=count))
    if persona is None:
        remark(f"The persona {meant} was removed; its history stays.")
    else:
        posts = _with_permalinks(stack, persona, posts)
    if html is not None:
        _write(stack, meant, persona, posts, html)
    if as_json:
        say_json([post_facts(post) for post in posts])
    elif html is not None:
        say(f"The newest {len(posts)} posts of {meant} are in {html}.")
    elif posts:
        say_posts(posts)
    else:
        say(f"Nothing was posted for {meant} yet.")


def _write(stack: Stack, persona_id: PersonaId, persona: Persona | None, posts: list[Post], path: Path) -> None:
    group = Group(f"The newest {len(posts)}", None, post_cards(stack, posts))
    subtitle = f"{persona_id}, as it was on {stack.clock.now():%Y-%m-%d %H:%M} UTC"
    with writing(path):
        title = f"The posts of {persona.name if persona else persona_id}"
        write_sheet(Sheet(title, subtitle, [group] if posts else []), path)


def _with_permalinks(stack: Stack, persona: Persona, posts: list[Post]) -> list[Post]:
    """Best effort: where Instagram does not answer, the others are left for another time. One that it does not have,
    such as a post that was deleted, keeps no other from its permalink.
    """
    unknown: list[str] = []
    for place, post in enumerate(posts):
        if post.status is not PostStatus.POSTED or post.provider_post_id is None or post.permalink is not None:
            continue
        try:
            permalink = stack.publisher.permalink(persona, post.provider_post_id, within=PERMALINK_LIMIT)
            posts[place] = replace(post, permalink=permalink)
            stack.ledger.set_permalink(post, permalink)
        except (Fault, RecordsUnavailableError) as error:
            if isinstance(error, Fault) and (error.code, error.subcode) == NO_SUCH_OBJECT:
                unknown.append(post.provider_post_id)
                continue
            remark(f"The missing permalinks are not to be had now: {error}")
            break
    if unknown:
        remark(f"Instagram does not show media {', '.join(unknown)} of this account: deleted, perhaps.")
    return posts
