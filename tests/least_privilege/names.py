"""ARNs of the template's stack, for what a test's tables, bucket and parameters are called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

# As in template/expansion.py, whose import takes a second, and many processes are started that need no more than these.
ACCOUNT, REGION, STACK = "123456789012", "us-east-1", "fluffy-train"
PREFIX: Final = f"/{STACK}"

_TABLES: Final = ("PERSONAS_TABLE", "PHOTOS_TABLE", "POSTS_TABLE", "LOOKALIKES_TABLE")


def regional(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def table_arn(logical_id: str) -> str:
    return regional("dynamodb", f"table/{logical_id}")


def stream_arn(logical_id: str) -> str:
    """DynamoDB adds the moment at which the stream was made."""
    return f"{table_arn(logical_id)}/stream/2026-11-22T00:00:00.000"


def bucket_arn(logical_id: str) -> str:
    """S3's names have no capitals."""
    return f"arn:aws:s3:::{logical_id.lower()}"


@dataclass(frozen=True, slots=True)
class Names:
    """What a function's environment calls its own. Whatever else is asked for keeps the name that it has."""

    tables: Mapping[str, str]
    photos_bucket: str
    token_prefix: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Tables are known by their variable's name: ``PHOTOS_TABLE`` is PhotosTable."""
        tables = {environment[name]: name.title().replace("_", "") for name in _TABLES if name in environment}
        return cls(tables, environment.get("PHOTOS_BUCKET", ""), environment.get("TOKEN_PREFIX", ""))

    def table(self, name: str) -> str:
        return table_arn(self.tables.get(name, name))

    def bucket(self, name: str) -> str:
        return bucket_arn("PhotosBucket" if name == self.photos_bucket else name)

    def object(self, bucket: str, key: str) -> str:
        return f"{self.bucket(bucket)}/{key}"

    def parameter(self, name: str) -> str:
        under = f"{self.token_prefix}/"
        if self.token_prefix and name.startswith(under):
            name = f"{PREFIX}/{name.removeprefix(under)}"
        return regional("ssm", f"parameter{name}")

    def model(self, kind: str, model: str) -> str:
        return f"arn:aws:bedrock:{REGION}:{ACCOUNT if kind == 'inference-profile' else ''}:{kind}/{model}"
