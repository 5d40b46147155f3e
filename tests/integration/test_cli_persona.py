"""`fluffy-train persona …` on a stack over real HTTP."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError

from adapters.dynamo import DynamoPersonaDirectory
from adapters.ssm import SsmCredentials
from domain.ids import PersonaId
from domain.personas import Fit, Login, Persona
from integration.test_cli_stack import PERSONA, ROOT, TOKEN, USER, CliStack, error_line

ADD = ("persona", "add", "default", "--instagram-user-id", USER)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        yield stack


def pause(stack: CliStack, persona_id: str, reason: str) -> None:
    boto3.client("dynamodb").update_item(
        TableName=stack.environment["PERSONAS_TABLE"],
        Key={"persona_id": {"S": persona_id}},
        UpdateExpression="SET paused_reason = :reason",
        ExpressionAttributeValues={":reason": {"S": reason}},
    )


# ---- add ----


def test_a_persona_is_added_with_its_token_as_a_secure_string(stack: CliStack) -> None:
    result = stack.run(*ADD, "--name", "Fluffy", "--caption", "Hi", "--minimum-score", "6.5", stdin=f"{TOKEN}\n")
    assert result.exit_code == 0
    assert stack.adapters.personas.get(PERSONA) == Persona(
        PERSONA, "Fluffy", USER, Login.INSTAGRAM, caption="Hi", minimum_score=6.5
    )
    assert stack.parameters() == {"default/access-token": ("SecureString", TOKEN)}
    assert "Added persona default" in result.stdout
    assert TOKEN not in result.output


def test_without_options_a_persona_has_its_id_as_name_and_the_default_caption(stack: CliStack) -> None:
    assert stack.run(*ADD, stdin=TOKEN).exit_code == 0
    assert stack.adapters.personas.get(PERSONA) == Persona(PERSONA, "default", USER)


def test_facebook_login_takes_the_app_secret_as_the_second_line(stack: CliStack) -> None:
    assert stack.run(*ADD, "--login", "facebook", stdin=f"{TOKEN}\r\nthe-app-secret\r\n").exit_code == 0
    assert stack.parameters() == {
        "default/access-token": ("SecureString", TOKEN),
        "default/app-secret": ("SecureString", "the-app-secret"),
    }


def test_facebook_login_takes_the_app_id_as_the_third_line(stack: CliStack) -> None:
    assert stack.run(*ADD, "--login", "facebook", stdin=f"{TOKEN}\nthe-app-secret\n1234567890\n").exit_code == 0
    assert stack.parameters()["default/app-id"] == ("SecureString", "1234567890")
    persona = stack.adapters.personas.get(PERSONA)
    assert persona is not None
    assert persona.login is Login.FACEBOOK


def test_facebook_login_does_without_an_app_secret(stack: CliStack) -> None:
    assert stack.run(*ADD, "--login", "facebook", stdin=TOKEN).exit_code == 0
    assert set(stack.parameters()) == {"default/access-token"}


@pytest.mark.parametrize(
    ("stdin", "says"),
    [
        ("", "access token: there is none"),
        ("\n\n", "access token: there is none"),
        ("two words", "one word"),
        ("töken", "one word"),
        ("t" * 4097, "at most 4096"),
        (f"{TOKEN}\nother-one", "it has 2 lines; give one line, the access token"),
        (b"\xff\xfet\x00o\x00", "one word"),
    ],
)
def test_what_is_no_token_is_refused_and_not_shown(stack: CliStack, stdin: str | bytes, says: str) -> None:
    result = stack.run(*ADD, stdin=stdin)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("│", " ").split())
    assert "other-one" not in result.output
    assert stack.parameters() == {}
    assert stack.adapters.personas.all() == []


def test_an_app_id_that_is_none_is_refused(stack: CliStack) -> None:
    result = stack.run(*ADD, "--login", "facebook", stdin=f"{TOKEN}\nsecond\nthird")
    assert result.exit_code == 2
    assert "digits only" in " ".join(result.stderr.replace("│", " ").split())
    assert stack.parameters() == {}


def test_four_lines_are_too_many_for_facebook_too(stack: CliStack) -> None:
    result = stack.run(*ADD, "--login", "facebook", stdin=f"{TOKEN}\nsecond\n3\nfourth")
    assert result.exit_code == 2
    assert "it has 4 lines; give three lines" in " ".join(result.stderr.replace("│", " ").split())


def test_a_byte_order_mark_before_the_token_does_no_harm(stack: CliStack) -> None:
    assert stack.run(*ADD, stdin=b"\xef\xbb\xbf" + TOKEN.encode() + b"\r\n").exit_code == 0
    assert stack.parameters()["default/access-token"] == ("SecureString", TOKEN)


def test_a_persona_that_exists_is_left_as_it_is_before_any_token_is_asked_for(stack: CliStack) -> None:
    stack.add_persona()
    line = error_line(stack.run("persona", "add", "default", "--instagram-user-id", "99999", stdin="another-token"))
    assert "There is a persona default already; nothing was changed" in line
    assert stack.adapters.personas.all() == [Persona(PERSONA, "default", USER)]
    assert stack.parameters()["default/access-token"] == ("SecureString", TOKEN)


def test_no_record_is_added_when_the_token_cannot_be_stored(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": f"{TOKEN} is bad"}}, "PutParameter")

    monkeypatch.setattr(SsmCredentials, "store_token", refuse)
    line = error_line(stack.run(*ADD, stdin=TOKEN))
    assert "may not do PutParameter (AccessDeniedException)" in line
    assert TOKEN not in line
    assert stack.adapters.personas.all() == []


def test_of_two_who_add_the_same_persona_at_once_the_second_is_told(
    stack: CliStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_persona()
    monkeypatch.setattr(DynamoPersonaDirectory, "get", lambda *_: None)  # as it was before the other's record came
    stack.instagram.add_account(USER, "another-token")
    line = error_line(stack.run(*ADD, "--name", "second", stdin="another-token"))
    assert "Somebody else added default at the same moment" in line
    assert stack.adapters.personas.all() == [Persona(PERSONA, "default", USER)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("persona", "add", "Not An Id", "--instagram-user-id", USER), "1 to 63 lower-case letters"),
        (("persona", "add", "default", "--instagram-user-id", "@fluffy.train"), "digits only"),
        (("persona", "add", "default", "--login", "facebook"), "--instagram-user-id"),
        ((*ADD, "--caption", "x" * 2201), "2201 characters, and Instagram takes 2200"),
        ((*ADD, "--caption", "#a " * 31), "31 hashtags, and Instagram takes 30"),
        ((*ADD, "--caption", "@a " * 21), "21 mentions, and Instagram takes 20"),
        ((*ADD, "--minimum-score", "11"), "a number from 0 to 10"),
        ((*ADD, "--minimum-score", "nan"), "a number from 0 to 10"),
        ((*ADD, "--minimum-score", "7,5"), "with a point"),
        ((*ADD, "--login", "google"), "instagram"),
    ],
)
def test_wrong_use_says_what_right_use_is_and_writes_nothing(
    stack: CliStack, words: tuple[str, ...], says: str
) -> None:
    result = stack.run(*words, stdin=TOKEN)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("│", " ").split())
    assert stack.parameters() == {}
    assert stack.adapters.personas.all() == []


@pytest.mark.parametrize(
    "words",
    [
        (*ADD, "IGAA-by-mistake"),
        ("persona", "set-token", "default", "IGAA-by-mistake"),
        ("persona", "set-token", "IGAA-by-mistake"),
        ("persona", "set-token", "default", "--token=IGAA-by-mistake"),
        (*ADD, "--token", "IGAA-by-mistake"),
    ],
)
def test_a_token_on_the_command_line_is_refused_and_not_printed(stack: CliStack, words: tuple[str, ...]) -> None:
    result = stack.run(*words)
    assert result.exit_code == 2
    assert "by-mistake" not in result.output
    assert stack.parameters() == {}


# ---- the prompt ----


def at_a_terminal(stack: CliStack, *words: str, answers: dict[str, str]) -> tuple[int, str]:
    """Run the command on a terminal of its own, and answer each prompt when it stands there."""
    spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    terminal = subprocess.Popen(
        [sys.executable, "-c", spawn, sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env=dict(stack.environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert terminal.stdin is not None
    assert terminal.stdout is not None
    seen = ""
    for prompt, answer in answers.items():
        while not seen.endswith(prompt):
            read = terminal.stdout.read(1).decode()
            assert read, seen
            seen += read
        terminal.stdin.write(f"{answer}\n".encode())
        terminal.stdin.flush()
    seen += terminal.stdout.read().decode()
    terminal.stdin.close()
    return terminal.wait(120), seen


def test_at_a_terminal_the_token_is_asked_for_and_not_echoed(stack: CliStack) -> None:
    status, seen = at_a_terminal(stack, *ADD, answers={"Access token: ": TOKEN})
    assert status == 0, seen
    assert TOKEN not in seen
    assert stack.parameters() == {"default/access-token": ("SecureString", TOKEN)}


def test_at_a_terminal_facebook_login_asks_for_the_app_secret_too(stack: CliStack) -> None:
    answers = {"Access token: ": TOKEN, "App secret (empty for none): ": "the-app-secret"}
    answers["App id (empty for none): "] = "1234567890"
    status, seen = at_a_terminal(stack, *ADD, "--login", "facebook", answers=answers)
    assert status == 0, seen
    assert "the-app-secret" not in seen
    assert stack.parameters()["default/app-secret"] == ("SecureString", "the-app-secret")
    assert stack.parameters()["default/app-id"] == ("SecureString", "1234567890")


def test_at_a_terminal_the_app_secret_may_be_left_empty(stack: CliStack) -> None:
    answers = {"Access token: ": TOKEN, "App secret (empty for none): ": ""}
    status, seen = at_a_terminal(stack, *ADD, "--login", "facebook", answers=answers)
    assert status == 0, seen
    assert set(stack.parameters()) == {"default/access-token"}


def test_the_installed_command_reads_the_token_from_standard_input(stack: CliStack) -> None:
    done = stack.run_process(*ADD, stdin=f"{TOKEN}\n")
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert stack.parameters()["default/access-token"] == ("SecureString", TOKEN)


# ---- list ----


def test_the_list_shows_every_persona_and_why_one_is_paused(stack: CliStack) -> None:
    stack.add_persona()
    stack.add_persona("second", "--name", "The second", "--caption", "One\ntwo")
    pause(stack, "second", "The token is dead.")
    result = stack.run("persona", "list")
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()[1:]
    words = f"default, the default {USER} instagram 0 crop the default one not known active"
    assert first.split() == words.split()
    assert "second (The second)" in second
    assert "One two" in second
    assert "paused: The token is dead." in second


def test_the_list_as_json_is_json_alone(stack: CliStack) -> None:
    stack.add_persona()
    assert json.loads(stack.run("persona", "list", "--json").output) == [
        {
            "persona_id": "default",
            "name": "default",
            "instagram_user_id": USER,
            "login": "instagram",
            "caption": None,
            "minimum_score": 0.0,
            "fit": "crop",
            "paused_reason": None,
            "token_expires_at": None,
            "token_days_left": None,
            "token_refreshed_at": None,
        }
    ]


def test_an_empty_list_says_how_to_begin(stack: CliStack) -> None:
    assert "fluffy-train persona add" in stack.run("persona", "list").stdout


# ---- set-token ----


def test_a_token_is_replaced_and_a_pause_is_pointed_out(stack: CliStack) -> None:
    stack.add_persona()
    pause(stack, "default", "The token is dead.")
    stack.instagram.add_account(USER, "a-new-token")
    result = stack.run("persona", "set-token", "default", stdin="a-new-token")
    assert result.exit_code == 0
    assert stack.parameters()["default/access-token"] == ("SecureString", "a-new-token")
    assert "default is paused: The token is dead." in result.stderr
    assert "fluffy-train persona resume default" in result.stderr
    assert "a-new-token" not in result.output


def test_with_facebook_login_the_app_secret_stays_where_none_is_given(stack: CliStack) -> None:
    assert stack.run(*ADD, "--login", "facebook", stdin=f"{TOKEN}\nthe-app-secret").exit_code == 0
    stack.instagram.add_account(USER, "a-new-token", app_secret="the-app-secret")
    assert stack.run("persona", "set-token", "default", stdin="a-new-token").exit_code == 0
    assert stack.parameters()["default/app-secret"] == ("SecureString", "the-app-secret")
    assert stack.parameters()["default/access-token"] == ("SecureString", "a-new-token")


def test_no_token_is_stored_for_a_persona_that_does_not_exist(stack: CliStack) -> None:
    line = error_line(stack.run("persona", "set-token", "nobody", stdin=TOKEN))
    assert "There is no persona nobody" in line
    assert stack.parameters() == {}


# ---- fit ----


def test_a_persona_is_added_with_the_fit_that_is_asked_for(stack: CliStack) -> None:
    stack.add_persona("default", "--fit", "pad")
    assert stack.adapters.personas.get(PERSONA) == Persona(PERSONA, "default", USER, fit=Fit.PAD)
    assert " pad " in stack.run("persona", "list").stdout
    assert json.loads(stack.run("persona", "list", "--json").output)[0]["fit"] == "pad"


def test_a_fit_is_set_for_the_photos_to_come_and_nothing_else_changes(stack: CliStack) -> None:
    stack.add_persona("default", "--minimum-score", "3")
    before = stack.adapters.personas.get(PERSONA)
    assert before is not None
    result = stack.run("persona", "set-fit", "default", "pad")
    assert result.exit_code == 0
    assert result.stdout == "default now has pad, for the photos that are taken in from now on.\n"
    assert stack.adapters.personas.get(PERSONA) == replace(before, fit=Fit.PAD)
    assert "default has pad already; nothing was changed." in stack.run("persona", "set-fit", "default", "pad").stdout
    assert stack.run("persona", "set-fit", "default", "crop").exit_code == 0
    assert stack.adapters.personas.get(PERSONA) == before


def test_what_is_no_fit_is_refused_with_those_there_are(stack: CliStack) -> None:
    stack.add_persona()
    for words in (("persona", "set-fit", "default", "stretch"), (*ADD, "--fit", "stretch")):
        result = stack.run(*words, stdin=TOKEN)
        assert result.exit_code == 2
        assert "'crop', 'pad'" in " ".join(result.stderr.replace("│", " ").split())
    assert "There is no persona nobody" in error_line(stack.run("persona", "set-fit", "nobody", "pad"))


# ---- set-caption ----


def test_a_caption_is_set_and_taken_away_and_nothing_else_changes(stack: CliStack) -> None:
    stack.add_persona("default", "--minimum-score", "3")
    before = stack.adapters.personas.get(PERSONA)
    assert before is not None
    assert stack.run("persona", "set-caption", "default", "--caption", "One\r\ntwo").exit_code == 0
    assert stack.adapters.personas.get(PERSONA) == replace(before, caption="One\ntwo")
    assert stack.run("persona", "set-caption", "default", "--default").exit_code == 0
    assert stack.adapters.personas.get(PERSONA) == before


@pytest.mark.parametrize("options", [(), ("--caption", "One", "--default")])
def test_a_caption_is_given_or_the_default_one_asked_for_and_not_both(
    stack: CliStack, options: tuple[str, ...]
) -> None:
    stack.add_persona()
    result = stack.run("persona", "set-caption", "default", *options)
    assert result.exit_code == 2
    assert "give one of --caption TEXT and --default" in " ".join(result.stderr.replace("│", " ").split())


def test_a_caption_that_instagram_would_refuse_is_not_set(stack: CliStack) -> None:
    stack.add_persona()
    result = stack.run("persona", "set-caption", "default", "--caption", "x" * 2201)
    assert result.exit_code == 2
    persona = stack.adapters.personas.get(PERSONA)
    assert persona is not None
    assert persona.caption is None


def test_a_persona_that_does_not_exist_gets_no_caption(stack: CliStack) -> None:
    assert "There is no persona nobody" in error_line(stack.run("persona", "set-caption", "nobody", "--default"))
    assert stack.adapters.personas.get(PersonaId("nobody")) is None


# ---- resume ----


def test_resuming_says_what_the_persona_was_paused_for(stack: CliStack) -> None:
    stack.add_persona()
    pause(stack, "default", "The token is dead.")
    result = stack.run("persona", "resume", "default")
    assert result.exit_code == 0
    assert "It was paused for: The token is dead." in result.stdout
    persona = stack.adapters.personas.get(PERSONA)
    assert persona is not None
    assert persona.paused_reason is None


def test_resuming_a_persona_that_is_not_paused_changes_nothing(stack: CliStack) -> None:
    stack.add_persona()
    result = stack.run("persona", "resume", "default")
    assert result.exit_code == 0
    assert "not paused" in result.stdout


def test_a_persona_that_does_not_exist_cannot_be_resumed(stack: CliStack) -> None:
    assert "There is no persona nobody" in error_line(stack.run("persona", "resume", "nobody"))
