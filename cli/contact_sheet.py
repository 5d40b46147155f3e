"""A contact sheet: groups of pictures with a few lines each, as one HTML file that needs nothing beside it.

It has no script and asks no host for anything, so it can be opened offline, mailed and kept. Whatever text is on it may
come from anybody: captions, file names, Instagram's answers.
"""

import base64
import html
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from adapters.imaging import thumbnails
from cli.contact_sheet_style import STYLE
from cli.shown import plain

THUMBNAIL_PX: Final = 320

# Should a text ever get through as markup, the browser still runs and fetches nothing.
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_TAIL: Final = "</main>\n</body>\n</html>\n"


@dataclass(frozen=True, slots=True)
class Card:
    """One picture. ``badge`` is a word or two on it; ``link`` is where a click leads, if it is an http(s) address.

    Without a thumbnail its place says so. A link is readable by whoever gets the sheet: none that is signed.
    """

    thumbnail_jpeg: bytes | None
    title: str
    lines: Sequence[str] = ()
    link: str | None = None
    badge: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that belong together. ``cards`` may be a generator: each is asked for when it is written."""

    title: str
    note: str | None
    cards: Iterable[Card]


@dataclass(frozen=True, slots=True)
class Sheet:
    """``groups`` may be a generator too, and then the sheet can be written once."""

    title: str
    subtitle: str
    groups: Iterable[Group]


def write_sheet(sheet: Sheet, path: Path) -> None:
    """Write the sheet to ``path``, card by card; what was there before stays until the new one is whole.

    Raises OSError, and whatever the sheet's own generators raise.
    """
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(html_of(sheet))
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def html_of(sheet: Sheet) -> Iterator[str]:
    """The page in pieces, none larger than a card. There are no more of them in memory than one."""
    yield _head(_text(sheet.title), _text(sheet.subtitle))
    is_empty = True
    for group in sheet.groups:
        is_empty = False
        yield f'<section>\n<h2 dir="auto">{_text(group.title)}</h2>\n'
        if group.note:
            yield f'<p class="note" dir="auto">{_text(group.note)}</p>\n'
        yield '<ul class="cards">\n'
        for card in group.cards:
            yield _card(card)
        yield "</ul>\n</section>\n"
    if is_empty:
        yield '<p class="note">There is nothing to show.</p>\n'
    yield _TAIL


def thumbnail(jpeg: bytes, *, px: int = THUMBNAIL_PX) -> bytes:
    """``jpeg`` as a JPEG whose longer side has at most ``px``. Raises UnusableImageError when it cannot be read."""
    return thumbnails.thumbnail(jpeg, most_px=px)


def _head(title: str, subtitle: str) -> str:
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1 dir="auto">{title}</h1>
<p dir="auto">{subtitle}</p>
</header>
<main>
"""


def _card(card: Card) -> str:
    title = _text(card.title)
    if card.thumbnail_jpeg is None:
        picture = '<span class="missing">no picture</span>'
    else:
        data = base64.b64encode(card.thumbnail_jpeg).decode("ascii")
        picture = f'<img src="data:image/jpeg;base64,{data}" alt="" loading="lazy" decoding="async">'
    if card.badge:
        picture += f'<span class="badge" dir="auto">{_text(card.badge)}</span>'
    lines = "".join(f'<p dir="auto">{_text(line)}</p>' for line in card.lines)
    shown = f'<span class="frame">{picture}</span><h3 dir="auto">{title}</h3>'
    if (link := _safe_link(card.link)) is not None:
        shown = f'<a href="{_text(link)}" rel="noopener noreferrer">{shown}</a>'
    return f"<li>{shown}{lines}</li>\n"


def _safe_link(link: str | None) -> str | None:
    """``link``, if a browser can only take it as an http(s) address; else None."""
    if link is None or not link.isascii() or not link.isprintable() or " " in link:
        return None
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    return link if parts.scheme in {"http", "https"} and parts.hostname else None


def _text(text: str) -> str:
    """``text`` in one line, as text and nothing else: in an element or in a double-quoted attribute."""
    return html.escape(plain(" ".join(text.split())), quote=True)
