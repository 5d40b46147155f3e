"""The platform's rules for reading: the account itself, its recent media, and one media."""

import base64
import binascii
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from local.instagram import errors
from local.instagram.graph_request import GraphRequest
from local.instagram.records import Account, LivePost
from local.instagram.state import EmulatorState

DEFAULT_LIMIT, MAX_LIMIT = 25, 100
FACEBOOK_PERMISSIONS = ("instagram_basic", "instagram_content_publish", "pages_read_engagement")
TIMESTAMP = "%Y-%m-%dT%H:%M:%S+0000"


def me(state: EmulatorState, account: Account, request: GraphRequest) -> dict[str, Any]:
    """Answer `GET /me` and `GET /{ig-user-id}`.

    With Instagram Login the `id` of /me is scoped to the app and useless for publishing: `user_id` is the one that
    publishes. On the Facebook host /me is a person, and the account has neither `user_id` nor `account_type`.
    """
    on_facebook, is_me = request.flavour == "facebook", request.path.endswith("/me")
    if on_facebook and is_me:
        person = {"id": f"1{account.ig_user_id}", "name": f"Owner of {account.username}"}
        return _chosen(person, request.fields("id", "name"), "User")
    with state.lock:
        posts, shape = len(state.posts_of(account.ig_user_id)), state.settings.me_shape
    members = {
        "id": f"2{account.ig_user_id}" if is_me else account.ig_user_id,
        "username": account.username,
        "name": account.username,
        "media_count": posts,
    }
    if not on_facebook:
        members |= {"user_id": account.ig_user_id, "account_type": "BUSINESS"}
    chosen = _chosen(members, (*request.fields("id"), "id"), "IGUser")
    return {"data": [chosen]} if is_me and shape == "data" else chosen


def permissions(request: GraphRequest) -> dict[str, Any]:
    """Answer `GET /me/permissions`, which the Facebook host alone has. Every permission is granted."""
    if request.flavour != "facebook":
        raise errors.unknown_path(request.path)
    return {"data": [{"permission": name, "status": "granted"} for name in FACEBOOK_PERMISSIONS]}


def recent_media(state: EmulatorState, account: Account, request: GraphRequest) -> dict[str, Any]:
    """Answer `GET /{ig-user-id}/media`, newest first. `paging.next` carries the token, as Instagram's does."""
    limit = _limit(request.parameters.get("limit"))
    fields = (*request.fields("id"), "id")
    with state.lock:
        visible_until = state.clock.now() - timedelta(seconds=state.settings.recent_media_lag_seconds)
        posts = [post for post in state.posts_of(account.ig_user_id) if post.posted_at <= visible_until]
    start = _place_after(posts, request.parameters.get("after"))
    page = posts[start : start + limit]
    data = [_chosen(_members(account, post, request.base_url), fields, "IGMedia") for post in page]
    if not page:
        return {"data": data}
    paging: dict[str, Any] = {"cursors": {"before": _cursor(page[0]), "after": _cursor(page[-1])}}
    if start + limit < len(posts):
        paging["next"] = _next_url(request, fields[:-1], limit, paging["cursors"]["after"])
    return {"data": data, "paging": paging}


def one_media(state: EmulatorState, account: Account, media_id: str, request: GraphRequest) -> dict[str, Any]:
    """Answer `GET /{media-id}`."""
    with state.lock:
        post = state.posts.get(media_id)
    if post is None or post.ig_user_id != account.ig_user_id:
        raise errors.not_found(request.method, media_id)
    return _chosen(_members(account, post, request.base_url), (*request.fields("id"), "id"), "IGMedia")


def _members(account: Account, post: LivePost, base_url: str) -> dict[str, Any]:
    return {
        "id": post.media_id,
        "caption": post.caption or None,
        "alt_text": post.alt_text or None,
        "media_type": "IMAGE",
        "media_product_type": "FEED",
        "children": None,  # an album has them; there are none here
        "media_url": f"{base_url}/_emulator/media/{post.media_id}.jpg",
        "permalink": f"{base_url}/p/{post.shortcode}/",
        "shortcode": post.shortcode,
        "timestamp": post.posted_at.strftime(TIMESTAMP),
        "username": account.username,
        "owner": {"id": account.ig_user_id},
        "like_count": 0,
        "comments_count": 0,
    }


def _chosen(members: dict[str, Any], fields: Sequence[str], node_type: str) -> dict[str, Any]:
    """Return the fields that were asked for; one without a value is left out, one unknown raises GraphError 100."""
    names = [field.partition("{")[0] for field in fields]
    expanded = [name for field in fields for name in field.partition("{")[2].removesuffix("}").split(",") if name]
    for name in (*names, *expanded):
        if name not in members:
            raise errors.unknown_field(name, node_type)
    return {name: members[name] for name in names if members[name] is not None}


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isdecimal() or int(text) == 0:
        raise errors.bad_parameter("Param limit must be a number greater than 0")
    return min(int(text), MAX_LIMIT)


def _cursor(post: LivePost) -> str:
    return base64.urlsafe_b64encode(f"media:{post.media_id}".encode()).decode()


def _place_after(posts: Sequence[LivePost], cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        media_id = base64.urlsafe_b64decode(cursor).decode("ascii").removeprefix("media:")
    except (binascii.Error, ValueError) as error:
        raise errors.bad_parameter("Invalid cursor") from error
    for place, post in enumerate(posts):
        if post.media_id == media_id:
            return place + 1
    raise errors.bad_parameter("Invalid cursor")


def _next_url(request: GraphRequest, fields: Sequence[str], limit: int, after: str) -> str:
    query = urlencode({"access_token": request.token, "fields": ",".join(fields), "limit": limit, "after": after})
    return f"{request.base_url}{request.path}?{query}"
