"""The life of the tokens: refreshed, stored before the old one is forgotten, verified, on record; and how they die."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import pytest

from domain.faults import AccountFault, Defer, Fault, Retry, TokenFault
from domain.ids import PersonaId
from domain.personas import Login, Persona
from domain.ports import RecordsUnavailableError
from domain.refresh_tokens import STORE_TRIES, RefreshTokens, TokenOutcome, TokenReport, TokenRun
from domain.secret import Secret
from domain.token_ports import TokenStoreUnavailableError
from domain.tokens import Account, Credentials, FreshToken
from fakes.clock import FakeClock
from fakes.library import DEFAULT, a_persona
from fakes.records import FakePersonaDirectory, FakeRecords
from fakes.run_log import FakeRunLog
from fakes.tokens import SIXTY_DAYS, FakeAccounts, FakeTokenStore

DAY: Final = timedelta(days=1)
REFUSED: Final = TokenFault("The access token is invalid or has expired (code 190).", code=190)
APP: Final[Mapping[str, Any]] = {"app_secret": Secret("the-app-secret"), "app_id": "1234"}


class World:
    """Personas whose tokens were handed over just now."""

    def __init__(self, *personas: Persona, app: Mapping[str, Any] | None = None) -> None:
        self.clock = FakeClock()
        self.records = FakeRecords()
        self.directory = FakePersonaDirectory(self.records)
        self.tokens = FakeTokenStore(self.clock)
        self.accounts = FakeAccounts(self.clock)
        self.log = FakeRunLog()
        for persona in personas or (a_persona(),):
            self.directory.add(persona)
            self.tokens.set_by_owner(persona.persona_id, Credentials(self.accounts.issue(), **(app or {})))

    def run(self, lasting: timedelta = timedelta(minutes=5)) -> TokenRun:
        refresh = RefreshTokens(
            personas=self.directory, tokens=self.tokens, accounts=self.accounts, clock=self.clock, log=self.log
        )
        return refresh(self.clock.now() + lasting)

    def run_later(self, after: timedelta = DAY) -> TokenReport:
        self.clock.advance(after)
        (report,) = self.run().reports
        return report

    @property
    def persona(self) -> Persona:
        return self.records.personas[DEFAULT]

    @property
    def token(self) -> str:
        return self.tokens.token(DEFAULT)

    def is_usable(self) -> bool:
        """Whether the token that stands in the store is one that Instagram takes now."""
        until = self.accounts.valid_until.get(self.token)
        return until is not None and until > self.clock.now()


@pytest.fixture
def world() -> World:
    return World()


# ---- a token's life ----


def test_a_token_of_24_hours_is_refreshed_stored_verified_and_on_record(world: World) -> None:
    report = world.run_later()
    assert report == TokenReport(DEFAULT, TokenOutcome.REFRESHED, world.clock.now() + SIXTY_DAYS)
    assert world.token == "IGAA-number-2"
    assert world.accounts.calls == ["refresh", "account"]
    assert world.persona.token_expires_at == world.clock.now() + SIXTY_DAYS
    assert world.persona.token_refreshed_at == world.clock.now()


def test_a_younger_token_is_left_alone(world: World) -> None:
    report = world.run_later(DAY - timedelta(seconds=1))
    assert report.outcome is TokenOutcome.YOUNG
    assert world.accounts.calls == []
    assert world.persona == a_persona()


def test_a_token_lives_for_years_of_daily_runs(world: World) -> None:
    for _ in range(800):
        assert world.run_later().outcome is TokenOutcome.REFRESHED
        assert world.is_usable()
    assert world.log.messages("warning") == []


def test_a_token_survives_seven_weeks_of_refused_refreshes_and_is_told_to_be_dying(world: World) -> None:
    assert world.run_later().outcome is TokenOutcome.REFRESHED
    world.accounts.faults["refresh"] = [Retry("Instagram is away.") for _ in range(55)]
    for day in range(1, 56):
        world.clock.advance(DAY)
        run = world.run()
        assert run.reports[0].outcome is TokenOutcome.FAILED
        assert run.fewest_days == 60 - day
    assert world.run_later().outcome is TokenOutcome.REFRESHED
    assert world.run().fewest_days == 60


def test_a_paused_personas_token_is_kept_alive_too(world: World) -> None:
    world.records.personas[DEFAULT] = a_persona(paused_reason="A person must look.")
    assert world.run_later().outcome is TokenOutcome.REFRESHED
    assert world.persona.paused_reason == "A person must look."


def test_the_same_token_given_again_is_not_written_again(world: World) -> None:
    world.accounts._another = lambda credentials: _same(world, credentials)  # type: ignore[method-assign]
    assert world.run_later().outcome is TokenOutcome.REFRESHED
    assert len(world.tokens.versions[DEFAULT]) == 1
    assert world.persona.token_expires_at == world.clock.now() + SIXTY_DAYS


def _same(world: World, credentials: Credentials) -> FreshToken:
    return FreshToken(world.accounts.issue(credentials.access_token.reveal()), SIXTY_DAYS)


# ---- what goes wrong once ----


@pytest.mark.parametrize("fault", [Retry("No answer."), Defer("Throttled."), AccountFault("No permission.", code=10)])
def test_a_failed_refresh_is_a_warning_and_leaves_all_as_it_is(world: World, fault: Fault) -> None:
    world.accounts.faults["refresh"] = [fault]
    report = world.run_later()
    assert (report.outcome, report.reason) == (TokenOutcome.FAILED, fault.message)
    assert (world.token, world.persona) == ("IGAA-number-1", a_persona())


def test_a_token_that_was_never_refreshed_dies_60_days_after_it_was_stored_at_the_latest(world: World) -> None:
    """Its expiry is on no record, and yet its owner is alarmed in time."""
    world.accounts.faults["refresh"] = [Retry("No answer.")]
    world.clock.advance(52 * DAY)
    assert world.run().fewest_days == 8


def test_a_refusal_of_the_refresh_alone_pauses_nobody(world: World) -> None:
    world.accounts.faults["refresh"] = [REFUSED]
    report = world.run_later()
    assert report.outcome is TokenOutcome.FAILED
    assert report.reason is not None
    assert "The refresh alone was refused" in report.reason
    assert world.persona.paused_reason is None
    assert world.accounts.calls == ["refresh", "account"]


@pytest.mark.parametrize("fault", [Retry("No answer."), Defer("Throttled."), AccountFault("Restricted.", code=25)])
def test_a_token_that_cannot_be_verified_now_is_kept_and_on_record(world: World, fault: Fault) -> None:
    world.accounts.faults["account"] = [fault]
    report = world.run_later()
    assert report.outcome is TokenOutcome.REFRESHED
    assert report.reason is not None
    assert fault.message in report.reason
    assert world.token == "IGAA-number-2"
    assert world.persona.token_expires_at == world.clock.now() + SIXTY_DAYS


def test_a_new_token_that_is_refused_is_changed_back_for_the_old_one(world: World) -> None:
    world.accounts.faults["account"] = [REFUSED]
    report = world.run_later()
    assert report.outcome is TokenOutcome.FAILED
    assert world.token == "IGAA-number-1"
    assert world.is_usable()
    assert world.persona == a_persona()


@pytest.mark.parametrize("outages", range(1, STORE_TRIES))
def test_what_instagram_gave_is_stored_even_if_the_store_is_away_for_a_moment(world: World, outages: int) -> None:
    """The old one may be revoked by then."""
    world.accounts.revokes = True
    world.tokens.outages["replace"] = outages
    assert world.run_later().outcome is TokenOutcome.REFRESHED
    assert world.is_usable()


def test_a_store_that_stays_away_leaves_the_old_token(world: World) -> None:
    world.tokens.outages["replace"] = STORE_TRIES
    report = world.run_later()
    assert report.outcome is TokenOutcome.FAILED
    assert report.reason is not None
    assert "may be lost" in report.reason
    assert world.is_usable()


def test_a_store_that_cannot_be_read_is_a_warning(world: World) -> None:
    world.tokens.outages["read"] = 1
    assert world.run_later().outcome is TokenOutcome.FAILED
    assert world.accounts.calls == []


# ---- a dead token ----


def test_an_expired_token_pauses_its_persona_and_says_what_to_do(world: World) -> None:
    world.clock.advance(61 * DAY)
    run = world.run()
    (report,) = run.reports
    assert (report.outcome, run.fewest_days) == (TokenOutcome.DEAD, 0)
    for reason in (report.reason, world.persona.paused_reason):
        assert reason is not None
        for word in ("Meta", "fluffy-train persona set-token default", "fluffy-train persona resume default"):
            assert word in reason


def test_a_persona_that_is_paused_already_keeps_its_reason(world: World) -> None:
    world.records.personas[DEFAULT] = a_persona(paused_reason="The first reason.")
    assert world.run_later(61 * DAY).outcome is TokenOutcome.DEAD
    assert world.persona.paused_reason == "The first reason."


def test_a_missing_token_is_as_good_as_dead(world: World) -> None:
    world.tokens.versions.clear()
    assert world.run_later().outcome is TokenOutcome.DEAD
    assert world.persona.paused_reason is not None


def test_a_dead_token_is_told_of_every_day(world: World) -> None:
    world.clock.advance(61 * DAY)
    assert [world.run().fewest_days, world.run().fewest_days] == [0, 0]


# ---- somebody else sets a token at the same time ----


@pytest.mark.parametrize("method", ["refresh", "account"])
def test_a_token_that_its_owner_sets_meanwhile_stands(world: World, method: str) -> None:
    def set_another(called: str) -> None:
        if called == method:
            world.accounts.before_call = lambda _: None
            world.tokens.set_by_owner(DEFAULT, Credentials(world.accounts.issue("IGAA-by-its-owner")))
            world.directory.note_token(world.persona, refreshed_at=world.clock.now(), expires_at=None)

    world.accounts.before_call = set_another
    assert world.run_later().outcome is TokenOutcome.REPLACED
    assert world.token == "IGAA-by-its-owner"
    assert world.persona.token_expires_at is None


def test_a_persona_is_not_paused_for_a_token_that_its_owner_has_replaced(world: World) -> None:
    def set_another(called: str) -> None:
        if called == "account":
            world.tokens.set_by_owner(DEFAULT, Credentials(world.accounts.issue("IGAA-by-its-owner")))

    world.accounts.before_call = set_another
    assert world.run_later(61 * DAY).outcome is TokenOutcome.REPLACED
    assert world.persona.paused_reason is None


def test_nor_where_the_new_token_is_on_record_and_the_store_lags(world: World) -> None:
    def note_another(called: str) -> None:
        if called == "account":
            world.directory.note_token(world.persona, refreshed_at=world.clock.now(), expires_at=None)

    world.accounts.before_call = note_another
    assert world.run_later(61 * DAY).outcome is TokenOutcome.REPLACED
    assert world.persona.paused_reason is None


# ---- Facebook Login ----


def test_facebook_login_is_exchanged_where_the_apps_credentials_are_stored() -> None:
    world = World(a_persona(login=Login.FACEBOOK), app=APP)
    assert world.run_later().outcome is TokenOutcome.REFRESHED
    assert world.accounts.calls == ["exchange", "account"]
    assert world.tokens.read(world.persona).credentials == Credentials(Secret("IGAA-number-2"), **APP)


def test_a_token_of_facebook_login_that_never_expires_is_on_record_as_such() -> None:
    world = World(a_persona(login=Login.FACEBOOK), app=APP)
    world.accounts.lasts = None
    world.clock.advance(DAY)
    run = world.run()
    assert (run.reports[0].expires_at, run.fewest_days) == (None, None)
    assert world.persona.token_refreshed_at == world.clock.now()
    assert world.persona.token_expires_at is None


@pytest.mark.parametrize("app", [{}, {"app_secret": Secret("the-app-secret")}, {"app_id": "1234"}])
def test_without_the_apps_credentials_it_is_only_asked_whether_it_is_valid(app: dict[str, Any]) -> None:
    world = World(a_persona(login=Login.FACEBOOK), app=app)
    world.clock.advance(DAY)
    run = world.run()
    assert (run.reports[0].outcome, run.fewest_days) == (TokenOutcome.UNMANAGED, None)
    assert world.accounts.calls == ["account"]
    assert world.run_later(60 * DAY).outcome is TokenOutcome.DEAD


# ---- many personas ----


def some(*ids: str) -> list[Persona]:
    return [a_persona(persona_id=PersonaId(persona_id)) for persona_id in ids]


def test_one_persona_that_goes_wrong_does_not_keep_the_others_from_their_turn() -> None:
    world = World(*some("a", "b", "c", "d"))
    world.accounts.faults["refresh"] = [Retry("No answer."), REFUSED]
    world.tokens.versions[PersonaId("c")].clear()
    world.clock.advance(DAY)
    outcomes = {report.persona_id: report.outcome.value for report in world.run().reports}
    assert outcomes == {"a": "failed", "b": "failed", "c": "dead", "d": "refreshed"}


def test_records_that_are_away_for_one_persona_are_counted_and_do_not_stop_the_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(*some("a", "b"))
    note = world.directory.note_token

    def away(before: Persona, **facts: Any) -> bool:
        if before.persona_id == "a":
            raise RecordsUnavailableError("DynamoDB did not change the persona.")
        return note(before, **facts)

    monkeypatch.setattr(world.directory, "note_token", away)
    world.clock.advance(DAY)
    run = world.run()
    assert run.unrecorded == 1
    assert [report.outcome.value for report in run.reports] == ["failed", "refreshed"]


def test_whichever_expires_first_is_seen_to_first_and_the_rest_in_later_runs() -> None:
    never, soon, late = some("never-refreshed", "soon", "late")
    facebook = a_persona(persona_id=PersonaId("facebook"), login=Login.FACEBOOK)
    world = World(facebook, late, soon, never)
    for persona, days in ((soon, 12), (late, 40)):
        at = world.clock.now()
        world.directory.note_token(persona, refreshed_at=at, expires_at=at + days * DAY)
    world.clock.advance(DAY)
    ends_at = world.clock.now() + timedelta(seconds=100)
    order: list[str] = []

    def take_time(method: str) -> None:
        order.append(str(world.log.facts["persona_id"]))
        world.clock.advance(timedelta(seconds=6))

    world.accounts.before_call = take_time
    run = world.run(ends_at - world.clock.now())
    assert list(dict.fromkeys(order)) == ["never-refreshed"]
    assert run.left_for_later == 3
    assert run.fewest_days == 10, "what was not reached is counted too"
    order.clear()
    world.run()
    assert list(dict.fromkeys(order)) == ["soon", "late", "facebook"]


A_RUN: Final = timedelta(seconds=900)
"""The function's time, as the template gives it (tests/template/test_refresh_tokens.py)."""


def a_thousand() -> World:
    """Each call to Instagram takes a second, and a refresh takes two of them: some 400 in a run."""
    world = World(*some(*(f"persona-{number}" for number in range(1000))))
    world.accounts.before_call = lambda _: world.clock.advance(timedelta(seconds=1))
    return world


def test_a_thousand_personas_are_kept_alive_by_runs_that_reach_less_than_half_of_them() -> None:
    world = a_thousand()
    tokens = world.tokens
    for day in range(70):
        world.clock.advance(DAY)
        run = world.run(A_RUN)
        assert run.left_for_later > 500 or day == 0
        if day > 3:
            assert run.fewest_days is not None
            assert run.fewest_days >= 56, "each has its turn every third day"
    assert all(world.accounts.valid_until[tokens.token(one)] > world.clock.now() for one in tokens.versions)


def test_hundreds_of_dead_tokens_do_not_keep_the_living_from_their_turn() -> None:
    world = a_thousand()
    for _ in range(4):
        world.clock.advance(DAY)
        world.run(A_RUN)
    living, dead = (list(world.tokens.versions)[half::2] for half in (0, 1))
    for persona_id in dead:
        world.accounts.valid_until[world.tokens.token(persona_id)] = world.clock.now()
    for _ in range(70):
        world.clock.advance(DAY)
        assert world.run(A_RUN).left_for_later
    personas = world.records.personas
    assert all(personas[one].paused_reason is not None for one in dead)
    assert all(personas[one].paused_reason is None for one in living)
    assert all(world.accounts.valid_until[world.tokens.token(one)] > world.clock.now() + 50 * DAY for one in living)


def test_a_dead_token_is_on_record_as_such_from_the_day_on_which_it_was_found_dead(world: World) -> None:
    assert world.run_later().outcome is TokenOutcome.REFRESHED
    world.accounts.valid_until[world.token] = world.clock.now()
    found_at = world.clock.now() + DAY
    for _ in range(2):
        report = world.run_later()
        assert (report.outcome, report.expires_at) == (TokenOutcome.DEAD, found_at)
        assert world.persona.token_expires_at == found_at


def test_nobody_to_see_to_is_no_error() -> None:
    world = World()
    world.records.personas.clear()
    assert world.run() == TokenRun((), None)


# ---- killed at any call ----


class Killed(BaseException):
    """The run ends here, and nothing after it happens."""


def _points(world: World) -> Iterator[tuple[object, str]]:
    yield from ((world.tokens, "read"), (world.tokens, "replace"))
    yield from ((world.accounts, "refresh"), (world.accounts, "account"))
    yield from ((world.directory, "note_token"), (world.directory, "pause_for_token"))


def _kill_at(world: World, number: int, *, after_effect: bool) -> None:
    """End the run at the call of this number, before it takes effect or after."""
    calls = iter(range(10_000))

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            is_last = next(calls) == number
            if is_last and not after_effect:
                raise Killed
            try:
                return real(*arguments, **named)
            finally:
                if is_last:
                    raise Killed

        return call

    for owner, name in _points(world):
        setattr(owner, name, watched(getattr(owner, name)))


@pytest.mark.parametrize("refused", [False, True], ids=["all is well", "the new token is refused"])
@pytest.mark.parametrize("after_effect", [False, True], ids=["before its effect", "after its effect"])
def test_a_kill_at_any_call_leaves_a_usable_token_and_the_next_runs_go_on(after_effect: bool, refused: bool) -> None:
    for number in range(20):
        world = World()
        world.clock.advance(DAY)
        if refused:
            world.accounts.faults["account"] = [REFUSED]
        _kill_at(world, number, after_effect=after_effect)
        try:
            world.run()
        except Killed:
            assert world.is_usable()
        else:
            assert number >= 4, "the run ended before the kill: all its calls have been gone through"
            break
        for owner, name in _points(world):
            delattr(owner, name)
        # Dead letters, retries, the next day: whatever starts the next run.
        world.run()
        world.run_later()
        assert world.run_later(DAY).outcome is TokenOutcome.REFRESHED
        assert world.is_usable()
        assert world.persona.token_expires_at == world.clock.now() + SIXTY_DAYS
        assert world.persona.paused_reason is None
    else:
        pytest.fail("a run has more calls than were gone through")


def test_an_outage_of_the_store_says_nothing_secret() -> None:
    assert str(TokenStoreUnavailableError("The store is away.")) == "The store is away."


def test_the_account_of_a_token_may_be_personal() -> None:
    assert Account("1", account_type="PERSONAL").is_personal
    assert not Account("1", account_type="MEDIA_CREATOR").is_personal
    assert not Account("1").is_personal
