"""The scorer that asks a model, over real HTTP: the bytes on the wire, retries, time-outs, and nothing let out."""

import base64
import io
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import boto3
import botocore.endpoint
import pytest
from botocore.config import Config
from PIL import Image

from adapters.scoring import CLIENT_CONFIG, BedrockScorer
from adapters.scoring.rubric import TOOL, WEIGHTS
from contract.servers import a_jpeg
from contract.test_secrets import chained
from contract.wire import Wire
from domain.ports import ScorerUnavailableError
from fakes.clock import FakeClock

pytestmark = pytest.mark.usefixtures("aws_environment")

MODEL = "eu.amazon.nova-lite-v1:0"
RATED = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [{"toolUse": {"toolUseId": "1", "name": TOOL, "input": dict.fromkeys(WEIGHTS, 7)}}],
        }
    },
    "stopReason": "tool_use",
    "usage": {"inputTokens": 2100, "outputTokens": 60, "totalTokens": 2160},
    "metrics": {"latencyMs": 900},
}


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    # botocore waits between its attempts.
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))
    with Wire() as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", wire.url)
        yield wire


def a_scorer(config: Config = CLIENT_CONFIG) -> BedrockScorer:
    return BedrockScorer(boto3.session.Session().client("bedrock-runtime", config=config), MODEL, FakeClock())


def test_one_signed_request_to_the_models_address_carries_the_pixels_and_brings_the_score(wire: Wire) -> None:
    wire.answer("POST", 200, RATED)
    assert a_scorer().score(a_jpeg()).aesthetic_score == 7.0
    (request,) = wire.requests
    assert request.path == "/model/eu.amazon.nova-lite-v1%3A0/converse"
    assert "/bedrock/aws4_request" in request.headers["Authorization"]
    image, text = request.body["messages"][0]["content"]
    assert image["image"]["format"] == "jpeg"
    with Image.open(io.BytesIO(base64.b64decode(image["image"]["source"]["bytes"]))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (400, 500))
    assert text == {"text": "Rate this photograph."}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_repeated_by_the_sdk_and_then_given_up(wire: Wire, status: int) -> None:
    body = {"message": "Too many requests", "__type": "ThrottlingException" if status == 429 else "InternalFailure"}
    wire.answer("POST", status, body, times=3)
    with pytest.raises(ScorerUnavailableError, match="busy, or down"):
        a_scorer().score(a_jpeg())
    assert len(wire.requests) == 3


def test_a_lost_answer_is_asked_for_again(wire: Wire) -> None:
    wire.lose_answer("POST", times=2)
    wire.answer("POST", 200, RATED)
    assert a_scorer().score(a_jpeg()).aesthetic_score == 7.0
    assert len(wire.requests) == 3


@pytest.mark.parametrize("status", [200, 400, 403, 503])
def test_no_signed_request_hangs_on_the_error(wire: Wire, status: int) -> None:
    if status == 200:
        wire.lose_answer("POST", times=3)
    else:
        wire.answer("POST", status, {"message": "no"}, times=3)
    with pytest.raises(ScorerUnavailableError) as raised:
        a_scorer().score(a_jpeg())
    assert list(chained(raised.value)) == [raised.value]
    assert "Signature" not in repr(vars(raised.value))


def test_a_model_that_never_answers_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=_take, args=(silent,), daemon=True).start()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        config = CLIENT_CONFIG.merge(Config(read_timeout=0.2, retries={"total_max_attempts": 1, "mode": "standard"}))
        client = boto3.session.Session().client("bedrock-runtime", endpoint_url=url, config=config)
        started = time.monotonic()
        with pytest.raises(ScorerUnavailableError, match="ReadTimeoutError"):
            BedrockScorer(client, MODEL, FakeClock()).score(a_jpeg())
        assert time.monotonic() - started < 5


def test_the_client_waits_for_nothing_longer_than_a_lambda_can() -> None:
    attempts = CLIENT_CONFIG.retries["total_max_attempts"]
    assert 2 * attempts * (CLIENT_CONFIG.connect_timeout + CLIENT_CONFIG.read_timeout) < 150


def _take(server: socket.socket) -> None:
    """Accept what comes, and say nothing."""
    taken = []
    try:
        while True:
            taken.append(server.accept())
    except OSError:
        for connection, _ in taken:
            connection.close()
