"""One notice to the owner's receiver: a signed JSON POST, bounded in time, of whose answer only the status counts.

The address may hold a secret of the receiver's in its path, and an exception of requests quotes it, so none is chained,
logged or raised from here; a failure names the host.
"""

import hashlib
import hmac
import json
import threading
import time
from concurrent.futures import Future
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from domain.notices import Notice
from domain.ports import Clock
from domain.secret import Secret

TIME_LIMIT: Final = 8.0  # seconds, for connecting, sending and the answer's status together

_GRACE: Final = 0.5  # seconds, so that a socket's own time-out, which says more, comes first
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class DeliveryFailedError(Exception):
    """The receiver did not take the notice, or it is not known whether it did. Sending it again is safe."""


class SecretSource(Protocol):
    def read(self) -> Secret:
        """What notices are signed with."""
        ...


class Webhook:
    """``url`` is https, or http to this very machine. Raises ValueError for another, whose text does not quote it."""

    def __init__(self, url: str, secret: SecretSource, clock: Clock) -> None:
        self.host = _host(url)
        self._url = url
        self._secret = secret
        self._clock = clock

    def deliver(self, notice: Notice) -> int:
        """Send it once; the status of the answer, 200 to 299. Raises DeliveryFailedError, and what the secret's
        source raises.
        """
        body = json.dumps(notice.payload, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "fluffy-train",
            "Fluffy-Train-Delivery": notice.id,
            **_signed(body, self._secret.read(), self._clock.now()),
        }
        status = self._status(body, headers)
        if not 200 <= status < 300:
            raise DeliveryFailedError(f"{self.host} answered HTTP {status}")
        return status

    def _status(self, body: bytes, headers: dict[str, str]) -> int:
        """A socket's time-out counts from byte to byte: a thread of its own bounds what drips."""
        answered: Future[int] = Future()

        def send() -> None:
            try:
                answered.set_result(_post(self._url, body, headers))
            except BaseException as error:  # noqa: BLE001 - told to the caller's thread, whatever it is
                answered.set_exception(error)

        began = time.monotonic()
        threading.Thread(target=send, daemon=True).start()
        try:
            return answered.result(timeout=TIME_LIMIT + _GRACE)
        except TimeoutError:
            why = f"did not answer within {TIME_LIMIT:g} s"
        except (requests.RequestException, HTTPError, ValueError) as error:
            why = f"gave no answer in {time.monotonic() - began:.1f} s ({type(error).__name__})"
        # Raised out here, so that the exception whose text quotes the address is not even its context.
        raise DeliveryFailedError(f"{self.host} {why}")


def _post(url: str, body: bytes, headers: dict[str, str]) -> int:
    with _StraightSession() as session:
        session.trust_env = False  # no proxy and no .netrc: a notice goes to the receiver and nobody else
        # Streamed, so that nothing of the answer's body is read, however much of it there is.
        with session.post(
            url, data=body, headers=headers, timeout=TIME_LIMIT, allow_redirects=False, stream=True
        ) as answer:
            return answer.status_code


class _StraightSession(requests.Session):
    """Does not look at where a redirect leads: requests would read the whole answer before."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - requests names it
        return None


def _signed(body: bytes, secret: Secret, now: datetime) -> dict[str, str]:
    """The time is signed as well, so that a notice that was overheard is worthless after the receiver's tolerance."""
    timestamp = str(int(now.timestamp()))
    signature = hmac.new(secret.reveal().encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Fluffy-Train-Timestamp": timestamp, "Fluffy-Train-Signature": f"v1={signature}"}


def _host(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname
    if not host or parts.username is not None or parts.password is not None:
        raise ValueError("the webhook's address must be https://host/… without a user's name")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise ValueError("the webhook's address must begin with https://")
    return host
