"""`fluffy-train import-records`: what `export` wrote, put back."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli.at_once import several_at_once
from cli.failures import EXPECTED, CommandError
from cli.progress import progress
from cli.session import opened
from cli.shown import remark, say
from domain.archive_ports import Restored
from domain.import_records import ImportRecords, ImportReport, Line
from handlers import wiring

KINDS = ("persona", "post", "photo")


def add_to(app: typer.Typer) -> None:
    app.command("import-records")(import_records)


def import_records(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What `export` wrote.")],
    check_files: Annotated[
        bool,
        typer.Option("--check-files", help="Leave out unposted photos whose files the bucket lacks; takes longer."),
    ] = False,
) -> None:
    """Put personas, posts and photos back that `fluffy-train export` wrote. Nothing that is there is ever changed.

    Posts and photos of a persona that was removed are put back without it.

    Running it again does no harm, and goes on where it stopped. A line that cannot be used is named with its number,
    and the rest goes on; the exit status is 1 then.

    Stop the stack that the records came from first: two stacks with one library would post its photos twice.
    """
    stack = opened(ctx)
    work = ImportRecords(
        personas=stack.personas,
        archive=wiring.build_archive(stack.settings),
        ledger=stack.ledger,
        near_duplicates=stack.near_duplicates,
        renditions=stack.renditions if check_files else None,
    )
    try:
        total = sum(1 for _ in _lines(file))
        with progress(total) as on_line:
            work(partial(_lines, file), each=several_at_once, on_line=lambda: on_line(""))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
    except EXPECTED:
        _say_report(work.report)
        remark("What is done stays done: run the same command again.")
        raise
    _say_report(work.report)
    if work.report.problems or work.report.differing:
        raise typer.Exit(1)


def _lines(file: Path) -> Iterator[Line]:
    """The lines that are not empty, numbered from 1. Bytes that are not UTF-8 make a line that is no JSON."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            text = line.decode("utf-8-sig", errors="replace").strip()
            if text:
                yield number, text


def _say_report(report: ImportReport) -> None:
    for kind in KINDS:
        added, same, different = (
            report.counts[kind, one] for one in (Restored.ADDED, Restored.SAME, Restored.DIFFERENT)
        )
        say(f"{kind.capitalize()}s: added {added}, there already {same}, there already and different {different}.")
    if report.closed:
        say(f"Posts that were under way, and are now failed or unconfirmed: {report.closed}. See history.", "yellow")
    if report.removed:
        say(
            f"Without a persona: {', '.join(sorted(report.removed))}. Their posts and photos are on record, so that "
            "nothing of them is posted again; nothing is posted for them."
        )
    for problem in sorted(report.differing, key=lambda one: one.line):
        say(f"  left as it is: line {problem.line}: {problem.reason}", "yellow")
    for problem in sorted(report.problems, key=lambda one: one.line):
        say(f"  left out: line {problem.line}: {problem.reason}", "red")
    if report.counts["persona", Restored.ADDED]:
        say("Next: the tokens, which are in no export: `fluffy-train persona set-token PERSONA`")
