"""What Instagram takes as a caption, checked before anything is claimed."""

import re
from typing import Final

# Source: Instagram Platform, IG User media reference, "caption": 2200 characters, 30 hashtags, 20 @ tags.
MOST_CHARACTERS: Final = 2200
MOST_HASHTAGS: Final = 30
MOST_MENTIONS: Final = 20
MOST_ALT_TEXT_CHARACTERS: Final = 1000

_HALF_A_CHARACTER: Final = re.compile("[\ud800-\udfff]")
_HASHTAG: Final = re.compile(r"#\w+")
_MENTION: Final = re.compile(r"@\w+")


def caption_problem(caption: str) -> str | None:
    """Why Instagram would refuse ``caption`` and what to do, or None when it would take it."""
    if _HALF_A_CHARACTER.search(caption):
        return "the caption has half of a character in it (a lone surrogate), which no one can send: type it anew"
    counts = (
        (len(caption), MOST_CHARACTERS, "characters"),
        (len(_HASHTAG.findall(caption)), MOST_HASHTAGS, "hashtags"),
        (len(_MENTION.findall(caption)), MOST_MENTIONS, "mentions"),
    )
    over = [f"{count} {what}, and Instagram takes {most}" for count, most, what in counts if count > most]
    return f"the caption has {'; it has '.join(over)}: shorten it" if over else None


def alt_text_problem(alt_text: str) -> str | None:
    """Why Instagram would refuse ``alt_text`` and what to do, or None when it would take it."""
    if _HALF_A_CHARACTER.search(alt_text):
        return "the alt text has half of a character in it (a lone surrogate), which no one can send: type it anew"
    if len(alt_text) <= MOST_ALT_TEXT_CHARACTERS:
        return None
    return f"the alt text has {len(alt_text)} characters, and Instagram takes {MOST_ALT_TEXT_CHARACTERS}: shorten it"
