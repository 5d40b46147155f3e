"""Reconcile: finish the posts that an earlier run left open and whose lease has ended.

Delivery: at least once, and it does not matter when: the posts' leases, not the event, say what is to be done. Two
runs at once share the work, since only one can take a post's lease. What one run leaves is seen to by the next,
15 minutes later, so neither EventBridge nor Lambda repeats a failed one.

Four times a day it also counts what every persona has left to post: here, because this function runs whatever becomes
of the schedules, and because in PostNextBest it would make every post dearer.
"""

import os
from datetime import datetime, timedelta
from typing import Any, Final

from handlers.quick_imports import quick_imports

with quick_imports():
    from aws_lambda_powertools import Logger, Metrics
    from aws_lambda_powertools.metrics import MetricUnit
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from domain.outcomes import Outcome, Report
    from domain.ports import RecordsUnavailableError
    from domain.runs import Run
    from domain.take_stock import TakeStock
    from handlers import events, wiring
    from handlers.telling import NAMESPACE, PowertoolsRunLog, tell

UNRESOLVED_ALARM: Final = timedelta(hours=1)
"""The owner is told of an unresolved post after this, though it is looked at for a day."""

STOCK_EVERY_HOURS: Final = 6
STOCK_BEFORE_MINUTE: Final = 30
"""Of starts every 15 minutes at least one comes in the first half of an hour, whatever EventBridge's jitter."""

logger = Logger()
metrics = Metrics(namespace=NAMESPACE)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Answer ``{"posts": [...], "left_for_later"}``, one entry as PostNextBest's answer for each post that was seen to.

    Raises SettingsError for what a person must mend, and RecordsUnavailableError when some post could not be seen to,
    after all the others were.
    """
    log = PowertoolsRunLog(logger)
    try:
        stack = wiring.build(wiring.Settings.of(os.environ))
        run = stack.start_run(context.get_remaining_time_in_millis())
        answers: list[dict[str, Any]] = []
        done = stack.reconcile(log)(run, lambda report: answers.append(_told(report, stack.clock.now(), log)))
    except (wiring.SettingsError, RecordsUnavailableError) as error:
        logger.error("The run ended without an outcome.", extra={"error": type(error).__name__, "reason": str(error)})
        metrics.add_metric("NoOutcome", MetricUnit.Count, 1)
        raise
    if is_time_for_stock(event):
        _count_what_is_left(stack.take_stock(log), run)
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


def is_time_for_stock(event: object) -> bool:
    """By the event's time: in the first half of every sixth hour. Never when it is started by hand, without a time."""
    time = events.time_of(event)
    return time is not None and time.hour % STOCK_EVERY_HOURS == 0 and time.minute < STOCK_BEFORE_MINUTE


def _count_what_is_left(take_stock: TakeStock, run: Run) -> None:
    """One value for the whole stack, that of the persona with the fewest: a metric for each would cost for each.

    Raises RecordsUnavailableError.
    """
    try:
        fewest = take_stock(run).fewest
    except RecordsUnavailableError as error:
        logger.error("What is left to post could not be counted.", extra={"reason": str(error)})
        metrics.add_metric("NoOutcome", MetricUnit.Count, 1)
        raise
    if fewest is not None:
        metrics.add_metric("PhotosLeft", MetricUnit.Count, fewest)
