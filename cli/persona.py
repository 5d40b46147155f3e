"""`fluffy-train persona …`: the accounts that are posted to."""

import math
import re
from typing import Annotated, Final

import typer

from cli.adopt import adoption_facts, say_adoption
from cli.checkup import checkup_facts, say_checkup
from cli.failures import EXPECTED, CommandError, in_one_line
from cli.options import GOES_ON, INTERRUPTED, JsonOption
from cli.pausing import resume_persona
from cli.progress import progress_bar
from cli.secret_input import HOW, GivenSecrets, read_secrets, refuse_arguments
from cli.session import existing_persona, opened, to_persona_id
from cli.shown import complain, persona_facts, remark, say, say_json, say_personas
from cli.token_check import account_of, in_words
from domain.captions import caption_problem
from domain.check_account import CheckAccount
from domain.faults import TokenFault
from domain.ids import PersonaId
from domain.personas import Fit, Login, Persona
from domain.photos import HIGHEST_SCORE
from domain.tokens import Credentials
from handlers import intake_wiring
from handlers.wiring import Stack

app = typer.Typer(no_args_is_help=True, help="The Instagram accounts that are posted to, one persona each.")

# A token that is given as an argument by mistake must reach our own message, which does not print it.
_TAKES_NO_TOKEN: Final = {"allow_extra_args": True}

_FIT: Final = (
    "What becomes of a picture that is taller or wider than Instagram takes: its most important part (crop), or all of "
    "it on a blurred border (pad)."
)
_MOST_TRIES: Final = 3

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
        str | None,
        typer.Option(
            metavar="ID",
            parser=_to_instagram_user_id,
            help="The account's number at Instagram, digits only, e.g. 17841400000000001. Else the account that the "
            "token is for; with Facebook Login it has to be given.",
        ),
    ] = None,
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
    fit: Annotated[Fit, typer.Option(help=f"{_FIT} `persona set-fit` changes it later.")] = Fit.CROP,
) -> None:
    """Add an account to post to, with its access token, which is checked before it is stored."""
    refuse_arguments(ctx)
    if login is Login.FACEBOOK and instagram_user_id is None:
        raise typer.BadParameter("with --login facebook it has to be given", param_hint="--instagram-user-id")
    stack = opened(ctx)
    persona_id = PersonaId(named)
    if stack.personas.get(persona_id) is not None:
        raise _taken(persona_id)
    secrets = read_secrets(login)
    account = account_of(stack, persona_id, login, _credentials(secrets), instagram_user_id)
    user_id = instagram_user_id or (account.instagram_user_id if account else None)
    if user_id is None:
        raise CommandError(
            "Whose token it is cannot be asked now, and nothing was stored. Try again later, or name the account with "
            "--instagram-user-id ID."
        )
    # The token first: a record without a token would be posted to in vain, and pause itself.
    _store(stack, persona_id, secrets)
    persona = Persona(
        persona_id=persona_id,
        name=name or persona_id,
        instagram_user_id=user_id,
        login=login,
        caption=caption,
        minimum_score=minimum_score,
        fit=fit,
    )
    if not stack.personas.add(persona):
        raise CommandError(
            f"Somebody else added {persona_id} at the same moment. Its record is theirs; its token is now the one that "
            f"you gave: agree on one, and set it with `fluffy-train persona set-token {persona_id}`."
        )
    say(f"Added persona {persona_id}: {in_words(account) if account else user_id}.", "green")
    say(f"Next: `fluffy-train photos import FOLDER --persona {persona_id}`")


@app.command("list")
def list_personas(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="JSON and nothing else.")] = False
) -> None:
    """Show every persona, and whether it is paused."""
    stack = opened(ctx)
    personas = stack.personas.all()
    if as_json:
        say_json([persona_facts(persona, stack.clock.now()) for persona in personas])
    else:
        say_personas(personas, stack.settings.default_persona, stack.clock.now())


@app.command()
def check(
    ctx: typer.Context,
    named: Annotated[
        str | None,
        typer.Argument(metavar="PERSONA", parser=to_persona_id, help="The persona. Else the stack's default one."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON and nothing else.")] = False,
) -> None:
    """Ask Instagram whether a persona can be posted to: token, account, permissions, quota.

    Exit status 1 when something must be mended. A quota that is used up is nothing of the kind: it is said, and 0.
    """
    stack = opened(ctx)
    persona = existing_persona(stack, PersonaId(named) if named else None)
    found = CheckAccount(tokens=stack.tokens, accounts=stack.accounts, ledger=stack.ledger, clock=stack.clock)(persona)
    if as_json:
        say_json(checkup_facts(found))
    else:
        say_checkup(found)
    if found.problems:
        raise typer.Exit(1)


@app.command(context_settings=_TAKES_NO_TOKEN, epilog=HOW)
def set_token(ctx: typer.Context, named: PersonaArgument) -> None:
    """Replace a persona's access token, once it is checked. With Facebook Login, an empty app secret or app id leaves
    the one before.
    """
    refuse_arguments(ctx)
    stack = opened(ctx)
    persona_id = PersonaId(named)
    persona = existing_persona(stack, persona_id)
    secrets = read_secrets(persona.login)
    credentials = _credentials(secrets, _stored(stack, persona))
    account_of(stack, persona_id, persona.login, credentials, persona.instagram_user_id)
    _store(stack, persona_id, secrets)
    persona = _noted(stack, persona)
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
def set_fit(
    ctx: typer.Context, named: PersonaArgument, fit: Annotated[Fit, typer.Argument(help=_FIT, show_default=False)]
) -> None:
    """Set what becomes of pictures that are taller or wider than Instagram takes.

    It counts for the photos that are taken in from now on; those in the library stay as they were prepared.
    """
    stack = opened(ctx)
    persona_id = PersonaId(named)
    persona = existing_persona(stack, persona_id)
    if persona.fit is fit:
        say(f"{persona_id} has {fit.value} already; nothing was changed.")
        return
    if not stack.personas.set_fit(persona_id, fit):
        raise CommandError(f"The persona {persona_id} was removed at the same moment; nothing was written.")
    say(f"{persona_id} now has {fit.value}, for the photos that are taken in from now on.", "green")


@app.command()
def adopt(
    ctx: typer.Context,
    named: PersonaArgument,
    most: Annotated[
        int, typer.Option(min=1, max=10_000, metavar="COUNT", help="How many of the account's newest media to look at.")
    ] = 200,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Find the same, and write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take what is on the account already out of the queue, so that nobody sees it twice.

    The account's newest pictures are compared with the library by what they show: one that was scaled or compressed
    anew is found. What this program posted itself is passed over, and so are films.

    Ctrl-C loses nothing: run the same command again.
    """
    stack = opened(ctx)
    persona = existing_persona(stack, PersonaId(named))
    work = intake_wiring.adopt_account(stack)
    stopped: str | None = None
    status = 0
    try:
        with progress_bar() as progress:
            task = progress.add_task("", total=None, done=0, what="media", note="")
            work(
                persona,
                most=most,
                dry_run=dry_run,
                on_media=lambda done, total: progress.update(task, total=total, completed=done, done=done),
            )
    except KeyboardInterrupt:
        stopped, status = f"Interrupted. {GOES_ON}", INTERRUPTED
    except EXPECTED as error:
        stopped, status = f"{in_one_line(error)} {GOES_ON}", 1
    if as_json:
        say_json(adoption_facts(persona.persona_id, work.report, dry_run=dry_run, stopped=stopped))
    elif stopped is None or work.report.media:
        say_adoption(persona.persona_id, work.report, dry_run=dry_run)
    if stopped is not None:
        complain(stopped)
    raise typer.Exit(status or (1 if work.report.unseen else 0))


@app.command()
def resume(ctx: typer.Context, named: PersonaArgument, as_json: JsonOption = False) -> None:
    """Lift a persona's pause, once its cause is mended. The next slot posts again. The same as `resume`."""
    resume_persona(ctx, PersonaId(named), as_json=as_json)


def _credentials(given: GivenSecrets, stored: Credentials | None = None) -> Credentials:
    """What signs the first question. An app secret that is not given anew is the one before."""
    return Credentials(given.access_token, given.app_secret or (stored.app_secret if stored else None))


def _stored(stack: Stack, persona: Persona) -> Credentials | None:
    """What is stored beside the token that is to be replaced."""
    if persona.login is not Login.FACEBOOK:
        return None
    try:
        return stack.tokens.read(persona).credentials
    except TokenFault:
        return None


def _store(stack: Stack, persona_id: PersonaId, secrets: GivenSecrets) -> None:
    stack.credentials.store_token(persona_id, secrets.access_token)
    if secrets.app_secret is not None:
        stack.credentials.store_app_secret(persona_id, secrets.app_secret)
    if secrets.app_id is not None:
        stack.credentials.store_app_id(persona_id, secrets.app_id)


def _noted(stack: Stack, persona: Persona) -> Persona:
    """The persona, on whose record the old token's expiry no longer stands. RefreshTokens may write meanwhile."""
    for _ in range(_MOST_TRIES):
        if stack.personas.note_token(persona, refreshed_at=stack.clock.now(), expires_at=None):
            break
        persona = existing_persona(stack, persona.persona_id)
    return existing_persona(stack, persona.persona_id)


def _taken(persona_id: PersonaId) -> CommandError:
    return CommandError(
        f"There is a persona {persona_id} already; nothing was changed. Change it with `fluffy-train persona "
        "set-token`, `set-caption`, `set-fit` or `resume`, or choose another id."
    )
