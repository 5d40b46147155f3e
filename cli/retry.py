"""`fluffy-train retry`: a failed post's photo, once more and now."""

from typing import Annotated

import typer

from cli.failures import CommandError
from cli.options import INTERRUPTED, JsonOption, PersonaOption
from cli.post_names import PostArgument, existing_post
from cli.posting import DONE, RUN_MILLISECONDS
from cli.session import opened
from cli.shown import complain, report_facts, say_json, say_report
from cli.terminal_log import TerminalRunLog
from domain.posts import Post
from domain.retry_post import NotRetried, why_not_failed


def add_to(app: typer.Typer) -> None:
    app.command("retry")(retry)


def retry(
    ctx: typer.Context,
    post: PostArgument,
    persona_id: PersonaOption = None,
    as_json: JsonOption = False,
    is_verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show each step on standard error.")] = False,
) -> None:
    """Post a failed post's photo once more, now, in a post of its own. Takes up to 180 seconds.

    For a post whose photo stayed with it: it was refused, missed its deadline three times, or was not live after all
    (`resolve --not-posted`). What an account's fault failed is back in the queue by itself.

    A post is retried once, whoever runs this and however often; should the retry fail too, retry that one. No other
    photo is posted in its place. Mend what was wrong with the photo first: import it again with a shorter caption, say.

    Exit status 0: posted. 1: anything else; `fluffy-train history` tells.
    """
    stack = opened(ctx)
    persona, failed = existing_post(stack, post, persona_id)
    if persona is None:
        raise CommandError(why_not_failed(failed) or _add_it_again(failed))
    try:
        answer = stack.retry_post(TerminalRunLog(is_verbose=is_verbose))(
            persona, failed, lambda: stack.start_run(RUN_MILLISECONDS)
        )
    except KeyboardInterrupt:
        complain(
            "Interrupted. What was begun stays on record, and a later run finishes it without posting anything twice: "
            "see `fluffy-train history`."
        )
        raise typer.Exit(INTERRUPTED) from None
    if isinstance(answer, NotRetried):
        raise CommandError(answer.reason)
    if as_json:
        say_json(report_facts(answer))
    else:
        say_report(answer)
    if answer.outcome not in DONE:
        raise typer.Exit(1)


def _add_it_again(post: Post) -> str:
    return (
        f"The persona {post.persona_id} was removed, and nothing is posted for it. Add it again with `fluffy-train "
        f"persona add {post.persona_id}`, then `fluffy-train retry {post.persona_id}/{post.slot}`."
    )
