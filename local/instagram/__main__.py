"""Runs the emulator as a process of its own: `python -m local.instagram --port 8080 --account 178…:token`."""

import argparse
import signal
from collections.abc import Sequence

from local.instagram.emulator import StartingAccount
from local.instagram.server import EmulatorServer
from local.instagram.settings import EmulatorSettings


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted. The first line printed is the server's URL."""
    options = _parser().parse_args(arguments)
    settings = EmulatorSettings(
        processing_seconds=options.processing_seconds,
        second_publish=options.second_publish,
        quota_total=options.quota_total,
    )
    server = EmulatorServer(
        settings, accounts=options.account, public_url=options.public_url, host=options.host, port=options.port
    )
    print(server.url, flush=True)
    # A container's first process does not die of SIGTERM unless it handles it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server.serve_forever()


def starting_account(text: str) -> StartingAccount:
    """Read USER_ID:TOKEN[:APP_SECRET[:USERNAME]]; the app secret may be empty."""
    ig_user_id, token, app_secret, username, *rest = [*text.split(":"), "", "", ""]
    if not ig_user_id.isdecimal() or not token or any(rest):
        raise argparse.ArgumentTypeError("expected USER_ID:TOKEN[:APP_SECRET[:USERNAME]]")
    return StartingAccount(ig_user_id, token, app_secret or None, username or None)


def _parser() -> argparse.ArgumentParser:
    defaults = EmulatorSettings()
    parser = argparse.ArgumentParser(prog="python -m local.instagram", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--public-url", help="base URL of permalinks, where browsers see the server elsewhere")
    parser.add_argument(
        "--account",
        type=starting_account,
        action="append",
        default=[],
        metavar="USER_ID:TOKEN[:APP_SECRET[:USERNAME]]",
        help="an account that is there from the start; may be repeated",
    )
    parser.add_argument("--processing-seconds", type=float, default=defaults.processing_seconds)
    parser.add_argument("--second-publish", choices=("stack", "refuse"), default=defaults.second_publish)
    parser.add_argument("--quota-total", type=int, default=defaults.quota_total)
    return parser


if __name__ == "__main__":
    main()
