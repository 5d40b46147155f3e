"""How one persona stands, and what of it needs the owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from adapters.schedules import SchedulesUnavailableError
from domain.ids import PersonaId
from domain.personas import Persona
from domain.posts import Post, PostStatus
from domain.schedules import Schedule, UnreadableScheduleError, next_start, starts_per_day
from handlers.wiring import Stack

MOST_COUNTED: Final = 1000
"""Photos of the queue; beyond that it is said that there are more."""
LOOKED_BACK: Final = timedelta(days=30)
MOST_LOOKED_THROUGH: Final = 200
FEWEST_RUNWAY_DAYS: Final = 3
FEWEST_TOKEN_DAYS: Final = 7
DEADLINE_GRACE: Final = timedelta(hours=1)
"""The reconciler comes by every 15 minutes: a post that is so much over its deadline says that it does not."""


class Schedules(Protocol):
    """What starts posts for a persona."""

    def of(self, persona_id: PersonaId) -> Sequence[Schedule]:
        """Empty where nothing is known to. Raises SchedulesUnavailableError."""
        ...


@dataclass(frozen=True, slots=True)
class PersonaStatus:
    """``wants`` says what needs the owner, and what to do. None stands for what is not known."""

    persona: Persona
    last: Post | None
    open: tuple[Post, ...]
    next_slot: datetime | None
    why_no_next: str | None
    queued: int
    is_more: bool
    posts_per_day: float | None
    runway_days: float | None
    token_days_left: float | None
    wants: tuple[str, ...]

    @staticmethod
    def words(post: Post) -> str:
        """``posting``, ``unresolved`` once it was sent, or ``unconfirmed``."""
        return "unresolved" if post.status is PostStatus.POSTING and post.is_fenced else post.status.value


def status_of(stack: Stack, persona: Persona, schedules: Schedules, now: datetime) -> PersonaStatus:
    """Raises RecordsUnavailableError."""
    persona_id = persona.persona_id
    recent = stack.ledger.posts_since(persona_id, now - LOOKED_BACK)
    still_open = tuple(post for post in recent if post.status in {PostStatus.POSTING, PostStatus.UNCONFIRMED})
    last = _last(recent) or _last(stack.ledger.history(persona_id, limit=MOST_LOOKED_THROUGH))
    queued = stack.library.count_queued(persona_id, minimum_score=persona.minimum_score, most=MOST_COUNTED + 1)
    next_slot, why_no_next, per_day = _next(schedules, persona_id, now)
    runway = min(queued, MOST_COUNTED) / per_day if per_day else None
    expires_at = persona.token_expires_at
    token_days = None if expires_at is None else (expires_at - now) / timedelta(days=1)
    return PersonaStatus(
        persona=persona,
        last=last,
        open=still_open,
        next_slot=next_slot,
        why_no_next=why_no_next,
        queued=min(queued, MOST_COUNTED),
        is_more=queued > MOST_COUNTED,
        posts_per_day=per_day,
        runway_days=runway,
        token_days_left=token_days,
        wants=(
            *_wants_of_persona(persona, queued, runway, token_days),
            *(want for post in still_open if (want := _want_of_post(post, now)) is not None),
        ),
    )


def _last(posts: Sequence[Post]) -> Post | None:
    return next((post for post in posts if post.status is PostStatus.POSTED), None)


def _next(
    schedules: Schedules, persona_id: PersonaId, now: datetime
) -> tuple[datetime | None, str | None, float | None]:
    """The next slot, or why none is known, and how many there are a day."""
    try:
        found = schedules.of(persona_id)
        if not found:
            return None, "unknown: no schedule is known to post for it", None
        per_day = sum(starts_per_day(schedule, now) for schedule in found)
        starts = [start for schedule in found if (start := next_start(schedule, now)) is not None]
    except SchedulesUnavailableError as error:
        return None, f"unknown: {error}", None
    except UnreadableScheduleError as error:
        return None, f"unknown: {error}", _per_day_at_least(found, now)
    if not starts:
        is_off = not any(schedule.is_enabled for schedule in found)
        return None, "none: its schedule is switched off" if is_off else "none: its schedule has ended", per_day
    return min(starts), None, per_day


def _per_day_at_least(schedules: Sequence[Schedule], now: datetime) -> float | None:
    """A rate has a pace, though its next start is not known."""
    try:
        return sum(starts_per_day(schedule, now) for schedule in schedules)
    except UnreadableScheduleError:
        return None


def _wants_of_persona(persona: Persona, queued: int, runway: float | None, token_days: float | None) -> Sequence[str]:
    name = persona.persona_id
    wants: list[str] = []
    if persona.paused_reason is not None:
        wants.append(f"{name} is paused: {persona.paused_reason} When that is mended: `fluffy-train resume {name}`.")
    if queued == 0:
        wants.append(f"{name} has no photo to post: `fluffy-train photos import FOLDER --persona {name}`.")
    elif runway is not None and runway < FEWEST_RUNWAY_DAYS:
        wants.append(f"{name} has photos for {runway:.1f} days: `fluffy-train photos import FOLDER --persona {name}`.")
    if token_days is not None and token_days < FEWEST_TOKEN_DAYS:
        when = "has expired" if token_days < 0 else f"expires in {token_days:.1f} days"
        wants.append(f"The token of {name} {when}: make a new one, and `fluffy-train persona set-token {name}`.")
    return wants


def _want_of_post(post: Post, now: datetime) -> str | None:
    name = f"{post.persona_id}/{post.slot}"
    if post.status is PostStatus.UNCONFIRMED:
        return f"{name} may be live: `fluffy-train resolve {name}` shows what can be seen of it."
    last_moment = post.cannot_land_after or post.deadline
    if now > last_moment + DEADLINE_GRACE:
        return f"{name} should have ended by now: is Reconcile running? Its log tells."
    return None
