"""RefreshTokens, the real handler over moto and the emulator, whose clock is moved from day to day."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import pytest

from domain.ids import PersonaId
from domain.personas import Login, Persona
from domain.ports import RecordsUnavailableError
from fakes.clock import FakeClock
from fakes.library import a_persona
from handlers import refresh_tokens, wiring
from integration.deployment import APP_SECRET, TOKEN, Deployment, Told
from local.instagram import Fault
from local.lambda_context import LambdaContext

DAY: Final = timedelta(days=1)
USER: Final = a_persona().instagram_user_id


class Days:
    """One deployment, whose clock and Instagram's move together. SSM writes its times by the real clock."""

    def __init__(self, deployment: Deployment, clock: FakeClock, run: Callable[[], dict[str, Any]]) -> None:
        self.deployment, self.emulator = deployment, deployment.emulator
        self.run, self._clock = run, clock

    def pass_by(self, days: float) -> None:
        self._clock.advance(days * DAY)
        self.emulator.freeze(self._clock.now())

    def add_persona(self, persona: Persona | None = None, **account: Any) -> Persona:
        """With a token that was issued just now."""
        persona = self.deployment.add_persona(persona)
        facts = {"login": persona.login.value, "token_age_seconds": 0.0} | account
        self.emulator.add_account(persona.instagram_user_id, TOKEN, **facts)
        return persona

    def token(self, persona_id: str = "default") -> str:
        name = f"{self.deployment.environment['TOKEN_PREFIX']}/{persona_id}/access-token"
        client = boto3.client("ssm", endpoint_url=self.deployment.aws.url)
        value: str = client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        return value

    def is_valid(self) -> bool:
        state = self.emulator.state
        token = state.tokens.get(self.token())
        return token is not None and token.expires_at > state.clock.now()


@pytest.fixture
def days(deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Days:
    # Later than anything that SSM is given by the test.
    build, clock = wiring.build, FakeClock(datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5))

    def run() -> dict[str, Any]:
        monkeypatch.setattr(wiring, "build", lambda settings: replace(build(settings), clock=clock))
        monkeypatch.setattr(refresh_tokens.logger.registered_handler, "stream", sys.stdout)
        try:
            answer: dict[str, Any] = refresh_tokens.handler({}, LambdaContext("RefreshTokens", 300))
        finally:
            monkeypatch.setattr(wiring, "build", build)
        return answer

    deployment.emulator.freeze(clock.now())
    return Days(deployment, clock, run)


def test_a_token_lives_for_a_year_of_daily_runs(days: Days, told: Callable[[], Told]) -> None:
    days.add_persona()
    for _ in range(365):
        days.pass_by(1)
        assert [token["outcome"] for token in days.run()["tokens"]] == ["refreshed"]
    assert days.is_valid()
    said = told()
    assert said.at("WARNING") == said.at("ERROR") == []
    assert said.metrics[-1]["TokenDaysLeft"] == [60.0]
    persona = days.deployment.persona()
    assert persona is not None
    assert persona.token_expires_at is not None
    assert persona.token_expires_at - days.emulator.now() > 59.9 * DAY


def test_a_token_of_the_same_day_is_left_alone(days: Days) -> None:
    days.add_persona()
    assert days.run()["tokens"][0]["outcome"] == "young"
    assert days.emulator.calls() == ()
    assert days.token() == TOKEN


def test_an_expired_token_is_told_of_and_pauses_its_persona(days: Days, told: Callable[[], Told]) -> None:
    days.add_persona()
    days.pass_by(61)
    answer = days.run()
    assert (answer["tokens"][0]["outcome"], answer["fewest_days_left"]) == ("dead", 0)
    said = told()
    assert said.counts == {"TokenExpired": 1.0, "TokenDaysLeft": 0.0}
    (line,) = said.at("ERROR")
    assert "fluffy-train persona set-token default" in line["reason"]
    persona = days.deployment.persona()
    assert persona is not None
    assert persona.paused_reason == line["reason"]


def test_refreshes_that_fail_are_warnings_until_the_days_run_out(days: Days, told: Callable[[], Told]) -> None:
    days.add_persona()
    days.pass_by(1)
    days.run()
    days.emulator.order_fault(Fault.error("refresh", 2, status=503, times=None))
    told()
    counted = []
    for _ in range(4):
        days.pass_by(13)
        days.run()
        said = told()
        assert (len(said.at("WARNING")), said.at("ERROR")) == (1, [])
        counted.append(said.counts)
    assert counted == [{"TokenRefreshFailed": 1.0, "TokenDaysLeft": float(left)} for left in (47, 34, 21, 8)]
    days.emulator.clear_faults()
    days.pass_by(7)
    assert days.run()["fewest_days_left"] == 60, "in time"


def test_a_token_that_is_revoked_by_its_refresh_is_kept_alive_as_well(days: Days) -> None:
    days.emulator.configure(refresh_revokes_old_token=True)
    days.add_persona()
    for _ in range(5):
        days.pass_by(30)
        assert days.run()["tokens"][0]["outcome"] == "refreshed"
        assert days.is_valid()


def test_facebook_login_is_exchanged_where_the_apps_id_and_secret_are_stored(days: Days) -> None:
    days.add_persona(a_persona(login=Login.FACEBOOK), app_id="1234567890", app_secret=APP_SECRET)
    days.deployment.put_secret("app-id", "1234567890")
    for _ in range(3):
        days.pass_by(50)
        assert days.run()["tokens"][0]["outcome"] == "refreshed"
    assert days.is_valid()


def test_facebook_login_without_them_is_not_ours_to_exchange(days: Days, told: Callable[[], Told]) -> None:
    days.add_persona(a_persona(login=Login.FACEBOOK), app_secret=APP_SECRET)
    days.pass_by(1)
    answer = days.run()
    assert (answer["tokens"][0]["outcome"], answer["fewest_days_left"]) == ("unmanaged", None)
    said = told()
    assert said.metrics == []
    assert "Nobody knows how long" in said.lines[-1]["message"]


def test_one_persona_that_goes_wrong_does_not_keep_the_others(days: Days, told: Callable[[], Told]) -> None:
    days.add_persona()
    days.deployment.records.personas.add(a_persona(persona_id=PersonaId("a-tokenless")))
    days.pass_by(1)
    outcomes: Mapping[str, str] = {token["persona_id"]: token["outcome"] for token in days.run()["tokens"]}
    assert outcomes == {"a-tokenless": "dead", "default": "refreshed"}
    assert told().counts["TokenDaysLeft"] == 0.0


def test_a_lost_answer_to_the_refreshs_record_is_found_to_be_ours(days: Days) -> None:
    days.add_persona()
    days.pass_by(1)
    days.deployment.aws.lose_answer("DynamoDB UpdateItem")
    assert days.run()["tokens"][0]["outcome"] == "refreshed"
    assert days.is_valid()


def test_a_record_that_cannot_be_written_fails_the_run_after_all_were_seen_to(days: Days) -> None:
    days.add_persona()
    days.pass_by(1)
    error = {"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException", "message": "no"}
    days.deployment.aws.answer("DynamoDB UpdateItem", 400, error, times=20)
    with pytest.raises(RecordsUnavailableError, match="1 personas"):
        days.run()
    days.deployment.aws.take_back_orders()
    assert days.is_valid()


def test_a_bad_environment_is_no_outcome(days: Days, told: Callable[[], Told], monkeypatch: Any) -> None:
    monkeypatch.delenv("TOKEN_PREFIX")
    with pytest.raises(wiring.SettingsError):
        days.run()
    assert told().counts == {"NoOutcome": 1.0}
    assert "TOKEN_PREFIX" not in os.environ


def test_the_role_allows_every_call_that_is_made(days: Days) -> None:
    days.add_persona()
    days.pass_by(1)
    days.deployment.aws.requests.clear()
    days.run()
    days.pass_by(61)
    days.run()
    asked = {request.name for request in days.deployment.our_requests} - {"GET"}
    assert asked == {
        "DynamoDB Scan",
        "DynamoDB UpdateItem",
        "SSM GetParameters",
        "SSM PutParameter",
    }
