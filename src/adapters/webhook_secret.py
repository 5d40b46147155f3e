"""The secret that signs notices: a SecureString parameter of SSM, kept for five minutes."""

import re
import time
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from domain.secret import Secret

CACHED_FOR: Final = 300.0  # seconds

NAME: Final = "webhook-secret"
"""Beside the personas' folders. A persona of this name has its token in a folder, so nothing meets."""

_PRINTABLE: Final = re.compile(r"[!-~]+")


class WebhookSecretError(Exception):
    """There is no secret to sign with, or it cannot be read. The text says what to do, and quotes none."""


class SsmWebhookSecret:
    """Implements ``adapters.webhook.SecretSource``. ``client`` is a boto3 SSM client with ``ssm.CLIENT_CONFIG``."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._name = f"{prefix.rstrip('/')}/{NAME}"
        self._kept: tuple[float, Secret] | None = None

    def read(self) -> Secret:
        """Raises WebhookSecretError."""
        if self._kept is not None and time.monotonic() - self._kept[0] < CACHED_FOR:
            return self._kept[1]
        value = self._ask().strip()
        if _PRINTABLE.fullmatch(value) is None:
            raise WebhookSecretError(f"The parameter {self._name} is empty or no one word. {_SET_IT}")
        secret = Secret(value)
        self._kept = time.monotonic(), secret
        return secret

    def store(self, secret: Secret) -> None:
        """Write it over the one before. Raises botocore's errors, none of which quotes the value."""
        self._client.put_parameter(Name=self._name, Value=secret.reveal(), Type="SecureString", Overwrite=True)
        self._kept = None

    def _ask(self) -> str:
        try:
            value: str = self._client.get_parameter(Name=self._name, WithDecryption=True)["Parameter"]["Value"]
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code == "ParameterNotFound":
                why = f"There is no webhook secret. {_SET_IT}"
            else:
                why = f"SSM does not give out the webhook's secret ({code})."
        except BotoCoreError as error:
            why = f"SSM cannot be reached ({type(error).__name__})."
        else:
            return value
        # Raised out here: botocore's exception holds the signed request.
        raise WebhookSecretError(why)


_SET_IT: Final = "Set one with `fluffy-train webhook set-secret`."
