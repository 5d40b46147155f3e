"""The events of an upload: each gives the keys that it names, or is refused by its field's name."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.uploads import EventRefusedError, parse
from local.environment import BUCKET

EVENTS: Final = Path(__file__).parents[2] / "events"
OF_EVENTBRIDGE: Final[dict[str, Any]] = json.loads((EVENTS / "ingest-photo.json").read_text())
OF_S3: Final[dict[str, Any]] = json.loads((EVENTS / "ingest-photo-s3.json").read_text())
KEYS: Final = ("plain.jpg", "incoming/default/Mörning & sun+1 100%.jpg", "a b", "100%25", "日本/ü+.heic")

FIELDS: Final = ("source", "detail-type", "detail", "bucket", "name", "object", "key", "Records", "s3", "eventName")
TEXTS: Final = st.text(st.characters(exclude_categories=()), max_size=60)
SCALARS: Final = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from([BUCKET, "aws.s3"])
VALUES: Final = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | TEXTS, inner, max_size=5),
    max_leaves=10,
)


def by_eventbridge(key: object) -> dict[str, Any]:
    event = deepcopy(OF_EVENTBRIDGE)
    event["detail"]["object"]["key"] = key
    return event


def by_s3(*keys: str) -> dict[str, Any]:
    records = []
    for key in keys:
        record = deepcopy(OF_S3["Records"][0])
        record["s3"]["object"]["key"] = quote_plus(key, safe="/")
        records.append(record)
    return {"Records": records}


@pytest.mark.parametrize("key", KEYS)
def test_eventbridge_gives_the_key_as_it_is(key: str) -> None:
    assert parse(by_eventbridge(key), BUCKET) == [key]


def test_s3_gives_its_keys_encoded_as_in_a_url() -> None:
    assert parse(by_s3(*KEYS), BUCKET) == list(KEYS)


@pytest.mark.parametrize(
    "name", ["ObjectCreated:Put", "ObjectCreated:CompleteMultipartUpload", "s3:ObjectCreated:Post"]
)
def test_every_way_to_create_an_object_counts(name: str) -> None:
    event = by_s3("a.jpg")
    event["Records"][0]["eventName"] = name
    assert parse(event, BUCKET) == ["a.jpg"]


def test_s3s_test_event_tells_of_no_file() -> None:
    assert parse({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}, BUCKET) == []


def changed(event: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """``event`` with another value at ``path``, or without it for None."""
    event = deepcopy(event)
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split("/")]
    place: Any = event
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return event


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (None, "event"),
        ([], "event"),
        ("incoming/default/a.jpg", "event"),
        ({}, "source"),
        ({"Records": []}, "Records"),
        ({"Records": {}}, "Records"),
        ({"Records": [None]}, r"Records\[0\]"),
        (changed(OF_EVENTBRIDGE, "source", "aws.events"), "source"),
        (changed(OF_EVENTBRIDGE, "detail-type", "Object Deleted"), "detail-type"),
        (changed(OF_EVENTBRIDGE, "detail", None), "detail.bucket"),
        (changed(OF_EVENTBRIDGE, "detail/bucket/name", "another"), "detail.bucket.name"),
        (changed(OF_EVENTBRIDGE, "detail/object", None), "detail.object"),
        (changed(OF_EVENTBRIDGE, "detail/object/key", ""), "detail.object.key"),
        (changed(OF_EVENTBRIDGE, "detail/object/key", 7), "detail.object.key"),
        (changed(OF_EVENTBRIDGE, "detail/object/key", "incoming/default/\ud800.jpg"), "detail.object.key"),
        (changed(OF_S3, "Records/0/eventName", "ObjectRemoved:Delete"), r"Records\[0\].eventName"),
        (changed(OF_S3, "Records/0/eventName", 1), r"Records\[0\].eventName"),
        (changed(OF_S3, "Records/0/s3", None), r"Records\[0\].s3.bucket"),
        (changed(OF_S3, "Records/0/s3/bucket/name", "another"), r"Records\[0\].s3.bucket.name"),
        (changed(OF_S3, "Records/0/s3/object/key", None), r"Records\[0\].s3.object.key"),
    ],
)
def test_any_other_event_is_refused_by_its_fields_name(event: object, field: str) -> None:
    with pytest.raises(EventRefusedError, match=f"^{field}: ") as refused:
        parse(event, BUCKET)
    assert str(refused.value).isprintable()


MUTATED: Final = st.builds(
    changed,
    st.just(OF_EVENTBRIDGE),
    st.sampled_from(["source", "detail-type", "detail", "detail/bucket", "detail/object", "detail/object/key"]),
    VALUES,
)
ENCODED: Final = st.lists(st.text(max_size=60)).map(lambda keys: by_s3(*keys))


@given(event=VALUES | MUTATED | ENCODED)
def test_any_json_gives_keys_or_is_refused(event: Any) -> None:
    """As json.loads gives it in Lambda's runtime: NaN, infinities and halves of characters are among it."""
    keys, refusal = outcome_of(event)
    assert len(refusal) <= 400
    assert refusal.isprintable()
    for key in keys:
        assert key
        key.encode()


def outcome_of(event: object) -> tuple[list[str], str]:
    try:
        return parse(event, BUCKET), ""
    except EventRefusedError as refusal:
        return [], str(refusal)
