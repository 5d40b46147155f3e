"""The worker's two HTTP layers, requests for Instagram and botocore for AWS, with our own side's faults in them."""

import io
import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar
from unittest import mock

import requests
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from local.soak.messages import LateCopy
from local.soak.own_faults import OwnFaults, Witness, lateness
from local.soak.run_clock import RunClock, SdkTime, cache_time

T = TypeVar("T")

NOBODY_LISTENS: Final = "http://127.0.0.1:1/"

GRAPH_FAULTS: Final = {
    "Instagram: connection refused": 3.0,
    "Instagram: time-out before the effect": 2.0,
    "Instagram: time-out after the effect": 2.0,
    "Instagram: time-out, takes effect late": 3.0,
    "Instagram: slow on its way there": 2.0,
    "Instagram: slow on its way back": 2.0,
}
DYNAMODB_READ_FAULTS: Final = {
    "DynamoDB: connection lost before the effect": 2.0,
    "DynamoDB: answer lost after the effect": 1.0,
    "DynamoDB: throttled": 2.0,
    "DynamoDB: 500 before the effect": 1.0,
}
DYNAMODB_WRITE_FAULTS: Final = {
    "DynamoDB: connection lost before the effect": 1.0,
    "DynamoDB: answer lost after the effect": 4.0,
    "DynamoDB: time-out after the effect": 2.0,
    "DynamoDB: time-out, takes effect late": 4.0,
    "DynamoDB: throttled": 1.0,
    "DynamoDB: 500 before the effect": 1.0,
    "DynamoDB: 500 after the effect": 2.0,
}
TRANSACTION_FAULTS: Final = DYNAMODB_WRITE_FAULTS | {"DynamoDB: transaction conflict": 4.0}
OTHER_AWS_FAULTS: Final = {"SSM or S3: connection lost": 1.0, "SSM or S3: answer lost": 1.0}

ECHOED_PUBLISH: Final = 0.6
ECHOED_PUBLISH_FAULTS: Final = {
    "Instagram: connection refused": 1.0,
    "Instagram: time-out, takes effect late": 1.0,
}
"""A run whose writes come again later meets these where it publishes: else an old write finds nothing to spoil."""
ECHO: Final = "DynamoDB: write arrives again later"
WRITES: Final = frozenset({"UpdateItem", "PutItem", "TransactWriteItems"})

READ_TIMEOUT: Final = timedelta(seconds=3)
"""The product's own for DynamoDB."""
LATEST_REQUEST: Final = timedelta(hours=23, minutes=50)
"""Just within the life of the container that it publishes, and past the deadline of its slot."""
LATEST_ECHO: Final = timedelta(minutes=1)
LATEST_WRITE: Final = timedelta(minutes=5)
"""A signature of AWS ages, and a late copy with an old one is refused."""


class Line(Witness, Protocol):
    def late_copy(self, copy: LateCopy) -> None: ...


class HttpLayers:
    """Both layers of the run that is under way. Without one, everything passes."""

    def __init__(self, clock: RunClock, line: Line) -> None:
        self._clock = clock
        self._line = line
        self.faults: OwnFaults | None = None

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Take the place of the libraries' own ways to send and to tell the time."""
        send_graph, send_aws = HTTPAdapter.send, URLLib3Session.send

        def graph(
            adapter: HTTPAdapter, request: requests.PreparedRequest, *arguments: Any, **named: Any
        ) -> requests.Response:
            timeout = timedelta(seconds=named["timeout"][1])
            return self._step(
                lambda dice: self._graph(dice, request, timeout, lambda r: send_graph(adapter, r, *arguments, **named))
            )

        def aws(session: Any, request: Any) -> AWSResponse:
            return self._step(lambda dice: self._aws(dice, request, lambda: send_aws(session, request)))

        with ExitStack() as patches:
            patches.enter_context(mock.patch.object(HTTPAdapter, "send", graph))
            patches.enter_context(mock.patch.object(URLLib3Session, "send", aws))
            patches.enter_context(mock.patch("botocore.endpoint.time", SdkTime(self._clock)))
            cached = "aws_lambda_powertools.utilities.parameters.base.datetime"
            patches.enter_context(mock.patch(cached, cache_time(self._clock)))
            yield

    def _step(self, send: Callable[[random.Random | None], T]) -> T:
        return send(None) if self.faults is None else self.faults.step(send)

    def _draw(self, dice: random.Random | None, kinds: Mapping[str, float], probability: float | None = None) -> str:
        """The end of the fault's name: what happens. Empty where nothing does."""
        if dice is None or self.faults is None:
            return ""
        return (self.faults.draw(dice, kinds, probability) or "").partition(": ")[2]

    @property
    def _echoes(self) -> bool:
        return self.faults is not None and self.faults.echoes

    def _graph(
        self,
        dice: random.Random | None,
        request: requests.PreparedRequest,
        timeout: timedelta,
        send: Callable[[requests.PreparedRequest], requests.Response],
    ) -> requests.Response:
        if self._echoes and "/media_publish" in (request.url or ""):
            fault = self._draw(dice, ECHOED_PUBLISH_FAULTS, ECHOED_PUBLISH)
        else:
            fault = self._draw(dice, GRAPH_FAULTS)
        if not fault or dice is None:
            return send(request)
        wait = timeout * dice.uniform(0.1, 0.9)
        match fault:
            case "connection refused":
                astray = request.copy()
                astray.url = NOBODY_LISTENS
                return send(astray)
            case "slow on its way there":
                self._clock.pass_time(wait)
                return send(request)
            case "slow on its way back":
                answer = send(request)
                self._clock.pass_time(wait)
                return answer
            case "time-out after the effect":
                send(request).close()
            case "time-out, takes effect late":
                self._late(request, lateness(dice, LATEST_REQUEST))
        self._clock.pass_time(timeout)
        raise requests.ReadTimeout("Read timed out.")

    def _aws(self, dice: random.Random | None, request: Any, send: Callable[[], AWSResponse]) -> AWSResponse:
        target = _text(request.headers.get("X-Amz-Target", b""))
        if self._echoes and dice is not None and target.partition(".")[2] in WRITES:
            self._line.injected(ECHO)
            self._late(request, lateness(dice, LATEST_ECHO))
            return send()
        fault = self._draw(dice, _faults_of(target))
        if not fault or dice is None:
            return send()
        match fault:
            case "connection lost" | "connection lost before the effect":
                raise ConnectionClosedError(endpoint_url=request.url)
            case "answer lost" | "answer lost after the effect":
                send()
                raise ConnectionClosedError(endpoint_url=request.url)
            case "500 after the effect":
                send()
                return _answer(request, 500, "InternalServerError")
            case "500 before the effect":
                return _answer(request, 500, "InternalServerError")
            case "throttled":
                return _answer(request, 400, "ProvisionedThroughputExceededException")
            case "transaction conflict":
                return _answer(
                    request,
                    400,
                    "TransactionCanceledException",
                    CancellationReasons=[{"Code": "TransactionConflict", "Message": "Transaction is ongoing"}],
                )
            case "time-out after the effect":
                send()
            case "time-out, takes effect late":
                self._late(request, lateness(dice, LATEST_WRITE))
        self._clock.pass_time(READ_TIMEOUT)
        raise ReadTimeoutError(endpoint_url=request.url)

    def _late(self, request: Any, late: timedelta) -> None:
        headers = {_text(name): _text(value) for name, value in request.headers.items()}
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else bytes(body)
        self._line.late_copy(LateCopy(self._clock.now() + late, request.method, request.url, headers, body))


def _faults_of(target: str) -> Mapping[str, float]:
    service, _, operation = target.partition(".")
    if not service.startswith("DynamoDB"):
        return OTHER_AWS_FAULTS
    if operation == "TransactWriteItems":
        return TRANSACTION_FAULTS
    return DYNAMODB_WRITE_FAULTS if operation in {"UpdateItem", "PutItem"} else DYNAMODB_READ_FAULTS


def _answer(request: Any, status: int, error: str, **members: Any) -> AWSResponse:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{error}", "message": "soak", **members}).encode()
    raw = HTTPResponse(body=io.BytesIO(body), preload_content=False)
    return AWSResponse(request.url, status, {"Content-Type": "application/x-amz-json-1.0"}, raw)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
