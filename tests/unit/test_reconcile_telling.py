"""What the reconciler's handler tells: each post, an alarm after an hour, and what it could not do."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.faults import AccountFault, Retry, Unresolved
from domain.ports import RecordsUnavailableError
from fakes.library import Engine, a_photo
from handlers import reconcile
from local.lambda_context import LambdaContext

NO_ANSWER = Unresolved("No answer.")


@pytest.fixture
def engine(on_fakes: Callable[..., None]) -> Engine:
    engine = Engine(a_photo("first", score=9.0), a_photo("second", score=8.0))
    on_fakes(engine)
    return engine


def run(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], dict[str, float]]:
    """The handler's answer, and what it counted."""
    capsys.readouterr()
    context: Any = LambdaContext("Reconcile", 300.0)
    return reconcile.handler({}, context), counted(capsys.readouterr().out)


def counted(printed: str) -> dict[str, float]:
    totals: dict[str, float] = {}
    for line in printed.splitlines():
        told = json.loads(line)
        for metric in (one for of in told.get("_aws", {}).get("CloudWatchMetrics", ()) for one in of["Metrics"]):
            name = metric["Name"]
            totals[name] = totals.get(name, 0) + sum(told[name])
    return totals


def leave_unresolved(engine: Engine) -> None:
    engine.publisher.fail("publish", NO_ANSWER)
    engine.publisher.fail("container_status", Retry("Not now."))
    engine.deliver()
    engine.publisher.containers.clear()
    engine.publisher.fail("container_status", Retry("Not now."), times=100)


@pytest.mark.parametrize(("minutes", "alarms"), [(59, {}), (61, {"UnresolvedForAnHour": 1.0})])
def test_an_unresolved_post_raises_its_alarm_an_hour_after_the_fence(
    engine: Engine, capsys: pytest.CaptureFixture[str], minutes: int, alarms: dict[str, float]
) -> None:
    leave_unresolved(engine)
    engine.clock.advance(timedelta(minutes=minutes))
    answer, told = run(capsys)
    assert [post["outcome"] for post in answer["posts"]] == ["unresolved"]
    assert told == {"Unresolved": 1.0, **alarms}


def test_a_post_that_nobody_can_vouch_for_after_a_day_is_told_of(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_unresolved(engine)
    engine.clock.advance(timedelta(hours=24, seconds=1))
    answer, told = run(capsys)
    assert [post["outcome"] for post in answer["posts"]] == ["unconfirmed"]
    assert told == {"Unconfirmed": 1.0}


def test_a_failed_post_is_told_of(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.claim("first", run=engine.start_run())
    engine.clock.advance(timedelta(minutes=15))
    engine.publisher.fail("create_container", AccountFault("The token has expired."))
    answer, told = run(capsys)
    assert [post["outcome"] for post in answer["posts"]] == ["failed"]
    assert told == {"Failed": 1.0}


def test_nothing_to_do_counts_nothing(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys) == ({"posts": [], "left_for_later": False}, {})


def test_a_post_that_could_not_be_seen_to_fails_the_run_after_all_others_were_told_of(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_unresolved(engine)
    engine.clock.advance(timedelta(minutes=30))
    taken = engine.ledger.open_posts

    def broken_off(now: Any) -> Any:
        yield from taken(now)
        raise RecordsUnavailableError("DynamoDB did not read the open posts.")

    monkeypatch.setattr(engine.ledger, "open_posts", broken_off)
    capsys.readouterr()
    context: Any = LambdaContext("Reconcile", 300.0)
    with pytest.raises(RecordsUnavailableError, match="1 open posts"):
        reconcile.handler({}, context)
    assert counted(capsys.readouterr().out) == {"Unresolved": 1.0}
