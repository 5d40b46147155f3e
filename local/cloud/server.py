"""Serves the cloud: CloudFormation by ours, everything else by moto's server, on loopback."""

import logging
import threading
from types import TracebackType
from typing import Self

from flask import Flask, Response, request
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server

from local.cloud import query_protocol
from local.cloud.account import Account
from local.cloud.cloudformation import CloudFormation
from local.cloud.refusal import RefusedError


class CloudServer:
    """As a context manager it serves until the block ends. ``environment`` turns any client of AWS to it."""

    def __init__(self, region: str = "eu-central-1") -> None:
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._region = region

    def __enter__(self) -> Self:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request
        self._moto.start()
        self.account = Account(f"http://127.0.0.1:{self._moto.get_host_and_port()[1]}", self._region)
        self.cloudformation = CloudFormation(self.account)
        self._server = make_server("127.0.0.1", 0, _application(self.cloudformation), threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._moto.stop()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.account.url,
            "AWS_ENDPOINT_URL_CLOUDFORMATION": self.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",  # an emulator's # nosec B105
            "AWS_DEFAULT_REGION": self._region,
            "AWS_REGION": self._region,
        }


def _application(cloudformation: CloudFormation) -> Flask:
    app = Flask(__name__)

    @app.post("/")
    def act() -> Response:
        told = query_protocol.read(request.form.to_dict())
        action, _ = told.pop("Action"), told.pop("Version")
        try:
            if action not in cloudformation.actions:
                raise RefusedError(f"The local cloud does not know {action}: teach local/cloud.", "InvalidAction")
            answer = query_protocol.written(action, cloudformation.actions[action](**told))
        except RefusedError as error:
            return Response(query_protocol.refused(error.code, str(error)), status=400, mimetype="text/xml")
        return Response(answer, mimetype="text/xml")

    return app
