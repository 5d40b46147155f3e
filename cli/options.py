"""What several commands share: options, an exit status, and the advice to run them again."""

from typing import Annotated, Final

import typer

from cli.session import to_persona_id
from domain.ids import PersonaId

INTERRUPTED: Final = 130
"""The exit status that shells give to Ctrl-C."""

GOES_ON: Final = "What is done stays done: run the same command again, and it goes on from there."
"""What follows the cause where a command was cut off that can be repeated."""

PersonaOption = Annotated[
    PersonaId | None,
    typer.Option(
        "--persona", metavar="PERSONA", parser=to_persona_id, help="Which account. Else the stack's default persona."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON and nothing else on standard output.")]
