"""The option --html, which writes a contact sheet, and what can go wrong with its file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.failures import CommandError

HtmlOption = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        dir_okay=False,
        help="Write a contact sheet with the pictures to this file, to be opened in a browser.",
    ),
]


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raises CommandError where the file cannot be written; what was there before stays then."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or type(error).__name__}.") from None
