"""PostNextBest: post the best photo not yet posted, for the slot that the event names.

Delivery: at least once. EventBridge and the Scheduler may deliver an event twice, and Lambda repeats an asynchronous
invocation that raised. Each delivery names the same slot, so a repeated one finds the slot's post and reports it. What
raises here has written nothing that a later run could not go on from.
"""

import os
from typing import Any

from handlers.quick_imports import quick_imports

with quick_imports():
    from aws_lambda_powertools import Logger, Metrics
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from domain.ports import RecordsUnavailableError
    from domain.post_next_best import UnknownPersonaError
    from handlers import events, wiring
    from handlers.telling import NAMESPACE, PowertoolsRunLog, tell

logger = Logger()
metrics = Metrics(namespace=NAMESPACE)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Answer ``{"outcome", "persona_id", "slot", "photo_id", "provider_post_id", "reason"}``; absent keys do not apply.

    Raises EventRefusedError, UnknownPersonaError and SettingsError for what a person must mend, and
    RecordsUnavailableError for what the next delivery or the reconciler goes on with. A refused post raises nothing.
    """
    try:
        stack = wiring.build(wiring.Settings.of(os.environ))
        request = events.parse(event, stack.settings.default_persona, stack.clock.now())
        log = PowertoolsRunLog(logger)
        post_next_best = stack.post_next_best(log)
        report = post_next_best(request, lambda: stack.start_run(context.get_remaining_time_in_millis()))
    except (
        wiring.SettingsError,
        events.EventRefusedError,
        UnknownPersonaError,
        RecordsUnavailableError,
    ) as error:
        logger.error("The run ended without an outcome.", extra={"error": type(error).__name__, "reason": str(error)})
        metrics.add_metric("NoOutcome", "Count", 1)
        raise
    return tell(report, log, metrics)
