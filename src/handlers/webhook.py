"""Webhook: tell the owner's receiver of every finished post, as the posts' own stream tells of it.

Delivery: at least once, and in any order. The stream is the outbox: no run that posts knows of this function. A message
whose notice was not taken stays in the queue, and is tried again every quarter of an hour for two days; then it lies
in the dead-letter queue. The others of its batch are not sent again for it.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from handlers.quick_imports import quick_imports

with quick_imports():
    from aws_lambda_powertools import Logger, Metrics
    from aws_lambda_powertools.metrics import MetricUnit
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from adapters.clock import SystemClock
    from adapters.dynamo.stream import UnreadableChangeError, change_of
    from adapters.webhook import DeliveryFailedError, Webhook
    from adapters.webhook_secret import WebhookSecretError
    from domain import notices
    from handlers import wiring
    from handlers.events import EventRefusedError, shown
    from handlers.telling import NAMESPACE

LATE: Final = timedelta(hours=1)
"""The owner is told of a notice that has waited for so long. What is shorter mends itself."""

logger = Logger()
metrics = Metrics(namespace=NAMESPACE)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: Any, _context: LambdaContext) -> dict[str, Any]:
    """Answer ``{"batchItemFailures": [...]}``: the messages that the queue is to keep.

    Raises SettingsError and WebhookSecretError for what a person must mend, and EventRefusedError for an event that is
    none of a queue's.
    """
    try:
        webhook = wiring.build_webhook(wiring.Settings.of(os.environ))
        failed = [message for message in _messages(event) if not _delivered(message, webhook)]
    except (wiring.SettingsError, WebhookSecretError, EventRefusedError) as error:
        logger.error("The run ended without an outcome.", extra={"error": type(error).__name__, "reason": str(error)})
        raise
    now = SystemClock().now()
    late = sum(_is_late(message, now) for message in failed)
    if late:
        metrics.add_metric("NoticesLate", MetricUnit.Count, late)
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in failed]}


def _messages(event: object) -> list[Mapping[str, Any]]:
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not all(isinstance(one, Mapping) and "messageId" in one for one in records):
        raise EventRefusedError(f"Records: it must be a list of messages of SQS, not {shown(records)}")
    return records


def _delivered(message: Mapping[str, Any], webhook: Webhook) -> bool:
    """Whether there is nothing more to be done about this message."""
    attempt = message.get("attributes", {}).get("ApproximateReceiveCount")
    facts = {"message_id": message["messageId"], "attempt": attempt}
    try:
        change = change_of(json.loads(message["body"]))
    except (UnreadableChangeError, KeyError, TypeError, ValueError, RecursionError) as error:
        # Kept all the same: it ends in the dead-letter queue, for a person to see.
        reason = str(error) if isinstance(error, UnreadableChangeError) else "it is no JSON"
        logger.error("A message of the queue cannot be read.", extra={**facts, "reason": reason})
        return False
    notice = notices.of_change(change.before, change.post) if change is not None else None
    if notice is None:
        return True
    facts |= {"delivery": notice.id, "receiver": webhook.host}
    try:
        status = webhook.deliver(notice)
    except DeliveryFailedError as error:
        logger.warning("A notice was not taken; it is sent again.", extra={**facts, "reason": str(error)})
        return False
    logger.info("A notice was delivered.", extra={**facts, "status": status})
    return True


def _is_late(message: Mapping[str, Any], now: datetime) -> bool:
    try:
        milliseconds = int(message["attributes"]["SentTimestamp"])
    except (KeyError, TypeError, ValueError):
        return False
    return now - datetime.fromtimestamp(milliseconds / 1000, UTC) >= LATE
