"""A token that its owner has just replaced is used at once, and nobody is paused for the one before it."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from adapters.meta import GraphHosts, MetaPublisher
from contract.accounts import VERSION
from contract.test_meta_publisher import ALL, REPEATABLE, call
from domain.faults import AccountFault, PhotoFault, Retry, Unresolved
from domain.personas import Persona
from domain.secret import Secret
from domain.tokens import Credentials
from fakes.library import a_persona
from local.instagram import EmulatorServer
from local.instagram import Fault as Order
from local.instagram.calls import CallName

pytestmark = pytest.mark.usefixtures("aws_environment")

OLD, NEW = "IGAA-the-old-token", "IGAA-the-new-token"


@dataclass
class Remembered:
    """Implements ``adapters.meta.CredentialSource``: it remembers the old token until it is told to look again."""

    standing: str
    known: str = OLD
    renewals: list[str] = field(default_factory=list)

    def credentials(self, persona: Persona) -> Credentials:
        return Credentials(Secret(self.known))

    def renew(self, persona: Persona) -> bool:
        before, self.known = self.known, self.standing
        self.renewals.append(self.known)
        return self.known != before


def a_publisher(emulator: EmulatorServer, source: Remembered) -> MetaPublisher:
    emulator.add_account(a_persona().instagram_user_id, NEW)
    return MetaPublisher(GraphHosts(emulator.instagram_url, emulator.facebook_url, VERSION), source)


@pytest.mark.parametrize("name", REPEATABLE)
def test_a_call_that_does_no_harm_twice_is_signed_anew_once(
    emulator: EmulatorServer, photo_url: str, name: CallName
) -> None:
    source = Remembered(standing=NEW)
    publisher = a_publisher(emulator, source)
    with suppress(Retry, PhotoFault):  # the container and the media of these calls do not exist
        call(publisher, name, photo_url)
    assert source.renewals == [NEW]
    assert len(emulator.calls(name)) == 2


@pytest.mark.parametrize("name", ALL)
def test_with_no_other_token_nothing_is_repeated(emulator: EmulatorServer, photo_url: str, name: CallName) -> None:
    source = Remembered(standing=OLD)
    with pytest.raises(AccountFault):
        call(a_publisher(emulator, source), name, photo_url)
    assert len(emulator.calls(name)) == 1


def test_a_publish_request_is_never_repeated(emulator: EmulatorServer) -> None:
    source = Remembered(standing=NEW)
    with pytest.raises(AccountFault):
        call(a_publisher(emulator, source), "media_publish")
    assert (source.renewals, len(emulator.calls("media_publish"))) == ([], 1)


def test_another_refusal_has_nothing_to_do_with_the_token(emulator: EmulatorServer, photo_url: str) -> None:
    source = Remembered(standing=NEW, known=NEW)
    publisher = a_publisher(emulator, source)
    emulator.order_fault(Order.error("create_container", 10))
    with pytest.raises(AccountFault):
        call(publisher, "create_container", photo_url)
    assert source.renewals == []


def test_a_second_refusal_is_the_last(emulator: EmulatorServer, photo_url: str) -> None:
    source = Remembered(standing="IGAA-a-third-token")
    with pytest.raises(AccountFault):
        call(a_publisher(emulator, source), "create_container", photo_url)
    assert len(emulator.calls("create_container")) == 2


def test_there_must_be_time_for_it(emulator: EmulatorServer, photo_url: str) -> None:
    source = Remembered(standing=NEW)
    with pytest.raises(AccountFault):
        call(a_publisher(emulator, source), "create_container", photo_url, within=timedelta(seconds=1.5))
    assert source.renewals == []


def test_what_is_lost_is_not_a_refusal(emulator: EmulatorServer, photo_url: str) -> None:
    source = Remembered(standing=NEW)
    publisher = a_publisher(emulator, source)
    for name in ALL:
        emulator.order_fault(Order.reset(name))
        with pytest.raises((Retry, Unresolved)):
            call(publisher, name, photo_url)
    assert source.renewals == []
