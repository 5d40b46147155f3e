"""The uploaded files, by boto3: looked at, read, and put aside where they cannot be used."""

import re
from collections.abc import Callable, Iterator, Mapping
from email.errors import MessageError
from email.header import decode_header, make_header
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from adapters.s3 import NOT_THERE
from domain.intake_ports import Arrived, InboxUnavailableError
from domain.receive_file import LARGEST_FILE

KIND_TAG, REASON_TAG = "rejected-for", "reason"

_FORBIDDEN: Final = frozenset({"403", "AccessDenied"})

# In one request, tags and all; what is larger is copied in parts, and tagged after that.
_COPIED: Final = TransferConfig(multipart_threshold=2 * LARGEST_FILE)

LONGEST_TAG: Final = 256
_NOT_IN_A_TAG: Final = re.compile(r"[^\w\s+\-=.:/@]+")  # Amazon S3 user guide, "Categorizing your storage using tags"

T = TypeVar("T")


class S3Inbox:
    """Implements ``domain.intake_ports.Inbox``. ``client`` is a boto3 S3 client."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def look(self, object_key: str) -> Arrived | None:
        head = self._asked("look at the file", lambda: self._client.head_object(Bucket=self._bucket, Key=object_key))
        if head is None:
            return None
        metadata = {name.lower(): _text(value) for name, value in head.get("Metadata", {}).items()}
        return Arrived(object_key, int(head["ContentLength"]), _version(head), metadata)

    def read(self, arrived: Arrived) -> bytes | None:
        def get() -> bytes:
            answer = self._client.get_object(Bucket=self._bucket, Key=arrived.object_key, **_exactly(arrived))
            body: bytes = answer["Body"].read(arrived.size + 1)
            return body

        source = self._asked("read the file", get)
        if source is not None and len(source) != arrived.size:
            # Half a file must not be taken for a damaged one.
            raise InboxUnavailableError("The file broke off, or changed while it was read.")
        return source

    def put_aside(self, arrived: Arrived, object_key: str, kind: str, reason: str) -> None:
        tags = urlencode({KIND_TAG: kind, REASON_TAG: tag_value(reason)})
        source = {"Bucket": self._bucket, "Key": arrived.object_key, **_exactly(arrived)}
        # boto3's own copy, which takes files of any size. The metadata come along, the owner's tags do not.
        copied = self._asked(
            "put the file aside",
            lambda: (
                self._client.copy(
                    source,
                    self._bucket,
                    object_key,
                    ExtraArgs={"Tagging": tags, "TaggingDirective": "REPLACE"},
                    Config=_COPIED,
                )
                or True
            ),
        )
        if copied is not None:
            # This very version, so that what was uploaded under the name since stays where it is.
            self._asked(
                "take the file away",
                lambda: self._client.delete_object(Bucket=self._bucket, Key=arrived.object_key, **_exactly(arrived)),
            )

    def rejected(self, prefix: str) -> Iterator[tuple[str, int]]:
        """The keys of the files put aside under ``prefix``, with their size in bytes, page by page.

        Raises botocore's errors.
        """
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for entry in page.get("Contents", ()):
                yield str(entry["Key"]), int(entry["Size"])

    def reason(self, object_key: str) -> tuple[str, str]:
        """Why a file was put aside: its kind, and what to do; empty where it has no tag. Raises botocore's errors."""
        tags = self._client.get_object_tagging(Bucket=self._bucket, Key=object_key)["TagSet"]
        found = {tag["Key"]: tag["Value"] for tag in tags}
        return found.get(KIND_TAG, ""), found.get(REASON_TAG, "")

    def _asked(self, what: str, call: Callable[[], T]) -> T | None:
        """None where the file is not there. Raises InboxUnavailableError for every other failure."""
        try:
            return call()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            if code in NOT_THERE:
                return None
            hint = "; look at the function's permissions on it" if code in _FORBIDDEN else ""
            failed = f"The bucket did not let us {what} ({code}){hint}."
        except BotoCoreError as error:
            failed = f"The bucket could not be reached to {what} ({type(error).__name__})."
        # Raised out here: botocore's exception holds the signed request.
        raise InboxUnavailableError(failed)


def tag_value(text: str) -> str:
    """``text`` with the characters that a tag may have, at the length that it may have."""
    return " ".join(_NOT_IN_A_TAG.sub(" ", text).split())[:LONGEST_TAG].strip()


def _version(head: Mapping[str, Any]) -> str | None:
    version = head.get("VersionId")
    return version if isinstance(version, str) and version != "null" else None


def _exactly(arrived: Arrived) -> dict[str, str]:
    return {} if arrived.version is None else {"VersionId": arrived.version}


def _text(value: str) -> str:
    """Metadata as their owner wrote them: S3 gives what is not ASCII back as encoded words of RFC 2047."""
    try:
        return str(make_header(decode_header(value)))
    except (MessageError, LookupError, ValueError):
        return value
