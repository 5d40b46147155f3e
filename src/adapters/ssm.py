"""The tokens, as SecureString parameters of SSM: read by Powertools with a cache, written by boto3."""

import re
from typing import Any, Final

from aws_lambda_powertools.utilities.parameters import SSMProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.config import Config
from botocore.exceptions import ClientError

from adapters.meta import Credentials
from domain.faults import AccountFault, Defer
from domain.ids import PersonaId
from domain.personas import Login, Persona
from domain.secret import Secret

CACHED_FOR: Final = 300  # seconds

CLIENT_CONFIG: Final = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"})

_PRINTABLE: Final = re.compile(r"[!-~]+")


class SsmCredentials:
    """Implements ``adapters.meta.CredentialSource``. ``client`` is a boto3 SSM client with ``CLIENT_CONFIG``.

    A persona's token stands at ``<prefix>/<persona_id>/access-token``; with Facebook Login its app's secret may stand
    beside it as ``app-secret``.
    """

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix.rstrip("/")
        self._provider = SSMProvider(boto3_client=client)

    def credentials(self, persona: Persona) -> Credentials:
        token = self._read(persona.persona_id, "access-token")
        if token is None:
            raise AccountFault(
                f"There is no access token for the persona. Set one with `fluffy-train persona set-token "
                f"{persona.persona_id}`, then resume the persona."
            )
        app_secret = self._read(persona.persona_id, "app-secret") if persona.login is Login.FACEBOOK else None
        return Credentials(token, app_secret)

    def store_token(self, persona_id: PersonaId, token: Secret) -> None:
        """Write the token over the one before. Raises botocore's errors, none of which quotes the value."""
        self._store(persona_id, "access-token", token)

    def store_app_secret(self, persona_id: PersonaId, app_secret: Secret) -> None:
        """Write the Facebook app's secret over the one before. Raises as ``store_token`` does."""
        self._store(persona_id, "app-secret", app_secret)

    def _store(self, persona_id: PersonaId, name: str, value: Secret) -> None:
        self._client.put_parameter(
            Name=self._name(persona_id, name), Value=value.reveal(), Type="SecureString", Overwrite=True
        )

    def _name(self, persona_id: PersonaId, name: str) -> str:
        return f"{self._prefix}/{persona_id}/{name}"

    def _read(self, persona_id: PersonaId, name: str) -> Secret | None:
        """None when it does not exist. Raises Defer when it cannot be read, AccountFault when it is no token."""
        try:
            value = self._provider.get(self._name(persona_id, name), max_age=CACHED_FOR, decrypt=True)
        except GetParameterError as error:
            cause = error.__context__
            if isinstance(cause, ClientError) and cause.response["Error"]["Code"] == "ParameterNotFound":
                return None
            raise Defer("SSM does not give out the access token for the moment; look at its permissions.") from None
        text = value.strip() if isinstance(value, str) else ""
        # A header that takes no such character would be refused by an exception that quotes the token.
        if _PRINTABLE.fullmatch(text) is None:
            raise AccountFault(f"The {name} in SSM is empty or has characters that none has: set it again.")
        return Secret(text)
