"""Turns what the rules answered into an HTTP response: with usage headers, and spoiled by a fault if one is due."""

import json
from dataclasses import dataclass
from typing import Any, Self, cast

from flask import Response

from local.instagram.errors import GraphFailure
from local.instagram.faults import Fault
from local.instagram.state import EmulatorState

CALLS_PER_HOUR = 4800
"""What 100 percent in the usage headers stands for. Meta's own figure grows with an account's impressions."""

SERVICE_DOWN = GraphFailure("Service temporarily unavailable", 2, status=503, is_transient=True)
"""What is sent, as far as anything is, when a fault is due before the effect."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer before a fault touches it."""

    status: int
    body: dict[str, Any]
    failure: GraphFailure | None = None

    @classmethod
    def of_failure(cls, failure: GraphFailure) -> Self:
        return cls(failure.status, failure.body(), failure)


def spoiled_response(answer: Answer, fault: Fault) -> Response:
    """Return what the fault leaves of the answer, as far as HTTP can express it."""
    if fault.kind == "error":
        return plain_response(Answer.of_failure(cast("GraphFailure", fault.failure)))
    if fault.kind == "body":
        response = Response(fault.payload, fault.status)
        response.headers.remove("Content-Type")
        response.headers.extend(fault.headers)
        return response
    return plain_response(answer)


def plain_response(answer: Answer) -> Response:
    """Return the answer as it is meant."""
    return Response(
        json.dumps(answer.body, separators=(",", ":")), answer.status, content_type="application/json; charset=UTF-8"
    )


def usage_headers(state: EmulatorState, ig_user_id: str | None, failure: GraphFailure | None) -> dict[str, str]:
    """Return the usage headers: percentages, and when throttled the minutes until calls are allowed again."""
    activity = state.activity.get(ig_user_id or "")
    percent = min(100, activity.calls.count(state.clock.now()) * 100 // CALLS_PER_HOUR) if activity else 0
    throttled = failure is not None and failure.throttles
    percent = 100 if throttled else percent
    shares = {"call_count": percent, "total_cputime": percent, "total_time": percent}
    headers = {"X-App-Usage": json.dumps(shares)}
    if activity:
        minutes = (failure.regain_minutes or state.settings.regain_minutes) if failure and throttled else 0
        usage = {"type": "instagram", **shares, "estimated_time_to_regain_access": minutes}
        headers["X-Business-Use-Case-Usage"] = json.dumps({ig_user_id: [usage]})
    return headers
