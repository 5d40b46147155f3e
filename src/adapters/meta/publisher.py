"""The publisher: each step of content publishing as one call, its answer checked, its failure turned into a fault."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from adapters.meta.answers import id_of, permalink_of, published_at_of, repeatable
from adapters.meta.errors import Phase, fault_of, fault_of_status
from adapters.meta.graph import CallFailedError, CredentialSource, GraphClient, GraphHosts, GraphRefusalError
from domain.faults import Retry, Unresolved
from domain.ids import ContainerId, MediaId
from domain.personas import Persona
from domain.ports import ContainerStatus, RecentMedia

_RECENT: Final = "25"
_MOST: Final = 1_000_000  # posts in a day: more is no quota


class MetaPublisher:
    """Implements ``domain.ports.Publisher``. Only ``publish`` makes something live, and it never repeats a request."""

    def __init__(self, hosts: GraphHosts, credentials: CredentialSource) -> None:
        self._graph = GraphClient(hosts, credentials)

    def create_container(
        self, persona: Persona, image_url: str, caption: str, alt_text: str | None, *, within: timedelta
    ) -> ContainerId:
        fields = {"image_url": image_url, "caption": caption} | ({"alt_text": alt_text} if alt_text else {})
        answer = self._repeatable("POST", persona, f"{persona.instagram_user_id}/media", fields, within)
        container_id = id_of(answer)
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
        media_id = id_of(answer)
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

    def quota_left(self, persona: Persona, *, within: timedelta) -> int:
        fields = {"fields": "config,quota_usage"}
        path = f"{persona.instagram_user_id}/content_publishing_limit"
        answer = self._repeatable("GET", persona, path, fields, within)
        entries = answer.get("data")
        entry = entries[0] if isinstance(entries, list) and entries else None
        used = _count(entry, "quota_usage")
        total = _count(entry.get("config"), "quota_total") if isinstance(entry, dict) else None
        if used is None or total is None:
            raise Retry("Instagram did not tell what is left of the publishing quota.")
        return max(0, total - used)

    def permalink(self, persona: Persona, media_id: MediaId, *, within: timedelta) -> str:
        answer = self._repeatable("GET", persona, media_id, {"fields": "id,permalink,timestamp,media_type"}, within)
        permalink = permalink_of(answer)
        if permalink is None:
            raise Retry("Instagram told no permalink.")
        return permalink

    def _repeatable(
        self, method: str, persona: Persona, path: str, fields: Mapping[str, str], within: timedelta
    ) -> Mapping[str, Any]:
        return repeatable(self._graph, method, persona, path, fields, within)


def _count(members: object, name: str) -> int | None:
    value = members.get(name) if isinstance(members, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST else None


def _recent(entry: object) -> RecentMedia | None:
    """One entry of the list; None for one that cannot be told apart by, which is no reason to lose the others."""
    if not isinstance(entry, dict):
        return None
    media_id, published_at = id_of(entry), published_at_of(entry)
    if media_id is None or published_at is None:
        return None
    media_type, caption = entry.get("media_type"), entry.get("caption")
    return RecentMedia(
        media_id=MediaId(media_id),
        caption=caption if isinstance(caption, str) else "",
        media_type=media_type if isinstance(media_type, str) else "",
        published_at=published_at,
        permalink=permalink_of(entry),
    )
