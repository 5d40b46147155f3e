"""The contract of Renditions, on S3: an address that Instagram can fetch, and whether there is a file."""

import os
import socket
from collections.abc import Iterator
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import pytest
import requests

from adapters.s3 import CLIENT_CONFIG, S3Renditions
from contract.servers import a_jpeg
from contract.test_secrets import chained
from contract.wire import Wire
from domain.faults import Defer, Fault
from local.environment import REGION

pytestmark = pytest.mark.usefixtures("aws_environment")

KEY = "library/default/0f3a.jpg"


@pytest.fixture
def wire(moto_url: str) -> Iterator[Wire]:
    with Wire(moto_url) as wire:
        yield wire


@pytest.fixture
def bucket(moto_url: str) -> str:
    name = f"photos-{uuid4().hex}"
    client = boto3.client("s3", endpoint_url=moto_url)
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


@pytest.fixture
def renditions(wire: Wire, bucket: str) -> S3Renditions:
    return S3Renditions(boto3.client("s3", endpoint_url=wire.url, config=CLIENT_CONFIG), bucket)


def _deployed(region: str) -> S3Renditions:
    """As in a Lambda of this region. Signing asks nobody."""
    with patch.dict(os.environ, AWS_REGION=region, AWS_DEFAULT_REGION=region):
        # A session of its own: boto3's own one remembers the first credentials that it saw.
        return S3Renditions(boto3.session.Session().client("s3", config=CLIENT_CONFIG), "photos")


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1", "ap-south-2"])
def test_the_link_is_regional_and_signed_for_two_hours_by_sigv4(region: str) -> None:
    link = urlsplit(_deployed(region).link(KEY))
    query = {name: values[0] for name, values in parse_qs(link.query).items()}
    assert (link.scheme, link.netloc) == ("https", f"photos.s3.{region}.amazonaws.com")
    assert link.path == f"/{KEY}"
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert query["X-Amz-Expires"] == "7200"
    assert f"/{region}/s3/aws4_request" in query["X-Amz-Credential"]
    assert query["X-Amz-SignedHeaders"] == "host"
    assert len(query["X-Amz-Signature"]) == 64


def test_the_link_of_a_role_carries_its_session() -> None:
    with patch.dict(os.environ, AWS_SESSION_TOKEN="session"):
        link = _deployed("eu-central-1").link(KEY)
    assert "X-Amz-Security-Token=session" in link


@pytest.mark.parametrize("key", ["library/default/Ünicode & space #1+.jpg", KEY])
def test_the_link_is_plain_ascii_and_fetches_the_very_file_as_a_jpeg(renditions: S3Renditions, key: str) -> None:
    jpeg = a_jpeg()
    renditions.put(key, jpeg)
    link = renditions.link(key)
    assert link.isascii()
    answer = requests.get(link, timeout=5, allow_redirects=False)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.content == jpeg


def test_signing_asks_nobody(renditions: S3Renditions, wire: Wire) -> None:
    renditions.link(KEY)
    assert wire.requests == []


def test_a_file_is_there_or_not(renditions: S3Renditions, wire: Wire) -> None:
    assert renditions.exists(KEY) is False
    renditions.put(KEY, a_jpeg())
    assert renditions.exists(KEY) is True
    assert renditions.exists(f"{KEY}.jpg") is False
    assert [request.name for request in wire.requests if request.name != "PUT"] == ["HEAD"] * 3


def test_storing_the_same_twice_does_no_harm(renditions: S3Renditions) -> None:
    renditions.put(KEY, a_jpeg())
    renditions.put(KEY, a_jpeg())
    assert renditions.exists(KEY) is True


@pytest.mark.parametrize("status", [403, 503])
def test_a_photo_that_the_bucket_does_not_take_is_deferred_without_a_signed_request(
    renditions: S3Renditions, wire: Wire, status: int
) -> None:
    wire.answer("PUT", status, b"", times=10)
    with pytest.raises(Defer) as raised:
        renditions.put(KEY, a_jpeg())
    assert list(chained(raised.value)) == [raised.value]
    wire.take_back_orders()
    wire.lose_answer("PUT", times=10)
    with pytest.raises(Defer, match="reached"):
        renditions.put(KEY, a_jpeg())


def test_a_rendition_is_read_as_it_was_stored(renditions: S3Renditions) -> None:
    assert renditions.read(KEY) is None
    renditions.put(KEY, a_jpeg())
    assert renditions.read(KEY) == a_jpeg()


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_whether_a_file_is_there_cannot_always_be_told(renditions: S3Renditions, wire: Wire, status: int) -> None:
    wire.answer("HEAD", status, b"", times=10)
    with pytest.raises(Fault) as raised:
        renditions.exists(KEY)
    assert type(raised.value) is Defer


def test_s3_that_is_not_there_is_deferred() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        renditions = S3Renditions(boto3.client("s3", endpoint_url=url, config=CLIENT_CONFIG), "photos")
        with pytest.raises(Fault) as raised:
            renditions.exists(KEY)
    assert type(raised.value) is Defer


def test_an_answer_that_breaks_off_is_deferred_and_no_signed_request_hangs_on_the_fault(
    renditions: S3Renditions, wire: Wire
) -> None:
    wire.lose_answer("HEAD", times=10)
    with pytest.raises(Fault) as raised:
        renditions.exists(KEY)
    assert type(raised.value) is Defer
    for error in chained(raised.value):
        assert "Signature=" not in repr(vars(error))
