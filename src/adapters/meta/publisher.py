"""The publisher: each step of content publishing as one call, its answer checked, its failure turned into a fault."""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.meta.errors import TOKEN_CODES, Phase, fault_of, fault_of_status
from adapters.meta.graph import CallFailedError, CredentialSource, GraphClient, GraphHosts, GraphRefusalError
from domain.faults import AccountFault, PhotoFault, Retry, Unresolved
from domain.ids import ContainerId, MediaId
from domain.personas import Persona
from domain.ports import ContainerStatus, RecentMedia

_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_RECENT: Final = "25"
_TIME_TO_REPEAT: Final = timedelta(seconds=2)


class MetaPublisher:
    """Implements ``domain.ports.Publisher``. Only ``publish`` makes something live, and it never repeats a request."""

    def __init__(self, hosts: GraphHosts, credentials: CredentialSource) -> None:
        self._graph = GraphClient(hosts, credentials)

    def create_container(
        self, persona: Persona, image_url: str, caption: str, alt_text: str | None, *, within: timedelta
    ) -> ContainerId:
        fields = {"image_url": image_url, "caption": caption} | ({"alt_text": alt_text} if alt_text else {})
        answer = self._repeatable("POST", persona, f"{persona.instagram_user_id}/media", fields, within)
        container_id = _id(answer)
        if container_id is None:
            raise Retry("Instagram created a container without telling its id.")
        return ContainerId(container_id)

    def container_status(self, persona: Persona, container_id: ContainerId, *, within: timedelta) -> ContainerStatus:
        answer = self._repeatable("GET", persona, container_id, {"fields": "status_code,status,id"}, within)
        code, text = answer.get("status_code"), answer.get("status")
        if code == "ERROR":
            raise fault_of_status(text if isinstance(text, str) else "")
        try:
            return ContainerStatus(code)
        except ValueError:
            raise Retry("Instagram told a container status that we do not know.") from None

    def publish(self, persona: Persona, container_id: ContainerId, *, within: timedelta) -> MediaId:
        try:
            answer = self._graph.post(
                persona, f"{persona.instagram_user_id}/media_publish", {"creation_id": container_id}, within=within
            )
        except GraphRefusalError as refusal:
            if refusal.is_server_error:
                error = refusal.error
                text = f"Instagram answered the publish request with a server error (code {error.code})."
                raise Unresolved(text, code=error.code, subcode=error.subcode) from None
            raise fault_of(refusal.error, Phase.PUBLISH) from None
        except CallFailedError as failure:
            if failure.provably_not_sent:
                raise Retry(f"{failure.reason}: the publish request was not sent.") from None
            raise Unresolved(f"{failure.reason} to the publish request.") from None
        media_id = _id(answer)
        if media_id is None:
            raise Unresolved("Instagram answered the publish request without a media id.")
        return MediaId(media_id)

    def recent_media(self, persona: Persona, *, within: timedelta) -> Sequence[RecentMedia]:
        fields = {"fields": "id,caption,media_type,permalink,timestamp", "limit": _RECENT}
        answer = self._repeatable("GET", persona, f"{persona.instagram_user_id}/media", fields, within)
        entries = answer.get("data")
        if not isinstance(entries, list):
            raise Retry("Instagram listed the recent media without a list.")
        return [media for media in map(_recent, entries) if media is not None]

    def permalink(self, persona: Persona, media_id: MediaId, *, within: timedelta) -> str:
        answer = self._repeatable("GET", persona, media_id, {"fields": "id,permalink,timestamp,media_type"}, within)
        permalink = _permalink(answer)
        if permalink is None:
            raise Retry("Instagram told no permalink.")
        return permalink

    def _repeatable(
        self, method: str, persona: Persona, path: str, fields: Mapping[str, str], within: timedelta
    ) -> Mapping[str, Any]:
        """The answer of a call that does no harm twice.

        Once refused for its token it is repeated, if another one has been set since this one was read: a persona must
        not be paused for a token that its owner has just replaced.
        """
        call = self._graph.get if method == "GET" else self._graph.post
        give_up_at = time.monotonic() + within.total_seconds()
        try:
            try:
                return call(persona, path, fields, within=within)
            except GraphRefusalError as refusal:
                left = timedelta(seconds=give_up_at - time.monotonic())
                if refusal.error.code not in TOKEN_CODES or left < _TIME_TO_REPEAT:
                    raise
                if not self._graph.renew_credentials(persona):
                    raise
            return call(persona, path, fields, within=timedelta(seconds=give_up_at - time.monotonic()))
        except GraphRefusalError as refusal:
            fault = fault_of(refusal.error, Phase.CONTAINER)
            if refusal.is_server_error and isinstance(fault, PhotoFault | AccountFault):
                # An outage says nothing of the photo or the account, whatever code it comes with.
                raise Retry(fault.message, code=fault.code, subcode=fault.subcode) from None
            raise fault from None
        except CallFailedError as failure:
            raise Retry(f"{failure.reason}.") from None


def _id(answer: Mapping[str, Any]) -> str | None:
    """The answer's id, which is a string of limited length that is safe in a path; None for anything else."""
    value = answer.get("id")
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _permalink(entry: Mapping[str, Any]) -> str | None:
    value = entry.get("permalink")
    is_address = isinstance(value, str) and len(value) <= 500 and re.match(r"https?://", value) is not None
    return value if is_address else None


def _recent(entry: object) -> RecentMedia | None:
    """One entry of the list; None for one that cannot be told apart by, which is no reason to lose the others."""
    if not isinstance(entry, dict):
        return None
    media_id, timestamp, caption = _id(entry), entry.get("timestamp"), entry.get("caption")
    if media_id is None or not isinstance(timestamp, str):
        return None
    try:
        # Meta writes 2026-09-26T22:36:43+0000.
        published_at = datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    media_type = entry.get("media_type")
    return RecentMedia(
        media_id=MediaId(media_id),
        caption=caption if isinstance(caption, str) else "",
        media_type=media_type if isinstance(media_type, str) else "",
        published_at=published_at,
        permalink=_permalink(entry),
    )
