"""What a suite runs on: the three ports over the same records, and a look at what they hold and what they asked."""

import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol
from unittest.mock import patch
from uuid import uuid4

import boto3
from botocore.session import Session, get_session

from adapters.dynamo import (
    DynamoPersonaDirectory,
    DynamoPhotoLibrary,
    DynamoPostLedger,
    Tables,
)
from adapters.dynamo import tables as dynamo_tables
from adapters.dynamo.archive import DynamoRecordArchive
from adapters.dynamo.near_duplicates import DynamoNearDuplicates
from domain.archive_ports import RecordArchive
from domain.personas import Persona
from domain.photos import Photo
from domain.ports import NearDuplicates, PersonaDirectory, PhotoLibrary, PostLedger
from domain.posts import Post
from fakes.archive import FakeRecordArchive
from fakes.records import FakeNearDuplicates, FakePersonaDirectory, FakePhotoLibrary, FakePostLedger, FakeRecords
from local import tables as local_tables
from local.tables import opened_tables

_numbers = itertools.count(1)
_OURS = uuid4().hex[:8]

# Each of hundreds of tests has tables and a client of its own; what these are made from is read once.
_definitions = cache(local_tables.table_definitions)


@cache
def _session() -> Session:
    return get_session()


@cache
def _raw_client(url: str) -> Any:
    return boto3.client("dynamodb", endpoint_url=url)


class Records(Protocol):
    @property
    def personas(self) -> PersonaDirectory: ...

    @property
    def library(self) -> PhotoLibrary: ...

    @property
    def ledger(self) -> PostLedger: ...

    @property
    def near_duplicates(self) -> NearDuplicates: ...

    @property
    def archive(self) -> RecordArchive: ...

    def everything(self) -> object:
        """All that is stored, to be compared: a refused write must leave it as it was."""
        ...

    def pages_read(self) -> int:
        """How many pages of the queue have been read so far."""
        ...


class FakeImplementation:
    """The fakes."""

    def __init__(self) -> None:
        self._records = FakeRecords()
        self.personas = FakePersonaDirectory(self._records)
        self.library = FakePhotoLibrary(self._records)
        self.ledger = FakePostLedger(self._records)
        self.near_duplicates = FakeNearDuplicates(self._records)
        self.archive = FakeRecordArchive(self._records)

    def everything(self) -> tuple[dict[Any, Persona], dict[Any, Photo], dict[Any, Post], dict[Any, Any]]:
        records = self._records
        return dict(records.personas), dict(records.photos), dict(records.posts), dict(records.noted)

    def pages_read(self) -> int:
        return self.library.pages_read


@dataclass(frozen=True)
class Asked:
    """One operation that the adapter asked of DynamoDB."""

    operation: str
    parameters: Mapping[str, Any] = field(repr=False)


class DynamoImplementation:
    """PynamoDB on fresh tables at ``url``, made from template.yaml. Adapters speak to ``by_way_of`` where it is given.

    The environment must be ``servers.aws_environment``.
    """

    def __init__(self, url: str, *, by_way_of: str | None = None) -> None:
        self.raw = _raw_client(url)
        with patch.object(local_tables, "table_definitions", _definitions):
            self.names = local_tables.create_tables(self.raw, prefix=f"{_OURS}-{next(_numbers)}-")
        self.asked: list[Asked] = []
        self.tables = tables_at(by_way_of or url, self.names)
        self.tables.connection.client.meta.events.register("provide-client-params.dynamodb.*", self._note)
        self.personas = DynamoPersonaDirectory(self.tables)
        self.library = DynamoPhotoLibrary(self.tables)
        self.ledger = DynamoPostLedger(self.tables)
        self.near_duplicates = DynamoNearDuplicates(self.tables)
        self.archive = DynamoRecordArchive(self.tables)

    def everything(self) -> dict[str, list[Any]]:
        return {table: sorted(self.items(table), key=repr) for table in self.names}

    def items(self, table: str) -> list[dict[str, Any]]:
        """A table's items as DynamoDB has them, attribute by attribute with its type."""
        found: list[dict[str, Any]] = self.raw.scan(TableName=self.names[table], ConsistentRead=True)["Items"]
        return found

    def item(self, table: str, key: str) -> dict[str, Any]:
        """The one item that has ``key`` as its range key (its hash key, for a persona)."""
        name = {"PersonasTable": "persona_id", "PhotosTable": "photo_id", "PostsTable": "slot"}[table]
        (item,) = (item for item in self.items(table) if item[name] == {"S": key})
        return item

    def pages_read(self) -> int:
        return sum(asked.operation == "Query" for asked in self.asked)

    def _note(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        self.asked.append(Asked(model.name, dict(params)))


def tables_at(url: str, names: Mapping[str, str], *, patient: bool = True) -> Tables:
    """The adapter's tables, whose client the standard variable has directed to ``url``.

    A patient one waits for a busy machine, so that the SDK repeats no request but those that a test gives it cause to.
    """
    read_timeout = 30 if patient else dynamo_tables.READ_TIMEOUT_SECONDS
    with (
        patch.dict(os.environ, AWS_ENDPOINT_URL_DYNAMODB=url),
        patch("pynamodb.connection.base.get_session", _session),
        patch.object(dynamo_tables, "CONNECT_TIMEOUT_SECONDS", 30),
        patch.object(dynamo_tables, "READ_TIMEOUT_SECONDS", read_timeout),
    ):
        tables = opened_tables(names)
        tables.connection.client  # noqa: B018 - opens it
    return tables
