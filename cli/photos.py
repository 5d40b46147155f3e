"""`fluffy-train photos …`: the library."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.darkroom import ImagingDarkroom
from cli.failures import EXPECTED, CommandError
from cli.import_photos import ImportReport, PhotoImport
from cli.photo_folder import list_photos
from cli.progress import progress
from cli.scores_csv import Scores, UnusableScoresError, read_scores
from cli.session import existing_persona, opened, to_persona_id
from cli.shown import complain, remark, say
from domain.ids import PersonaId
from domain.ports import Addition

app = typer.Typer(no_args_is_help=True, help="The library of photos to post.")

INTERRUPTED = 130
"""The exit status that shells give to Ctrl-C."""


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
    work = PhotoImport(persona, stack.ingest_photo(ImagingDarkroom(), stack.scorer()), stack.clock.now())
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
