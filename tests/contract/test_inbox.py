"""The contract of Inbox, on S3: looked at, read whole, and put aside, each of exactly the version that arrived."""

import socket
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from adapters.s3 import CLIENT_CONFIG
from adapters.s3_inbox import LONGEST_TAG, S3Inbox, tag_value
from contract.test_secrets import chained
from contract.wire import Wire
from domain.intake_ports import Arrived, InboxUnavailableError
from local.environment import REGION
from template.expansion import expand

pytestmark = pytest.mark.usefixtures("aws_environment")

KEY = "incoming/default/Mörning & sun+1 100%.jpg"
ASIDE = "rejected/default/Mörning & sun+1 100%.jpg"
ONE_TRY = CLIENT_CONFIG.merge(Config(retries={"total_max_attempts": 1}))
REASON = "The file is damaged. Copy it again."


@dataclass
class Bucket:
    """A bucket as its owner sees it, and the inbox over it, which speaks by way of ``wire``."""

    name: str
    owner: Any
    wire: Wire
    inbox: S3Inbox

    def upload(self, content: bytes, key: str = KEY, **arguments: Any) -> None:
        self.owner.put_object(Bucket=self.name, Key=key, Body=content, **arguments)

    def arrived(self, key: str = KEY) -> Arrived:
        arrived = self.inbox.look(key)
        assert arrived is not None
        return arrived

    def content(self, key: str) -> bytes | None:
        if key not in self.keys():
            return None
        content: bytes = self.owner.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def keys(self) -> list[str]:
        return [entry["Key"] for entry in self.owner.list_objects_v2(Bucket=self.name).get("Contents", ())]

    def tags(self, key: str) -> dict[str, str]:
        answer = self.owner.get_object_tagging(Bucket=self.name, Key=key)
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


@pytest.fixture(params=["versioned", "unversioned"])
def bucket(request: pytest.FixtureRequest, moto_url: str) -> Iterator[Bucket]:
    name = f"photos-{uuid4().hex}"
    owner = boto3.client("s3", endpoint_url=moto_url)
    owner.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if request.param == "versioned":
        as_deployed = expand().properties("PhotosBucket")["VersioningConfiguration"]
        owner.put_bucket_versioning(Bucket=name, VersioningConfiguration=as_deployed)
    with Wire(moto_url) as wire:
        yield Bucket(name, owner, wire, S3Inbox(boto3.client("s3", endpoint_url=wire.url, config=ONE_TRY), name))


versioned = pytest.mark.parametrize("bucket", ["versioned"], indirect=True)


# ---- look and read ----


def test_a_file_is_known_without_being_read(bucket: Bucket) -> None:
    bucket.upload(b"picture", Metadata={"Aesthetic-Score": "8.5", "caption": "A lake  at sunrise"})
    arrived = bucket.arrived()
    assert (arrived.object_key, arrived.size) == (KEY, 7)
    assert arrived.metadata == {"aesthetic-score": "8.5", "caption": "A lake  at sunrise"}
    assert bucket.wire.names() == ["HEAD"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("=?UTF-8?Q?M=C3=B6rning_sun?=", "Mörning sun"),
        (f"=?UTF-8?B?{b64encode('日本 📷'.encode()).decode()}?=", "日本 📷"),
        ("=?UTF-8?Q?M=C3=B6r?= =?UTF-8?Q?ning?=", "Mörning"),
        ("2 =? 3", "2 =? 3"),
        ("=?no-such-charset?Q?x?=", "=?no-such-charset?Q?x?="),
        ("=?UTF-8?B?no base64?=", "=?UTF-8?B?no base64?="),
    ],
)
@versioned
def test_metadata_that_are_not_ascii_come_as_their_owner_wrote_them(bucket: Bucket, written: str, read: str) -> None:
    """S3 gives them as encoded words of RFC 2047."""
    bucket.upload(b"picture", Metadata={"caption": written})
    assert bucket.arrived().metadata == {"caption": read}


@pytest.mark.parametrize("content", [b"", b"picture", bytes(range(256)) * 4096])
def test_a_file_is_read_whole(bucket: Bucket, content: bytes) -> None:
    bucket.upload(content)
    assert bucket.inbox.read(bucket.arrived()) == content


@versioned
def test_the_version_that_arrived_is_read_and_not_a_newer_one(bucket: Bucket) -> None:
    bucket.upload(b"old")
    arrived = bucket.arrived()
    bucket.upload(b"new")
    assert bucket.inbox.read(arrived) == b"old"
    bucket.owner.delete_object(Bucket=bucket.name, Key=KEY)
    assert bucket.inbox.read(arrived) == b"old"


@pytest.mark.parametrize("size", [6, 8, 0])
def test_half_a_file_is_not_taken_for_the_file(bucket: Bucket, size: int) -> None:
    bucket.upload(b"picture")
    arrived = bucket.arrived()
    with pytest.raises(InboxUnavailableError, match="broke off"):
        bucket.inbox.read(Arrived(KEY, size, arrived.version, arrived.metadata))


def test_what_is_not_there_is_none(bucket: Bucket) -> None:
    assert bucket.inbox.look(KEY) is None
    bucket.upload(b"picture")
    arrived = bucket.arrived()
    bucket.owner.delete_object(Bucket=bucket.name, Key=KEY)
    assert bucket.inbox.look(KEY) is None
    if arrived.version is None:
        assert bucket.inbox.read(arrived) is None
    else:
        bucket.owner.delete_object(Bucket=bucket.name, Key=KEY, VersionId=arrived.version)
        assert bucket.inbox.read(arrived) is None


# ---- put aside ----


def test_a_file_is_moved_with_its_metadata_and_its_reason(bucket: Bucket) -> None:
    bucket.upload(b"picture", Metadata={"caption": "Mine"}, Tagging="album=trip", ContentType="image/heic")
    bucket.inbox.put_aside(bucket.arrived(), ASIDE, "damaged", REASON)
    assert bucket.keys() == [ASIDE]
    assert bucket.content(ASIDE) == b"picture"
    assert bucket.tags(ASIDE) == {"rejected-for": "damaged", "reason": REASON}
    head = bucket.owner.head_object(Bucket=bucket.name, Key=ASIDE)
    assert (head["Metadata"], head["ContentType"]) == ({"caption": "Mine"}, "image/heic")


@versioned
def test_putting_aside_takes_one_copy_however_large_the_photo_is(bucket: Bucket) -> None:
    """In one request the tags are there as soon as the file is; in parts they would come after it."""
    bucket.upload(b"x" * 9_000_000)
    arrived = bucket.arrived()
    bucket.wire.requests.clear()
    bucket.inbox.put_aside(arrived, ASIDE, "damaged", REASON)
    assert bucket.wire.names() == ["HEAD", "PUT", "DELETE"]


def test_putting_aside_twice_is_once(bucket: Bucket) -> None:
    bucket.upload(b"picture")
    arrived = bucket.arrived()
    for _ in range(2):
        bucket.inbox.put_aside(arrived, ASIDE, "damaged", REASON)
    assert bucket.keys() == [ASIDE]
    assert bucket.tags(ASIDE)["reason"] == REASON


def test_a_move_that_was_cut_off_is_completed(bucket: Bucket) -> None:
    bucket.upload(b"picture")
    arrived = bucket.arrived()
    bucket.wire.answer("DELETE", 503, b"", times=10)
    with pytest.raises(InboxUnavailableError):
        bucket.inbox.put_aside(arrived, ASIDE, "damaged", REASON)
    assert sorted(bucket.keys()) == [KEY, ASIDE]
    bucket.wire.take_back_orders()
    bucket.inbox.put_aside(arrived, ASIDE, "damaged", REASON)
    assert bucket.keys() == [ASIDE]


@versioned
def test_a_newer_upload_is_left_where_it_is(bucket: Bucket) -> None:
    bucket.upload(b"old")
    arrived = bucket.arrived()
    bucket.upload(b"new")
    bucket.inbox.put_aside(arrived, ASIDE, "damaged", REASON)
    assert (bucket.content(KEY), bucket.content(ASIDE)) == (b"new", b"old")


@versioned
def test_no_version_of_a_file_that_was_put_aside_is_left_behind(bucket: Bucket) -> None:
    """A delete marker would hide it, and it would be paid for."""
    bucket.upload(b"picture")
    bucket.inbox.put_aside(bucket.arrived(), ASIDE, "damaged", REASON)
    versions = bucket.owner.list_object_versions(Bucket=bucket.name, Prefix="incoming/")
    assert not {"Versions", "DeleteMarkers"} & versions.keys()


def test_what_is_gone_is_not_put_aside(bucket: Bucket) -> None:
    bucket.inbox.put_aside(Arrived(KEY, 7, None, {}), ASIDE, "damaged", REASON)
    assert bucket.keys() == []


@pytest.mark.parametrize(
    "reason",
    [
        "Export it: 1440 px of width is all - that Instagram_shows @ 4:5 / 1.91:1 + more = no.",
        "«Ünïcode» 日本, (brackets), 'quotes', \"more\"; semi! 50% & <tags> #1?",
        "line\nbreak\ttab\0nul",
        "x" * 300,
        "end " * 100,
        "",
    ],
)
def test_a_reason_becomes_a_tag_that_s3_takes(bucket: Bucket, reason: str) -> None:
    bucket.upload(b"picture")
    bucket.inbox.put_aside(bucket.arrived(), ASIDE, "too-narrow", reason)
    assert bucket.tags(ASIDE) == {"rejected-for": "too-narrow", "reason": tag_value(reason)}
    assert bucket.inbox.reason(ASIDE) == ("too-narrow", tag_value(reason))


def test_a_tag_has_the_words_that_it_may_have() -> None:
    assert tag_value("It's damaged; use «Ünïcode», 50% & #1:\n a/b@c.d") == "It s damaged use Ünïcode 50 1: a/b@c.d"
    assert len(tag_value("word " * 100)) <= LONGEST_TAG
    assert tag_value("a" * 256) == "a" * 256


# ---- what was put aside ----


def test_what_was_put_aside_is_listed_with_its_size(bucket: Bucket) -> None:
    for number, name in enumerate(["b.jpg", "a.jpg"]):
        bucket.upload(b"x" * number, f"rejected/default/{name}")
    bucket.upload(b"x", "rejected/other/c.jpg")
    assert list(bucket.inbox.rejected("rejected/default/")) == [
        ("rejected/default/a.jpg", 1),
        ("rejected/default/b.jpg", 0),
    ]
    assert bucket.inbox.reason("rejected/other/c.jpg") == ("", "")


# ---- failures ----


def calls(bucket: Bucket) -> list[Any]:
    arrived = Arrived(KEY, 7, None, {})
    return [
        lambda: bucket.inbox.look(KEY),
        lambda: bucket.inbox.read(arrived),
        lambda: bucket.inbox.put_aside(arrived, ASIDE, "damaged", REASON),
    ]


DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied for local</Message></Error>"


@pytest.mark.parametrize("call", range(3), ids=["look", "read", "put aside"])
@pytest.mark.parametrize(
    ("status", "body", "hint"), [(403, DENIED, "permissions"), (500, b"", "500|Internal"), (503, b"", "503|Slow")]
)
@versioned
def test_a_refusal_says_what_to_look_at_and_has_no_signed_request(
    bucket: Bucket, call: int, status: int, body: bytes, hint: str
) -> None:
    for name in ("HEAD", "GET"):
        bucket.wire.answer(name, status, body, times=10)
    with pytest.raises(InboxUnavailableError, match=hint) as raised:
        calls(bucket)[call]()
    for error in chained(raised.value):
        assert "Signature=" not in repr(vars(error)) + str(error)
    assert list(chained(raised.value)) == [raised.value]
    assert ("permissions" in str(raised.value)) == (status == 403)


@pytest.mark.parametrize("call", range(3), ids=["look", "read", "put aside"])
@versioned
def test_an_answer_that_never_comes_is_told_so(bucket: Bucket, call: int) -> None:
    for name in ("HEAD", "GET"):
        bucket.wire.lose_answer(name, times=10)
    with pytest.raises(InboxUnavailableError, match="could not be reached") as raised:
        calls(bucket)[call]()
    assert list(chained(raised.value)) == [raised.value]


def test_a_bucket_that_is_not_there_is_told_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        inbox = S3Inbox(boto3.client("s3", endpoint_url=url, config=ONE_TRY), "photos")
        with pytest.raises(InboxUnavailableError, match="could not be reached"):
            inbox.look(KEY)
