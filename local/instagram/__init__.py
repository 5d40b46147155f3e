"""An emulator of Instagram's content publishing API, for tests and for the local demo.

It follows instagram-api.md, the page of what is known of that API, line by line; where Instagram's behaviour is
unknown it takes the worst case for a client, and can be configured for the other.
"""

from local.instagram.calls import Call
from local.instagram.control_client import EmulatorControl
from local.instagram.emulator import StartingAccount
from local.instagram.faults import ContainerBehaviour, Fault
from local.instagram.records import Account, Container, LivePost
from local.instagram.server import EmulatorServer
from local.instagram.settings import EmulatorSettings

__all__ = [
    "Account",
    "Call",
    "Container",
    "ContainerBehaviour",
    "EmulatorControl",
    "EmulatorServer",
    "EmulatorSettings",
    "Fault",
    "LivePost",
    "StartingAccount",
]
