"""Accounts of the emulator, under both logins, and the publisher that speaks for them."""

from dataclasses import dataclass
from typing import Final

from adapters.meta import Credentials, GraphHosts, MetaPublisher
from domain.personas import Login, Persona
from domain.secret import Secret
from fakes.library import a_persona
from local.instagram import EmulatorServer
from local.instagram.access import appsecret_proof

TOKEN: Final = "IGAA-the-token-that-nobody-may-see"
APP_SECRET: Final = "the-app-secret-that-nobody-may-see"
PROOF: Final = appsecret_proof(APP_SECRET, TOKEN)
VERSION: Final = "v26.0"


@dataclass(frozen=True)
class KnownCredentials:
    """Implements ``adapters.meta.CredentialSource`` for everybody alike."""

    known: Credentials

    def credentials(self, persona: Persona) -> Credentials:
        return self.known

    def renew(self, persona: Persona) -> bool:
        return False


def a_persona_of(login: Login) -> Persona:
    return a_persona(login=login)


def open_account(emulator: EmulatorServer, login: Login) -> None:
    """The account of ``a_persona()``. The Facebook host wants every call proved."""
    app_secret = APP_SECRET if login is Login.FACEBOOK else None
    emulator.add_account(a_persona().instagram_user_id, TOKEN, login=login.value, app_secret=app_secret)


def a_publisher(instagram_url: str, facebook_url: str, login: Login = Login.INSTAGRAM) -> MetaPublisher:
    app_secret = Secret(APP_SECRET) if login is Login.FACEBOOK else None
    hosts = GraphHosts(instagram_url, facebook_url, VERSION)
    return MetaPublisher(hosts, KnownCredentials(Credentials(Secret(TOKEN), app_secret)))
