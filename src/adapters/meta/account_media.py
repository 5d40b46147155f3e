"""The account's media by Meta's Graph API, and their pictures from its CDN."""

import ipaddress
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from adapters.meta.answers import id_of, permalink_of, published_at_of, repeatable
from adapters.meta.graph import (
    CONNECT_TIMEOUT,
    CallFailedError,
    CredentialSource,
    GraphClient,
    GraphHosts,
    StraightSession,
    ends_within,
)
from domain.account_media import LiveMedia, MediaPage, PictureUnavailableError
from domain.faults import Retry
from domain.ids import MediaId
from domain.personas import Persona

LARGEST_PICTURE: Final = 20_000_000
"""Bytes. Instagram serves its own JPEG of at most 1440 pixels of width, well below 2 MB."""

# A page of albums with 20 pictures each, whose addresses have some 700 characters, stays well below LARGEST_ANSWER.
_PAGE: Final = "25"
_FIELDS: Final = "id,media_type,media_url,permalink,timestamp,children{id,media_type,media_url}"
_LONGEST_ADDRESS: Final = 4096
_LONGEST_CURSOR: Final = 1024

_CHUNK: Final = 64 * 1024
_GRACE: Final = 0.5  # seconds, so that a socket's own time-out comes first
_TRY_AGAIN: Final = frozenset({408, 425, 429})


class MetaAccountMedia:
    """Implements ``domain.account_media.AccountMedia``."""

    def __init__(self, hosts: GraphHosts, credentials: CredentialSource) -> None:
        self._graph = GraphClient(hosts, credentials)

    def page(self, persona: Persona, after: str | None, *, within: timedelta) -> MediaPage:
        fields = {"fields": _FIELDS, "limit": _PAGE} | ({"after": after} if after is not None else {})
        answer = repeatable(self._graph, "GET", persona, f"{persona.instagram_user_id}/media", fields, within)
        entries = answer.get("data")
        if not isinstance(entries, list):
            raise Retry("Instagram listed the account's media without a list.")
        return MediaPage([media for media in map(_media, entries) if media is not None], _cursor(answer))


def _cursor(answer: Mapping[str, Any]) -> str | None:
    """Where the next page begins, if there is one. ``paging.next`` is an address with the token: it is never used."""
    paging = answer.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not isinstance(after, str) or not 0 < len(after) <= _LONGEST_CURSOR:
        raise Retry("Instagram has more media, and does not tell where they begin.")
    return after


def _media(entry: object) -> LiveMedia | None:
    """None for an entry without an id, which is no reason to lose the others."""
    if not isinstance(entry, dict) or (media_id := id_of(entry)) is None:
        return None
    parts = [entry]
    if entry.get("media_type") == "CAROUSEL_ALBUM":
        children = entry.get("children")
        listed = children.get("data") if isinstance(children, dict) else None
        # An album whose parts are not told is one picture that cannot be had.
        parts = [part for part in listed if isinstance(part, dict)] if isinstance(listed, list) else [{}]
    pictures = [part for part in parts if _is_picture(part)]
    return LiveMedia(
        media_id=MediaId(media_id),
        addresses=tuple(map(_address, pictures)),
        others=len(parts) - len(pictures),
        permalink=permalink_of(entry),
        published_at=published_at_of(entry),
    )


def _is_picture(part: Mapping[str, Any]) -> bool:
    return part.get("media_type") in {None, "IMAGE"}


def _address(part: Mapping[str, Any]) -> str | None:
    value = part.get("media_url")
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_ADDRESS else None


class CdnPictures:
    """Implements ``domain.account_media.LivePictures``. Nothing of ours is sent along: no token, cookie or sign-in."""

    def __init__(self) -> None:
        self._session = StraightSession()
        # No .netrc, which would send a password to whoever the address names, and no proxy.
        self._session.trust_env = False
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=0))
        self._session.headers["Accept-Encoding"] = "identity"

    def fetch(self, address: str, *, within: timedelta) -> bytes:
        if not _is_safe(address):
            raise PictureUnavailableError("Instagram told an address that is not fetched from: it is not https.")
        seconds = max(within.total_seconds(), 1.0)
        give_up_at = time.monotonic() + seconds

        def exchange() -> bytes:
            with self._session.get(
                address,
                timeout=(min(CONNECT_TIMEOUT, seconds), seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                _check(response.status_code)
                return _read(response, give_up_at)

        try:
            return ends_within(seconds + _GRACE, exchange)
        except CallFailedError:
            failure: Exception = Retry("The picture did not come in time.")
        except (requests.exceptions.InvalidURL, UnicodeError):
            failure = PictureUnavailableError("Instagram told an address that is none.")
        except (requests.RequestException, HTTPError) as error:
            failure = Retry(f"The picture could not be fetched ({type(error).__name__}).")
        # Raised out here: the library's exception quotes the address.
        raise failure


def _is_safe(address: str) -> bool:
    """Whether it is https; or http on this very machine, as Instagram's emulator has it."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or not address.isascii() or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check(status: int) -> None:
    """Only 200 has the picture. A redirect leads to somebody who was not asked for it."""
    if status == 200:
        return
    if status >= 500 or status in _TRY_AGAIN:
        raise Retry(f"The picture could not be fetched (HTTP {status}).")
    raise PictureUnavailableError(f"The picture's address answers HTTP {status}.")


def _read(response: requests.Response, give_up_at: float) -> bytes:
    body = bytearray()
    # What has arrived, and not a whole chunk: an answer that drips must not outlast its time. Packed ones stay packed.
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > LARGEST_PICTURE:
            raise PictureUnavailableError(f"The picture has more than {LARGEST_PICTURE // 1_000_000} MB.")
        if time.monotonic() > give_up_at:
            raise Retry("The picture did not come in time.")
    return bytes(body)
