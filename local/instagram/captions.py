"""Instagram's limits on the text of a post."""

import re

from local.instagram import errors

CAPTION_CHARACTERS = 2200
CAPTION_HASHTAGS = 30
CAPTION_MENTIONS = 20
ALT_TEXT_CHARACTERS = 1000

HASHTAG = re.compile(r"#\w+")
# An address (name@host) is no mention.
MENTION = re.compile(r"(?<!\w)@[\w.]+")


def check_caption(caption: str) -> None:
    """Raise GraphError for a caption over 2200 characters (code points), 30 hashtags or 20 mentions."""
    if len(caption) > CAPTION_CHARACTERS:
        raise errors.caption_too_long(f"{len(caption)} characters, at most {CAPTION_CHARACTERS}")
    if len(HASHTAG.findall(caption)) > CAPTION_HASHTAGS:
        raise errors.caption_too_long(f"more than {CAPTION_HASHTAGS} hashtags")
    if len(MENTION.findall(caption)) > CAPTION_MENTIONS:
        raise errors.too_many_mentions()


def check_alt_text(alt_text: str) -> None:
    """Raise GraphError for an alternative text over 1000 characters."""
    if len(alt_text) > ALT_TEXT_CHARACTERS:
        raise errors.bad_parameter(f"Param alt_text must be at most {ALT_TEXT_CHARACTERS} characters long")
