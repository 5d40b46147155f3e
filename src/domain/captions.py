"""What Instagram takes as a caption, checked before anything is claimed."""

import re
from typing import Final

# Source: Instagram Platform, IG User media reference, "caption": 2200 characters, 30 hashtags, 20 @ tags.
MOST_CHARACTERS: Final = 2200
MOST_HASHTAGS: Final = 30
MOST_MENTIONS: Final = 20
MOST_ALT_TEXT_CHARACTERS: Final = 1000

_HASHTAG: Final = re.compile(r"#\w+")
_MENTION: Final = re.compile(r"@\w+")


def caption_problem(caption: str) -> str | None:
    """Why Instagram would refuse ``caption`` and what to do, or None when it would take it."""
    counts = (
        (len(caption), MOST_CHARACTERS, "characters"),
        (len(_HASHTAG.findall(caption)), MOST_HASHTAGS, "hashtags"),
        (len(_MENTION.findall(caption)), MOST_MENTIONS, "mentions"),
    )
    over = [f"{count} {what}, and Instagram takes {most}" for count, most, what in counts if count > most]
    return f"the caption has {'; it has '.join(over)}: shorten it" if over else None


def alt_text_problem(alt_text: str) -> str | None:
    """Why Instagram would refuse ``alt_text`` and what to do, or None when it would take it."""
    if len(alt_text) <= MOST_ALT_TEXT_CHARACTERS:
        return None
    return f"the alt text has {len(alt_text)} characters, and Instagram takes {MOST_ALT_TEXT_CHARACTERS}: shorten it"
