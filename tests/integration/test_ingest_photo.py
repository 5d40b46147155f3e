"""The IngestPhoto handler with real files in a bucket, from the upload's event to the photo that is posted."""

import hashlib
import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote_plus, unquote, urlsplit

import pytest
from boto3.s3.transfer import TransferConfig

from adapters import s3_inbox
from adapters.imaging.errors import Rejection
from contract.wire import Request
from domain.ids import PhotoId
from domain.intake_ports import InboxUnavailableError
from domain.photos import GIVEN
from domain.ports import RecordsUnavailableError
from handlers.events import EventRefusedError
from handlers.wiring import SettingsError
from integration.conftest import Deliver
from integration.deployment import Deployment, Told, variables_of_the_template
from integration.pictures import a_bomb, a_picture, a_shot, encoded
from local.environment import BUCKET
from template.expansion import expand
from template.test_permissions import granted_to

EVENTS: Final = Path(__file__).parents[2] / "events"
SCHEDULE: Final = json.loads((EVENTS / "schedule.json").read_text())
NAMES: Final = ("plain.jpg", "Trip 1/Mörning & sun+1 100%.jpg", "日本.HEIC.jpg")


@cache
def sample(name: str) -> str:
    return (EVENTS / name).read_text()


def by_eventbridge(deployment: Deployment, key: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(sample("ingest-photo.json"))
    event["detail"]["bucket"]["name"] = deployment.bucket
    event["detail"]["object"]["key"] = key
    return event


def by_s3(deployment: Deployment, *keys: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(sample("ingest-photo-s3.json"))
    (record,) = event["Records"]
    record["s3"]["bucket"]["name"] = deployment.bucket
    records = [deepcopy(record) for _ in keys]
    for record, key in zip(records, keys, strict=True):
        record["s3"]["object"]["key"] = quote_plus(key, safe="/")
    return {"Records": records}


def key_of(name: str) -> str:
    return f"incoming/default/{name}"


def id_of(content: bytes) -> PhotoId:
    return PhotoId(hashlib.sha256(content).hexdigest())


@pytest.fixture
def upload(deployment: Deployment, take_in: Deliver) -> Callable[..., dict[str, Any]]:
    """Puts a file into the bucket and delivers its event; what became of it."""

    def put(name: str, content: bytes, **metadata: str) -> dict[str, Any]:
        given = {key.replace("_", "-"): value for key, value in metadata.items()}
        deployment.upload(key_of(name), content, given)
        (file,) = take_in(by_eventbridge(deployment, key_of(name)))["files"]
        told: dict[str, Any] = file
        return told

    return put


Upload = Callable[..., dict[str, Any]]


# ---- good ones ----


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("by", [by_eventbridge, by_s3])
def test_an_upload_becomes_a_rendition_a_record_and_a_place_in_the_queue(
    deployment: Deployment,
    take_in: Deliver,
    told: Callable[[], Told],
    name: str,
    by: Callable[[Deployment, str], dict[str, Any]],
) -> None:
    deployment.add_persona()
    source = a_shot(1)
    deployment.upload(key_of(name), source)
    answer = take_in(by(deployment, key_of(name)))
    photo_id = id_of(source)
    assert answer == {
        "files": [{"reception": "added", "object_key": key_of(name), "persona_id": "default", "photo_id": photo_id}]
    }
    assert deployment.objects() == sorted([key_of(name), f"library/default/{photo_id}.jpg"])
    assert deployment.content(key_of(name)) == source
    assert deployment.content(f"library/default/{photo_id}.jpg").startswith(b"\xff\xd8\xff")
    (photo,) = deployment.photos()
    assert (photo.width, photo.height, photo.object_key) == (640, 800, f"library/default/{photo_id}.jpg")
    assert photo.analysis is not None
    assert photo.analysis.scorer.startswith("measured")
    assert len(photo.perceptual_hashes) == 1
    assert deployment.queue() == [photo_id]
    heard = told()
    assert heard.counts == {"PhotosAdded": 1}
    assert [line["photo_id"] for line in heard.lines] == [photo_id]


def test_the_owners_score_and_texts_come_with_the_file(deployment: Deployment, upload: Upload) -> None:
    deployment.add_persona()
    upload("a.jpg", a_shot(1), aesthetic_score="8.25", caption="=?UTF-8?Q?M=C3=B6rning?=", alt_text="A lake.")
    (photo,) = deployment.photos()
    assert photo.analysis is not None
    assert (photo.analysis.aesthetic_score, photo.analysis.scorer) == (8.25, GIVEN)
    assert (photo.caption, photo.alt_text) == ("Mörning", "A lake.")


def test_the_best_upload_is_posted(deployment: Deployment, upload: Upload, deliver: Deliver) -> None:
    deployment.add_persona()
    upload("good.jpg", a_shot(1), aesthetic_score="6", caption="Good")
    upload("best.png", best := encoded(a_picture(2, width=1600, height=1000), "PNG"), aesthetic_score="9")
    upload("bad.jpg", b"no picture")
    answer = deliver(SCHEDULE)
    assert (answer["outcome"], answer["photo_id"]) == ("posted", id_of(best))
    (live,) = deployment.live()
    rendition = deployment.content(f"library/default/{id_of(best)}.jpg")
    assert live.picture_sha256 == hashlib.sha256(rendition).hexdigest()
    assert deployment.queue() == [id_of(a_shot(1))]


@pytest.mark.parametrize("name", ["ingest-photo.json", "ingest-photo-s3.json"])
def test_a_sample_event_takes_its_file_in(deployment: Deployment, take_in: Deliver, name: str) -> None:
    """By hand the bucket is named as the local stack names it."""
    deployment.add_persona()
    deployment.upload("incoming/default/Trip 1/sunrise+dunes.jpg", a_shot(1))
    event = json.loads(sample(name).replace(f'"{BUCKET}"', f'"{deployment.bucket}"'))
    (file,) = take_in(event)["files"]
    assert file["reception"] == "added"


# ---- idempotence and order ----


def test_uploaded_twice_under_two_names_it_is_one_photo(
    deployment: Deployment, upload: Upload, told: Callable[[], Told]
) -> None:
    deployment.add_persona()
    upload("a.jpg", a_shot(1))
    before = deployment.records.everything()
    told()
    for name in ("a.jpg", "copy of a.jpg"):
        assert upload(name, a_shot(1))["reception"] == "unchanged"
    assert deployment.records.everything() == before
    assert told().counts == {"PhotosUnchanged": 1}


def test_an_event_of_several_files_sees_to_each(deployment: Deployment, take_in: Deliver) -> None:
    deployment.add_persona()
    contents = {"a.jpg": a_shot(1), "b.jpg": b"no picture", ".hidden": b"", "c.jpg": a_shot(2)}
    for name, content in contents.items():
        deployment.upload(key_of(name), content)
    answer = take_in(by_s3(deployment, *map(key_of, contents), key_of("gone.jpg")))
    assert [file["reception"] for file in answer["files"]] == ["added", "rejected", "ignored", "added", "gone"]


@pytest.mark.parametrize("again", [{}, {"aesthetic_score": "10"}], ids=["as it was", "with a better score"])
@pytest.mark.parametrize("deletes", [False, True], ids=["upload again", "delete and upload again"])
def test_a_photo_that_was_posted_never_comes_back(
    deployment: Deployment, upload: Upload, deliver: Deliver, again: Mapping[str, str], deletes: bool
) -> None:
    deployment.add_persona()
    upload("a.jpg", a_shot(1))
    assert deliver(SCHEDULE)["outcome"] == "posted"
    if deletes:
        deployment.delete(key_of("a.jpg"))
        deployment.delete(f"library/default/{id_of(a_shot(1))}.jpg")
    assert upload("a.jpg", a_shot(1), **again)["reception"] == ("updated" if again else "unchanged")
    assert deployment.queue() == []
    assert deliver({"persona_id": "default", "time": "2036-01-05T09:00:00Z"})["outcome"] == "nothing_to_post"
    assert f"library/default/{id_of(a_shot(1))}.jpg" in deployment.objects()


def test_an_analysis_that_arrives_late_moves_the_photo_and_takes_nothing_away(
    deployment: Deployment, upload: Upload
) -> None:
    deployment.add_persona()
    upload("a.jpg", a_shot(1), aesthetic_score="5", caption="Mine")
    upload("b.jpg", a_shot(2), aesthetic_score="6")
    assert upload("a.jpg", a_shot(1), aesthetic_score="7")["reception"] == "updated"
    assert deployment.queue() == [id_of(a_shot(1)), id_of(a_shot(2))]
    assert {photo.caption for photo in deployment.photos()} == {"Mine", None}


# ---- bursts ----


def test_of_a_burst_the_best_is_queued_and_none_once_it_was_posted(
    deployment: Deployment, upload: Upload, deliver: Deliver
) -> None:
    deployment.add_persona()
    shots = [a_shot(1, shot) for shot in range(3)]
    for number, score in enumerate(("5", "8", "6")):
        upload(f"{number}.jpg", shots[number], aesthetic_score=score)
    other = a_shot(2)
    upload("other.jpg", other, aesthetic_score="1")
    assert deployment.queue() == [id_of(shots[1]), id_of(other)]
    assert deliver(SCHEDULE)["photo_id"] == id_of(shots[1])
    upload("late.jpg", a_shot(1, 4), aesthetic_score="10")
    assert deployment.queue() == [id_of(other)]


# ---- bad ones ----


BAD: Final[Mapping[str, tuple[Callable[[], bytes], str]]] = {
    "no image": (lambda: b"This is a letter.", Rejection.NOT_AN_IMAGE.value),
    "truncated": (lambda: a_shot(1)[:-2000], Rejection.DAMAGED.value),
    "a decompression bomb": (a_bomb, Rejection.TOO_MANY_PIXELS.value),
    "over 100 MB": (lambda: b"\xff" * 100_000_001, "too-large"),
    "of zero bytes": (lambda: b"", Rejection.EMPTY.value),
    "under 320 px wide": (lambda: encoded(a_picture(1, width=319, height=400)), Rejection.TOO_NARROW.value),
    "a GIF": (lambda: encoded(a_picture(1), "GIF"), Rejection.UNSUPPORTED.value),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_file_is_put_aside_with_its_reason_and_nothing_else_stops(
    deployment: Deployment, take_in: Deliver, told: Callable[[], Told], bad: str
) -> None:
    deployment.add_persona()
    make, kind = BAD[bad]
    content = make()
    key = key_of("Trip 1/bäd.jpg")
    deployment.upload(key, content)
    deployment.upload(key_of("good.jpg"), a_shot(2))
    bad_file, good_file = take_in(by_s3(deployment, key, key_of("good.jpg")))["files"]
    assert (bad_file["reception"], bad_file["kind"], good_file["reception"]) == ("rejected", kind, "added")
    aside = "rejected/default/Trip 1/bäd.jpg"
    assert deployment.objects("incoming/") == [key_of("good.jpg")]
    assert deployment.objects("rejected/") == [aside]
    assert deployment.content(aside) == content
    tags = deployment.tags(aside)
    assert tags["rejected-for"] == kind
    assert tags["reason"].split()[:3] == bad_file["reason"].split()[:3]
    assert deployment.queue() == [id_of(a_shot(2))]
    downloads = [request for request in deployment.our_requests if request.name == "GET"]
    assert len(downloads) == (1 if kind == "too-large" else 2), "what is too large is never downloaded"
    heard = told()
    assert heard.counts == {"PhotosRejected": 1, "PhotosAdded": 1}
    (warning,) = heard.at("WARNING")
    assert (warning["kind"], warning["reason"], warning["object_key"]) == (kind, bad_file["reason"], key)


SMALLEST_PART: Final = 5 * 2**20
"""In bytes, what S3 asks of each part but the last."""
IN_PARTS: Final = TransferConfig(multipart_threshold=SMALLEST_PART, multipart_chunksize=SMALLEST_PART)


def test_a_file_that_is_too_large_for_one_copy_is_put_aside_in_parts(
    deployment: Deployment, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_inbox, "_COPIED", IN_PARTS)
    deployment.add_persona()
    content = b"no picture" + bytes(SMALLEST_PART)
    assert upload("large.jpg", content)["reception"] == "rejected"
    assert deployment.objects("incoming/") == []
    (aside,) = deployment.objects("rejected/")
    assert deployment.content(aside) == content
    assert deployment.tags(aside)["rejected-for"]


def test_a_copy_in_parts_that_breaks_off_leaves_the_file_and_no_parts(
    deployment: Deployment, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_inbox, "_COPIED", IN_PARTS)
    deployment.add_persona()
    deployment.aws.answer("PUT", 403, b"")
    with pytest.raises(InboxUnavailableError):
        upload("large.jpg", b"no picture" + bytes(SMALLEST_PART))
    assert deployment.objects() == [key_of("large.jpg")]
    assert deployment.unfinished_uploads() == []


def test_a_bucket_whose_versions_were_suspended_is_served_as_well(deployment: Deployment, upload: Upload) -> None:
    deployment.suspend_versions()
    deployment.add_persona()
    assert upload("bad.jpg", b"no picture")["reception"] == "rejected"
    assert deployment.objects("incoming/") == []


def test_every_rejection_is_tried_here() -> None:
    assert {kind for _, kind in BAD.values()} == {rejection.value for rejection in Rejection}


@pytest.mark.parametrize(
    ("key", "metadata", "kind"),
    [
        ("incoming/nobody/a.jpg", {}, "unknown-persona"),
        ("incoming/a.jpg", {}, "unknown-persona"),
        ("incoming/default/a.jpg", {"aesthetic-score": "7,5"}, "bad-metadata"),
        ("incoming/default/a.jpg", {"caption": "#a " * 31}, "bad-metadata"),
    ],
)
def test_a_file_that_nobody_can_place_is_put_aside_unread(
    deployment: Deployment, take_in: Deliver, key: str, metadata: Mapping[str, str], kind: str
) -> None:
    deployment.add_persona()
    deployment.upload(key, a_shot(1), metadata)
    (file,) = take_in(by_eventbridge(deployment, key))["files"]
    assert (file["reception"], file["kind"]) == ("rejected", kind)
    assert deployment.objects() == [key.replace("incoming/", "rejected/")]
    assert "GET" not in [request.name for request in deployment.our_requests]
    assert deployment.photos() == []


# ---- events and settings ----


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("source", {"source": "aws.events"}),
        ("detail-type", {"detail-type": "Object Deleted"}),
        ("detail.bucket.name", {"detail": {"bucket": {"name": "another"}, "object": {"key": "incoming/default/a"}}}),
        ("Records", {"Records": []}),
    ],
)
def test_another_event_is_refused_and_nothing_is_asked_of_anybody(
    deployment: Deployment, take_in: Deliver, told: Callable[[], Told], field: str, change: Mapping[str, Any]
) -> None:
    deployment.add_persona()
    with pytest.raises(EventRefusedError, match=f"^{field}: "):
        take_in({**by_eventbridge(deployment, key_of("a.jpg")), **change})
    assert deployment.our_requests == []
    heard = told()
    assert heard.counts == {"NoOutcome": 1}
    assert [line["error"] for line in heard.at("ERROR")] == ["EventRefusedError"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("LOOKALIKES_TABLE", ""), ("SCORER", "nobody"), ("NEAR_DUPLICATE_BITS", "8"), ("PHOTOS_BUCKET", "")],
)
def test_a_variable_that_is_missing_or_wrong_is_named_before_anything_is_done(
    deployment: Deployment, take_in: Deliver, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        take_in(by_eventbridge(deployment, key_of("a.jpg")))
    assert deployment.our_requests == []


def test_the_scorer_bedrock_without_a_model_is_named(
    deployment: Deployment, take_in: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCORER", "bedrock")
    monkeypatch.setenv("BEDROCK_MODEL_ID", "")
    with pytest.raises(SettingsError, match="BEDROCK_MODEL_ID"):
        take_in(by_eventbridge(deployment, key_of("a.jpg")))


# ---- AWS fails ----


@pytest.mark.parametrize("operation", ["DynamoDB PutItem", "DynamoDB UpdateItem", "DynamoDB GetItem", "HEAD", "PUT"])
def test_a_lost_answer_from_aws_makes_no_second_photo(deployment: Deployment, upload: Upload, operation: str) -> None:
    deployment.add_persona()
    deployment.aws.lose_answer(operation)
    upload("a.jpg", a_shot(1))
    (photo,) = deployment.photos()
    assert not photo.awaits_linking
    assert deployment.queue() == [photo.photo_id]


def test_an_outage_of_the_records_ends_the_run_and_the_next_delivery_goes_on(
    deployment: Deployment, upload: Upload, told: Callable[[], Told]
) -> None:
    deployment.add_persona()
    deployment.aws.answer("DynamoDB PutItem", 400, {"__type": "ValidationException", "message": "no"}, times=1)
    with pytest.raises(RecordsUnavailableError):
        upload("a.jpg", a_shot(1))
    assert told().counts == {"NoOutcome": 1}
    assert deployment.photos() == []
    assert upload("a.jpg", a_shot(1))["reception"] == "added"


# ---- permissions ----

KEPT_IN_RESERVE: Final = {
    ("s3:ListBucket", "PhotosBucket.Arn"),  # decides between 404 and 403
    ("s3:DeleteObject", "PhotosBucket.Arn/incoming/*"),  # where versions were suspended
    ("s3:PutObjectVersionTagging", "PhotosBucket.Arn/rejected/*"),  # a copy in parts, over 200 MB
    ("s3:AbortMultipartUpload", "PhotosBucket.Arn/rejected/*"),
    ("sqs:SendMessage", "DeadLetters.Arn"),  # Lambda's own
    ("logs:CreateLogStream", "IngestPhotoLogGroup.Arn"),
    ("logs:PutLogEvents", "IngestPhotoLogGroup.Arn"),
}


def test_the_role_allows_what_the_handler_asks_and_nothing_more(deployment: Deployment, upload: Upload) -> None:
    deployment.add_persona()
    for shot in range(3):
        upload(f"{shot}.jpg", a_shot(1, shot), aesthetic_score=str(shot))
    upload("0.jpg", a_shot(1), caption="Mine", aesthetic_score="9")
    upload("bad.jpg", b"no picture")
    asked = {action for request in deployment.our_requests for action in _actions(request, deployment)}
    granted = granted_to(expand(), "IngestPhotoRole")
    assert asked <= granted
    assert granted - asked == KEPT_IN_RESERVE


def _actions(request: Request, deployment: Deployment) -> set[tuple[str, str]]:
    """What a role must allow for this request, by the template's names."""
    service, _, operation = request.name.partition(" ")
    if service == "DynamoDB":
        return {(f"dynamodb:{action}", f"{table}.Arn") for action, table in _dynamodb(operation, request, deployment)}
    path = urlsplit(request.path)
    version = "Version" if "versionId" in parse_qs(path.query) else ""
    resource = _objects(unquote(path.path))
    match request.name:
        case "HEAD" | "GET":
            return {(f"s3:GetObject{version}", resource)}
        case "DELETE":
            return {(f"s3:DeleteObject{version}", resource)}
        case "PUT":
            headers = {name.lower(): value for name, value in request.headers.items()}
            actions = {("s3:PutObject", resource)}
            if "x-amz-tagging" in headers:
                actions.add(("s3:PutObjectTagging", resource))
            if "x-amz-copy-source" in headers:
                source, _, query = headers["x-amz-copy-source"].partition("?")
                of_version = "Version" if "versionId" in query else ""
                actions.add((f"s3:GetObject{of_version}", _objects(unquote(source))))
            return actions
    raise LookupError(f"what does {request.name} need?")


def _objects(path: str) -> str:
    _, folder, _ = path.lstrip("/").split("/", 2)
    return f"PhotosBucket.Arn/{folder}/*"


def _dynamodb(operation: str, request: Request, deployment: Deployment) -> list[tuple[str, str]]:
    logical = {name: logical_id for logical_id, name in deployment.records.names.items()}
    body = request.body
    if operation == "TransactWriteItems":
        parts = [next(iter(part.items())) for part in body["TransactItems"]]
        return [(f"{kind}Item", logical[part["TableName"]]) for kind, part in parts]
    if operation == "BatchGetItem":
        return [(operation, logical[name]) for name in body["RequestItems"]]
    return [(operation, logical[body["TableName"]])]


def test_the_posting_function_is_not_told_what_only_the_intake_needs() -> None:
    of_its_own = variables_of_the_template("IngestPhoto").keys() - variables_of_the_template().keys()
    assert of_its_own == {"SCORER", "BEDROCK_MODEL_ID", "NEAR_DUPLICATE_BITS"}
