"""The environment that turns the product to the local stack: the names that template.yaml gives a function."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3

PERSONA = "default"
ACCOUNT_ID = "17841400000000001"
USERNAME = "fluffy.train"
TOKEN = "IGLOCAL000000000000000000000000000000000"  # noqa: S105 - the emulator's, good for nothing else
BUCKET = "photosbucket"
REGION = "eu-central-1"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the local stack listens."""

    aws: str
    instagram: str


def settings(addresses: Addresses) -> Mapping[str, str]:
    """What the functions and the commands read. Tables are named by logical id, as `sam local invoke` names them."""
    return {
        "AWS_ENDPOINT_URL": addresses.aws,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "PERSONAS_TABLE": "PersonasTable",
        "PHOTOS_TABLE": "PhotosTable",
        "POSTS_TABLE": "PostsTable",
        "LOOKALIKES_TABLE": "LookalikesTable",
        "PHOTOS_BUCKET": BUCKET,
        "TOKEN_PREFIX": "/local",
        "DEFAULT_PERSONA": PERSONA,
        "GRAPH_VERSION": "v26.0",
        "INSTAGRAM_GRAPH_URL": f"{addresses.instagram}/instagram",
        "FACEBOOK_GRAPH_URL": f"{addresses.instagram}/facebook",
        "POWERTOOLS_SERVICE_NAME": "local",
    }


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


def table(addresses: Addresses, name: str) -> Any:
    """A table of the local stack, as boto3 gives it: to look at a record as it stands."""
    session = boto3.session.Session("local", "local", region_name=REGION)
    return session.resource("dynamodb", endpoint_url=addresses.aws).Table(name)
