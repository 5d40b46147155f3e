"""What choosing the next photo costs, in read units and in time, from a small library to a large one.

Run on DynamoDB Local, which counts capacity as DynamoDB does. The rival, in the same run on the same tables, is what
one writes without an index: a query of the persona's photos with a filter for the unposted, sorted by score.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
from boto3.dynamodb.conditions import Attr, Key
from rich.console import Console
from rich.table import Table

from adapters.dynamo import DynamoPhotoLibrary, Tables
from adapters.dynamo.tables import photo_item
from domain.ids import PersonaId, PhotoId
from domain.photos import Photo, PhotoAnalysis
from local.dynamodb_local import DynamoDbLocal
from local.environment import isolated
from local.tables import create_tables, opened_tables

PERSONA: Final = PersonaId("default")
LIMIT: Final = 0.5  # read units: an eventually consistent read of up to 4 KB
ROUNDS: Final = 30
RIVAL_ROUNDS: Final = 1


def bench_choosing(sizes: Sequence[int]) -> bool:
    """Measure at libraries of these many photos, print the table, and say whether the goal is met."""
    shown = Table("photos", "ours: Queries", "read units", "ms", "rival: Queries", "read units", "ms", "rival / ours")
    too_dear = False
    with DynamoDbLocal() as endpoint:
        os.environ.update(
            isolated(
                {
                    "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
                    "AWS_ACCESS_KEY_ID": "local",
                    "AWS_SECRET_ACCESS_KEY": "local",
                }  # an emulator's # nosec B105
            )
            | {"AWS_DEFAULT_REGION": "eu-central-1"}
        )
        for size in sorted(sizes):
            ours, rival = _measure(size)
            too_dear |= ours.read_units > LIMIT or ours.queries != 1
            shown.add_row(f"{size:,}", *ours.cells(), *rival.cells(), f"{rival.read_units / ours.read_units:,.0f} ×")
    Console(width=110).print(shown)
    print(f"Goal: one Query of at most {LIMIT} read units at every size: {'MISSED' if too_dear else 'met'}.")
    return not too_dear


class Cost:
    """What one choice cost: the Queries sent, the read units that DynamoDB charged, the median time in ms."""

    def __init__(self, client: Any, choose: Callable[[], object], rounds: int) -> None:
        charged: list[float] = []
        times = []
        client.meta.events.register(
            "after-call.dynamodb.*",
            lambda parsed, **_: charged.append(parsed["ConsumedCapacity"]["CapacityUnits"]),
            unique_id="bench",
        )
        for _ in range(rounds):
            charged.clear()
            began = time.perf_counter()
            choose()
            times.append((time.perf_counter() - began) * 1000)
        client.meta.events.unregister("after-call.dynamodb.*", unique_id="bench")
        self.queries = len(charged)
        self.read_units = sum(charged)
        self.milliseconds = statistics.median(times)

    def cells(self) -> tuple[str, str, str]:
        return f"{self.queries:,}", f"{self.read_units:,.1f}", f"{self.milliseconds:,.1f}"


def _measure(size: int) -> tuple[Cost, Cost]:
    prefix = f"Of{size}"
    names = create_tables(boto3.client("dynamodb"), prefix=prefix)
    tables = opened_tables(names)
    _fill(tables, size)
    library = DynamoPhotoLibrary(tables)
    ours = Cost(tables.connection.client, lambda: next(library.best_first(PERSONA)), ROUNDS)
    photos = boto3.resource("dynamodb").Table(names["PhotosTable"])
    return ours, Cost(photos.meta.client, lambda: _filtered_and_sorted(photos), RIVAL_ROUNDS)


def _fill(tables: Tables, size: int) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    with tables.photos.batch_write() as batch:
        for number in range(size):
            photo = Photo(
                PERSONA,
                PhotoId(f"{number:064x}"),
                f"library/{PERSONA}/{number:064x}.jpg",
                1440,
                1080,
                began + timedelta(seconds=number),
                caption="A caption as people write them, of a line or two. #photography",
                alt_text="What can be seen in the picture, in a sentence.",
                analysis=PhotoAnalysis((number * 7919 % 10_000) / 1000, "bench-1", began),
            )
            batch.save(photo_item(tables, photo))


def _filtered_and_sorted(photos: Any) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {}
    while not page or "LastEvaluatedKey" in page:
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
        page = photos.query(
            KeyConditionExpression=Key("persona_id").eq(PERSONA),
            FilterExpression=Attr("post_slot").not_exists(),
            ReturnConsumedCapacity="TOTAL",
            **start,
        )
        found += page["Items"]
    return max(found, key=lambda item: (item["analysis"]["aesthetic_score"], item["photo_id"]))
