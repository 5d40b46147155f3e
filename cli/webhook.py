"""`fluffy-train webhook …`: the receiver that is told of each finished post."""

import secrets
from typing import Annotated, Final

import typer

from cli.secret_input import read_secret, refuse_arguments
from cli.session import opened
from cli.shown import remark, say
from domain import notices
from domain.secret import Secret
from handlers import wiring

app = typer.Typer(no_args_is_help=True, help="The receiver of yours that is told of each finished post.")

# A secret that is given as an argument by mistake must reach our own message, which does not print it.
_TAKES_NO_SECRET: Final = {"allow_extra_args": True}

FEWEST_CHARACTERS: Final = 16
_GENERATED_BYTES: Final = 32


@app.command(
    context_settings=_TAKES_NO_SECRET,
    epilog="The secret is asked for at a hidden prompt, or read from standard input where that is no terminal, e.g. "
    "`fluffy-train webhook set-secret < secret.txt`.",
)
def set_secret(
    ctx: typer.Context,
    generate: Annotated[
        bool, typer.Option("--generate", help="Make one, and print it this once, for the receiver.")
    ] = False,
) -> None:
    """Set the secret that signs the notices. The receiver needs the same one."""
    refuse_arguments(ctx)
    settings = opened(ctx).settings
    secret = Secret(secrets.token_urlsafe(_GENERATED_BYTES)) if generate else read_secret("webhook secret")
    if len(secret.reveal()) < FEWEST_CHARACTERS:
        raise typer.BadParameter(
            f"it must have {FEWEST_CHARACTERS} characters or more; `--generate` makes a good one",
            param_hint="webhook secret",
        )
    wiring.build_webhook_secret(settings).store(secret)
    if generate:
        typer.echo(secret.reveal())
    remark("Stored the webhook's secret. The Lambda function uses it within 5 minutes.")


@app.command()
def test(ctx: typer.Context) -> None:
    """Send a notice of nothing, event `webhook.test`, and tell what the receiver answered."""
    stack = opened(ctx)
    webhook = wiring.build_webhook(stack.settings)
    notice = notices.of_test(stack.clock.now())
    status = webhook.deliver(notice)
    say(f"{webhook.host} took the notice {notice.id}: HTTP {status}.", "green")
