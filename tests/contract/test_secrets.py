"""No token, app secret or proof comes out: in no text that is raised, nothing it is chained to, and no log line."""

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping

import pytest

from adapters.meta import Credentials
from contract.accounts import APP_SECRET, PROOF, TOKEN, a_persona_of, a_publisher, open_account
from contract.test_meta_publisher import ALL, MISSING, _refused
from contract.test_publisher import SOON
from domain.faults import Fault
from domain.ids import ContainerId, MediaId
from domain.personas import Login
from domain.secret import Secret
from local.instagram import EmulatorServer
from local.instagram import Fault as Order
from local.instagram.calls import CallName

pytestmark = pytest.mark.usefixtures("aws_environment")

SIGNATURE = "?X-Amz-Signature=abc"
SECRETS = (TOKEN, APP_SECRET, PROOF, SIGNATURE)
ORDERS = MISSING | {
    "an error": lambda name: Order.error(name, 190, 463, message=f"Bearer {TOKEN} has expired, {PROOF}"),
    "an error that says everything": lambda name: Order.body(
        name, f'{{"error":{{"message":"{TOKEN}","code":12345,"fbtrace_id":"{TOKEN} {PROOF}"}}}}'.encode(), status=400
    ),
    "an id that is none": lambda name: Order.body(name, f'{{"id":"{TOKEN}?{PROOF}"}}'.encode()),
}


def call(name: CallName, instagram_url: str, facebook_url: str, image_url: str, login: Login) -> Fault:
    """The fault that this call ends in."""
    publisher, persona = a_publisher(instagram_url, facebook_url, login), a_persona_of(login)
    calls: Mapping[CallName, Callable[[], object]] = {
        "create_container": lambda: publisher.create_container(persona, image_url, "A", None, within=SOON),
        "container_status": lambda: publisher.container_status(persona, ContainerId("1"), within=SOON),
        "media_publish": lambda: publisher.publish(persona, ContainerId("1"), within=SOON),
        "recent_media": lambda: publisher.recent_media(persona, within=SOON),
        "get_media": lambda: publisher.permalink(persona, MediaId("1"), within=SOON),
        "quota": lambda: publisher.quota_left(persona, within=SOON),
    }
    with pytest.raises(Fault) as raised:
        calls[name]()
    return raised.value


def chained(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and all that it is chained to, hidden or not."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in seen:
            seen.append(each)
            waiting += [each.__cause__, each.__context__]
    yield from seen


def assert_says_nothing(error: BaseException) -> None:
    shown = "".join(traceback.format_exception(error))
    hidden = "".join(f"{each!s} {each!r} {each.args!r}" for each in chained(error))
    for secret in SECRETS:
        assert secret not in shown
        assert secret not in hidden


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
@pytest.mark.parametrize("name", ALL)
def test_no_fault_under_facebook_login_says_a_secret(
    emulator: EmulatorServer, photo_url: str, name: CallName, order: object
) -> None:
    assert callable(order)
    open_account(emulator, Login.FACEBOOK)
    emulator.order_fault(order(name))
    fault = call(name, emulator.instagram_url, emulator.facebook_url, photo_url + SIGNATURE, Login.FACEBOOK)
    assert_says_nothing(fault)
    assert "http://" not in fault.message


@pytest.mark.parametrize("name", ALL)
def test_no_fault_of_a_host_that_is_not_there_says_a_secret(name: CallName, photo_url: str) -> None:
    assert_says_nothing(call(name, _refused(), _refused(), photo_url + SIGNATURE, Login.FACEBOOK))


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
@pytest.mark.parametrize("name", ["create_container", "media_publish"])
def test_no_line_under_instagram_login_has_a_secret_even_at_debug(
    emulator: EmulatorServer, photo_url: str, name: CallName, order: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(order)
    open_account(emulator, Login.INSTAGRAM)
    emulator.order_fault(order(name))
    for talkative in ("urllib3", "requests"):
        caplog.set_level(logging.DEBUG, talkative)
    # Without a signature: this process is also the emulator, whose own fetching of the address is logged.
    with caplog.at_level(logging.DEBUG):
        fault = call(name, emulator.instagram_url, emulator.facebook_url, photo_url, Login.INSTAGRAM)
    assert_says_nothing(fault)
    for secret in SECRETS:
        assert secret not in caplog.text


def test_credentials_are_never_shown() -> None:
    credentials = Credentials(Secret(TOKEN), Secret(APP_SECRET))
    for shown in (f"{credentials}", f"{credentials!r}", f"{credentials.access_token}", f"{credentials.app_secret!r}"):
        assert TOKEN not in shown
        assert APP_SECRET not in shown
    assert credentials.access_token.reveal() == TOKEN
