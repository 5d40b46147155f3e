"""The platform's rules for publishing: containers, their status, publishing them, and the quota."""

from typing import Any

from local.instagram import errors
from local.instagram.activity import DAY
from local.instagram.captions import check_alt_text, check_caption
from local.instagram.graph_request import GraphRequest
from local.instagram.pictures import fetch_picture
from local.instagram.records import Account, Container
from local.instagram.state import EmulatorState

STATUS_TEXTS = {
    "IN_PROGRESS": "In Progress: Media is still being processed.",
    "FINISHED": "Finished: Media has been uploaded and it is ready to be published.",
    "PUBLISHED": "Published: Media has been successfully published.",
    "EXPIRED": "Expired: The container was not published within 24 hours.",
}


def create_container(state: EmulatorState, account: Account, request: GraphRequest) -> dict[str, Any]:
    """Answer `POST /{ig-user-id}/media`. The image is fetched while other calls go on: without the lock."""
    caption, alt_text = request.parameters.get("caption", ""), request.parameters.get("alt_text", "")
    if "media_type" in request.parameters:
        raise errors.bad_parameter("media_type must be omitted for a single image", 2207023)
    image_url = request.required("image_url")
    check_caption(caption)
    check_alt_text(alt_text)
    with state.lock:
        state.check_container_allowance(account.ig_user_id)
        seconds = state.settings.fetch_seconds
    picture = fetch_picture(image_url, seconds)
    with state.lock:
        state.check_container_allowance(account.ig_user_id)
        container = state.add_container(account.ig_user_id, image_url, caption, alt_text, picture)
    return {"id": container.container_id}


def container_status(
    state: EmulatorState, account: Account, container_id: str, request: GraphRequest
) -> dict[str, Any]:
    """Answer `GET /{container-id}`."""
    with state.lock:
        container = _own_container(state, account, container_id)
        if container is None:
            raise errors.not_found(request.method, container_id)
        code = container.status_code(state.clock.now())
        state.poll_container(container)
    text = STATUS_TEXTS.get(code)
    members = {
        "id": container.container_id,
        "status_code": code,
        "status": text or f"Error: Media upload has failed with error code {container.failure_subcode}",
    }
    asked = request.fields("id")
    for field in asked:
        if field not in members:
            raise errors.unknown_field(field, "IGContainer")
    return {field: members[field] for field in dict.fromkeys((*asked, "id"))}


def publish(state: EmulatorState, account: Account, request: GraphRequest) -> dict[str, Any]:
    """Answer `POST /{ig-user-id}/media_publish`.

    A container that is published already gives a second live post, unless `second_publish` is `refuse`: which of
    the two Instagram does is unknown (instagram-api.md, "Container lifecycle").
    """
    container_id = request.required("creation_id")
    with state.lock:
        now = state.clock.now()
        container = _own_container(state, account, container_id)
        if container is None or container.outlived(now):
            raise errors.container_gone(container_id)
        match container.status_code(now):
            case "EXPIRED":
                raise errors.container_gone(container_id)
            case "IN_PROGRESS" | "ERROR":
                raise errors.not_ready()
            case "PUBLISHED" if state.settings.second_publish == "refuse":
                raise errors.container_gone(container_id)
        minutes = state.minutes_until_publish(account)
        if minutes is not None:
            raise errors.publish_quota_used(minutes)
        return {"id": state.publish(container).media_id}


def publishing_limit(state: EmulatorState, account: Account, request: GraphRequest) -> dict[str, Any]:
    """Answer `GET /{ig-user-id}/content_publishing_limit`."""
    with state.lock:
        used = state.activity[account.ig_user_id].publishes.count(state.clock.now())
        config = {"quota_total": state.quota_of(account), "quota_duration": int(DAY.total_seconds())}
    members: dict[str, Any] = {"quota_usage": used, "config": config}
    asked = request.fields("quota_usage")
    for field in asked:
        if field not in members:
            raise errors.unknown_field(field, "ContentPublishingLimit")
    return {"data": [{field: members[field] for field in asked}]}


def _own_container(state: EmulatorState, account: Account, container_id: str) -> Container | None:
    container = state.containers.get(container_id)
    return container if container and container.ig_user_id == account.ig_user_id else None
