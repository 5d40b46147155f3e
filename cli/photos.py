"""`fluffy-train photos …`: the library."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from cli.contact_sheet import write_sheet
from cli.duplicates import Duplicates, burst_facts, score_in_words, sheet_of
from cli.failures import EXPECTED, CommandError, in_one_line
from cli.import_photos import ImportReport, PhotoImport
from cli.options import GOES_ON, INTERRUPTED, JsonOption, PersonaOption
from cli.photo_folder import list_photos
from cli.progress import progress, progress_bar
from cli.rejected import facts_of, rejected_files, size_in_words
from cli.rescore import Rescore, RescoreReport, rescored
from cli.scores_csv import Scores, UnusableScoresError, read_scores
from cli.session import existing_persona, opened, to_persona_id
from cli.shown import complain, in_brief, out, plain, remark, say, say_json, short, table
from domain.ids import PersonaId, PhotoId
from domain.ports import Addition, ScorerUnavailableError
from handlers import intake_wiring

app = typer.Typer(no_args_is_help=True, help="The library of photos to post.")


@app.command("import")
def import_folder(
    ctx: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            exists=True,
            file_okay=False,
            help="The folder of pictures, with its sub-folders: JPEG, PNG, WebP, HEIC, AVIF and TIFF, to 100 MB each.",
        ),
    ],
    persona_id: Annotated[
        PersonaId | None,
        typer.Option(
            "--persona",
            metavar="PERSONA",
            parser=to_persona_id,
            help="Whose library. Else the stack's default persona.",
        ),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            exists=True,
            dir_okay=False,
            help="A CSV file in UTF-8 whose first line is file,aesthetic_score and may go on with ,caption,alt_text. "
            "Files are named from FOLDER on; a score runs from 0 to 10, an empty one leaves it to the scorer; a "
            "caption has at most 2200 characters, 30 hashtags and 20 mentions, an alt text 1000 characters.",
        ),
    ] = None,
) -> None:
    """Put the pictures of a folder into a persona's library.

    A photo is known by its content: importing it again, under whatever name, changes only what the CSV says anew. An
    empty cell takes nothing away. A photo without a score of yours is scored by the stack's scorer. Of photos that look
    alike only the best is posted (`fluffy-train photos duplicates` shows them).

    What cannot be imported is named at the end, with its line in the CSV or its file name. The rest goes on; the exit
    status is 1 then.

    Ctrl-C loses nothing: run the same command again.
    """
    rows = _rows(scores)
    stack = opened(ctx)
    persona = existing_persona(stack, persona_id)
    listed = list_photos(folder, scores)
    if scores is None and (folder / "scores.csv").is_file():
        remark(f"{folder / 'scores.csv'} is not read: name it with --scores to use its scores.")
    work = PhotoImport(persona, intake_wiring.ingest_photo(stack), stack.clock.now())
    again = "What is done stays done: run the same command again, and it goes on from there."
    try:
        with progress(len(listed.files)) as on_file:
            work(listed, rows, on_file)
    except KeyboardInterrupt:
        _say_report(work.report)
        complain(f"Interrupted. {again}")
        raise typer.Exit(INTERRUPTED) from None
    except EXPECTED:
        _say_report(work.report)
        remark(again)
        raise
    _say_report(work.report)
    if not listed.files and not work.report.left_out:
        remark(f"There is no picture in {folder}.")
    if work.report.left_out:
        raise typer.Exit(1)


@app.command()
def rejected(
    ctx: typer.Context,
    persona_id: Annotated[
        PersonaId | None,
        typer.Option(
            "--persona",
            metavar="PERSONA",
            parser=to_persona_id,
            help="Whose files alone. Else everybody's, with those whose folder names no persona.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the uploaded files that could not be taken in, each with what to do about it. Changes nothing.

    They stand under rejected/ in the stack's bucket and are deleted by you alone. A file that was mended is uploaded to
    where it came from, under incoming/.
    """
    found = rejected_files(intake_wiring.inbox(opened(ctx)), persona_id)
    if as_json:
        say_json([facts_of(one) for one in found])
        return
    rows = table("File", "Size", "Why", "What to do")
    for one in found:
        rows.add_row(plain(one.object_key), size_in_words(one.size), plain(one.kind or "?"), plain(one.what_to_do))
    if rows.row_count:
        out().print(rows)
    else:
        say(f"No uploaded file was rejected{f' for {persona_id}' if persona_id else ''}.")


@app.command()
def rescore(ctx: typer.Context, persona_id: PersonaOption = None, as_json: JsonOption = False) -> None:
    """Score the unposted photos anew that have no score, or one by another scorer than the stack's.

    A score that you gave always stays, and so does every score that the stack's scorer made. The renditions in the
    bucket are read, not your own files.

    Ctrl-C loses nothing: run the same command again.
    """
    stack = opened(ctx)
    persona = existing_persona(stack, persona_id)
    scorer = intake_wiring.scorer(stack)
    work = Rescore(
        persona.persona_id,
        library=stack.library,
        near_duplicates=stack.near_duplicates,
        renditions=stack.renditions,
        scorer=scorer,
    )
    stopped: str | None = None
    status = 0
    try:
        with progress_bar() as progress:
            task = progress.add_task("", total=1.0, done=0, what="scored", note="")
            work(lambda place, scored: progress.update(task, completed=place, done=scored))
    except KeyboardInterrupt:
        stopped, status = f"Interrupted. {GOES_ON}", INTERRUPTED
    except ScorerUnavailableError as error:
        stopped, status = f"{error} {_advice(stack.settings.scorer)}", 1
    except EXPECTED as error:
        stopped, status = f"{in_one_line(error)} {GOES_ON}", 1
    if as_json:
        say_json({"persona_id": persona.persona_id, "scorer": scorer.name, **rescored(work.report), "stopped": stopped})
    else:
        _say_rescored(work.report, scorer.name)
    if stopped is not None:
        complain(stopped)
    raise typer.Exit(status or (1 if work.report.passed_over else 0))


def _advice(scorer: str) -> str:
    other = (
        " Or deploy the stack with Scorer=measured, which asks nobody and costs nothing."
        if scorer != "measured"
        else ""
    )
    return f"{GOES_ON}{other}"


def _say_rescored(report: RescoreReport, scorer: str) -> None:
    say(f"Photos: {report.scored} scored anew by {scorer}; {report.current} had its score, or yours, already.")
    for photo_id in report.missing:
        say(f"  passed over: {short(photo_id)}: its rendition is not in the bucket. Import the photo again.", "red")
    for photo_id, reason in report.unscorable.items():
        say(f"  passed over: {short(photo_id)}: {reason}", "red")
    for photo_id in report.awaiting:
        say(
            f"  not in the queue: {short(photo_id)}: it was not taken in to its end. Upload or import it again.",
            "yellow",
        )


@app.command()
def duplicates(
    ctx: typer.Context,
    persona_id: PersonaOption = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Write them side by side, with their pictures, into this HTML file. It needs nothing beside it.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the photos that look alike, as the bursts of which the best one alone is posted. Changes nothing.

    The stack's parameter NearDuplicateBits says what looks alike, when a photo is taken in: BITS is in how many of 64
    bits it differs from the first one of its burst.
    """
    if html is not None:
        _check_writable(html)
    stack = opened(ctx)
    persona = existing_persona(stack, persona_id)
    work = Duplicates(persona, library=stack.library, near_duplicates=stack.near_duplicates, ledger=stack.ledger)
    bursts = work.bursts()
    if html is not None:
        try:
            with progress_bar() as progress:
                task = progress.add_task("", total=len(bursts), done=0, what="bursts", note="")
                begun = partial(_show_begun, progress, task)
                write_sheet(sheet_of(persona.persona_id, bursts, work, stack.renditions, begun), html)
        except OSError as error:
            raise CommandError(f"{html} cannot be written: {error.strerror or error}.") from None
    if as_json:
        facts = [burst_facts(work.members(photo_ids)) for photo_ids in bursts]
        say_json({"persona_id": persona.persona_id, "bursts": facts, "html": str(html) if html else None})
    elif not bursts:
        say(f"No photos of {persona.persona_id} look alike.")
    elif html is not None:
        say(f"Bursts on {html}: {len(bursts)}.", "green")
    else:
        _say_bursts(work, bursts)


def _show_begun(progress: Progress, task: TaskID, begun: int) -> None:
    progress.update(task, completed=begun - 1, done=begun)


def _check_writable(path: Path) -> None:
    """Before minutes of work are lost. Raises BadParameter for what is no place for a file."""
    if not path.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}", param_hint="--html")
    if path.exists() and not path.is_file():
        raise typer.BadParameter(f"{path} is no file but a device, a pipe or the like", param_hint="--html")


def _say_bursts(work: Duplicates, bursts: Sequence[Sequence[PhotoId]]) -> None:
    rows = table("Burst", "Photo", "Standing", "Score", "Bits", "Caption")
    for number, photo_ids in enumerate(bursts, start=1):
        for member in work.members(photo_ids):
            rows.add_row(
                str(number),
                short(member.photo.photo_id),
                member.standing.value,
                plain(score_in_words(member.photo)),
                "" if member.bits is None else str(member.bits),
                in_brief(member.photo.caption or ""),
            )
    out().print(rows)


def _rows(path: Path | None) -> Scores:
    if path is None:
        return Scores()
    try:
        return read_scores(path)
    except UnusableScoresError as error:
        raise typer.BadParameter(f"{path}: {error}", param_hint="--scores") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None


def _say_report(report: ImportReport) -> None:
    counts = ", ".join(
        f"{what} {report.count(addition)}"
        for what, addition in (
            ("added", Addition.ADDED),
            ("updated", Addition.UPDATED),
            ("unchanged", Addition.UNCHANGED),
        )
    )
    say(f"Photos: {counts}; left out {len(report.left_out)}.")
    if report.waiting:
        say(f"Without a score, and so waiting, not posted: {len(report.waiting)}. Give scores with --scores.", "yellow")
    for note in report.notes:
        say(f"  note: {note}")
    for left_out in report.left_out:
        say(f"  left out: {left_out.what}: {left_out.reason}", "red")
