"""RefreshTokens: once a day, give every persona's token another 60 days, and say which ones need their owner.

Delivery: at least once, and it does not matter when: a token that is younger than 24 hours is left alone, so a second
run asks nothing of those that the first one saw to. What one run leaves is seen to by the next, a day later.
"""

import os
from typing import Any, Final

from handlers.quick_imports import quick_imports

with quick_imports():
    from aws_lambda_powertools import Logger, Metrics
    from aws_lambda_powertools.metrics import MetricUnit
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from domain.ports import RecordsUnavailableError
    from domain.refresh_tokens import TokenOutcome, TokenReport
    from domain.tokens import days_left
    from handlers import wiring
    from handlers.telling import NAMESPACE, PowertoolsRunLog

_METRIC_NAMES: Final = {TokenOutcome.FAILED: "TokenRefreshFailed", TokenOutcome.DEAD: "TokenExpired"}

logger = Logger()
metrics = Metrics(namespace=NAMESPACE)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(_event: Any, context: LambdaContext) -> dict[str, Any]:
    """Answer ``{"tokens": [...], "fewest_days_left", "left_for_later"}``, an entry for each persona that was seen to.

    A refused refresh raises nothing. Raises SettingsError for what a person must mend, and RecordsUnavailableError
    when some persona could not be read or written, after all the others were seen to.
    """
    log = PowertoolsRunLog(logger)
    try:
        stack = wiring.build(wiring.Settings.of(os.environ))
        done = stack.refresh_tokens(log)(stack.start_run(context.get_remaining_time_in_millis()).ends_at)
    except (wiring.SettingsError, RecordsUnavailableError) as error:
        logger.error("The run ended without an outcome.", extra={"error": type(error).__name__, "reason": str(error)})
        metrics.add_metric("NoOutcome", MetricUnit.Count, 1)
        raise
    answers = [_told(report, stack, log) for report in done.reports]
    if done.fewest_days is not None:
        metrics.add_metric("TokenDaysLeft", MetricUnit.Count, done.fewest_days)
    if done.unrecorded:
        raise RecordsUnavailableError(f"{done.unrecorded} personas could not be read or written; the log names them.")
    return {"tokens": answers, "fewest_days_left": done.fewest_days, "left_for_later": done.left_for_later}


def _told(report: TokenReport, stack: wiring.Stack, log: PowertoolsRunLog) -> dict[str, Any]:
    """Log and count one persona's report; what the invoker is told of it, without what does not apply."""
    days = None if report.expires_at is None else days_left(report.expires_at, stack.clock.now())
    answer = {
        "persona_id": report.persona_id,
        "outcome": report.outcome.value,
        "days_left": days,
        "reason": report.reason,
    }
    facts = {key: value for key, value in answer.items() if value is not None}
    if report.outcome in _METRIC_NAMES:
        metrics.add_metric(_METRIC_NAMES[report.outcome], MetricUnit.Count, 1)
    match report.outcome:
        case TokenOutcome.DEAD:
            log.error("A persona's token is dead: it is paused until it has a new one.", **facts)
        case TokenOutcome.FAILED:
            log.warning("A persona's token was not refreshed; the next run tries again.", **facts)
        case TokenOutcome.REFRESHED if report.reason is not None:
            log.warning("A persona's token was refreshed, but not verified.", **facts)
        case TokenOutcome.UNMANAGED if days is None:
            log.info("Nobody knows how long a persona's token lives: it is not ours to exchange.", **facts)
        case _:
            log.info("Done.", **facts)
    return facts
