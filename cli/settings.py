"""Which stack: from the environment, as the Lambda functions are told it, or else from CloudFormation's outputs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from handlers.wiring import Settings, SettingsError

DEFAULT_STACK: Final = "fluffy-train"
STACK_VARIABLE: Final = "FLUFFY_TRAIN_STACK"

# Where the records and files are. They belong to one stack, so they are taken from one place.
_PLACES: Final = {
    "PERSONAS_TABLE": "PersonasTableName",
    "PHOTOS_TABLE": "PhotosTableName",
    "POSTS_TABLE": "PostsTableName",
    "LOOKALIKES_TABLE": "LookalikesTableName",
    "PHOTOS_BUCKET": "PhotosBucketName",
    "TOKEN_PREFIX": "TokenPrefix",  # an output's name # nosec B105
}
_OUTPUTS: Final = _PLACES | {"DEFAULT_PERSONA": "DefaultPersona", "GRAPH_VERSION": "GraphVersion"}
# What has a default. A stack of an older version lacks them.
_OPTIONAL: Final = {
    "SCORER": "Scorer",
    "BEDROCK_MODEL_ID": "BedrockModelId",
    "NEAR_DUPLICATE_BITS": "NearDuplicateBits",
    "WEBHOOK_URL": "WebhookUrl",
}
# What only commands use: a stack, or an environment, without them can do all the rest.
EXTRAS: Final = {
    "SCHEDULE_RULE": "ScheduleRule",
    "SCHEDULE_GROUP": "ScheduleGroup",
    "SCHEDULE_ROLE_ARN": "ScheduleRoleArn",
    "POST_NEXT_BEST_ARN": "PostNextBestArn",
    "DEAD_LETTERS_ARN": "DeadLettersArn",
    "DEAD_LETTERS_URL": "DeadLettersUrl",
    "POST_NEXT_BEST_FUNCTION": "PostNextBestFunction",
    "INGEST_PHOTO_FUNCTION": "IngestPhotoFunction",
    "RECONCILE_FUNCTION": "ReconcileFunction",
    "REFRESH_TOKENS_FUNCTION": "RefreshTokensFunction",
    "WEBHOOK_QUEUE_URL": "WebhookQueueUrl",
}
_HOSTS: Final = {
    "INSTAGRAM_GRAPH_URL": "https://graph.instagram.com",
    "FACEBOOK_GRAPH_URL": "https://graph.facebook.com",
}
_STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")

_CLIENT_CONFIG: Final = Config(
    connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"}
)


@dataclass(frozen=True, slots=True)
class Found:
    """The settings, and the stack whose outputs gave them; None where the environment did."""

    settings: Settings
    stack_name: str | None
    extras: Mapping[str, str] = field(default_factory=dict)
    """What is known of ``EXTRAS``, by the names of the environment's variables."""


def find(stack_name: str | None, environment: Mapping[str, str]) -> Found:
    """The settings of the environment, where it names the tables; else those of the stack, with its overrides.

    Raises SettingsError, whose text says what to do, and botocore's errors where AWS cannot be asked.
    """
    given = {name: environment[name] for name in (*_OUTPUTS, *_OPTIONAL, *_HOSTS) if environment.get(name)}
    if not given.keys() & _PLACES.keys():
        name = stack_name or environment.get(STACK_VARIABLE) or DEFAULT_STACK
        told = _outputs(name) | given
        return Found(Settings.of(_HOSTS | told), name, _extras(told | dict(environment)))
    missing = [name for name in _OUTPUTS if name not in given]
    if missing:
        raise SettingsError(
            f"The environment has {_listed(given.keys() & _PLACES.keys())}, but lacks {', '.join(missing)}. Set them "
            f"too, or unset {', '.join(_PLACES)}: then the outputs of the stack are read."
        )
    return Found(Settings.of(_HOSTS | given), None, _extras(environment))


def _extras(told: Mapping[str, str]) -> dict[str, str]:
    return {name: told[name] for name in EXTRAS if told.get(name)}


def _outputs(stack_name: str) -> dict[str, str]:
    """What the stack's outputs say, by the names of the environment's variables."""
    which = f"Name yours with --stack or {STACK_VARIABLE}."
    if _STACK_NAME.fullmatch(stack_name) is None:
        raise SettingsError(f"No stack can have that name: it has letters, digits and hyphens. {which}")
    client = boto3.client("cloudformation", config=_CLIENT_CONFIG)
    region = client.meta.region_name
    try:
        stacks = client.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        # CloudFormation has no code of its own for it, and the name is well formed.
        if error.response.get("Error", {}).get("Code") != "ValidationError":
            raise
        raise SettingsError(
            f"There is no stack {stack_name} in {region}. Deploy it with `sam deploy --guided`, or look in another "
            f"region or account (AWS_DEFAULT_REGION, AWS_PROFILE). {which}"
        ) from None
    found = {output["OutputKey"]: output.get("OutputValue", "") for output in stacks[0].get("Outputs", ())}
    missing = [output for output in _OUTPUTS.values() if not found.get(output)]
    if missing:
        raise SettingsError(
            f"The stack {stack_name} in {region} has no output {', '.join(missing)}. It is another program's stack, or "
            f"an old version or an unfinished deployment of this one: deploy it again. {which}"
        )
    return {variable: found[output] for variable, output in (_OUTPUTS | _OPTIONAL | EXTRAS).items() if output in found}


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
