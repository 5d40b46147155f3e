"""What can be configured about the emulated platform."""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self

# The versions that Meta still served in October 2026 (instagram-api.md, "Hosts, versions, identity").
SERVED_VERSIONS = ("v22.0", "v23.0", "v24.0", "v25.0", "v26.0")


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """Defaults are Instagram's, except where its behaviour is unknown: there they are the worst case for a client."""

    processing_seconds: float = 1.0
    """How long a container stays IN_PROGRESS, by the emulator's clock."""

    processing_polls: int | None = None
    """If set, a container is IN_PROGRESS for this many status reads, whatever the time."""

    second_publish: Literal["stack", "refuse"] = "stack"
    """Publishing a published container: `stack` makes a second live post, `refuse` answers 24/2207008."""

    quota_total: int = 50
    """Publishes per account in rolling 24 hours."""

    container_quota: int = 400
    """Containers per account in rolling 24 hours."""

    recent_media_lag_seconds: float = 0.0
    """How long a new post is missing from the list of recent media. Reading it by its id works at once."""

    me_shape: Literal["flat", "data"] = "flat"
    """Both `{…}` and `{"data": [{…}]}` are seen as the answer to /me."""

    refresh_revokes_old_token: bool = False
    """Whether the token that was refreshed dies at once, or lives until its own expiry."""

    regain_minutes: int = 30
    """`estimated_time_to_regain_access` of a throttled answer that names no other."""

    versions: tuple[str, ...] = SERVED_VERSIONS
    """Versions that are served; any other, or none, is an error."""

    fetch_seconds: float = 10.0
    """Longest time that fetching an image may take, in real seconds."""

    def changed(self, changes: dict[str, Any]) -> Self:
        """Return these settings with `changes`; an unknown name raises ValueError."""
        unknown = changes.keys() - {field.name for field in fields(self)}
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        if "versions" in changes:
            changes = {**changes, "versions": tuple(changes["versions"])}
        return replace(self, **changes)
