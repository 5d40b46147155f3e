"""The environment that turns the product to the local stack: the names that template.yaml gives a function."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3

PERSONA = "default"
ACCOUNT_ID = "17841400000000001"
USERNAME = "fluffy.train"
TOKEN = "IGLOCAL000000000000000000000000000000000"  # noqa: S105 - the emulator's, good for nothing else  # nosec B105
BUCKET = "photosbucket"
REGION = "eu-central-1"
AWS_ACCOUNT = "123456789012"
"""Moto's, where nobody names another."""

TABLES: Final[Mapping[str, str]] = {
    "PERSONAS_TABLE": "PersonasTable",
    "PHOTOS_TABLE": "PhotosTable",
    "POSTS_TABLE": "PostsTable",
    "LOOKALIKES_TABLE": "LookalikesTable",
}
"""The logical id of the table that each variable names."""

RULE = "PostNextBestSchedule"
"""As SAM names the rule that it makes of the event ``Schedule`` of ``PostNextBest``."""
SCHEDULE_GROUP = "ScheduleGroup"
DEAD_LETTERS = "DeadLetters"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the local stack listens: moto, the emulator of Instagram, and our own answer to Lambda's Invoke."""

    aws: str
    instagram: str
    functions: str = ""


def settings(addresses: Addresses) -> Mapping[str, str]:
    """What the functions and the commands read. Tables are named by logical id, as `sam local invoke` names them."""
    return {
        "AWS_ENDPOINT_URL": addresses.aws,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",  # an emulator's # nosec B105
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        **TABLES,
        "PHOTOS_BUCKET": BUCKET,
        "TOKEN_PREFIX": "/local",  # an emulator's # nosec B105
        "DEFAULT_PERSONA": PERSONA,
        "GRAPH_VERSION": "v26.0",
        "INSTAGRAM_GRAPH_URL": f"{addresses.instagram}/instagram",
        "FACEBOOK_GRAPH_URL": f"{addresses.instagram}/facebook",
        "POWERTOOLS_SERVICE_NAME": "local",
    }


def extras(addresses: Addresses) -> Mapping[str, str]:
    """What only the commands read (``cli.settings.EXTRAS``), and the way to the functions."""
    return {
        "AWS_ENDPOINT_URL_LAMBDA": addresses.functions,
        "SCHEDULE_RULE": RULE,
        "SCHEDULE_GROUP": SCHEDULE_GROUP,
        "SCHEDULE_ROLE_ARN": f"arn:aws:iam::{AWS_ACCOUNT}:role/ScheduleRole",
        "SCHEDULES_NOTE": "The local stack has no clock: no schedule starts anything by itself. One start by hand: "
        "`.venv/bin/python -m local.invoke PostNextBest -e events/scheduler.json --persona NAME --time SLOT`.",
        "POST_NEXT_BEST_ARN": function_arn("PostNextBest"),
        "POST_NEXT_BEST_FUNCTION": "PostNextBest",
        "INGEST_PHOTO_FUNCTION": "IngestPhoto",
        "RECONCILE_FUNCTION": "Reconcile",
        "REFRESH_TOKENS_FUNCTION": "RefreshTokens",
        "DEAD_LETTERS_ARN": f"arn:aws:sqs:{REGION}:{AWS_ACCOUNT}:{DEAD_LETTERS}",
        "DEAD_LETTERS_URL": f"{addresses.aws}/{AWS_ACCOUNT}/{DEAD_LETTERS}",
    }


def function_arn(function: str) -> str:
    return f"arn:aws:lambda:{REGION}:{AWS_ACCOUNT}:function:{function}"


def isolated(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with ``extra``, and without anything that could lead to somebody's real account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # A proxy of this machine's cannot reach its loopback.
        "NO_PROXY": "*",
        "no_proxy": "*",
        **extra,
    }


def isolate_process(extra: Mapping[str, str]) -> None:
    """Have ``isolated`` as this process's environment, and nothing else."""
    wanted = isolated(extra)
    os.environ.clear()
    os.environ.update(wanted)


def table(addresses: Addresses, name: str) -> Any:
    """A table of the local stack, as boto3 gives it: to look at a record as it stands."""
    session = boto3.session.Session("local", "local", region_name=REGION)
    return session.resource("dynamodb", endpoint_url=addresses.aws).Table(name)
