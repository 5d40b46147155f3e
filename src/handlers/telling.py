"""How the owner is told: structured log lines, and one metric for each outcome."""

import warnings
from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from domain import instants
from domain.outcomes import Outcome, Report

NAMESPACE: Final = "FluffyTrain"

# A metric costs for each hour in which it is written, so a run that has nothing to count writes none.
warnings.filterwarnings("ignore", "No application metrics to publish", UserWarning)

METRIC_NAMES: Final[Mapping[Outcome, str]] = {
    Outcome.POSTED: "Posted",
    Outcome.FAILED: "Failed",
    Outcome.DEFERRED: "Deferred",
    Outcome.UNRESOLVED: "Unresolved",
    Outcome.UNCONFIRMED: "Unconfirmed",
    Outcome.NOTHING_TO_POST: "NothingToPost",
    Outcome.PAUSED: "Paused",
    Outcome.TOO_LATE: "TooLate",
    Outcome.ALREADY_DONE: "AlreadyDone",
    Outcome.IN_PROGRESS: "InProgress",
    Outcome.DRY_RUN: "DryRun",
}

_ERRORS: Final = frozenset({Outcome.FAILED, Outcome.UNCONFIRMED})
_WARNINGS: Final = frozenset({Outcome.DEFERRED, Outcome.UNRESOLVED, Outcome.PAUSED, Outcome.TOO_LATE})


class PowertoolsRunLog:
    """Implements ``domain.ports.RunLog``."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def about(self, **facts: object) -> None:
        self._logger.append_keys(**facts)

    def info(self, message: str, **facts: object) -> None:
        self._logger.info(message, extra=facts, stacklevel=3)

    def warning(self, message: str, **facts: object) -> None:
        self._logger.warning(message, extra=facts, stacklevel=3)

    def error(self, message: str, **facts: object) -> None:
        self._logger.error(message, extra=facts, stacklevel=3)


def tell(report: Report, log: PowertoolsRunLog, metrics: Metrics) -> dict[str, Any]:
    """Log and count ``report`` and those before it, and give the answer to the invoker: absent keys do not apply."""
    for one in (*report.earlier, report):
        metrics.add_metric(METRIC_NAMES[one.outcome], MetricUnit.Count, 1)
        facts = answer_of(one)
        if one.outcome in _ERRORS:
            log.error("A post was not made.", **facts)
        elif one.outcome in _WARNINGS:
            log.warning("A post must wait, or is not made.", **facts)
        else:
            log.info("Done.", **facts)
    return answer_of(report)


def answer_of(report: Report) -> dict[str, Any]:
    """What the invoker is told; keys that do not apply are absent."""
    answer = {
        "outcome": report.outcome.value,
        "persona_id": report.persona_id,
        "slot": str(report.slot),
        "photo_id": report.photo_id,
        "provider_post_id": report.provider_post_id,
        "reason": report.reason,
        "waits_until": instants.to_text(report.waits_until) if report.waits_until else None,
    }
    return {key: value for key, value in answer.items() if value is not None}
