"""`fluffy-train persona …`: the accounts that are posted to."""

import math
import re
from typing import Annotated, Final

import typer

from cli.failures import CommandError
from cli.pausing import resume_persona
from cli.secret_input import HOW, GivenSecrets, read_secrets, refuse_arguments
from cli.session import existing_persona, opened, to_persona_id
from cli.shown import persona_facts, remark, say, say_json, say_personas
from domain.captions import caption_problem
from domain.ids import PersonaId
from domain.personas import Login, Persona
from domain.photos import HIGHEST_SCORE
from handlers.wiring import Stack

app = typer.Typer(no_args_is_help=True, help="The Instagram accounts that are posted to, one persona each.")

# A token that is given as an argument by mistake must reach our own message, which does not print it.
_TAKES_NO_TOKEN: Final = {"allow_extra_args": True}

_INSTAGRAM_USER_ID: Final = re.compile(r"[0-9]{5,25}")


def _to_instagram_user_id(text: str) -> str:
    if _INSTAGRAM_USER_ID.fullmatch(text) is None:
        raise typer.BadParameter("it is the account's number, digits only, e.g. 17841400000000001; not its @name")
    return text


def _to_caption(text: str) -> str:
    caption = text.replace("\r\n", "\n")
    problem = caption_problem(caption)
    if problem is not None:
        raise typer.BadParameter(f"Instagram would refuse it: {problem}")
    return caption


def _to_score(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not 0.0 <= score <= HIGHEST_SCORE:
        raise typer.BadParameter("a score is a number from 0 to 10, with a point, e.g. 6.5")
    return score


PersonaArgument = Annotated[
    str,
    typer.Argument(
        metavar="PERSONA",
        parser=to_persona_id,
        help="Your own name for the account: 1 to 63 lower-case letters, digits and hyphens.",
    ),
]


@app.command(context_settings=_TAKES_NO_TOKEN, epilog=HOW)
def add(
    ctx: typer.Context,
    named: PersonaArgument,
    instagram_user_id: Annotated[
        str,
        typer.Option(
            metavar="ID",
            parser=_to_instagram_user_id,
            help="The account's number at Instagram, digits only, e.g. 17841400000000001.",
        ),
    ],
    name: Annotated[str | None, typer.Option(help="A name to show for it. Else its id.")] = None,
    login: Annotated[
        Login, typer.Option(help="How the token was obtained: Instagram Login or Facebook Login.")
    ] = Login.INSTAGRAM,
    caption: Annotated[
        str | None,
        typer.Option(
            parser=_to_caption,
            help="What a photo without a caption of its own says. At most 2200 characters, 30 hashtags, 20 mentions. "
            "Else the program's default caption.",
        ),
    ] = None,
    minimum_score: Annotated[
        float,
        typer.Option(
            metavar="SCORE", parser=_to_score, help="Photos under this aesthetic score, 0 to 10, are not posted."
        ),
    ] = 0.0,
) -> None:
    """Add an account to post to, with its access token."""
    refuse_arguments(ctx)
    stack = opened(ctx)
    persona_id = PersonaId(named)
    if stack.personas.get(persona_id) is not None:
        raise _taken(persona_id)
    secrets = read_secrets(login)
    # The token first: a record without a token would be posted to in vain, and pause itself.
    _store(stack, persona_id, secrets)
    persona = Persona(
        persona_id=persona_id,
        name=name or persona_id,
        instagram_user_id=instagram_user_id,
        login=login,
        caption=caption,
        minimum_score=minimum_score,
    )
    if not stack.personas.add(persona):
        raise CommandError(
            f"Somebody else added {persona_id} at the same moment. Its record is theirs; its token is now the one that "
            f"you gave: agree on one, and set it with `fluffy-train persona set-token {persona_id}`."
        )
    say(f"Added persona {persona_id}.", "green")
    say(f"Next: `fluffy-train photos import FOLDER --persona {persona_id}`")


@app.command("list")
def list_personas(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="JSON and nothing else.")] = False
) -> None:
    """Show every persona, and whether it is paused."""
    stack = opened(ctx)
    personas = stack.personas.all()
    if as_json:
        say_json([persona_facts(persona) for persona in personas])
    else:
        say_personas(personas, stack.settings.default_persona)


@app.command(context_settings=_TAKES_NO_TOKEN, epilog=HOW)
def set_token(ctx: typer.Context, named: PersonaArgument) -> None:
    """Replace a persona's access token. With Facebook Login, an empty app secret leaves the one before."""
    refuse_arguments(ctx)
    stack = opened(ctx)
    persona_id = PersonaId(named)
    persona = existing_persona(stack, persona_id)
    secrets = read_secrets(persona.login)
    _store(stack, persona_id, secrets)
    what = "token and app secret" if secrets.app_secret else "token"
    say(f"Stored the {what} of {persona_id}. The Lambda functions use it within 5 minutes.", "green")
    if persona.paused_reason is not None:
        remark(f"{persona_id} is paused: {persona.paused_reason}")
        remark(f"If the token was the cause: `fluffy-train persona resume {persona_id}`")


@app.command()
def set_caption(
    ctx: typer.Context,
    named: PersonaArgument,
    caption: Annotated[
        str | None,
        typer.Option(parser=_to_caption, help="The new caption: at most 2200 characters, 30 hashtags, 20 mentions."),
    ] = None,
    default: Annotated[
        bool, typer.Option("--default", help="Take the persona's caption away: the program's default one is used.")
    ] = False,
) -> None:
    """Set what a persona's photos say that have no caption of their own. Posts made before stay as they are."""
    if (caption is not None) == default:
        raise typer.BadParameter("give one of --caption TEXT and --default", param_hint="--caption / --default")
    stack = opened(ctx)
    persona_id = PersonaId(named)
    persona = existing_persona(stack, persona_id)
    if not stack.personas.set_caption(persona_id, caption):
        raise CommandError(f"The persona {persona_id} was removed at the same moment; nothing was written.")
    say(f"{persona_id} now has {'the default caption' if caption is None else 'this caption'}.", "green")
    if persona.paused_reason is not None:
        remark(f"{persona_id} is paused: {persona.paused_reason}")
        remark(f"If the caption was the cause: `fluffy-train persona resume {persona_id}`")


@app.command()
def resume(ctx: typer.Context, named: PersonaArgument) -> None:
    """Lift a persona's pause, once its cause is mended. The next slot posts again. The same as `resume`."""
    resume_persona(ctx, PersonaId(named))


def _store(stack: Stack, persona_id: PersonaId, secrets: GivenSecrets) -> None:
    stack.credentials.store_token(persona_id, secrets.access_token)
    if secrets.app_secret is not None:
        stack.credentials.store_app_secret(persona_id, secrets.app_secret)


def _taken(persona_id: PersonaId) -> CommandError:
    return CommandError(
        f"There is a persona {persona_id} already; nothing was changed. Change it with `fluffy-train persona "
        "set-token`, `set-caption` or `resume`, or choose another id."
    )
