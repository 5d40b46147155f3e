"""The control API: what `Emulator` can do, as JSON over HTTP under `/_emulator/`."""

import base64
import dataclasses
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from local.instagram.emulator import Emulator
from local.instagram.faults import ContainerBehaviour, Fault


def control_blueprint(emulator: Emulator) -> Blueprint:
    """Return the control routes over `emulator`."""
    routes = ControlRoutes(emulator)
    blueprint = Blueprint("control", __name__, url_prefix="/_emulator")
    add = blueprint.add_url_rule
    add("/state", view_func=routes.state, methods=["GET"])
    add("/reset", view_func=routes.reset, methods=["POST"])
    add("/accounts", view_func=routes.accounts, methods=["GET"])
    add("/accounts", view_func=routes.add_account, methods=["POST"])
    add("/settings", view_func=routes.settings, methods=["PATCH"])
    add("/clock", view_func=routes.now, methods=["GET"])
    add("/clock/advance", view_func=routes.advance, methods=["POST"])
    add("/clock/freeze", view_func=routes.freeze, methods=["POST"])
    add("/faults", view_func=routes.pending_faults, methods=["GET"])
    add("/faults", view_func=routes.order_fault, methods=["POST"])
    add("/faults", view_func=routes.clear_faults, methods=["DELETE"])
    add("/random-faults", view_func=routes.order_random_faults, methods=["POST"])
    add("/container-behaviours", view_func=routes.order_container_behaviour, methods=["POST"])
    add("/posts", view_func=routes.post_by_hand, methods=["POST"])
    add("/posts/<ig_user_id>", view_func=routes.live_posts, methods=["GET"])
    add("/containers/<ig_user_id>", view_func=routes.containers, methods=["GET"])
    add("/calls", view_func=routes.calls, methods=["GET"])
    for refusal in (TypeError, ValueError, KeyError):
        blueprint.register_error_handler(refusal, _refuse)
    return blueprint


class ControlRoutes:
    """One method per operation: it reads JSON, calls the operation of the same name, and writes JSON."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def state(self) -> Response:
        """Everything at one look, for a person."""
        emulator = self._emulator
        accounts = emulator.accounts()
        now = emulator.now()
        return jsonify(
            now=now.isoformat(),
            settings=dataclasses.asdict(emulator.configure()),
            pending_faults=[fault.to_json() for fault in emulator.pending_faults()],
            accounts=[
                {
                    **account.to_json(),
                    "posts": [post.to_json() for post in emulator.live_posts(account.ig_user_id)],
                    "containers": [
                        {**container.to_json(), "status_code": container.status_code(now)}
                        for container in emulator.containers(account.ig_user_id)
                    ],
                }
                for account in accounts
            ],
        )

    def reset(self) -> Response:
        self._emulator.reset()
        return _done()

    def accounts(self) -> Response:
        return jsonify(accounts=[account.to_json() for account in self._emulator.accounts()])

    def add_account(self) -> Response:
        self._emulator.add_account(**_members())
        return _done()

    def settings(self) -> Response:
        return jsonify(dataclasses.asdict(self._emulator.configure(**_members())))

    def now(self) -> Response:
        return jsonify(now=self._emulator.now().isoformat())

    def advance(self) -> Response:
        return jsonify(now=self._emulator.advance(_members()["seconds"]).isoformat())

    def freeze(self) -> Response:
        at = _members().get("at")
        return jsonify(now=self._emulator.freeze(datetime.fromisoformat(at) if at else None).isoformat())

    def pending_faults(self) -> Response:
        return jsonify(faults=[fault.to_json() for fault in self._emulator.pending_faults()])

    def order_fault(self) -> Response:
        self._emulator.order_fault(Fault.from_json(_members()))
        return _done()

    def clear_faults(self) -> Response:
        self._emulator.clear_faults()
        return _done()

    def order_random_faults(self) -> Response:
        members = _members()
        choices = [(weight, Fault.from_json(fault)) for weight, fault in members["choices"]]
        self._emulator.order_random_faults(members["seed"], members["probability"], choices)
        return _done()

    def order_container_behaviour(self) -> Response:
        self._emulator.order_container_behaviour(ContainerBehaviour(**_members()))
        return _done()

    def post_by_hand(self) -> Response:
        members = _members()
        picture = members.pop("jpeg_base64", None)
        jpeg = None if picture is None else base64.b64decode(picture, validate=True)
        return jsonify(self._emulator.post_by_hand(**members, jpeg=jpeg).to_json())

    def live_posts(self, ig_user_id: str) -> Response:
        return jsonify(posts=[post.to_json() for post in self._emulator.live_posts(ig_user_id)])

    def containers(self, ig_user_id: str) -> Response:
        return jsonify(containers=[container.to_json() for container in self._emulator.containers(ig_user_id)])

    def calls(self) -> Response:
        found = self._emulator.calls(request.args.get("name"), request.args.get("ig_user_id"))  # type: ignore[arg-type]
        return jsonify(calls=[call.to_json() for call in found])


def _members() -> dict[str, Any]:
    members = request.get_json()
    if not isinstance(members, dict):
        raise TypeError("a JSON object is expected")
    return members


def _done() -> Response:
    return Response(status=204)


def _refuse(error: Exception) -> tuple[Response, int]:
    return jsonify(error=str(error)), 400
