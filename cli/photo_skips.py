"""`fluffy-train photos skip` and `unskip`: which photos their owner keeps out of the queue."""

import re
from dataclasses import asdict, dataclass
from typing import Annotated, Final

import typer

from cli.failures import CommandError
from cli.options import JsonOption, PersonaOption
from cli.session import existing_persona, opened
from cli.shown import complain, say, say_json, short
from domain.ids import PersonaId, PhotoId
from domain.photos import HeldBack, HeldBackFor, Photo
from handlers.wiring import Stack

FEWEST_DIGITS: Final = 6

_PHOTO: Final = re.compile(rf"[0-9a-f]{{{FEWEST_DIGITS},64}}")


def _to_prefix(text: str) -> str:
    prefix = text.strip().rstrip("…").lower()
    if _PHOTO.fullmatch(prefix) is None:
        raise typer.BadParameter(
            f"a photo is named by its id or how that begins, {FEWEST_DIGITS} hexadecimal digits or more, as "
            "`fluffy-train queue` prints it"
        )
    return prefix


PhotosArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="PHOTO…",
        parser=_to_prefix,
        help=f"The photos' ids as `queue` prints them, or how they begin, {FEWEST_DIGITS} digits or more.",
    ),
]


@dataclass(frozen=True, slots=True)
class _Done:
    """``is_refused``: nothing was written, for the reason that ``told`` gives."""

    photo_id: str
    told: str
    is_refused: bool = False


def add_to(app: typer.Typer) -> None:
    app.command("skip")(skip)
    app.command("unskip")(unskip)


def skip(
    ctx: typer.Context, photos: PhotosArgument, persona_id: PersonaOption = None, as_json: JsonOption = False
) -> None:
    """Keep photos out of the queue for good. Of photos that look alike, the next best takes the place.

    A photo that has a post is refused: it is out of the queue already. May be run again at any time.
    """
    stack = opened(ctx)
    persona = existing_persona(stack, persona_id).persona_id
    _say([_skipped(stack, persona, prefix) for prefix in dict.fromkeys(photos)], as_json=as_json)


def unskip(
    ctx: typer.Context, photos: PhotosArgument, persona_id: PersonaOption = None, as_json: JsonOption = False
) -> None:
    """Let skipped photos into the queue again, where nothing else keeps them out. May be run again at any time."""
    stack = opened(ctx)
    persona = existing_persona(stack, persona_id).persona_id
    _say([_unskipped(stack, persona, prefix) for prefix in dict.fromkeys(photos)], as_json=as_json)


def _say(done: list[_Done], *, as_json: bool) -> None:
    if as_json:
        say_json([asdict(one) for one in done])
    else:
        for one in done:
            if one.is_refused:
                complain(f"{short(PhotoId(one.photo_id))}: {one.told}")
            else:
                say(f"{short(PhotoId(one.photo_id))}: {one.told}")
    if any(one.is_refused for one in done):
        raise typer.Exit(1)


def _skipped(stack: Stack, persona_id: PersonaId, prefix: str) -> _Done:
    photo = _named(stack, persona_id, prefix)
    if isinstance(photo, _Done):
        return photo
    if not stack.library.hold_back(persona_id, photo.photo_id, HeldBack(HeldBackFor.SKIPPED)):
        return _Done(photo.photo_id, _why_not(stack, photo), is_refused=True)
    # As it is now: it may have become one of a burst since. A call that was cut off before this is made up for.
    photo = _standing(stack, photo)
    if photo.burst is not None:
        stack.near_duplicates.elect(persona_id, photo.burst)
    if photo.held_back is not None and photo.held_back.reason is HeldBackFor.POSTED_ELSEWHERE:
        return _Done(photo.photo_id, "it was posted elsewhere, and is out of the queue for good already")
    return _Done(photo.photo_id, "skipped")


def _unskipped(stack: Stack, persona_id: PersonaId, prefix: str) -> _Done:
    photo = _named(stack, persona_id, prefix)
    if isinstance(photo, _Done):
        return photo
    stack.library.release(persona_id, photo.photo_id)
    photo = _standing(stack, photo)
    if photo.post_slot is not None:
        return _Done(photo.photo_id, _why_not(stack, photo), is_refused=True)
    if photo.held_back is not None:
        return _Done(photo.photo_id, "it was posted elsewhere, so it stays out of the queue", is_refused=True)
    if photo.awaits_linking:
        return _Done(photo.photo_id, "no longer skipped; it is queued when it is taken in to its end")
    if photo.burst is not None:
        best = stack.near_duplicates.elect(persona_id, photo.burst)
        if best != photo.photo_id:
            why = f"{short(best)}, which looks like it, is better" if best else "one that looks like it is posted"
            return _Done(photo.photo_id, f"no longer skipped, but not in the queue: {why}")
    elif not stack.library.admit(photo):
        return _Done(photo.photo_id, "no longer skipped; it is queued when it has a score")
    return _Done(photo.photo_id, "in the queue")


def _named(stack: Stack, persona_id: PersonaId, prefix: str) -> Photo | _Done:
    found = stack.library.beginning_with(persona_id, prefix, limit=2)
    match found:
        case []:
            told = f"{persona_id} has no photo whose id begins so; `fluffy-train queue` shows those that are queued"
            return _Done(prefix, told, is_refused=True)
        case [photo]:
            return photo
        case _:
            return _Done(prefix, "more than one photo's id begins so: give more digits of it", is_refused=True)


def _standing(stack: Stack, photo: Photo) -> Photo:
    standing = stack.library.get(photo.persona_id, photo.photo_id)
    if standing is None:
        raise CommandError(f"Photo {short(photo.photo_id)} was removed at the same moment.")
    return standing


def _why_not(stack: Stack, photo: Photo) -> str:
    slot = _standing(stack, photo).post_slot
    if slot is None:
        return "it changed at the same moment; run this again"
    post = stack.ledger.get(photo.persona_id, slot)
    status = f", which is {post.status.value}" if post else ""
    return f"it has the post of {slot}{status}, and so it is out of the queue"
