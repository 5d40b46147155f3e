"""Options that several commands have, and the exit status that they share."""

from typing import Annotated, Final

import typer

from cli.session import to_persona_id
from domain.ids import PersonaId

INTERRUPTED: Final = 130
"""The exit status that shells give to Ctrl-C."""

PersonaOption = Annotated[
    PersonaId | None,
    typer.Option(
        "--persona", metavar="PERSONA", parser=to_persona_id, help="Which account. Else the stack's default persona."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON and nothing else on standard output.")]
