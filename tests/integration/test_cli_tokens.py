"""`persona add`, `set-token`, `check` and `list`, as far as they are about tokens, with Instagram by our emulator."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from typer.testing import Result

from adapters.clock import SystemClock
from adapters.ssm import SsmCredentials
from domain import instants
from domain.ids import MediaId
from domain.personas import Login, Persona
from fakes.library import a_post
from handlers import wiring
from integration.test_cli_persona import ADD, pause
from integration.test_cli_stack import PERSONA, TOKEN, USER, CliStack, error_line
from local.instagram import Fault

OTHER: Final = "17841400000000002"
NOBODY: Final = "http://127.0.0.1:9"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        yield stack


def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens where Instagram should."""
    for name in ("INSTAGRAM_GRAPH_URL", "FACEBOOK_GRAPH_URL"):
        monkeypatch.setenv(name, f"{NOBODY}/x")
    wiring.build.cache_clear()


def me(stack: CliStack, **members: Any) -> None:
    stack.instagram.order_fault(Fault.body("me", json.dumps(members).encode()))


def refused(stack: CliStack, result: Result) -> str:
    """The one line of complaint; nothing was stored."""
    line = error_line(result)
    assert TOKEN not in result.output
    assert (stack.parameters(), stack.adapters.personas.all()) == ({}, [])
    return line


# ---- add ----


def test_a_token_that_instagram_knows_names_its_account(stack: CliStack) -> None:
    result = stack.run("persona", "add", "default", stdin=TOKEN)
    assert result.exit_code == 0
    assert stack.adapters.personas.all() == [Persona(PERSONA, "default", USER)]
    assert f"business account {USER}" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("login", Login)
def test_a_token_that_instagram_refuses_is_not_stored(stack: CliStack, login: Login) -> None:
    stack.instagram.add_account(USER, "IGAA-another-token")
    line = refused(stack, stack.run(*ADD, "--login", login.value, stdin=TOKEN))
    assert "Instagram does not take this token, and nothing was stored" in line
    assert "Meta" in line


def test_an_expired_token_is_not_stored(stack: CliStack) -> None:
    stack.instagram.advance(timedelta(days=60).total_seconds())
    assert "code 190" in refused(stack, stack.run(*ADD, stdin=TOKEN))


def test_the_token_of_another_account_is_not_stored(stack: CliStack) -> None:
    line = refused(stack, stack.run("persona", "add", "default", "--instagram-user-id", OTHER, stdin=TOKEN))
    assert USER in line
    assert OTHER in line


def test_a_personal_account_is_refused_with_what_to_do(stack: CliStack) -> None:
    me(stack, user_id=USER, username="fluffy", account_type="PERSONAL")
    line = refused(stack, stack.run(*ADD, stdin=TOKEN))
    assert "personal account" in line
    assert "switch it to a professional one" in line


@pytest.mark.parametrize("kind", ["BUSINESS", "MEDIA_CREATOR", "CREATOR"])
def test_every_professional_account_is_taken(stack: CliStack, kind: str) -> None:
    me(stack, user_id=USER, username="fluffy", account_type=kind)
    assert stack.run(*ADD, stdin=TOKEN).exit_code == 0


@pytest.mark.parametrize("login", Login)
def test_without_instagram_the_token_is_stored_with_a_warning(
    stack: CliStack, monkeypatch: pytest.MonkeyPatch, login: Login
) -> None:
    away(monkeypatch)
    result = stack.run(*ADD, "--login", login.value, stdin=TOKEN)
    assert result.exit_code == 0
    assert "could not be checked now" in result.stderr
    assert "`fluffy-train persona check default` checks it later" in result.stderr
    assert stack.parameters()["default/access-token"] == ("SecureString", TOKEN)


@pytest.mark.parametrize(
    "fault",
    [Fault.error("me", 2, status=503), Fault.error("me", 4), Fault.error("me", 2500), Fault.body("me", b"<html>")],
    ids=["outage", "throttled", "unknown path", "no JSON"],
)
def test_an_answer_that_proves_nothing_is_a_warning_too(stack: CliStack, fault: Fault) -> None:
    stack.instagram.order_fault(fault)
    result = stack.run(*ADD, stdin=TOKEN)
    assert result.exit_code == 0
    assert "could not be checked now" in result.stderr


def test_without_instagram_the_account_must_be_named(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    away(monkeypatch)
    result = stack.run("persona", "add", "default", stdin=TOKEN)
    assert result.exit_code == 1
    assert "--instagram-user-id ID" in result.stderr
    assert stack.parameters() == {}


def test_facebook_login_proves_the_app_secret_that_is_given(stack: CliStack) -> None:
    stack.instagram.add_account(USER, TOKEN, app_secret="the-app-secret")
    result = stack.run(*ADD, "--login", "facebook", stdin=f"{TOKEN}\nthe-app-secret")
    assert (result.exit_code, result.stderr) == (0, "")


# ---- set-token ----


def noted(stack: CliStack, days: float) -> None:
    """As RefreshTokens leaves it: so many days are left."""
    persona = stack.adapters.personas.get(PERSONA)
    assert persona is not None
    now = stack.adapters.clock.now()
    expires_at = now + timedelta(days=days, minutes=5)
    assert stack.adapters.personas.note_token(persona, refreshed_at=now, expires_at=expires_at)


def test_a_new_token_takes_the_old_ones_expiry_from_the_record(stack: CliStack) -> None:
    stack.add_persona()
    noted(stack, 3)
    stack.instagram.add_account(USER, "IGAA-the-new-token")
    assert stack.run("persona", "set-token", "default", stdin="IGAA-the-new-token").exit_code == 0
    persona = stack.adapters.personas.get(PERSONA)
    assert persona is not None
    assert persona.token_expires_at is None
    assert persona.token_refreshed_at is not None


@pytest.mark.parametrize("token", ["IGAA-unknown", "IGAA-of-another"])
def test_a_token_that_is_refused_or_anothers_leaves_the_old_one(stack: CliStack, token: str) -> None:
    stack.add_persona()
    stack.instagram.add_account(OTHER, "IGAA-of-another")
    before = stack.adapters.personas.all()
    assert "nothing was stored" in error_line(stack.run("persona", "set-token", "default", stdin=token))
    assert stack.parameters()["default/access-token"] == ("SecureString", TOKEN)
    assert stack.adapters.personas.all() == before


def test_without_instagram_a_new_token_is_stored_with_a_warning(
    stack: CliStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_persona()
    away(monkeypatch)
    result = stack.run("persona", "set-token", "default", stdin="IGAA-the-new-token")
    assert result.exit_code == 0
    assert "could not be checked now" in result.stderr
    assert stack.parameters()["default/access-token"] == ("SecureString", "IGAA-the-new-token")


def test_a_new_token_of_facebook_login_is_proved_by_the_stored_app_secret(stack: CliStack) -> None:
    stack.instagram.add_account(USER, TOKEN, app_secret="the-app-secret")
    assert stack.run(*ADD, "--login", "facebook", stdin=f"{TOKEN}\nthe-app-secret").exit_code == 0
    stack.instagram.add_account(USER, "EAA-the-new-token", app_secret="the-app-secret")
    result = stack.run("persona", "set-token", "default", stdin="EAA-the-new-token")
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_pause_that_came_meanwhile_is_pointed_out(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.add_persona()
    store = SsmCredentials.store_token

    def store_and_pause(*arguments: Any) -> None:
        store(*arguments)
        pause(stack, "default", "The token is dead.")

    monkeypatch.setattr(SsmCredentials, "store_token", store_and_pause)
    result = stack.run("persona", "set-token", "default", stdin=TOKEN)
    assert "fluffy-train persona resume default" in result.stderr


# ---- check ----


def check(stack: CliStack, *words: str) -> dict[str, Any]:
    result = stack.run("persona", "check", *words, "--json")
    answer: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (0 if answer["ok"] else 1)
    assert TOKEN not in result.output
    return answer


def test_a_persona_that_can_be_posted_to_is_well(stack: CliStack) -> None:
    stack.add_persona()
    noted(stack, 59)
    assert check(stack) == {
        "persona_id": "default",
        "ok": True,
        "token": {
            "valid": True,
            "expires_at": check(stack)["token"]["expires_at"],
            "days_left": 59,
        },
        "account": {"instagram_user_id": USER, "username": "account_0001", "account_type": "BUSINESS"},
        "permissions": {"read": True, "publish": True, "granted": None},
        "quota": {"used": 0, "total": 50, "window_seconds": 86400, "used_up": False, "frees_by": None},
        "paused_reason": None,
        "problems": [],
    }


def test_in_words_it_is_well_too(stack: CliStack) -> None:
    stack.add_persona()
    result = stack.run("persona", "check", "default")
    assert (result.exit_code, result.stderr) == (0, "")
    for words in (
        "default: all is well",
        f"@account_0001, business account {USER}",
        "valid; how long, is known after its first refresh",
        "reading: yes, publishing: yes",
        "0 of 50 posts in the last 24 hours",
        "active",
    ):
        assert words in result.stdout


@pytest.mark.parametrize("posted_at", ["2026-11-22T12:00:00.000Z", None], ids=["by us", "by others"])
def test_a_quota_that_is_used_up_is_said_to_be_and_is_nothing_to_mend(
    stack: CliStack, monkeypatch: pytest.MonkeyPatch, posted_at: str | None
) -> None:
    monkeypatch.setattr(SystemClock, "now", lambda _: datetime(2026, 11, 22, 14, tzinfo=UTC))
    stack.add_persona()
    used_up = {"data": [{"quota_usage": 50, "config": {"quota_total": 50, "quota_duration": 86400}}]}
    for _ in range(2):
        stack.instagram.order_fault(Fault.body("quota", json.dumps(used_up).encode()))
    if posted_at is not None:
        sent_at = instants.from_text(posted_at)
        live = a_post(publish_sent_at=sent_at).as_posted(MediaId("1792"), sent_at)
        wiring.build_archive(stack.adapters.settings).restore_post(live)
    answer = check(stack)
    assert (answer["ok"], answer["problems"], answer["quota"]["used_up"]) == (True, [], True)
    assert answer["quota"]["frees_by"] == (posted_at and "2026-11-23T12:00:00.000Z")
    result = stack.run("persona", "check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "all is well" not in result.stdout
    assert "default: nothing must be mended, but its publishing quota is used up" in result.stdout
    when = "by 2026-11-23 12:00 UTC at the latest" if posted_at else "when, is not known"
    assert f"50 of 50 posts in the last 24 hours: used up. It frees by itself ({when}" in result.stdout


def test_facebooks_permissions_are_told_one_by_one(stack: CliStack) -> None:
    assert stack.run(*ADD, "--login", "facebook", stdin=TOKEN).exit_code == 0
    answer = check(stack)
    assert answer["permissions"]["granted"] == [
        "instagram_basic",
        "instagram_content_publish",
        "pages_read_engagement",
    ]
    assert answer["ok"] is True
    granted = {"data": [{"permission": "instagram_basic", "status": "granted"}]}
    stack.instagram.order_fault(Fault.body("permissions", json.dumps(granted).encode()))
    answer = check(stack)
    assert "lacks the permissions instagram_content_publish, pages_read_engagement" in answer["problems"][0]["problem"]
    assert answer["permissions"]["publish"] is False


def _revoke(stack: CliStack) -> None:
    stack.instagram.add_account(USER, "IGAA-another-token")


def _order(*faults: Fault) -> Callable[[CliStack], None]:
    def order(stack: CliStack) -> None:
        for fault in faults:
            stack.instagram.order_fault(fault)

    return order


PROBLEMS: Final[dict[str, tuple[Callable[[CliStack], None], str, str]]] = {
    "refused": (_revoke, "invalid or has expired", "fluffy-train persona set-token default"),
    "another's": (lambda s: me(s, user_id=OTHER), f"for the account {OTHER}", "set-token default"),
    "personal": (lambda s: me(s, user_id=USER, account_type="PERSONAL"), "personal", "professional"),
    "may not read": (_order(Fault.error("me", 10)), "lacks a permission", "instagram_business_basic"),
    "may not publish": (_order(Fault.error("quota", 10)), "permission", "instagram_business_content_publish"),
    "restricted": (_order(Fault.error("me", 25, 2207050)), "restricted", "Meta"),
    "Instagram is down": (_order(Fault.error("me", 2, status=503)), "could not be asked", "later"),
    "half down": (_order(Fault.error("quota", 2)), "could not be read", "later"),
    "paused": (lambda s: pause(s, "default", "As the owner wished."), "wished", "persona resume default"),
    "expires soon": (lambda s: noted(s, 9), "9 days left", "fluffy-train persona set-token default"),
    "should be dead": (lambda s: noted(s, -1), "The token has expired", "fluffy-train persona set-token default"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_problem_is_named_with_what_mends_it(stack: CliStack, problem: str) -> None:
    arrange, what, mend = PROBLEMS[problem]
    stack.add_persona()
    arrange(stack)
    result = stack.run("persona", "check")
    assert result.exit_code == 1
    assert "something must be mended" in result.stdout
    (line,) = result.stderr.splitlines()
    assert what in line
    assert mend in line


def test_without_a_token_it_says_so(stack: CliStack) -> None:
    stack.add_persona()
    stack.adapters.credentials._client.delete_parameter(
        Name=f"{stack.environment['TOKEN_PREFIX']}/default/access-token"
    )
    answer = check(stack)
    assert answer["token"]["valid"] is False
    assert "There is no access token" in answer["problems"][0]["problem"]


def test_a_persona_that_does_not_exist_cannot_be_checked(stack: CliStack) -> None:
    assert "There is no persona nobody" in error_line(stack.run("persona", "check", "nobody"))


def test_a_check_writes_nothing(stack: CliStack) -> None:
    stack.add_persona()
    before = stack.adapters.personas.all(), stack.parameters()
    check(stack)
    assert (stack.adapters.personas.all(), stack.parameters()) == before


# ---- list ----


@pytest.mark.parametrize(
    ("days", "column"), [(59, "59 days left"), (1, "1 day left"), (0, "less than a day left"), (-2, "expired")]
)
def test_the_list_shows_how_long_each_token_lives(stack: CliStack, days: int, column: str) -> None:
    stack.add_persona()
    noted(stack, days)
    assert column in stack.run("persona", "list").stdout
    (persona,) = json.loads(stack.run("persona", "list", "--json").stdout)
    assert persona["token_days_left"] == max(0, days)


def test_what_refresh_tokens_notes_is_kept_by_the_other_commands(stack: CliStack) -> None:
    stack.add_persona()
    noted(stack, 20)
    before = stack.adapters.personas.get(PERSONA)
    assert before is not None
    stack.run("persona", "set-caption", "default", "--caption", "One")
    assert stack.adapters.personas.get(PERSONA) == replace(before, caption="One")
