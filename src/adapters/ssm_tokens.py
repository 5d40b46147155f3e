"""The tokens past every cache, with their versions: for those who replace them.

SSM writes without a condition. But it numbers the versions and keeps the last hundred of them, so a write finds out
afterwards what came between, and puts that back. What is left is a crash between these two writes, within milliseconds
of an owner's own: then the owner's token is a version that is not the latest one.
"""

from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from adapters.ssm import APP_ID, APP_SECRET, TOKEN, checked, no_token, parameter_name
from domain.faults import AccountFault, TokenFault
from domain.ids import PersonaId
from domain.personas import Login, Persona
from domain.secret import Secret
from domain.token_ports import TokenStoreUnavailableError
from domain.tokens import Credentials, StoredToken

_Parameter = dict[str, Any]

_UNREADABLE: Final = "SSM does not give out the access token for the moment; look at its permissions."
_UNWRITABLE: Final = "SSM did not say that it took the token; look at its permissions."


class SsmTokenStore:
    """Implements ``domain.token_ports.TokenStore``. ``client`` is a boto3 SSM client with ``ssm.CLIENT_CONFIG``."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def read(self, persona: Persona) -> StoredToken:
        names = [TOKEN, APP_SECRET, APP_ID] if persona.login is Login.FACEBOOK else [TOKEN]
        found = self._get([parameter_name(self._prefix, persona.persona_id, name) for name in names])
        by_name = {name.rsplit("/", 1)[1]: parameter for name, parameter in found.items()}
        if TOKEN not in by_name:
            raise TokenFault(no_token(persona.persona_id))
        try:
            values = {name: checked(name, parameter["Value"]) for name, parameter in by_name.items()}
        except AccountFault as fault:
            raise TokenFault(fault.message) from None
        app_id = values.get(APP_ID)
        credentials = Credentials(values[TOKEN], values.get(APP_SECRET), app_id.reveal() if app_id else None)
        return StoredToken(credentials, by_name[TOKEN]["Version"], by_name[TOKEN]["LastModifiedDate"])

    def replace(self, persona_id: PersonaId, before: StoredToken, token: Secret) -> StoredToken | None:
        name = parameter_name(self._prefix, persona_id, TOKEN)
        if self._get([name]).get(name, {}).get("Version") != before.version:
            return None
        version = self._put(name, token)
        theirs = self._written_between(name, before.version, version, token)
        if theirs is not None:
            self._put(name, theirs)
            return None
        return self._as_it_stands(name, before, token, version)

    def _written_between(self, name: str, before: int, ours: int, token: Secret) -> Secret | None:
        """The newest token of somebody else between two versions. The SDK's own repetition of our write is none."""
        for version in range(ours - 1, before, -1):
            found = self._get([f"{name}:{version}"])
            for parameter in found.values():
                if parameter["Value"] != token.reveal():
                    return Secret(parameter["Value"])
        return None

    def _as_it_stands(self, name: str, before: StoredToken, token: Secret, version: int) -> StoredToken | None:
        """What is on record of our write; None where somebody has written over it already."""
        parameter = self._get([name]).get(name, {})
        if parameter.get("Version") != version:
            return None
        app = before.credentials
        return StoredToken(Credentials(token, app.app_secret, app.app_id), version, parameter["LastModifiedDate"])

    def _get(self, names: list[str]) -> dict[str, _Parameter]:
        """The parameters that exist, by name."""
        try:
            answer = self._client.get_parameters(Names=names, WithDecryption=True)
        except (ClientError, BotoCoreError):
            unreadable = TokenStoreUnavailableError(_UNREADABLE)
        else:
            return {parameter["Name"]: parameter for parameter in answer["Parameters"]}
        # Raised out here: the SDK's exception holds the signed request.
        raise unreadable

    def _put(self, name: str, value: Secret) -> int:
        """The version that this write made."""
        try:
            answer = self._client.put_parameter(Name=name, Value=value.reveal(), Type="SecureString", Overwrite=True)
        except (ClientError, BotoCoreError):
            unwritable = TokenStoreUnavailableError(_UNWRITABLE)
        else:
            return int(answer["Version"])
        raise unwritable
