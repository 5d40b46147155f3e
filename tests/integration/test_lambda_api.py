"""The local stack's answer to Lambda's Invoke, asked by boto3 over real HTTP, and the processes behind it."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.dead_letters import parse
from contract.servers import aws_environment, moto_url
from fakes.clock import FakeClock
from local.environment import isolated
from local.function_process import Ended, FunctionProcesses
from local.lambda_api import LambdaApi

__all__ = ["aws_environment", "moto_url"]

START = {"persona_id": "anna", "time": "2026-11-22T09:00:00Z"}


@dataclass
class Processes(FunctionProcesses):
    """As the template's, but nothing is run: every start ends as told."""

    ended: Ended = field(default_factory=lambda: Ended({"outcome": "posted"}))
    started: list[tuple[str, object]] = field(default_factory=list)
    was_started: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        super().__init__({}, Path(os.devnull))

    def run(self, function: str, event: object) -> Ended:
        self.started.append((function, event))
        self.was_started.set()
        return self.ended


@dataclass
class Served:
    client: Any
    processes: Processes
    sqs: Any
    queue_url: str

    def invoke(self, name: str = "PostNextBest", kind: str = "RequestResponse", payload: str | None = None) -> Any:
        event = json.dumps(START) if payload is None else payload
        return self.client.invoke(FunctionName=name, InvocationType=kind, Payload=event.encode())

    def dead_letters(self, seconds: int = 20) -> list[str]:
        """Those that are there, or else come within so many seconds: SQS is asked to wait for them."""
        told = self.sqs.receive_message(QueueUrl=self.queue_url, WaitTimeSeconds=seconds)
        return [message["Body"] for message in told.get("Messages", ())]


@pytest.fixture
def served(aws_environment: None, moto_url: str) -> Iterator[Served]:
    sqs = boto3.client("sqs", endpoint_url=moto_url)
    queue_url = sqs.create_queue(QueueName=uuid4().hex)["QueueUrl"]
    processes = Processes()
    with LambdaApi(processes, sqs, queue_url, FakeClock()) as api:
        yield Served(boto3.client("lambda", endpoint_url=api.url), processes, sqs, queue_url)


@pytest.mark.parametrize(
    "name",
    [
        "PostNextBest",
        "PostNextBest:$LATEST",
        "arn:aws:lambda:eu-central-1:123456789012:function:PostNextBest",
        "123456789012:function:PostNextBest",
    ],
)
def test_a_function_is_started_by_each_form_of_its_name_and_its_answer_comes_back(served: Served, name: str) -> None:
    told = served.invoke(name)
    assert (told["StatusCode"], told["ExecutedVersion"], "FunctionError" in told) == (200, "$LATEST", False)
    assert json.loads(told["Payload"].read()) == {"outcome": "posted"}
    assert served.processes.started == [("PostNextBest", START)]


def test_an_asynchronous_start_is_accepted_at_once_and_runs_without_anybody_waiting(served: Served) -> None:
    told = served.invoke(kind="Event")
    assert (told["StatusCode"], told["Payload"].read()) == (202, b"")
    assert served.processes.was_started.wait(timeout=30)
    assert served.processes.started == [("PostNextBest", START)]


def test_an_error_of_the_function_is_no_error_of_the_call(served: Served) -> None:
    served.processes.ended = Ended.by_error("RecordsUnavailableError", "DynamoDB is away.")
    told = served.invoke()
    assert (told["StatusCode"], told["FunctionError"]) == (200, "Unhandled")
    assert json.loads(told["Payload"].read())["errorType"] == "RecordsUnavailableError"
    assert served.dead_letters(0) == [], "whoever waits for the answer sees to it"


def test_an_asynchronous_start_that_fails_goes_to_the_dead_letters_as_lambda_writes_it(served: Served) -> None:
    served.processes.ended = Ended.by_error("RecordsUnavailableError", "DynamoDB is away.")
    served.invoke(kind="Event")
    (body,) = served.dead_letters()
    letter = parse(body, {})
    assert (letter.function, letter.event) == ("PostNextBest", START)
    assert letter.error == "RetriesExhausted: RecordsUnavailableError: DynamoDB is away."


def test_a_failed_start_of_reconcile_is_kept_nowhere_as_in_the_template(served: Served) -> None:
    assert served.processes.keeps_what_fails("IngestPhoto")
    assert not served.processes.keeps_what_fails("Reconcile")


@pytest.mark.parametrize(
    ("name", "kind", "payload", "code"),
    [
        ("Nothing", "Event", None, "ResourceNotFoundException"),
        ("Webhook", "Event", None, "ResourceNotFoundException"),
        ("PostNextBest", "Event", "no JSON", "InvalidRequestContentException"),
        ("PostNextBest", "Whenever", None, "InvalidParameterValueException"),
    ],
)
def test_what_lambda_refuses_is_refused_by_its_code(
    served: Served, name: str, kind: str, payload: str | None, code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        served.invoke(name, kind, payload)
    assert refused.value.response["Error"]["Code"] == code
    assert served.processes.started == []


def test_a_dry_run_starts_nothing(served: Served) -> None:
    assert served.invoke(kind="DryRun")["StatusCode"] == 204
    assert served.processes.started == []


# ---- the processes ----


def test_the_handler_that_raises_is_told_by_its_error_and_its_log_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "lambda.log"
    with FunctionProcesses(isolated({}), log) as processes:
        ended = processes.run("PostNextBest", START)
    assert ended.is_error
    assert ended.payload["errorType"] == "SettingsError"
    assert "PERSONAS_TABLE" in ended.payload["errorMessage"]
    assert "The run ended without an outcome." in log.read_text(encoding="utf-8")


def test_a_process_that_dies_without_a_word_is_an_error_as_well(tmp_path: Path) -> None:
    nothing_there = isolated({"PYTHONHOME": str(tmp_path)})
    with FunctionProcesses(nothing_there, tmp_path / "lambda.log") as processes:
        ended = processes.run("PostNextBest", START)
    assert ended.payload["errorType"] == "Runtime.ExitError"
