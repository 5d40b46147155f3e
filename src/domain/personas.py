"""The persona: one Instagram account that is posted to, and its owner's wishes for it."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.ids import PersonaId

_PERSONA_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Login(StrEnum):
    """How the account's token was obtained, which decides the host that takes it."""

    INSTAGRAM = "instagram"
    FACEBOOK = "facebook"


class Fit(StrEnum):
    """What becomes of a picture that is taller or wider than Instagram takes."""

    CROP = "crop"
    """The part that matters most is kept."""
    PAD = "pad"
    """All of it is kept, on a border made of the picture's own blurred colours."""


@dataclass(frozen=True, slots=True)
class Quota:
    """How many posts Instagram said that the account may still make, and when it said so."""

    left: int
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Persona:
    """One account. ``paused_reason`` is set while a person must act; nothing is posted until it is lifted.

    ``token_expires_at`` is None where nobody has said it. ``token_refreshed_at`` is when the token was last replaced,
    by RefreshTokens or by its owner; None since the persona was added.
    """

    persona_id: PersonaId
    name: str
    instagram_user_id: str
    login: Login = Login.INSTAGRAM
    caption: str | None = None
    minimum_score: float = 0.0
    fit: Fit = Fit.CROP
    paused_reason: str | None = None
    token_expires_at: datetime | None = None
    quota: Quota | None = None
    token_refreshed_at: datetime | None = None


def parse_persona_id(text: str) -> PersonaId:
    """``text`` as a persona's id. Raises ValueError, since the id stands in keys of the bucket and of SSM."""
    if _PERSONA_ID.fullmatch(text) is None:
        raise ValueError(f"{text[:80]!r} is no persona id; use 1 to 63 lower-case letters, digits and hyphens")
    return PersonaId(text)
