"""The embedded local stack, in a process of its own: DynamoDB, S3 and SSM by moto's server, Instagram by our emulator.

Everything is in memory and listens on loopback, unless ``--host`` names another of this machine's addresses, such as
that of Docker's bridge, where the containers of `sam local invoke` can reach it.
"""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from local.environment import ACCOUNT_ID, BUCKET, REGION, TOKEN, USERNAME, Addresses, isolated, settings
from local.instagram import EmulatorServer, StartingAccount
from local.tables import create_tables

STATE = "stack.json"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where to write stack.json and the files to source")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    arguments = parser.parse_args()
    stop = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())
    aws = ThreadedMotoServer(ip_address=arguments.host, port=0, verbose=False)
    aws.start()
    port = aws.get_host_and_port()[1]
    account = StartingAccount(ACCOUNT_ID, TOKEN, username=USERNAME)
    with EmulatorServer(accounts=[account], host=arguments.host) as instagram:
        addresses = Addresses(f"http://{arguments.host}:{port}", instagram.url)
        os.environ.update(isolated(settings(addresses)))
        create_tables(boto3.client("dynamodb"))
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        _write_state(arguments.folder, addresses)
        stop.wait()
    aws.stop()
    (arguments.folder / STATE).unlink(missing_ok=True)
    return 0


def _write_state(folder: Path, addresses: Addresses) -> None:
    names = settings(addresses)
    (folder / "env").write_text("".join(f"export {name}='{value}'\n" for name, value in names.items()))
    (folder / "sam-env.json").write_text(json.dumps({"Parameters": names}, indent=2) + "\n")
    state = {"pid": os.getpid(), "aws": addresses.aws, "instagram": addresses.instagram}
    unfinished = folder / f"{STATE}.new"
    unfinished.write_text(json.dumps(state))
    unfinished.replace(folder / STATE)


if __name__ == "__main__":
    sys.exit(main())
