"""The embedded local stack, in a process of its own: AWS by moto's server, Instagram by our emulator.

Of AWS it has DynamoDB, S3, SSM, the schedules and the dead-letter queue, and an answer of ours to Lambda's Invoke.

Everything is in memory and listens on loopback, unless ``--host`` names another of this machine's addresses, such as
that of Docker's bridge, where the containers of `sam local invoke` can reach it.
"""

import argparse
import json
import os
import shlex
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from adapters.clock import SystemClock
from local.environment import ACCOUNT_ID, BUCKET, REGION, TOKEN, USERNAME, Addresses, extras, isolate_process, settings
from local.function_process import FunctionProcesses
from local.instagram import EmulatorServer, StartingAccount
from local.lambda_api import LambdaApi
from local.tables import create_tables
from local.triggers import create_triggers

STATE = "stack.json"
LOG = "lambda.log"
"""What the functions print."""


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
        isolate_process(settings(addresses))
        create_tables(boto3.client("dynamodb"))
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        sqs = boto3.client("sqs")
        create_triggers(boto3.client("events"), boto3.client("scheduler"), sqs)
        dead_letters_url = extras(addresses)["DEAD_LETTERS_URL"]
        with (
            FunctionProcesses(os.environ, arguments.folder / LOG) as processes,
            LambdaApi(processes, sqs, dead_letters_url, SystemClock(), arguments.host) as functions,
        ):
            _write_state(arguments.folder, Addresses(addresses.aws, addresses.instagram, functions.url))
            stop.wait()
    aws.stop()
    (arguments.folder / STATE).unlink(missing_ok=True)
    return 0


def _write_state(folder: Path, addresses: Addresses) -> None:
    names = settings(addresses)
    for_commands = {**names, **extras(addresses)}
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in for_commands.items())
    (folder / "env").write_text("".join(lines))
    (folder / "sam-env.json").write_text(json.dumps({"Parameters": names}, indent=2) + "\n")
    state = {"pid": os.getpid(), **asdict(addresses)}
    unfinished = folder / f"{STATE}.new"
    unfinished.write_text(json.dumps(state))
    unfinished.replace(folder / STATE)


if __name__ == "__main__":
    sys.exit(main())
