"""`fluffy-train persona schedule | unschedule | remove`: when a persona is posted for, and when no more."""

import os
from datetime import datetime
from itertools import islice
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import typer

from cli.daily_times import is_daily, starts
from cli.failures import CommandError
from cli.persona import PersonaArgument
from cli.persona_schedules import LONGEST_WINDOW, PersonaSchedule
from cli.session import existing_persona, opened_with_schedules
from cli.shown import remark, say
from cli.terminal_log import TerminalRunLog
from domain.ids import PersonaId
from domain.remove_persona import Removal
from domain.slots import Slot
from handlers.wiring import Stack

NOTE_VARIABLE = "SCHEDULES_NOTE"
"""What a stack that is not in AWS has to say about its schedules: the local one starts nothing by itself."""

_FIELDS = "minutes, hours, day of the month, month, day of the week, year"


def add_to(app: typer.Typer) -> None:
    for command in (schedule, unschedule, remove):
        app.command()(command)


def _to_cron(text: str) -> str:
    fields = text.strip().removeprefix("cron(").removesuffix(")").split()
    if len(fields) != 6:
        raise typer.BadParameter(f"it has six fields: {_FIELDS}, e.g. '0 9 * * ? *'")
    return " ".join(fields)


def _to_timezone(text: str) -> str:
    # A machine without the time zone database knows none: then the Scheduler is the one who checks.
    known = available_timezones()
    if known and text not in known:
        raise typer.BadParameter("there is no such time zone; they are named like Europe/Berlin or America/New_York")
    return text


def schedule(
    ctx: typer.Context,
    named: PersonaArgument,
    cron: Annotated[
        str,
        typer.Option(
            metavar="FIELDS",
            parser=_to_cron,
            help=f"When it posts, in AWS's six fields: {_FIELDS}, e.g. '0 9 * * ? *' for every day at nine.",
        ),
    ],
    timezone: Annotated[
        str,
        typer.Option(
            metavar="ZONE",
            parser=_to_timezone,
            help="Whose clock that is, e.g. Europe/Berlin. Daylight saving is followed: a time that the clocks skip is "
            "skipped, one that comes twice counts once.",
        ),
    ] = "UTC",
    window: Annotated[
        int,
        typer.Option(
            metavar="MINUTES",
            min=0,
            max=LONGEST_WINDOW,
            help="Post at some moment within so many minutes from then on, so that many personas do not post at once. "
            "0: on the minute.",
        ),
    ] = 0,
) -> None:
    """Post for a persona on a schedule of its own, or change the one it has."""
    stack, schedules = opened_with_schedules(ctx)
    persona = existing_persona(stack, PersonaId(named))
    wanted = PersonaSchedule(persona.persona_id, cron, timezone, window)
    is_new = schedules.put(wanted)
    say(f"{'Scheduled' if is_new else 'Changed the schedule of'} {persona.persona_id}: {_in_words(wanted)}.", "green")
    for start in _next_starts(wanted, stack.clock.now()):
        say(f"  next: {start:%a %Y-%m-%d %H:%M %Z}, slot {Slot.scheduled(start)}")
    if persona.persona_id == stack.settings.default_persona:
        remark(
            f"The stack's own rule posts for {persona.persona_id} as well: both do now. To have this schedule alone, "
            "set `Enabled: false` at the cron expression in template.yaml, and deploy."
        )
    if persona.paused_reason is not None:
        remark(f"{persona.persona_id} is paused, so nothing is posted yet: {persona.paused_reason}")
    if note := os.environ.get(NOTE_VARIABLE):
        remark(note)


def unschedule(ctx: typer.Context, named: PersonaArgument) -> None:
    """Take a persona's own schedule away. A post that is under way is finished."""
    stack, schedules = opened_with_schedules(ctx)
    persona_id = PersonaId(named)
    if schedules.delete(persona_id):
        say(f"{persona_id} has no schedule of its own any more.", "green")
    else:
        say(f"{persona_id} has no schedule of its own; nothing was changed.")
    _say_that_the_rule_goes_on(stack, persona_id)


def remove(
    ctx: typer.Context,
    named: PersonaArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a persona out of service: its schedule, its token, its queue, its record.

    Its history and its photos stay. Added again under the same id, it posts no photo twice; a photo is in its queue
    again when its file is imported again.

    It is not removed while a post is under way or `unconfirmed`: it is said which, and what to do.
    """
    stack, schedules = opened_with_schedules(ctx)
    persona_id = PersonaId(named)
    if not yes and not _is_wanted(persona_id):
        raise CommandError("Nothing was changed.")
    removal = stack.remove_persona(schedules, TerminalRunLog(is_verbose=False))(persona_id)
    if removal.open_slots or removal.unconfirmed_slots:
        raise CommandError(
            f"{persona_id} is paused and has no schedule now, but it is not removed yet. "
            f"{_in_its_way(persona_id, removal)} Give the command again then."
        )
    if not removal.done:
        raise CommandError(f"{persona_id} was resumed or paused at the same moment and is kept. Try it again.")
    if not (removal.was_there or removal.unscheduled or removal.unqueued):
        say(f"There is no persona {persona_id}, and nothing of one was left: `fluffy-train persona list` shows all.")
        return
    say(f"{persona_id} is removed; {removal.unqueued} photos left its queue. History and photos stay.", "green")
    _say_that_the_rule_goes_on(stack, persona_id)


def _is_wanted(persona_id: PersonaId) -> bool:
    try:
        return typer.confirm(f"Remove {persona_id}, its schedule, its token and its queue?", err=True)
    except typer.Abort:
        raise CommandError("Nothing was changed. Where there is nobody to ask, add --yes.") from None


def _in_its_way(persona_id: PersonaId, removal: Removal) -> str:
    told = []
    if removal.open_slots:
        told.append(
            f"Posts are under way for {', '.join(map(str, removal.open_slots))}: they end by themselves, within "
            "minutes if Instagram answers, within two days at the latest."
        )
    if removal.unconfirmed_slots:
        commands = ", ".join(f"`fluffy-train resolve {persona_id}/{slot}`" for slot in removal.unconfirmed_slots)
        told.append(f"Say whether these posts are live, as long as its token is there to look with: {commands}.")
    return " ".join(told)


def _say_that_the_rule_goes_on(stack: Stack, persona_id: PersonaId) -> None:
    if persona_id == stack.settings.default_persona:
        remark(
            f"The stack's own rule still starts for {persona_id}, the default persona. To end that too, set "
            "`Enabled: false` at the cron expression in template.yaml, or another DefaultPersona, and deploy."
        )


def _in_words(schedule: PersonaSchedule) -> str:
    window = f", within {schedule.window_minutes} minutes" if schedule.window_minutes else ""
    return f"cron({schedule.cron}) in {schedule.timezone}{window}"


def _next_starts(schedule: PersonaSchedule, now: datetime) -> list[datetime]:
    """The next three, by the persona's clock; none for what only the Scheduler can reckon."""
    try:
        zone = ZoneInfo(schedule.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return []
    if not is_daily(schedule.cron):
        return []
    return [start.astimezone(zone) for start in islice(starts(schedule.cron, zone, now), 3)]
