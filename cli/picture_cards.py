"""Photos and posts as cards of a contact sheet: thumbnails of their renditions, a few at a time in memory."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

from adapters.imaging import UnusableImageError
from cli.candidates import Candidate
from cli.contact_sheet import Card, thumbnail
from cli.shown import fault_in_words, in_brief, short
from domain.posts import Post
from handlers.wiring import Stack

T = TypeVar("T")

AT_ONCE: Final = 8
"""Renditions that are fetched at the same time, and so the most that are in memory."""


def post_cards(stack: Stack, posts: Iterable[Post]) -> Iterator[Card]:
    """A card for each post, with its status as badge, and its permalink where there is one."""

    def card(post: Post) -> Card:
        photo = stack.library.get(post.persona_id, post.photo_id)
        lines = [str(post.slot), in_brief(post.caption)]
        lines += [f"retried in {post.retried_in}"] if post.retried_in else []
        lines += [fault_in_words(post.fault)] if post.fault else []
        return Card(
            _picture(stack, photo.object_key) if photo else None,
            title=short(post.photo_id),
            lines=lines,
            link=post.permalink,
            badge=post.status.value,
        )

    return _a_few_at_once(card, posts)


def candidate_cards(stack: Stack, candidates: Iterable[tuple[Candidate, int | None]]) -> Iterator[Card]:
    """A card for each candidate with the size of its burst, its place as badge."""

    def card(one: tuple[Candidate, int | None]) -> Card:
        candidate, burst = one
        lines = [
            f"score {candidate.score:g}: {candidate.why}",
            f"{in_brief(candidate.caption)} (caption: {candidate.caption_from})",
        ]
        lines += [f"the best of {burst} that look alike"] if burst else []
        lines += [f"Instagram would refuse it: {candidate.problem}"] if candidate.problem else []
        picture = _picture(stack, candidate.photo.object_key)
        return Card(picture, title=short(candidate.photo.photo_id), lines=lines, badge=f"#{candidate.place}")

    return _a_few_at_once(card, candidates)


def _a_few_at_once(make: Callable[[T], Card], things: Iterable[T]) -> Iterator[Card]:
    waiting = iter(things)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while few := list(islice(waiting, AT_ONCE)):
            yield from pool.map(make, few)


def _picture(stack: Stack, object_key: str) -> bytes | None:
    """None where the rendition is missing or cannot be read: the sheet says so in its place."""
    jpeg = stack.renditions.read(object_key)
    try:
        return None if jpeg is None else thumbnail(jpeg)
    except UnusableImageError:
        return None
