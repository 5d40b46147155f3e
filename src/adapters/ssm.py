"""The tokens, as SecureString parameters of SSM: cached by Powertools, read and written by boto3."""

import re
from typing import Any, Final

from aws_lambda_powertools.utilities.parameters import BaseProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.config import Config

from domain.faults import AccountFault, Defer
from domain.ids import PersonaId
from domain.personas import Login, Persona
from domain.secret import Secret
from domain.tokens import Credentials

CACHED_FOR: Final = 300  # seconds

CLIENT_CONFIG: Final = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"})

TOKEN: Final = "access-token"  # noqa: S105 - a parameter's name
APP_SECRET: Final = "app-secret"  # noqa: S105 - a parameter's name
APP_ID: Final = "app-id"

_MOST_DELETED_AT_ONCE: Final = 10

_PRINTABLE: Final = re.compile(r"[!-~]+")


class SsmCredentials:
    """Implements ``adapters.meta.CredentialSource``. ``client`` is a boto3 SSM client with ``CLIENT_CONFIG``.

    A persona's token stands at ``<prefix>/<persona_id>/access-token``; with Facebook Login its app's secret and id may
    stand beside it as ``app-secret`` and ``app-id``, which only the exchange of tokens reads.
    """

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix.rstrip("/")
        self._parameters = _ParametersTogether(client)

    def credentials(self, persona: Persona) -> Credentials:
        names = [TOKEN, APP_SECRET] if persona.login is Login.FACEBOOK else [TOKEN]
        found = self._read([self._name(persona.persona_id, name) for name in names])
        token = found.get(self._name(persona.persona_id, TOKEN))
        if token is None:
            # So that one is found as soon as it is set.
            self._parameters.clear_cache()  # type: ignore[no-untyped-call]
            raise AccountFault(no_token(persona.persona_id))
        app_secret = found.get(self._name(persona.persona_id, APP_SECRET))
        return Credentials(checked(TOKEN, token), checked(APP_SECRET, app_secret) if app_secret is not None else None)

    def renew(self, persona: Persona) -> bool:
        """Read the token anew; whether it is another one than the cache had."""
        before = self.credentials(persona)
        self._parameters.clear_cache()  # type: ignore[no-untyped-call]
        return self.credentials(persona) != before

    def store_token(self, persona_id: PersonaId, token: Secret) -> None:
        """Write the token over the one before. Raises botocore's errors, none of which quotes the value."""
        self._store(persona_id, TOKEN, token)

    def store_app_secret(self, persona_id: PersonaId, app_secret: Secret) -> None:
        """Write the Facebook app's secret over the one before. Raises as ``store_token`` does."""
        self._store(persona_id, APP_SECRET, app_secret)

    def forget(self, persona_id: PersonaId) -> None:
        """Delete all that stands under the persona's name, if anything does. Raises botocore's errors."""
        pages = self._client.get_paginator("get_parameters_by_path").paginate(Path=f"{self._prefix}/{persona_id}")
        names = [parameter["Name"] for page in pages for parameter in page["Parameters"]]
        for start in range(0, len(names), _MOST_DELETED_AT_ONCE):
            # A name that is gone meanwhile comes back as invalid, which is no error.
            self._client.delete_parameters(Names=names[start : start + _MOST_DELETED_AT_ONCE])

    def store_app_id(self, persona_id: PersonaId, app_id: str) -> None:
        """Write the Facebook app's id over the one before. Raises as ``store_token`` does."""
        self._store(persona_id, APP_ID, Secret(app_id))

    def _store(self, persona_id: PersonaId, name: str, value: Secret) -> None:
        self._client.put_parameter(
            Name=self._name(persona_id, name), Value=value.reveal(), Type="SecureString", Overwrite=True
        )

    def _name(self, persona_id: PersonaId, name: str) -> str:
        return parameter_name(self._prefix, persona_id, name)

    def _read(self, names: list[str]) -> dict[str, str]:
        """The parameters that exist, by name. Raises Defer when they cannot be read."""
        try:
            found = self._parameters.get(",".join(names), max_age=CACHED_FOR)
        except GetParameterError:
            unreadable = Defer("SSM does not give out the access token for the moment; look at its permissions.")
        else:
            return found if isinstance(found, dict) else {}
        # Raised out here: the SDK's exception holds the signed request.
        raise unreadable


class _ParametersTogether(BaseProvider):
    """Powertools' cache over one GetParameters request, for names that are joined by commas."""

    def __init__(self, client: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._client = client

    def _get(self, name: str, **_: Any) -> dict[str, str]:
        answer = self._client.get_parameters(Names=name.split(","), WithDecryption=True)
        return {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}

    def _get_multiple(self, path: str, **_: Any) -> dict[str, str]:
        raise TypeError(f"parameters are read by name, not by the path {path}")


def parameter_name(prefix: str, persona_id: PersonaId, name: str) -> str:
    return f"{prefix.rstrip('/')}/{persona_id}/{name}"


def no_token(persona_id: PersonaId) -> str:
    return (
        f"There is no access token for the persona. Set one with `fluffy-train persona set-token {persona_id}`, then "
        "resume the persona."
    )


def checked(name: str, value: str) -> Secret:
    """Raises AccountFault for what is no token: a header that takes no such character would be refused by an exception
    that quotes it.
    """
    text = value.strip()
    if _PRINTABLE.fullmatch(text) is None:
        raise AccountFault(f"The {name} in SSM is empty or has characters that none has: set it again.")
    return Secret(text)
