"""A deployment for each test, and the real handler in its environment."""

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.config import Config

from adapters import s3, ssm
from adapters.dynamo import tables
from contract.servers import aws_environment, emulator, moto_url, running_emulator
from contract.wire import Request, Wire
from domain.ports import Clock
from handlers import wiring
from integration.deployment import Deployment, Told, at
from local.instagram import EmulatorServer
from local.lambda_context import LambdaContext

__all__ = ["aws_environment", "emulator", "moto_url", "running_emulator"]

Deliver = Callable[..., dict[str, Any]]


@pytest.fixture
def deployment(
    moto_url: str, emulator: EmulatorServer, aws_environment: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Deployment]:
    emulator.freeze(at().now())
    requests: list[Request] = []
    with Wire(moto_url, requests) as aws, Wire(emulator.url, requests) as graph:
        deployment = Deployment(aws, moto_url, graph, emulator)
        for name, value in deployment.environment.items():
            monkeypatch.setenv(name, value)
        _be_patient(monkeypatch)
        wiring.build.cache_clear()
        yield deployment
        wiring.build.cache_clear()


def _be_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not make the SDKs repeat a request: these tests count them."""
    for module in (s3, ssm):
        patient = module.CLIENT_CONFIG.merge(Config(connect_timeout=30, read_timeout=30))
        monkeypatch.setattr(module, "CLIENT_CONFIG", patient)
    for name in ("CONNECT_TIMEOUT_SECONDS", "READ_TIMEOUT_SECONDS"):
        monkeypatch.setattr(tables, name, 30)


@pytest.fixture
def deliver(deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Deliver:
    """Delivers an event to the handler, as Lambda does, by a clock that nobody has to wait for.

    It begins by ``by``, or three seconds after nine o'clock.
    """
    return _deliverer("handlers.post_next_best", monkeypatch)


@pytest.fixture
def take_in(deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Deliver:
    """Delivers an event to IngestPhoto's handler, in that function's environment."""
    for name, value in deployment.environment_of("IngestPhoto").items():
        monkeypatch.setenv(name, value)
    return _deliverer("handlers.ingest_photo", monkeypatch)


@pytest.fixture
def reconcile(deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Deliver:
    """Delivers an event to Reconcile's handler, whose environment is PostNextBest's."""
    return _deliverer("handlers.reconcile", monkeypatch)


def _deliverer(module: str, monkeypatch: pytest.MonkeyPatch) -> Deliver:
    entry = importlib.import_module(module)
    build = wiring.build

    def run(event: object, *, by: Clock | None = None) -> dict[str, Any]:
        clock = by or at()
        monkeypatch.setattr(wiring, "build", lambda settings: _with_clock(build(settings), clock))
        # Powertools took hold of the standard output that there was when the handler was imported.
        monkeypatch.setattr(entry.logger.registered_handler, "stream", sys.stdout)
        try:
            answer: dict[str, Any] = entry.handler(event, LambdaContext())
        finally:
            monkeypatch.setattr(wiring, "build", build)
        return answer

    return run


def _with_clock(stack: wiring.Stack, clock: Clock) -> wiring.Stack:
    return replace(stack, clock=clock)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], Told]:
    """What was printed since the last question."""
    return lambda: Told.of(capsys.readouterr().out)
