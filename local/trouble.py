"""Lets something go wrong on the local stack, or right again: what Instagram, its owner or the network would do.

docs/local-stack.md walks through each, with the command that mends it.
"""

import argparse
import secrets
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import boto3
import requests

from local.demo import FOLDER
from local.environment import ACCOUNT_ID, PERSONA, USERNAME, Addresses, isolate_process, settings
from local.instagram import Fault
from local.instagram.calls import CallName
from local.instagram.control_client import DAY_SECONDS, EmulatorControl
from local.instagram.settings import EmulatorSettings
from local.stack_process import running_stack

LIFETIME_DAYS: Final = 60
PUBLISHING: Final[tuple[CallName, ...]] = ("create_container", "media_publish")


class TroubleError(Exception):
    """It cannot be made. The text says what to do."""


class Trouble:
    """Each method is one command of the same name, and returns what to tell of it."""

    def __init__(self, addresses: Addresses) -> None:
        self._instagram = EmulatorControl(addresses.instagram)
        names = settings(addresses)
        isolate_process(names)
        self._ssm = boto3.client("ssm")
        self._token_name = f"{names['TOKEN_PREFIX']}/{PERSONA}/access-token"

    def token_expired(self) -> str:
        """The token that the persona has expires now."""
        stored = self._ssm.get_parameter(Name=self._token_name, WithDecryption=True)["Parameter"]["Value"]
        self._have_token(stored, age_days=LIFETIME_DAYS)
        return f"The token of {PERSONA} has expired. `new-token` makes another, as your app's dashboard at Meta does."

    def new_token(self) -> str:
        """Make another token, as the app's dashboard at Meta does, and print it. The old one is good for nothing."""
        token = f"IGLOCAL{secrets.token_hex(16)}"
        self._have_token(token, age_days=2)
        return token

    def account_blocked(self) -> str:
        """Instagram restricts the account: it takes no post (code 25, subcode 2207050)."""
        for call in PUBLISHING:
            self._instagram.order_fault(Fault.error(call, 25, 2207050, times=None, ig_user_id=ACCOUNT_ID))
        return "Instagram has restricted the account. `none` lifts it, as its owner would in the Instagram app."

    def quota_full(self) -> str:
        """The account has made all the posts that Instagram allows it in 24 hours."""
        day_ago = self._instagram.now() - timedelta(days=1)
        live = self._instagram.live_posts(ACCOUNT_ID)
        used = sum(bool(post.container_id) and post.posted_at > day_ago for post in live)
        if not used:
            raise TroubleError("Nothing was posted today, so no quota can be full: `fluffy-train post` first.")
        self._instagram.configure(quota_total=used)
        return f"The account may make {used} posts in 24 hours, and has made them. `none` gives it more again."

    def lost_reply(self) -> str:
        """The next post goes live, but the answer to its publish request is lost."""
        self._instagram.order_fault(Fault.reset("media_publish", when="after"))
        return "The next post goes live, but we are not told."

    def silence(self) -> str:
        """The same, and Instagram does not say what became of its container either."""
        # Then a container's status is asked for once before it is published: that look must still succeed.
        self._instagram.configure(processing_seconds=0)
        silent = Fault.error("container_status", 2, status=500, times=None, skip=1, is_transient=True)
        self._instagram.order_fault(silent)
        return f"{self.lost_reply()} Nor does Instagram tell of its container, until `none`."

    def none(self) -> str:
        """All is well again. What was posted stays, and an expired token stays dead."""
        self._instagram.clear_faults()
        well = EmulatorSettings()
        self._instagram.configure(quota_total=well.quota_total, processing_seconds=well.processing_seconds)
        return "Instagram is well."

    def _have_token(self, token: str, *, age_days: int) -> None:
        self._instagram.add_account(
            ACCOUNT_ID,
            token,
            username=USERNAME,
            token_age_seconds=age_days * DAY_SECONDS,
            token_lifetime_seconds=LIFETIME_DAYS * DAY_SECONDS,
        )


KINDS: Final[tuple[Callable[[Trouble], str], ...]] = (
    Trouble.token_expired,
    Trouble.new_token,
    Trouble.account_blocked,
    Trouble.quota_full,
    Trouble.lost_reply,
    Trouble.silence,
    Trouble.none,
)


def main(words: list[str] | None = None, folder: Path = FOLDER) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.trouble", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for kind in KINDS:
        name = kind.__name__.replace("_", "-")
        kinds.add_parser(name, help=kind.__doc__, description=kind.__doc__).set_defaults(make=kind)
    make: Callable[[Trouble], str] = parser.parse_args(words).make
    try:
        print(make(Trouble(_addresses(folder))))
    except (TroubleError, requests.RequestException) as error:
        text = "The local stack does not answer: begin it by `make demo KEEP=1`."
        print(error if isinstance(error, TroubleError) else text, file=sys.stderr)
        return 1
    return 0


def _addresses(folder: Path) -> Addresses:
    addresses = running_stack(folder)
    if addresses is None:
        raise TroubleError("There is no local stack: begin it by `make demo KEEP=1`.")
    return addresses


if __name__ == "__main__":
    sys.exit(main())
