"""How the owner is told: the answer, the log lines, the metrics."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics

from domain.ids import MediaId
from domain.outcomes import Outcome, Report
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, a_photo_id
from handlers.telling import METRIC_NAMES, NAMESPACE, PowertoolsRunLog, tell

FULL = Report(Outcome.POSTED, DEFAULT, NINE, a_photo_id("sunrise"), MediaId("17900000000000002"), "A reason.")
BARE = Report(Outcome.NOTHING_TO_POST, DEFAULT, NINE)

_services = count(1)


@dataclass
class Told:
    """Where the log lines and the metrics of one test end up."""

    stream: io.StringIO
    log: PowertoolsRunLog
    metrics: Metrics

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def counted(self) -> dict[str, float]:
        told: dict[str, Any] = {**self.metrics.serialize_metric_set()}
        names = [metric["Name"] for metric in told["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
        return {name: sum(told[name]) for name in names}


@pytest.fixture
def told() -> Iterator[Told]:
    # Powertools keeps a logger for each service name, and one set of metrics for all.
    service = f"test-{next(_services)}"
    stream = io.StringIO()
    metrics = Metrics(service=service, namespace=NAMESPACE)
    metrics.clear_metrics()
    yield Told(stream, PowertoolsRunLog(Logger(service=service, stream=stream, level="INFO")), metrics)
    metrics.clear_metrics()


def test_the_answer_has_every_key_that_applies(told: Told) -> None:
    assert tell(FULL, told.log, told.metrics) == {
        "outcome": "posted",
        "persona_id": "default",
        "slot": "2026-11-22T09:00:00Z",
        "photo_id": a_photo_id("sunrise"),
        "provider_post_id": "17900000000000002",
        "reason": "A reason.",
    }


def test_a_key_that_does_not_apply_is_absent_from_the_answer(told: Told) -> None:
    assert tell(BARE, told.log, told.metrics) == {
        "outcome": "nothing_to_post",
        "persona_id": "default",
        "slot": "2026-11-22T09:00:00Z",
    }


@pytest.mark.parametrize(
    ("report", "key"),
    [
        (replace(FULL, photo_id=None), "photo_id"),
        (replace(FULL, provider_post_id=None), "provider_post_id"),
        (replace(FULL, reason=None), "reason"),
    ],
)
def test_each_key_is_absent_by_itself(told: Told, report: Report, key: str) -> None:
    answer = tell(report, told.log, told.metrics)
    assert set(answer) == {"outcome", "persona_id", "slot", "photo_id", "provider_post_id", "reason"} - {key}


@pytest.mark.parametrize("outcome", Outcome)
def test_the_answer_is_plain_json(told: Told, outcome: Outcome) -> None:
    answer = tell(replace(FULL, outcome=outcome), told.log, told.metrics)
    assert json.loads(json.dumps(answer)) == answer
    assert {type(value) for value in answer.values()} == {str}
    assert answer["outcome"] == outcome.value


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        ("posted", "Posted"),
        ("failed", "Failed"),
        ("deferred", "Deferred"),
        ("unresolved", "Unresolved"),
        ("unconfirmed", "Unconfirmed"),
        ("nothing_to_post", "NothingToPost"),
        ("paused", "Paused"),
        ("too_late", "TooLate"),
        ("already_done", "AlreadyDone"),
        ("in_progress", "InProgress"),
        ("dry_run", "DryRun"),
    ],
)
def test_an_outcome_is_counted_by_its_name(told: Told, outcome: str, name: str) -> None:
    tell(replace(BARE, outcome=Outcome(outcome)), told.log, told.metrics)
    assert told.counted() == {name: 1}


def test_there_is_one_metric_for_each_outcome() -> None:
    assert set(METRIC_NAMES) == set(Outcome)
    assert len(set(METRIC_NAMES.values())) == len(Outcome)


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        (Outcome.FAILED, "ERROR"),
        (Outcome.UNCONFIRMED, "ERROR"),
        (Outcome.DEFERRED, "WARNING"),
        (Outcome.UNRESOLVED, "WARNING"),
        (Outcome.PAUSED, "WARNING"),
        (Outcome.TOO_LATE, "WARNING"),
        (Outcome.POSTED, "INFO"),
        (Outcome.ALREADY_DONE, "INFO"),
        (Outcome.IN_PROGRESS, "INFO"),
        (Outcome.DRY_RUN, "INFO"),
    ],
)
def test_an_outcome_is_logged_as_grave_as_it_is(told: Told, outcome: Outcome, level: str) -> None:
    tell(replace(FULL, outcome=outcome), told.log, told.metrics)
    (line,) = told.lines()
    assert line["level"] == level
    facts = {key: line[key] for key in ("outcome", "persona_id", "slot", "photo_id", "provider_post_id", "reason")}
    assert facts == {
        "outcome": outcome.value,
        "persona_id": "default",
        "slot": "2026-11-22T09:00:00Z",
        "photo_id": a_photo_id("sunrise"),
        "provider_post_id": "17900000000000002",
        "reason": "A reason.",
    }


def test_every_refused_photo_of_the_slot_is_told_and_counted_and_the_last_word_is_the_answer(told: Told) -> None:
    first = Report(Outcome.FAILED, DEFAULT, NINE, a_photo_id("one"), reason="Too large.")
    second = Report(Outcome.FAILED, DEFAULT, Slot(NINE.start, 2), a_photo_id("two"), reason="Too wide.")
    posted = replace(FULL, slot=Slot(NINE.start, 3), earlier=(first, second))
    answer = tell(posted, told.log, told.metrics)
    assert (answer["outcome"], answer["slot"]) == ("posted", "2026-11-22T09:00:00Z#3")
    assert told.counted() == {"Failed": 2, "Posted": 1}
    assert [(line["level"], line["slot"]) for line in told.lines()] == [
        ("ERROR", "2026-11-22T09:00:00Z"),
        ("ERROR", "2026-11-22T09:00:00Z#2"),
        ("INFO", "2026-11-22T09:00:00Z#3"),
    ]


def test_what_a_run_is_about_stands_on_every_line_from_there_on(told: Told) -> None:
    told.log.info("Before.")
    told.log.about(persona_id="default", slot="2026-11-22T09:00:00Z")
    told.log.info("One.", container_id="1")
    told.log.about(post_status="posting")
    told.log.warning("Two.")
    told.log.error("Three.")
    before, one, two, three = told.lines()
    assert "persona_id" not in before
    assert (one["message"], one["level"], one["persona_id"], one["container_id"]) == ("One.", "INFO", "default", "1")
    assert (two["level"], two["slot"], two["post_status"]) == ("WARNING", "2026-11-22T09:00:00Z", "posting")
    assert (three["level"], three["post_status"], "container_id" in three) == ("ERROR", "posting", False)
