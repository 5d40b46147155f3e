"""Reads one HTTP request as a Graph API call: parameters from query and body, and the token with its place."""

import re
from dataclasses import dataclass, field
from typing import Literal

from flask import Request

from local.instagram import errors
from local.instagram.calls import TokenPlace

# Not the commas of a field expansion, as in children{id,media_type}.
_COMMA = re.compile(r",(?![^{]*})")

Flavour = Literal["instagram", "facebook"]


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """A call as the rules see it. `parameters` joins query and body; a body's value wins."""

    flavour: Flavour
    method: str
    path: str
    base_url: str
    parameters: dict[str, str] = field(repr=False)
    query: dict[str, str] = field(repr=False)
    token: str | None = field(repr=False)
    token_in: TokenPlace | None

    def fields(self, *default: str) -> tuple[str, ...]:
        """Return the names in the parameter `fields`, or the default. One with fields of its own stays in one piece."""
        asked = _COMMA.split(self.parameters.get("fields", ""))
        return tuple(name.strip() for name in asked if name.strip()) or default

    def required(self, name: str) -> str:
        """Return a parameter that may not be missing or empty. Raises GraphError 100."""
        value = self.parameters.get(name, "")
        if not value:
            raise errors.bad_parameter(f"The parameter {name} is required")
        return value


def read_graph_request(request: Request, flavour: Flavour, base_url: str) -> GraphRequest:
    """Read the request. A body that is neither a form nor a JSON object counts as empty."""
    query = request.args.to_dict()
    body = _body(request)
    header = request.headers.get("Authorization", "")
    token: str | None = None
    token_in: TokenPlace | None = None
    if header.startswith("Bearer "):
        token, token_in = header.removeprefix("Bearer ").strip(), "header"
    elif "access_token" in query:
        token, token_in = query["access_token"], "query"
    elif "access_token" in body:
        token, token_in = body["access_token"], "body"
    return GraphRequest(flavour, request.method, request.path, base_url, {**query, **body}, query, token, token_in)


def _body(request: Request) -> dict[str, str]:
    if not request.is_json:
        return request.form.to_dict()
    members = request.get_json(silent=True)
    if not isinstance(members, dict):
        return {}
    return {name: value if isinstance(value, str) else str(value) for name, value in members.items()}
