"""The command `fluffy-train`: its groups, which stack it works on, and every expected error as one clear line."""

import io
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli import (
    export,
    history,
    import_rails,
    import_records,
    pausing,
    persona,
    persona_service,
    photo_skips,
    photos,
    posting,
    queue,
    redrive,
    resolve,
    retry,
    status,
    webhook,
)
from cli.failures import EXPECTED, in_one_line
from cli.session import Session
from cli.settings import DEFAULT_STACK, STACK_VARIABLE
from cli.shown import complain


class _OneLineErrors(TyperGroup):
    """What can be expected to go wrong is one line and exit status 1, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except EXPECTED as error:
            complain(in_one_line(error))
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=_OneLineErrors,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    # A traceback is for defects. It must not show variables: some hold tokens.
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def fluffy_train(
    ctx: typer.Context,
    stack: Annotated[
        str | None,
        typer.Option(
            "--stack",
            metavar="NAME",
            help=f"The CloudFormation stack to work on, as `sam deploy` named it. Else the variable {STACK_VARIABLE}, "
            f"else {DEFAULT_STACK}. Not asked for where the variables of the Lambda functions (PERSONAS_TABLE, …) "
            "are set.",
        ),
    ] = None,
) -> None:
    """Post the best photo of your library to your Instagram account.

    A schedule in AWS does the posting. These commands add the account and the photos, and show what was posted and what
    comes next.

    To begin: persona add, then photos import, then next.

    AWS is found as by the AWS command line: AWS_PROFILE, AWS_DEFAULT_REGION and so on.

    Exit status: 0 done, 1 not or not wholly done, 2 wrong use.
    """
    ctx.obj = Session(stack)


persona_service.add_to(persona.app)
app.add_typer(persona.app, name="persona")
app.add_typer(photos.app, name="photos")
photo_skips.add_to(photos.app)
for front in (status, queue, posting, history, retry, resolve, pausing, redrive, export, import_records, import_rails):
    front.add_to(app)
app.add_typer(webhook.app, name="webhook")


def run() -> None:
    """The entry point of the installed command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no 📷 must not end the command
    app(prog_name="fluffy-train")
