"""The Graph API's routes, for both hosts: `/instagram/…` and `/facebook/…` on one server."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request

from local.instagram import access, errors, publishing, reading
from local.instagram.answers import SERVICE_DOWN, Answer, plain_response, spoiled_response, usage_headers
from local.instagram.calls import CallName
from local.instagram.emulator import Emulator
from local.instagram.errors import GraphError
from local.instagram.fault_delivery import SLOT_KEY
from local.instagram.graph_request import Flavour, GraphRequest, read_graph_request
from local.instagram.records import Account
from local.instagram.state import EmulatorState

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
Effect = Callable[[EmulatorState, GraphRequest], dict[str, Any]]


def graph_blueprint(emulator: Emulator) -> Blueprint:
    """Return the routes of both hosts over `emulator`."""
    routes = GraphRoutes(emulator)
    blueprint = Blueprint("graph", __name__, url_prefix="/<any(instagram, facebook):flavour>")
    add = blueprint.add_url_rule
    add("/refresh_access_token", view_func=routes.refresh, methods=["GET"])
    add("/<version>/oauth/access_token", view_func=routes.exchange, methods=["GET"])
    add("/<version>/me", view_func=routes.me, methods=["GET"])
    add("/<version>/me/permissions", view_func=routes.permissions, methods=["GET"])
    add("/<version>/<node_id>", view_func=routes.node, methods=["GET"])
    add("/<version>/<node_id>/media", view_func=routes.create_container, methods=["POST"])
    add("/<version>/<node_id>/media", view_func=routes.recent_media, methods=["GET"])
    add("/<version>/<node_id>/media_publish", view_func=routes.publish, methods=["POST"])
    add("/<version>/<node_id>/content_publishing_limit", view_func=routes.quota, methods=["GET"])
    add("/", view_func=routes.unknown, methods=METHODS, defaults={"rest": ""})
    add("/<path:rest>", view_func=routes.unknown, methods=METHODS)
    return blueprint


class GraphRoutes:
    """One method per call: it names the call and joins the route to the platform's rule."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def create_container(self, flavour: Flavour, version: str, node_id: str) -> Response:
        return self._user_call("create_container", flavour, version, node_id, publishing.create_container)

    def publish(self, flavour: Flavour, version: str, node_id: str) -> Response:
        return self._user_call("media_publish", flavour, version, node_id, publishing.publish)

    def quota(self, flavour: Flavour, version: str, node_id: str) -> Response:
        return self._user_call("quota", flavour, version, node_id, publishing.publishing_limit)

    def recent_media(self, flavour: Flavour, version: str, node_id: str) -> Response:
        return self._user_call("recent_media", flavour, version, node_id, reading.recent_media)

    def me(self, flavour: Flavour, version: str) -> Response:
        def effect(state: EmulatorState, graph: GraphRequest) -> dict[str, Any]:
            return reading.me(state, _account(state, graph, version), graph)

        return self._serve("me", flavour, None, effect)

    def permissions(self, flavour: Flavour, version: str) -> Response:
        def effect(state: EmulatorState, graph: GraphRequest) -> dict[str, Any]:
            _account(state, graph, version)
            return reading.permissions(graph)

        return self._serve("permissions", flavour, None, effect)

    def node(self, flavour: Flavour, version: str, node_id: str) -> Response:
        """A bare id: a container, a media or the account. An unknown one is named for the fields asked of it."""
        state = self._emulator.state
        with state.lock:
            is_account, is_media = node_id in state.accounts, node_id in state.posts
            is_container = node_id in state.containers
        if is_account:
            return self._user_call("me", flavour, version, node_id, reading.me)
        asks_status = "status_code" in request.args.get("fields", "")
        rule = publishing.container_status if is_container or (asks_status and not is_media) else reading.one_media

        def effect(state: EmulatorState, graph: GraphRequest) -> dict[str, Any]:
            return rule(state, _account(state, graph, version), node_id, graph)

        name: CallName = "container_status" if rule is publishing.container_status else "get_media"
        return self._serve(name, flavour, node_id, effect)

    def refresh(self, flavour: Flavour) -> Response:
        def effect(state: EmulatorState, graph: GraphRequest) -> dict[str, Any]:
            if flavour != "instagram":
                raise errors.unknown_path(graph.path)
            return access.refresh_token(state, graph)

        return self._serve("refresh", flavour, None, effect)

    def exchange(self, flavour: Flavour, version: str) -> Response:
        def effect(state: EmulatorState, graph: GraphRequest) -> dict[str, Any]:
            if flavour != "facebook":
                raise errors.unknown_path(graph.path)
            _check_version(state, graph, version)
            return access.exchange_token(state, graph)

        return self._serve("refresh", flavour, None, effect)

    def unknown(self, flavour: Flavour, **_rest: str) -> Response:
        def effect(_state: EmulatorState, graph: GraphRequest) -> dict[str, Any]:
            raise errors.unknown_path(graph.path)

        return self._serve("unknown", flavour, None, effect)

    def _user_call(
        self,
        name: CallName,
        flavour: Flavour,
        version: str,
        ig_user_id: str,
        rule: Callable[[EmulatorState, Account, GraphRequest], dict[str, Any]],
    ) -> Response:
        def effect(state: EmulatorState, graph: GraphRequest) -> dict[str, Any]:
            account = _account(state, graph, version)
            if account.ig_user_id != ig_user_id:
                raise errors.not_found(graph.method, ig_user_id)
            return rule(state, account, graph)

        return self._serve(name, flavour, ig_user_id, effect)

    def _serve(self, name: CallName, flavour: Flavour, node_id: str | None, effect: Effect) -> Response:
        """Record the call, let the platform's rule answer it, and hand the answer to the fault that meets it."""
        state = self._emulator.state
        graph = read_graph_request(request, flavour, self._emulator.public_url or request.host_url.rstrip("/"))
        token = graph.token or graph.parameters.get("fb_exchange_token", "")
        with state.lock:
            caller = state.tokens.get(token)
            ig_user_id = (node_id and state.owner_of(node_id)) or (caller.ig_user_id if caller else None)
            number = state.record_call(name, graph, ig_user_id)
            fault = state.faults.take(name, ig_user_id)
        if fault is None or fault.when == "after":
            answer = _answer(effect, state, graph)
        else:
            answer = Answer.of_failure(SERVICE_DOWN)
        response = plain_response(answer) if fault is None else spoiled_response(answer, fault)
        with state.lock:
            if fault is None or fault.kind != "body":
                failure = (fault.failure if fault else None) or answer.failure
                response.headers.update(usage_headers(state, ig_user_id, failure))
            state.finish_call(number, response.status_code, fault)
        if fault is not None and fault.kind not in ("error", "body"):
            request.environ[SLOT_KEY].fault = fault
        return response


def _account(state: EmulatorState, graph: GraphRequest, version: str) -> Account:
    _check_version(state, graph, version)
    with state.lock:
        return access.holder(state, graph)


def _check_version(state: EmulatorState, graph: GraphRequest, version: str) -> None:
    if version not in state.settings.versions:
        raise errors.unknown_path(graph.path)


def _answer(effect: Effect, state: EmulatorState, graph: GraphRequest) -> Answer:
    try:
        return Answer(HTTPStatus.OK, effect(state, graph))
    except GraphError as error:
        return Answer.of_failure(error.failure)
