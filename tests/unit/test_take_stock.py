"""How many photos are left, and when they are counted."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from domain.ids import PersonaId
from domain.photos import HeldBack, HeldBackFor
from domain.ports import RecordsUnavailableError
from domain.take_stock import ENOUGH, TIME_TO_STOP, Stock, TakeStock
from fakes.library import DEFAULT, Engine, a_persona, a_photo, a_photo_id
from fakes.records import FakePersonaDirectory
from handlers import reconcile
from local.lambda_context import LambdaContext

OTHER = PersonaId("other")
LASTING = timedelta(minutes=5)


def take_stock(engine: Engine, lasting: timedelta = LASTING) -> Stock:
    use_case = TakeStock(personas=engine.personas, library=engine.library, clock=engine.clock, log=engine.log)
    return use_case(engine.start_run(lasting))


def a_library(photos: int, persona_id: PersonaId = DEFAULT) -> Engine:
    return Engine(*(a_photo(f"photo {number}", persona_id=persona_id) for number in range(photos)))


@pytest.mark.parametrize("photos", [0, 1, 13, 14, 15, 100])
def test_the_photos_are_counted_as_far_as_it_matters_and_by_one_query(photos: int) -> None:
    engine = a_library(photos)
    assert take_stock(engine) == Stock({DEFAULT: min(photos, ENOUGH)})
    assert engine.library.pages_read <= (1 if photos >= ENOUGH else 2)


def test_what_will_not_be_posted_is_not_left() -> None:
    engine = Engine(
        *(a_photo(f"photo {number}", score=float(number)) for number in range(6)),
        a_photo("not scored", score=None),
        persona=a_persona(minimum_score=3.0),
    )
    engine.library.hold_back(DEFAULT, a_photo_id("photo 5"), HeldBack(HeldBackFor.SKIPPED))
    assert take_stock(engine).left == {DEFAULT: 2}


def test_the_persona_with_the_fewest_counts() -> None:
    engine = a_library(20)
    engine.personas.add(a_persona(persona_id=OTHER))
    engine.library.add(a_photo("theirs", persona_id=OTHER))
    assert take_stock(engine).left == {DEFAULT: ENOUGH, OTHER: 1}
    assert take_stock(engine).fewest == 1


def test_a_paused_persona_uses_up_nothing_and_is_not_counted() -> None:
    engine = a_library(0)
    engine.personas.pause(DEFAULT, "A holiday.")
    assert take_stock(engine) == Stock({})
    assert take_stock(engine).fewest is None


def test_the_log_names_the_persona_that_runs_dry_and_no_post() -> None:
    engine = a_library(2)
    engine.log.about(persona_id="another", slot="2026-11-22T09:00:00Z", photo_id="a photo", post_status="posted")
    take_stock(engine)
    ((level, message, facts),) = engine.log.lines
    assert (level, "Fewer than 14 photos are left" in message) == ("warning", True)
    assert {key: value for key, value in facts.items() if value is not None} == {
        "persona_id": DEFAULT,
        "photos_left": 2,
    }


def test_the_counting_ends_with_the_runs_time_and_says_that_it_is_not_complete() -> None:
    engine = a_library(1)
    assert take_stock(engine, TIME_TO_STOP) == Stock({DEFAULT: 1})
    assert take_stock(engine, TIME_TO_STOP - timedelta(milliseconds=1)) == Stock({}, complete=False)


# ---- the handler ----


def a_start_at(time: str) -> Mapping[str, Any]:
    return {"source": "aws.events", "detail-type": "Scheduled Event", "time": time}


@pytest.mark.parametrize("hour", range(24))
def test_it_is_counted_every_sixth_hour_at_least_once_whatever_the_jitter(hour: int) -> None:
    minutes = {
        minute
        for minute in range(60)
        if reconcile.is_time_for_stock(a_start_at(f"2026-11-22T{hour:02}:{minute:02}:59Z"))
    }
    assert minutes == (set(range(30)) if hour % 6 == 0 else set())


@pytest.mark.parametrize("event", [None, {}, {"time": 7}, {"time": "noon"}, {"time": "2026-11-22T00:00:00"}, [], "x"])
def test_an_event_without_a_time_counts_nothing(event: object) -> None:
    assert not reconcile.is_time_for_stock(event)


@pytest.mark.parametrize(("time", "left"), [("2026-11-22T06:07:00Z", 3.0), ("2026-11-22T07:07:00Z", None)])
def test_the_fewest_are_told_as_one_metric(
    on_fakes: Callable[..., None], monkeypatch: pytest.MonkeyPatch, time: str, left: float | None
) -> None:
    on_fakes(a_library(3))
    told: list[tuple[str, float]] = []
    monkeypatch.setattr(reconcile.metrics, "add_metric", lambda name, unit, value: told.append((name, value)))
    answer = reconcile.handler(a_start_at(time), LambdaContext("Reconcile"))
    assert answer == {"posts": [], "left_for_later": False}
    assert told == ([] if left is None else [("PhotosLeft", left)])


def test_what_cannot_be_counted_is_an_error_of_the_run(
    on_fakes: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unreadable(FakePersonaDirectory):
        def all(self) -> Any:
            raise RecordsUnavailableError("DynamoDB did not list the personas: ThrottlingException")

    engine = a_library(3)
    engine.personas = Unreadable(engine.records)
    on_fakes(engine)
    with pytest.raises(RecordsUnavailableError):
        reconcile.handler(a_start_at("2026-11-22T00:00:00Z"), LambdaContext("Reconcile"))
