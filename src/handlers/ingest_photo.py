"""IngestPhoto: take a file that was uploaded under ``incoming/<persona_id>/`` into that persona's library.

Delivery: at least once, and in any order. A photo is known by its content, so a second delivery, or the same picture
under another name, finds what the first one did and changes nothing; one that was posted stays posted. A run that
raises is repeated by Lambda, and after that its event lies in the dead-letter queue.
"""

import os
from typing import Any

from handlers.quick_imports import quick_imports

with quick_imports():
    from aws_lambda_powertools import Logger, Metrics
    from aws_lambda_powertools.metrics import MetricUnit
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from domain.faults import Fault
    from domain.intake_ports import InboxUnavailableError
    from domain.ports import RecordsUnavailableError, ScorerUnavailableError
    from domain.receive_file import Receipt, Reception
    from handlers import intake_wiring, uploads, wiring
    from handlers.telling import NAMESPACE, PowertoolsRunLog

METRIC_NAMES = {
    Reception.ADDED: "PhotosAdded",
    Reception.UPDATED: "PhotosUpdated",
    Reception.UNCHANGED: "PhotosUnchanged",
    Reception.REJECTED: "PhotosRejected",
}

logger = Logger()
metrics = Metrics(namespace=NAMESPACE)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: Any, _context: LambdaContext) -> dict[str, Any]:
    """Answer ``{"files": [...]}``: what became of each file that the event names; keys that do not apply are absent.

    A file that is no picture is put aside and raises nothing. Raises EventRefusedError and SettingsError for what a
    person must mend, and what the next delivery goes on with: RecordsUnavailableError, InboxUnavailableError,
    ScorerUnavailableError, Defer.
    """
    log = PowertoolsRunLog(logger)
    try:
        stack = wiring.build(wiring.Settings.of(os.environ))
        receive = intake_wiring.receive_file(stack, log)
        files = [_told(receive(key), log) for key in uploads.parse(event, stack.settings.photos_bucket)]
    except (
        wiring.SettingsError,
        uploads.EventRefusedError,
        RecordsUnavailableError,
        InboxUnavailableError,
        ScorerUnavailableError,
        Fault,
    ) as error:
        logger.error("The run ended without an outcome.", extra={"error": type(error).__name__, "reason": str(error)})
        metrics.add_metric("NoOutcome", MetricUnit.Count, 1)
        raise
    return {"files": files}


def _told(receipt: Receipt, log: PowertoolsRunLog) -> dict[str, Any]:
    answer = {
        "reception": receipt.reception.value,
        "object_key": receipt.object_key,
        "persona_id": receipt.persona_id,
        "photo_id": receipt.photo_id,
        "kind": receipt.kind,
        "reason": receipt.reason,
    }
    facts = {key: value for key, value in answer.items() if value is not None}
    if receipt.reception in METRIC_NAMES:
        metrics.add_metric(METRIC_NAMES[receipt.reception], MetricUnit.Count, 1)
    if receipt.reception is Reception.REJECTED:
        log.warning("A file cannot be used and is put aside; `fluffy-train photos rejected` lists it.", **facts)
    else:
        log.info("Done.", **facts)
    return facts
