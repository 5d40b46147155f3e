"""Lambda's API, as much of it as starts a function: the call Invoke, for the functions of template.yaml.

Moto has it only with Docker. Differences from AWS: an asynchronous start that fails is not tried twice more, it is
given up at once; and what is sent is not checked for its size. (AWS Lambda API reference, "Invoke"; developer guide,
"Capturing records of Lambda asynchronous invocations".)
"""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from flask import Flask, Response, request
from werkzeug.serving import make_server

from domain import instants
from domain.ports import Clock
from local.environment import function_arn
from local.function_process import Ended, FunctionProcesses

_VERSION: Final = "$LATEST"
_MOST_AT_ONCE: Final = 4


class LambdaApi:
    """Serves from the beginning of a ``with`` block to its end. ``sqs`` is a boto3 client, for what is given up."""

    def __init__(
        self, processes: FunctionProcesses, sqs: Any, dead_letters_url: str, clock: Clock, host: str = "127.0.0.1"
    ) -> None:
        self._processes = processes
        self._sqs = sqs
        self._dead_letters_url = dead_letters_url
        self._clock = clock
        self._queue = ThreadPoolExecutor(_MOST_AT_ONCE)
        app = Flask(__name__)
        app.add_url_rule("/2015-03-31/functions/<name>/invocations", view_func=self._invoke, methods=["POST"])
        self._server = make_server(host, 0, app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://{host}:{self._server.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._queue.shutdown(wait=False, cancel_futures=True)

    def _invoke(self, name: str) -> Response:
        # A name, or an ARN in part or whole, and perhaps a version behind it.
        function = name.rpartition("function:")[2].partition(":")[0]
        if function not in self._processes:
            return _refusal(404, "ResourceNotFoundException", f"Function not found: {function_arn(function)}")
        try:
            event = json.loads(request.get_data() or b"{}")
        except ValueError as error:
            text = f"Could not parse request body into json: {error}"
            return _refusal(400, "InvalidRequestContentException", text)
        match request.headers.get("X-Amz-Invocation-Type", "RequestResponse"):
            case "Event":
                self._queue.submit(self._run_unattended, function, event)
                return Response(status=202)
            case "RequestResponse":
                return _answer(self._processes.run(function, event))
            case "DryRun":
                return Response(status=204)
            case kind:
                return _refusal(400, "InvalidParameterValueException", f"InvocationType: {kind} is none that there is")

    def _run_unattended(self, function: str, event: object) -> None:
        ended = self._processes.run(function, event)
        if ended.is_error and self._processes.keeps_what_fails(function):
            body = given_up(function, event, ended, self._clock.now())
            self._sqs.send_message(QueueUrl=self._dead_letters_url, MessageBody=json.dumps(body))


def given_up(function: str, event: object, ended: Ended, now: datetime) -> dict[str, Any]:
    """What Lambda's destination for failures is sent of a start that failed."""
    return {
        "version": "1.0",
        "timestamp": instants.to_text(now),
        "requestContext": {
            "requestId": str(uuid4()),
            "functionArn": f"{function_arn(function)}:{_VERSION}",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 1,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": _VERSION, "functionError": "Unhandled"},
        "responsePayload": ended.payload,
    }


def _answer(ended: Ended) -> Response:
    headers = {"X-Amz-Executed-Version": _VERSION} | ({"X-Amz-Function-Error": "Unhandled"} if ended.is_error else {})
    return Response(json.dumps(ended.payload), status=200, headers=headers, content_type="application/json")


def _refusal(status: int, code: str, message: str) -> Response:
    body = json.dumps({"Type": "User", "Message": message, "message": message})
    return Response(body, status=status, headers={"X-Amzn-ErrorType": code}, content_type="application/json")
