"""The events that tell of an upload, and a refusal that names the field for every other."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from handlers.events import EventRefusedError, shown

__all__ = ["EventRefusedError", "parse"]


def parse(event: object, bucket: str) -> list[str]:
    """The keys of the objects that ``event`` tells of. Raises EventRefusedError.

    Two kinds are taken: the bucket's event by way of EventBridge ("Object Created"), and S3's own notification, whose
    keys are encoded as in a URL. S3's test event tells of none.
    """
    if not isinstance(event, Mapping):
        raise EventRefusedError(f"event: it must be a JSON object, not {shown(event)}")
    if event.get("Event") == "s3:TestEvent":
        return []
    if "Records" in event:
        records = event["Records"]
        if not isinstance(records, list) or not records:
            raise EventRefusedError(f"Records: it must be a list of S3's records, not {shown(records)}")
        return [_of_record(record, bucket, place) for place, record in enumerate(records)]
    if event.get("source") != "aws.s3":
        raise EventRefusedError(f"source: an upload's event has aws.s3, not {shown(event.get('source'))}")
    if event.get("detail-type") != "Object Created":
        raise EventRefusedError(f"detail-type: it must be Object Created, not {shown(event.get('detail-type'))}")
    return [_sound(_key(event.get("detail"), bucket, "detail"), "detail")]


def _of_record(record: object, bucket: str, place: int) -> str:
    where = f"Records[{place}]"
    if not isinstance(record, Mapping):
        raise EventRefusedError(f"{where}: it must be an object, not {shown(record)}")
    name = record.get("eventName")
    if not isinstance(name, str) or not name.removeprefix("s3:").startswith("ObjectCreated:"):
        raise EventRefusedError(f"{where}.eventName: it must be ObjectCreated, not {shown(name)}")
    return _sound(unquote_plus(_key(record.get("s3"), bucket, f"{where}.s3")), f"{where}.s3")


def _key(detail: object, bucket: str, where: str) -> str:
    """The object's key, of our bucket: another's files are none of ours."""
    names_bucket = _member(detail, "bucket", where)
    named = _member(names_bucket, "name", f"{where}.bucket")
    if named != bucket:
        raise EventRefusedError(f"{where}.bucket.name: it must be {bucket}, not {shown(named)}")
    key = _member(_member(detail, "object", where), "key", f"{where}.object")
    if not isinstance(key, str) or not key:
        raise EventRefusedError(f"{where}.object.key: it must be text, not {shown(key)}")
    return key


def _sound(key: str, where: str) -> str:
    """``key``, unless it has half of a character in it, which no object's key has and no request can carry."""
    if any("\ud800" <= character <= "\udfff" for character in key):
        raise EventRefusedError(f"{where}.object.key: it has half of a character in it: {shown(key)}")
    return key


def _member(value: object, name: str, where: str) -> Any:
    if not isinstance(value, Mapping) or name not in value:
        raise EventRefusedError(f"{where}.{name}: it is missing")
    return value[name]
