"""`fluffy-train import-rails`: from the Rails app's tables, exported as CSV, to a library of ours."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli.failures import EXPECTED, CommandError
from cli.photo_folder import list_photos
from cli.progress import progress
from cli.rails_files import FilesByName
from cli.rails_tables import RailsTables, UnusableTableError, read_tables
from cli.session import existing_persona, opened, to_persona_id
from cli.shown import remark, say
from cli.take_over_rails import TakeOver, TakeOverReport
from domain.personas import Persona
from domain.photos import HIGHEST_SCORE
from handlers import intake_wiring, wiring


def add_to(app: typer.Typer) -> None:
    app.command("import-rails")(import_rails)


def import_rails(
    ctx: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            exists=True,
            file_okay=False,
            help="Has personas.csv, photos.csv, photo_analyses.csv and scheduling_posts.csv.",
        ),
    ],
    files: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="The folder of the pictures that photos.csv names.")
    ],
    persona_map: Annotated[
        list[str],
        typer.Option(
            metavar="RAILS=OURS", help="The id or name of a persona there, and the persona's id here; repeat."
        ),
    ],
    highest_score: Annotated[
        float, typer.Option(min=0.001, help="What the Rails app's best score is: 10, or 1, or 100.")
    ] = HIGHEST_SCORE,
    status: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBER=NAME", help="What a status that is a number means, e.g. 3=posted; repeat."),
    ] = None,
) -> None:
    """Take over the photos of the Rails app, with their scores, and the record of what it posted.

    What it posted, and what it may have posted, is never posted by fluffy-train. Stop the Rails app's schedule before.
    Running it again does no harm. What cannot be taken over is named; the exit status is 1 then.
    """
    pairs = _pairs(persona_map, "--persona-map")
    try:
        tables = read_tables(folder, _pairs(status or [], "--status"))
    except UnusableTableError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from None
    stack = opened(ctx)
    personas = {there: existing_persona(stack, to_persona_id(here)) for there, here in _by_id(pairs, tables).items()}
    listed = list_photos(files, None)
    work = TakeOver(
        library=stack.library,
        archive=wiring.build_archive(stack.settings),
        near_duplicates=stack.near_duplicates,
        ingest=lambda library: intake_wiring.ingest_photo(replace(stack, library=library)),
        now=stack.clock.now(),
        highest_score=highest_score,
    )
    try:
        with progress(len(tables.photos)) as on_photo:
            work(tables, personas, FilesByName(listed.files), on_photo)
    except EXPECTED:
        _say_report(work.report, personas)
        remark("What is done stays done: run the same command again.")
        raise
    _say_report(work.report, personas)
    if work.report.left_out or work.report.posted_but_missing:
        raise typer.Exit(1)


def _pairs(words: list[str], option: str) -> dict[str, str]:
    pairs = {}
    for word in words:
        left, sign, right = (part.strip() for part in word.rpartition("="))
        if not (left and sign and right):
            raise typer.BadParameter("it must be like LEFT=RIGHT", param_hint=option)
        pairs[left.lower() if option == "--status" else left] = right
    return pairs


def _by_id(pairs: Mapping[str, str], tables: RailsTables) -> dict[str, str]:
    """Our personas' ids by theirs, where a name may have been given instead of an id."""
    found: dict[str, str] = {}
    for given, ours in pairs.items():
        ids = [given] if given in tables.personas else [one for one, name in tables.personas.items() if name == given]
        if len(ids) != 1:
            known = ", ".join(f"{one} ({name})" for one, name in tables.personas.items())
            raise CommandError(f"personas.csv has {len(ids)} personas {given!r}; it has: {known}.")
        found[ids[0]] = ours
    return found


def _say_report(report: TakeOverReport, personas: Mapping[str, Persona]) -> None:
    say(
        f"Photos: waiting for their turn {report.free}, posted before {report.posted}, "
        f"perhaps posted before and held back {report.held_back}; left out "
        f"{len(report.left_out) + len(report.posted_but_missing)}."
    )
    for what in report.left_out:
        say(f"  left out: {what}", "red")
    for what in report.posted_but_missing:
        say(f"  on the account, and left out: {what}", "red")
    if report.posted_but_missing:
        say("Do not import these by another way before this is mended: they would be posted again.", "red")
    if any(persona.paused_reason is not None for persona in personas.values()):
        remark("One of the personas is paused; `fluffy-train persona list` says why.")
