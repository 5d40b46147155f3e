"""The photos that may be posted next, in the order in which the engine would take them, each with its reasons."""

from dataclasses import dataclass
from itertools import islice

from cli.shown import short
from domain.captions import caption_problem
from domain.curators_choice import CuratorsChoice
from domain.personas import Persona
from domain.photos import Photo
from handlers.wiring import Stack


@dataclass(frozen=True, slots=True)
class Candidate:
    """``problem`` is why Instagram would refuse the caption; None where it would take it."""

    place: int
    photo: Photo
    score: float
    caption: str
    caption_from: str
    why: str
    problem: str | None


def candidates(stack: Stack, persona: Persona, count: int) -> list[Candidate]:
    """The next ``count``, best first. Raises RecordsUnavailableError."""
    choice = CuratorsChoice(persona)
    queue = stack.library.best_first(persona.persona_id, page_size=count)
    found: list[Candidate] = []
    for place, photo in enumerate(islice(choice.candidates(queue), count), start=1):
        caption = choice.caption(photo)
        found.append(
            Candidate(
                place=place,
                photo=photo,
                score=photo.analysis.aesthetic_score if photo.analysis else 0.0,
                caption=caption,
                caption_from=_caption_from(persona, photo),
                why=_why(photo, found[-1] if found else None),
                problem=caption_problem(caption),
            )
        )
    return found


def _why(photo: Photo, before: Candidate | None) -> str:
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


def why_none(stack: Stack, persona: Persona) -> str:
    """Why there is no candidate, and what to do."""
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
