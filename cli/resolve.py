"""`fluffy-train resolve`: what can be seen of an unconfirmed post, and its owner's word on it."""

import re
import sys
from typing import Annotated, Any, Final

import typer

from cli.failures import CommandError
from cli.options import JsonOption, PersonaOption
from cli.post_names import PostArgument, existing_post
from cli.session import opened
from cli.shown import fault_in_words, post_facts, remark, say, say_json, say_posts
from domain import instants
from domain.faults import Fault
from domain.ids import MediaId
from domain.personas import Persona
from domain.posts import Post
from domain.resolve_post import NotResolved, Resolved, ResolvePost, Sight, why_not_unconfirmed

_MEDIA_ID: Final = re.compile(r"[0-9]{5,30}(_[0-9]{1,30})?")


def _to_media_id(text: str) -> MediaId:
    if _MEDIA_ID.fullmatch(text) is None:
        raise typer.BadParameter(
            "it is Instagram's number for the media, e.g. 17920238422030506, as the candidates are shown; no address"
        )
    return MediaId(text)


def add_to(app: typer.Typer) -> None:
    app.command("resolve")(resolve)


def resolve(
    ctx: typer.Context,
    named: PostArgument,
    media_id: Annotated[
        MediaId | None,
        typer.Option("--posted", metavar="MEDIA_ID", parser=_to_media_id, help="It is live, as this media."),
    ] = None,
    is_not_posted: Annotated[bool, typer.Option("--not-posted", help="It is not on the account.")] = False,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    persona_id: PersonaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what became of an `unconfirmed` post, after a look at the account.

    Shows what can be seen first: the container's status, and the account's media that may be it. With neither --posted
    nor --not-posted it shows that and writes nothing.

    --not-posted is taken once nothing that was sent can become live any more, a day after it was sent. The photo then
    stays with the failed post, and is posted by `fluffy-train retry` and by nothing else.
    """
    if media_id is not None and is_not_posted:
        raise typer.BadParameter("give one of --posted MEDIA_ID and --not-posted", param_hint="--posted / --not-posted")
    stack = opened(ctx)
    persona, post = existing_post(stack, named, persona_id)
    use_case = stack.resolve_post()
    is_open = why_not_unconfirmed(post) is None
    sight = use_case.look(persona, post) if is_open else None
    if sight is not None and not as_json:
        _show(post, sight)
    if media_id is None and not is_not_posted:
        _only_look(post, sight, as_json=as_json)
        return
    # Before the question, so that who answers it knows.
    permalink = _permalink(use_case, persona, media_id) if is_open and media_id is not None else None
    if is_open and not is_sure:
        _ask(post, media_id, may_ask=not as_json and sys.stdin.isatty())
    if media_id is not None:
        answer = use_case.posted(post, media_id, permalink)
    else:
        answer = use_case.not_posted(post, sight or Sight("", is_published=False, candidates=()))
    if isinstance(answer, NotResolved):
        raise CommandError(answer.reason)
    _say(answer, sight, as_json=as_json)


def _permalink(use_case: ResolvePost, persona: Persona | None, media_id: MediaId) -> str | None:
    """One look whether the account has this media. Where nobody tells, the owner's word counts."""
    if persona is None:
        remark(f"Nobody can be asked for media {media_id}, since the persona was removed: your word counts.")
        return None
    try:
        return use_case.find(persona, media_id)
    except Fault as fault:
        remark(f"Instagram does not show media {media_id} of this account: {fault.message} Your word counts.")
        return None


def _ask(post: Post, media_id: MediaId | None, *, may_ask: bool) -> None:
    what = f"it is live as media {media_id}" if media_id else "it is not live"
    if not may_ask:
        raise typer.BadParameter(
            f"this writes down that {what}, and there is nobody to ask: look first, then add --yes", param_hint="--yes"
        )
    if not typer.confirm(f"Write down of {post.persona_id}/{post.slot} that {what}?", err=True):
        raise CommandError("Nothing was written.")


def _show(post: Post, sight: Sight) -> None:
    say_posts([post])
    say(f"Its caption: {' '.join(post.caption.split())}")
    say(f"Its container now: {sight.container}")
    if sight.why_no_candidates is not None:
        remark(f"The account's media cannot be listed now: {sight.why_no_candidates}")
    elif not sight.candidates:
        say("Among the account's newest media there is none of its caption and time.")
    for media in sight.candidates:
        say(f"May be it: media {media.media_id}  {instants.to_text(media.published_at)}  {media.permalink or ''}")


def _only_look(post: Post, sight: Sight | None, *, as_json: bool) -> None:
    if sight is None:
        raise CommandError(why_not_unconfirmed(post) or "")
    if as_json:
        say_json(_facts(post, sight))
        return
    name = f"{post.persona_id}/{post.slot}"
    say(f"Then: `fluffy-train resolve {name} --posted MEDIA_ID`, or `fluffy-train resolve {name} --not-posted`.")


def _say(answer: Resolved, sight: Sight | None, *, as_json: bool) -> None:
    post = answer.post
    if as_json:
        say_json({**_facts(post, sight), "was_before": answer.was_before})
        return
    before = " It was on record before; nothing was written." if answer.was_before else ""
    if post.provider_post_id is not None:
        say(f"{post.persona_id}/{post.slot} is posted, as media {post.provider_post_id}.{before}", "green")
        return
    say(f"{post.persona_id}/{post.slot} is failed.{before}", "green")
    if post.fault is not None:
        say(f"  {fault_in_words(post.fault)}")
    if post.retried_in is None:
        say(f"To post its photo after all: `fluffy-train retry {post.persona_id}/{post.slot}`.")


def _facts(post: Post, sight: Sight | None) -> dict[str, Any]:
    seen = sight and {
        "container": sight.container,
        "candidate_media": [
            {
                "media_id": media.media_id,
                "permalink": media.permalink,
                "published_at": instants.to_text(media.published_at),
            }
            for media in sight.candidates
        ],
        "candidates_unreadable": sight.why_no_candidates,
    }
    return {"post": post_facts(post), "seen_now": seen}
