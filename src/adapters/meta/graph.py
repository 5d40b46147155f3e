"""One HTTP request to the Graph API: signed, bounded in time and size, and read into JSON or a named failure.

The token travels in the Authorization header and never in a URL, but for the two calls that Meta documents with the
token in the query alone: refresh and exchange. An exception of requests quotes the URL, whose query has them, or
``appsecret_proof`` on the Facebook host, so none is chained, logged or raised from here.
"""

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from adapters.meta.errors import GraphError
from domain.personas import Login, Persona
from domain.secret import Secret
from domain.tokens import Credentials

CONNECT_TIMEOUT: Final = 5.0  # seconds
LARGEST_ANSWER: Final = 1024 * 1024  # bytes; 25 media with full captions are a third of it

_GRACE: Final = 0.5  # seconds, so that a socket's own time-out comes first
_CHUNK: Final = 64 * 1024
_TRACE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
_LONGEST_BLOCK: Final = timedelta(hours=24)


T = TypeVar("T")


class CredentialSource(Protocol):
    def credentials(self, persona: Persona) -> Credentials:
        """Raises AccountFault when there are none, Defer when they cannot be read now."""
        ...

    def renew(self, persona: Persona) -> bool:
        """Forget what was remembered of them; True where others stand there now. Raises as ``credentials``."""
        ...


@dataclass(frozen=True, slots=True)
class GraphHosts:
    """The base addresses of both logins' hosts, without a version, and the one version that is spoken to both."""

    instagram: str
    facebook: str
    version: str

    def url(self, login: Login, path: str) -> str:
        return f"{self._base(login)}/{self.version}/{path}"

    def unversioned_url(self, login: Login, path: str) -> str:
        return f"{self._base(login)}/{path}"

    def _base(self, login: Login) -> str:
        return (self.instagram if login is Login.INSTAGRAM else self.facebook).rstrip("/")


class CallFailedError(Exception):
    """A request got no usable answer. ``provably_not_sent`` is True only where no byte of it can have left us."""

    def __init__(self, reason: str, *, provably_not_sent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.provably_not_sent = provably_not_sent


class GraphRefusalError(Exception):
    """The Graph API answered with an error of its own. ``is_server_error`` marks an HTTP 5xx, which proves nothing."""

    def __init__(self, error: GraphError, *, is_server_error: bool) -> None:
        super().__init__(f"code {error.code}, subcode {error.subcode}")
        self.error = error
        self.is_server_error = is_server_error


class GraphClient:
    """The Graph API for personas. Nothing is ever repeated here: what may be tried again is the driver's to say."""

    def __init__(self, hosts: GraphHosts, credentials: CredentialSource) -> None:
        self._credentials = credentials
        self._session = GraphSession(hosts)

    def get(self, persona: Persona, path: str, fields: Mapping[str, str], *, within: timedelta) -> Mapping[str, Any]:
        """The JSON object that a read answers. Raises as ``post`` does."""
        return self._call("GET", persona, path, fields, within)

    def post(self, persona: Persona, path: str, fields: Mapping[str, str], *, within: timedelta) -> Mapping[str, Any]:
        """The JSON object that a write answers. ``fields`` go in the body.

        Raises CallFailedError without a usable answer, GraphRefusalError for an error answer, and what
        ``CredentialSource`` raises.
        """
        return self._call("POST", persona, path, fields, within)

    def renew_credentials(self, persona: Persona) -> bool:
        """Whether a call that was refused for its token would now be signed by another one."""
        return self._credentials.renew(persona)

    def _call(
        self, method: str, persona: Persona, path: str, fields: Mapping[str, str], within: timedelta
    ) -> Mapping[str, Any]:
        credentials = self._credentials.credentials(persona)
        return self._session.call(method, persona.login, path, fields, credentials, within=within)


class GraphSession:
    """The way to both hosts, whosever the credentials are."""

    def __init__(self, hosts: GraphHosts) -> None:
        self._hosts = hosts
        self._session = StraightSession()
        # No retries at all: urllib3 must not send a publish request again, and the driver repeats what may be repeated.
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=0))
        # As it is, so that no small answer unpacks to gigabytes.
        self._session.headers["Accept-Encoding"] = "identity"

    def call(
        self,
        method: str,
        login: Login,
        path: str,
        fields: Mapping[str, str],
        credentials: Credentials,
        *,
        within: timedelta,
    ) -> Mapping[str, Any]:
        """The JSON object that a signed call answers. Raises CallFailedError and GraphRefusalError."""
        in_query = dict(fields) if method == "GET" else {}
        if login is Login.FACEBOOK and credentials.app_secret is not None:
            in_query["appsecret_proof"] = _proof(credentials.access_token, credentials.app_secret)
        in_body = dict(fields) if method == "POST" else None
        url, signature = self._hosts.url(login, path), _Bearer(credentials.access_token)
        return self._exchange(method, url, in_query, in_body, signature, within)

    def get_by_secret_query(
        self, login: Login, path: str, query: Mapping[str, str], *, versioned: bool, within: timedelta
    ) -> Mapping[str, Any]:
        """The JSON object of a read whose secrets Meta wants in ``query``. Raises as ``call``."""
        url = self._hosts.url(login, path) if versioned else self._hosts.unversioned_url(login, path)
        return self._exchange("GET", url, query, None, _Unsigned(), within)

    def _exchange(
        self,
        method: str,
        url: str,
        in_query: Mapping[str, str],
        in_body: Mapping[str, str] | None,
        signature: AuthBase,
        within: timedelta,
    ) -> Mapping[str, Any]:
        seconds = max(within.total_seconds(), 1.0)
        give_up_at = time.monotonic() + seconds

        def exchange() -> Mapping[str, Any]:
            with self._session.request(
                method,
                url,
                params=in_query,
                data=in_body,
                auth=signature,
                timeout=(min(CONNECT_TIMEOUT, seconds), seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = _read(response, give_up_at)
                return _understand(response, body)

        try:
            return ends_within(seconds + _GRACE, exchange)
        except (requests.RequestException, HTTPError) as error:
            failure = CallFailedError(
                f"Instagram gave no answer ({type(error).__name__})", provably_not_sent=_never_left(error)
            )
        # Raised out here, so that the exception whose text quotes the URL is not even its context.
        raise failure


def ends_within(seconds: float, exchange: Callable[[], T]) -> T:
    """The result of ``exchange``, or CallFailedError after ``seconds``, and then its thread is left to itself.

    A socket's time-out counts from byte to byte: headers that drip, or a name that does not resolve, outlast it.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(exchange())
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread, whatever it is
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except TimeoutError:
        overdue = CallFailedError("Instagram's answer did not end in time")
    raise overdue


class StraightSession(requests.Session):
    """Follows no redirect, and does not look at where one leads: a target that is no text would raise UnicodeError."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - requests names it
        return None


class _Bearer(AuthBase):
    """Sets the header last, so that no ``.netrc`` of the machine can put another one in its place."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class _Unsigned(AuthBase):
    """Sets no header, and keeps a ``.netrc`` of the machine from setting one."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _proof(token: Secret, app_secret: Secret) -> str:
    """Hex HMAC-SHA256 of the token under the app secret (Meta, "Securing Graph API requests")."""
    return hmac.new(app_secret.reveal().encode(), token.reveal().encode(), hashlib.sha256).hexdigest()


def _never_left(error: Exception) -> bool:
    """Whether no connection came about: refused, no route, unknown name, or not made in time."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return (
        type(error) is requests.ConnectionError
        and isinstance(cause, MaxRetryError)
        and isinstance(cause.reason, NewConnectionError)
    )


def _read(response: requests.Response, give_up_at: float) -> bytes:
    body = bytearray()
    # What has arrived, and not a whole chunk: an answer that drips must not outlast its time.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise CallFailedError(f"Instagram answered with more than {LARGEST_ANSWER} bytes")
        if time.monotonic() > give_up_at:
            raise CallFailedError("Instagram's answer did not end in time")
    return bytes(body)


def _understand(response: requests.Response, body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        answer = None
    is_server_error = response.status_code >= 500
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        raise GraphRefusalError(_graph_error(answer["error"], response), is_server_error=is_server_error)
    if not 200 <= response.status_code < 300:
        raise CallFailedError(f"Instagram answered HTTP {response.status_code} without saying why")
    if not isinstance(answer, dict):
        raise CallFailedError(f"Instagram answered HTTP {response.status_code} with something that is no JSON object")
    return answer


def _graph_error(error: Mapping[str, Any], response: requests.Response) -> GraphError:
    trace_id = error.get("fbtrace_id")
    return GraphError(
        code=_number(error.get("code")),
        subcode=_number(error.get("error_subcode")),
        trace_id=trace_id if isinstance(trace_id, str) and _TRACE_ID.fullmatch(trace_id) else None,
        regain_access_after=_regain_access_after(response.headers.get("X-Business-Use-Case-Usage")),
    )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _regain_access_after(header: str | None) -> timedelta:
    """The longest estimate in the usage header, whose unit is minutes; zero where it has none."""
    try:
        usage = json.loads(header or "{}")
        entries = [entry for account in usage.values() for entry in account]
        minutes = [_number(entry.get("estimated_time_to_regain_access")) for entry in entries]
    except (ValueError, RecursionError, AttributeError, TypeError):
        return timedelta(0)
    longest = max((m for m in minutes if m is not None and m > 0), default=0)
    return min(timedelta(minutes=min(longest, 10_000)), _LONGEST_BLOCK)
