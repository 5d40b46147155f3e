"""The dead-letter queue, and sending an event once more: to its function, or to the queue that it comes from."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

MOST_MESSAGES: Final = 1000
"""So many are looked at in one go. What fails again comes back to the queue minutes later, so this ends."""

_HIDDEN_SECONDS: Final = 600
_AT_ONCE: Final = 10  # SQS gives no more
_WAIT_SECONDS: Final = 2  # more than none: then SQS asks all of its servers
_ACCEPTED: Final = 202


@dataclass(frozen=True, slots=True)
class Message:
    """``attributes`` are the texts beside the body: where an event came from, and why it was given up."""

    message_id: str
    receipt: str
    body: str
    attributes: Mapping[str, str]
    sent_at: datetime


class SqsDeadLetters:
    """``client`` is a boto3 SQS client. Every method raises botocore's errors."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def __iter__(self) -> Iterator[Message]:
        """Each message once. One that is neither deleted nor put back shows up again after ten minutes."""
        seen: set[str] = set()
        while len(seen) < MOST_MESSAGES:
            received = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_AT_ONCE,
                VisibilityTimeout=_HIDDEN_SECONDS,
                WaitTimeSeconds=_WAIT_SECONDS,
                AttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            )
            fresh = [told for told in received.get("Messages", ()) if told["MessageId"] not in seen]
            if not fresh:
                return
            for told in fresh:
                seen.add(told["MessageId"])
                yield _message(told)

    def delete(self, message: Message) -> None:
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def put_back(self, message: Message) -> None:
        """Let it be seen again, by whoever looks next."""
        self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=0)

    def count(self) -> int:
        """About how many messages there are."""
        told = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(told["Attributes"]["ApproximateNumberOfMessages"])


class LambdaStarts:
    """``client`` is a boto3 Lambda client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def start(self, function: str, event: Mapping[str, Any]) -> bool:
        """Hand the event to the function's own queue; whether it was accepted. Raises botocore's errors."""
        told = self._client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
        return bool(told["StatusCode"] == _ACCEPTED)


class SqsForwards:
    """``client`` is a boto3 SQS client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def forward(self, message: Message, url: str) -> None:
        """Put the body into the queue as a message of its own, whose tries begin anew. Raises botocore's errors."""
        self._client.send_message(QueueUrl=url, MessageBody=message.body)


def _message(told: Mapping[str, Any]) -> Message:
    milliseconds = int(told.get("Attributes", {}).get("SentTimestamp", 0))
    return Message(
        message_id=told["MessageId"],
        receipt=told["ReceiptHandle"],
        body=told["Body"],
        attributes={
            name: value["StringValue"]
            for name, value in told.get("MessageAttributes", {}).items()
            if "StringValue" in value
        },
        sent_at=datetime.fromtimestamp(milliseconds / 1000, UTC),
    )
