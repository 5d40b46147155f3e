"""How a token and an app's secret are given: at a hidden prompt, or on standard input. Never as an argument, which
other users of the machine, and the shell's history, would see.
"""

import re
import sys
from dataclasses import dataclass
from typing import Final

import typer

from domain.personas import Login
from domain.secret import Secret

MOST_CHARACTERS: Final = 4096
"""What a SecureString parameter of SSM's standard tier holds."""

HOW: Final = (
    "The access token is asked for at a hidden prompt, or read from standard input where that is no terminal, e.g. "
    "`fluffy-train persona … < token.txt`. With --login facebook, a second line may give the app secret, and a third "
    "the app id: with both the token is renewed by itself."
)

_PRINTABLE: Final = re.compile(r"[!-~]+")
_APP_ID: Final = re.compile(r"[0-9]{1,25}")


@dataclass(frozen=True, slots=True)
class GivenSecrets:
    """What was not given is None."""

    access_token: Secret
    app_secret: Secret | None = None
    app_id: str | None = None


def read_secrets(login: Login) -> GivenSecrets:
    """Raises typer.BadParameter, which quotes nothing of what was given."""
    lines = _asked(login) if sys.stdin.isatty() else _read(login)
    token, app_secret, app_id = [*lines, "", ""][:3]
    if app_id and _APP_ID.fullmatch(app_id) is None:
        raise typer.BadParameter("it is the app's number, digits only", param_hint="app id")
    return GivenSecrets(
        _checked(token, "access token"), _checked(app_secret, "app secret") if app_secret else None, app_id or None
    )


def read_secret(what: str) -> Secret:
    """One secret, called ``what`` at the prompt. Raises as ``read_secrets`` does."""
    how = f"The {what} is asked for at a hidden prompt, or read from standard input where that is no terminal."
    if sys.stdin.isatty():
        return _checked(typer.prompt(what.capitalize(), hide_input=True, err=True).strip(), what, how)
    content = typer.get_binary_stream("stdin").read(4 * MOST_CHARACTERS)
    return _checked(content.decode("utf-8-sig", errors="replace").strip(), what, how)


def refuse_arguments(ctx: typer.Context) -> None:
    """Wrong use, most likely a token: Typer's own message would print it."""
    if ctx.args:
        raise typer.BadParameter(
            f"there is more on the command line than this command takes (not shown: it might be a token). {HOW}",
            param_hint="arguments",
        )


def _asked(login: Login) -> list[str]:
    token = typer.prompt("Access token", hide_input=True, err=True)
    if login is not Login.FACEBOOK:
        return [token.strip()]
    app_secret = typer.prompt("App secret (empty for none)", hide_input=True, err=True, default="", show_default=False)
    app_id = typer.prompt("App id (empty for none)", err=True, default="", show_default=False) if app_secret else ""
    return [token.strip(), app_secret.strip(), app_id.strip()]


def _read(login: Login) -> list[str]:
    content = typer.get_binary_stream("stdin").read(4 * MOST_CHARACTERS)
    lines = [line.strip() for line in content.decode("utf-8-sig", errors="replace").rstrip().split("\n")]
    most = 3 if login is Login.FACEBOOK else 1
    if len(lines) > most:
        right = (
            "three lines, the access token, the app secret and the app id" if most > 1 else "one line, the access token"
        )
        raise typer.BadParameter(f"it has {len(lines)} lines; give {right}", param_hint="standard input")
    return lines


def _checked(text: str, what: str, how: str = HOW) -> Secret:
    if not text:
        raise typer.BadParameter(f"there is none. {how}", param_hint=what)
    if len(text) > MOST_CHARACTERS or _PRINTABLE.fullmatch(text) is None:
        raise typer.BadParameter(
            f"it must be one word of at most {MOST_CHARACTERS} ASCII letters, digits and signs; copy it again, whole",
            param_hint=what,
        )
    return Secret(text)
