"""How the owner names a post: as `history` prints it, its slot alone or with its persona."""

from dataclasses import dataclass
from typing import Annotated, Final

import typer

from cli.failures import CommandError
from cli.session import whose_history
from domain import instants
from domain.ids import PersonaId
from domain.personas import Persona, parse_persona_id
from domain.posts import Post
from domain.slots import Slot
from handlers.wiring import Stack

MOST_COMPARED: Final = 200
MOST_OFFERED: Final = 3

_HOW: Final = (
    "a post is named by its slot, as `fluffy-train history` prints it, e.g. 2026-11-22T09:00:00Z, or with its persona, "
    "e.g. default/2026-11-22T09:00:00Z"
)


@dataclass(frozen=True, slots=True)
class PostName:
    """``persona_id`` is None where only the slot was given."""

    slot: Slot
    persona_id: PersonaId | None = None


def to_post_name(text: str) -> PostName:
    """Typer's parser for a post's name. Any time with its zone will do for a slot."""
    persona, _, slot = text.strip().rpartition("/")
    try:
        return PostName(_slot(slot), parse_persona_id(persona) if persona else None)
    except ValueError:
        raise typer.BadParameter(_HOW) from None


def _slot(text: str) -> Slot:
    try:
        return Slot.parse(text)
    except ValueError:
        return Slot.by_hand(instants.from_text(text))


PostArgument = Annotated[
    PostName,
    typer.Argument(
        metavar="POST",
        parser=to_post_name,
        help="The post, as `history` prints it: its slot, 2026-11-22T09:00:00Z, or PERSONA/SLOT.",
    ),
]


def existing_post(stack: Stack, name: PostName, persona_id: PersonaId | None) -> tuple[Persona | None, Post]:
    """The named post, and its persona, if that was not removed.

    Raises CommandError with the nearest ones where there is no such post.
    """
    if name.persona_id is not None and persona_id not in {None, name.persona_id}:
        raise typer.BadParameter(
            f"it says {persona_id}, and the post is named as {name.persona_id}'s; leave one out", param_hint="--persona"
        )
    meant, persona = whose_history(stack, name.persona_id or persona_id)
    post = stack.ledger.get(meant, name.slot)
    if post is not None:
        return persona, post
    nearest = _nearest(stack, meant, name.slot)
    near = f"Near it: {', '.join(nearest)}." if nearest else f"Nothing was posted for {meant} yet."
    raise CommandError(f"There is no post {meant}/{name.slot}. {near}")


def _nearest(stack: Stack, persona_id: PersonaId, slot: Slot) -> list[str]:
    posts = stack.ledger.history(persona_id, limit=MOST_COMPARED)
    by_distance = sorted(posts, key=lambda post: abs(post.slot.start - slot.start))[:MOST_OFFERED]
    return [f"{post.slot} ({post.status.value})" for post in by_distance]
