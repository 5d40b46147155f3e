"""How one persona stands, and what of it needs the owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from adapters.meta.errors import TOKEN_CODES
from adapters.schedules import SchedulesUnavailableError
from cli.failed_posts import FailedPost, failed_posts
from domain.ids import PersonaId
from domain.personas import Persona
from domain.posts import Post, PostStatus
from domain.schedules import Schedule, UnreadableScheduleError, next_start, starts_per_day
from domain.take_stock import ENOUGH
from domain.tokens import FEWEST_DAYS, days_left, how_to_mend
from handlers.wiring import Stack

MOST_COUNTED: Final = 1000
"""Photos of the queue; beyond that it is said that there are more."""
LOOKED_BACK: Final = timedelta(days=30)
MOST_LOOKED_THROUGH: Final = 200
DEADLINE_GRACE: Final = timedelta(hours=1)
"""The reconciler comes by every 15 minutes: a post that is so much over its deadline says that it does not."""


class Schedules(Protocol):
    """What starts posts for a persona."""

    def of(self, persona_id: PersonaId) -> Sequence[Schedule]:
        """Empty where nothing is known to. Raises SchedulesUnavailableError."""
        ...


@dataclass(frozen=True, slots=True)
class PersonaStatus:
    """``wants`` says what needs the owner, and what to do, by the numbers of the alarms. None: it is not known."""

    persona: Persona
    last: Post | None
    open: tuple[Post, ...]
    failed: tuple[FailedPost, ...]
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
    failed = failed_posts(recent, stack.library, now)
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
        failed=failed,
        next_slot=next_slot,
        why_no_next=why_no_next,
        queued=min(queued, MOST_COUNTED),
        is_more=queued > MOST_COUNTED,
        posts_per_day=per_day,
        runway_days=runway,
        token_days_left=token_days,
        wants=(
            *_wants_of_access(persona, recent, now),
            *_wants_of_queue(persona, queued, runway),
            *(want for post in still_open if (want := _want_of_post(post, now)) is not None),
            *(one.want for one in failed if one.want is not None),
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


def _wants_of_access(persona: Persona, recent: Sequence[Post], now: datetime) -> Sequence[str]:
    """Of its pause and its token. A dead token has three steps, and lifting the pause is the last of them."""
    name = persona.persona_id
    reason = persona.paused_reason
    is_dead = _token_is_dead(persona, recent, now)
    steps = how_to_mend(name)
    wants: list[str] = []
    if reason is not None:
        then = "" if is_dead or steps in reason else f" When that is mended: `fluffy-train persona resume {name}`."
        wants.append(f"{name} is paused: {reason}{then}")
    if is_dead:
        if steps not in (reason or ""):
            wants.append(f"The token of {name} is no longer valid. {steps}")
    elif persona.token_expires_at is not None and days_left(persona.token_expires_at, now) < FEWEST_DAYS:
        days = (persona.token_expires_at - now) / timedelta(days=1)
        wants.append(
            f"The token of {name} expires in {days:.1f} days, and was not renewed: `fluffy-train persona check {name}` "
            f"says why, and `fluffy-train persona set-token {name}` takes a new one."
        )
    return wants


def _token_is_dead(persona: Persona, recent: Sequence[Post], now: datetime) -> bool:
    """By the record of its expiry, or else by the post for whose refused token the persona is paused."""
    if persona.token_expires_at is not None and persona.token_expires_at <= now:
        return True
    return any(
        post.fault is not None
        and post.fault.code in TOKEN_CODES
        and post.fault.message == persona.paused_reason
        and (persona.token_refreshed_at is None or persona.token_refreshed_at <= post.updated_at)
        for post in recent
    )


def _wants_of_queue(persona: Persona, queued: int, runway: float | None) -> Sequence[str]:
    """A persona that is paused uses up nothing, as in the count behind the alarm."""
    if persona.paused_reason is not None or queued >= ENOUGH:
        return ()
    name = persona.persona_id
    left = "no photo to post" if queued == 0 else f"fewer than {ENOUGH} photos, {queued}"
    lasting = "" if queued == 0 or runway is None else f", for {runway:.1f} days"
    return (f"{name} has {left}{lasting}: `fluffy-train photos import FOLDER --persona {name}`.",)


def _want_of_post(post: Post, now: datetime) -> str | None:
    name = f"{post.persona_id}/{post.slot}"
    if post.status is PostStatus.UNCONFIRMED:
        return f"{name} may be live: `fluffy-train resolve {name}` shows what can be seen of it."
    last_moment = post.cannot_land_after or post.deadline
    if now > last_moment + DEADLINE_GRACE:
        log = "`aws logs tail /aws/lambda/STACK-Reconcile --since 1d`"
        return f"{name} should have ended by now: is Reconcile running? Its log tells: {log}."
    return None
