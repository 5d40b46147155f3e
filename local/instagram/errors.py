"""The error answers of the Graph API, by name.

Codes and subcodes are those of the table "Errors" in instagram-api.md. Where that page leaves the numbers of a
condition open, the function says so.
"""

import secrets
from dataclasses import dataclass
from typing import Any

THROTTLE_CODES = frozenset({4, 17, 32, 341, 613, 80002})


@dataclass(frozen=True, slots=True)
class GraphFailure:
    """One error answer: HTTP status and the members of `{"error": …}`; a member that is None is left out."""

    message: str
    code: int
    subcode: int | None = None
    status: int = 400
    type: str = "OAuthException"
    is_transient: bool | None = False
    user_title: str | None = None
    user_message: str | None = None
    regain_minutes: int | None = None

    @property
    def throttles(self) -> bool:
        """Whether the usage headers of this answer carry `estimated_time_to_regain_access`.

        A throttle has no subcode: 4/2207051 is a block for spam.
        """
        return self.regain_minutes is not None or (self.code in THROTTLE_CODES and self.subcode is None)

    def body(self) -> dict[str, Any]:
        """Return the JSON body, with a fresh trace id."""
        members = {
            "message": self.message,
            "type": self.type,
            "code": self.code,
            "error_subcode": self.subcode,
            "is_transient": self.is_transient,
            "error_user_title": self.user_title,
            "error_user_msg": self.user_message,
            "fbtrace_id": "A" + secrets.token_urlsafe(16),
        }
        return {"error": {name: value for name, value in members.items() if value is not None}}


class GraphError(Exception):
    """A call that the platform answers with an error."""

    def __init__(self, failure: GraphFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _photo(code: int, subcode: int, title: str, message: str) -> GraphError:
    return GraphError(
        GraphFailure("The request was rejected.", code, subcode, user_title=title, user_message=message),
    )


def unknown_path(path: str) -> GraphError:
    """Unknown version or path. The code 2500 is Meta's for any path that it cannot resolve."""
    return GraphError(GraphFailure(f"Unknown path components: {path}", 2500))


def token_missing() -> GraphError:
    return GraphError(GraphFailure("An access token is required to request this resource.", 190))


def token_invalid() -> GraphError:
    return GraphError(GraphFailure("Invalid OAuth access token - Cannot parse access token", 190))


def token_expired(expired_at: str) -> GraphError:
    return GraphError(GraphFailure(f"Error validating access token: Session has expired on {expired_at}.", 190, 463))


def token_too_young() -> GraphError:
    """A refresh before the token is 24 hours old. Meta documents the rule, not the code; 100 is our guess."""
    return GraphError(GraphFailure("(#100) The access token must be at least 24 hours old to be refreshed.", 100))


def proof_missing() -> GraphError:
    message = "API calls from the server require an appsecret_proof argument"
    return GraphError(GraphFailure(message, 100, type="GraphMethodException"))


def proof_wrong() -> GraphError:
    message = "Invalid appsecret_proof provided in the API argument"
    return GraphError(GraphFailure(message, 100, type="GraphMethodException"))


def client_invalid(message: str) -> GraphError:
    """An exchange with the wrong app id or app secret."""
    return GraphError(GraphFailure(message, 101))


def not_found(method: str, object_id: str) -> GraphError:
    message = (
        f"Unsupported {method.lower()} request. Object with ID '{object_id}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation."
    )
    return GraphError(GraphFailure(message, 100, 33, type="GraphMethodException"))


def bad_parameter(message: str, subcode: int | None = None) -> GraphError:
    return GraphError(GraphFailure(f"(#100) {message}", 100, subcode))


def unknown_field(field: str, node_type: str) -> GraphError:
    return bad_parameter(f"Tried accessing nonexisting field ({field}) on node type ({node_type})")


def fetch_failed() -> GraphError:
    return _photo(
        9004,
        2207052,
        "Media upload has failed",
        "The media could not be fetched from this URI. Only photo or video can be accepted as media type.",
    )


def fetch_timed_out() -> GraphError:
    return _photo(-2, 2207003, "Timeout", "It takes too long to download the media.")


def picture_too_large(size: int) -> GraphError:
    return _photo(36000, 2207004, "Image size too large", f"The image is too large to download: over {size} bytes.")


def picture_format() -> GraphError:
    return _photo(36001, 2207005, "Image format not supported", "The image format is not supported. Use JPEG.")


def picture_ratio(width: int, height: int) -> GraphError:
    message = f"The submitted image with aspect ratio {width}:{height} cannot be published: 4:5 to 1.91:1 is supported."
    return _photo(36003, 2207009, "Invalid aspect ratio", message)


def caption_too_long(what: str) -> GraphError:
    """Over 2200 characters. Also given for over 30 hashtags, whose own numbers are not documented."""
    return _photo(36004, 2207010, "Caption is too long", f"The caption was too long: {what}.")


def too_many_mentions() -> GraphError:
    return _photo(100, 2207040, "Too many tags", "Cannot use more than 20 tags per created media.")


def too_many_containers(regain_minutes: int) -> GraphError:
    """Over 400 containers in 24 hours. Its numbers are not documented: answered as the Instagram throttle."""
    message = "(#80002) There have been too many calls to this Instagram account."
    return GraphError(GraphFailure(message, 80002, status=403, regain_minutes=regain_minutes))


def publish_quota_used(regain_minutes: int) -> GraphError:
    return GraphError(
        GraphFailure(
            "Application request limit reached",
            9,
            2207042,
            status=403,
            user_title="The user has reached the publishing limit",
            user_message="You reached the maximum number of posts that may be published by Content Publishing API.",
            regain_minutes=regain_minutes,
        )
    )


def container_gone(container_id: str) -> GraphError:
    message = f"The media builder with creation id = {container_id} does not exist or has been expired."
    return _photo(24, 2207008, "Media builder expired", message)


def not_ready() -> GraphError:
    message = "The media is not ready for publishing, please wait for a moment"
    return GraphError(
        GraphFailure("Media ID is not available", 9007, 2207027, user_title="Not ready", user_message=message),
    )
