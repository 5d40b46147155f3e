"""Reconcile: finish the posts that an earlier run left open and whose lease has ended.

Delivery: at least once, and it does not matter when: the posts' leases, not the event, say what is to be done. Two
runs at once share the work, since only one can take a post's lease. What one run leaves is seen to by the next,
15 minutes later, so neither EventBridge nor Lambda repeats a failed one.
"""

import os
from datetime import datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from domain.outcomes import Outcome, Report
from domain.ports import RecordsUnavailableError
from handlers import wiring
from handlers.telling import NAMESPACE, PowertoolsRunLog, tell

UNRESOLVED_ALARM: Final = timedelta(hours=1)
"""The owner is told of an unresolved post after this, though it is looked at for a day."""

logger = Logger()
metrics = Metrics(namespace=NAMESPACE)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(_event: Any, context: LambdaContext) -> dict[str, Any]:
    """Answer ``{"posts": [...], "left_for_later"}``, one entry as PostNextBest's answer for each post that was seen to.

    Raises SettingsError for what a person must mend, and RecordsUnavailableError when some post could not be seen to,
    after all the others were.
    """
    log = PowertoolsRunLog(logger)
    try:
        stack = wiring.build(wiring.Settings.of(os.environ))
        answers: list[dict[str, Any]] = []
        done = stack.reconcile(log)(
            stack.start_run(context.get_remaining_time_in_millis()),
            lambda report: answers.append(_told(report, stack.clock.now(), log)),
        )
    except (wiring.SettingsError, RecordsUnavailableError) as error:
        logger.error("The run ended without an outcome.", extra={"error": type(error).__name__, "reason": str(error)})
        metrics.add_metric("NoOutcome", MetricUnit.Count, 1)
        raise
    if done.unreadable:
        raise RecordsUnavailableError(f"{done.unreadable} open posts could not be read or written; the log names them.")
    return {"posts": answers, "left_for_later": done.left_for_later}


def _told(report: Report, now: datetime, log: PowertoolsRunLog) -> dict[str, Any]:
    """Tell of one post, whatever becomes of the run after it."""
    answer = tell(report, log, metrics)
    sent_at = report.sent_at
    if report.outcome is Outcome.UNRESOLVED and sent_at is not None and now - sent_at >= UNRESOLVED_ALARM:
        metrics.add_metric("UnresolvedForAnHour", MetricUnit.Count, 1)
    metrics.flush_metrics()
    return answer
