"""`fluffy-train export`: the whole record of a library, as JSON Lines."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from cli.failures import CommandError
from cli.progress import counting
from cli.session import no_such_persona, opened, to_persona_id
from cli.shown import remark
from domain.export_records import ExportRecords, Owners
from domain.ids import PersonaId
from domain.posts import Post, PostStatus
from domain.record_lines import to_line
from handlers import wiring

STANDARD_OUTPUT = Path("-")


def add_to(app: typer.Typer) -> None:
    app.command("export")(export)


def export(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="Where to. It is written only when all is there; - is the output.")
    ] = STANDARD_OUTPUT,
    persona_id: Annotated[
        PersonaId | None,
        typer.Option("--persona", metavar="PERSONA", parser=to_persona_id, help="Whose records. Else everybody's."),
    ] = None,
) -> None:
    """Write all personas, posts and photos as JSON Lines: one object a line, with all that the record has.

    Posts and photos of personas that were removed are in it too, so that no other stack posts them again. There is no
    token in it, and no picture. `fluffy-train import-records` reads it back. Changes nothing.
    """
    stack = opened(ctx)
    records = ExportRecords(personas=stack.personas, archive=wiring.build_archive(stack.settings), ledger=stack.ledger)
    owners = records.everybody() if persona_id is None else records.one(persona_id)
    if persona_id is not None and owners == Owners():
        raise no_such_persona(persona_id)
    on_one = counting("records")
    written = under_way = 0
    with _destination(file) as out:
        for record in records(owners):
            out.write(f"{to_line(record)}\n")
            on_one()
            written += 1
            under_way += isinstance(record, Post) and record.status is PostStatus.POSTING
    removed = f", and of {len(owners.removed)} that were removed" if owners.removed else ""
    remark(f"Wrote {written} records of {len(owners.personas)} personas{removed}.")
    if under_way:
        remark(f"{under_way} posts were under way: they are imported as ended. Export when nothing is under way.")


@contextmanager
def _destination(file: Path) -> Iterator[IO[str]]:
    """``file`` has either all that is written to it, or what it had before."""
    if file == STANDARD_OUTPUT:
        yield sys.stdout
        return
    temporary: str | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=file.parent, prefix=f".{file.name}.", encoding="ascii", newline="\n", delete=False
        ) as out:
            temporary = out.name
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, file)
        temporary = None
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
