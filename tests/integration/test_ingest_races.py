"""Many uploads at once, on DynamoDB Local: moto's transactions are not isolated from each other."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Final

import pytest

from contract.implementations import DynamoImplementation
from contract.servers import dynamodb_local_url
from domain.ingest_photo import photo_id_of
from domain.receive_file import Receipt, Reception
from fakes.clock import FakeClock
from fakes.library import DEFAULT, a_persona
from fakes.run_log import FakeRunLog
from handlers import intake_wiring, wiring
from integration.deployment import Deployment
from integration.pictures import a_shot

__all__ = ["dynamodb_local_url"]

NAMES: Final = 16
SHOTS: Final = 8

AtOnce = Callable[[Mapping[str, bytes]], Sequence[Receipt]]


@pytest.fixture
def records(deployment: Deployment, dynamodb_local_url: str) -> DynamoImplementation:
    records = DynamoImplementation(dynamodb_local_url)
    records.personas.add(a_persona())
    return records


@pytest.fixture
def at_once(deployment: Deployment, records: DynamoImplementation) -> AtOnce:
    """Uploads files, and sees to all of them at the same time, each by a run of its own."""
    settings = wiring.Settings.of(deployment.environment_of("IngestPhoto"))
    stack = replace(
        wiring.build(settings),
        personas=records.personas,
        library=records.library,
        near_duplicates=records.near_duplicates,
        clock=FakeClock(),
    )

    def race(files: Mapping[str, bytes]) -> Sequence[Receipt]:
        for key, content in files.items():
            deployment.upload(key, content)
        start = Barrier(len(files))
        runs = {key: intake_wiring.receive_file(stack, FakeRunLog()) for key in files}

        def run(key: str) -> Receipt:
            start.wait(30)
            return runs[key](key)

        with ThreadPoolExecutor(len(files)) as pool:
            return list(pool.map(run, runs))

    return race


def test_the_same_bytes_under_many_names_at_once_are_one_photo(
    deployment: Deployment, records: DynamoImplementation, at_once: AtOnce
) -> None:
    receipts = at_once({f"incoming/default/{number}.jpg": a_shot(1) for number in range(NAMES)})
    assert [receipt.reception for receipt in receipts].count(Reception.ADDED) == 1
    assert {receipt.photo_id for receipt in receipts} == {photo_id_of(a_shot(1))}
    (photo,) = records.library.every(DEFAULT)
    assert not photo.awaits_linking
    assert photo.burst is None
    assert [queued.photo_id for queued in records.library.best_first(DEFAULT)] == [photo.photo_id]
    assert len(deployment.objects("library/")) == 1


def test_a_burst_that_is_uploaded_all_at_once_has_one_photo_in_the_queue(
    records: DynamoImplementation, at_once: AtOnce
) -> None:
    receipts = at_once({f"incoming/default/{shot}.jpg": a_shot(1, shot) for shot in range(SHOTS)})
    assert [receipt.reception for receipt in receipts] == [Reception.ADDED] * SHOTS
    photos = list(records.library.every(DEFAULT))
    best = max(photos, key=lambda photo: photo.rank or "")
    assert [queued.photo_id for queued in records.library.best_first(DEFAULT)] == [best.photo_id]
    assert not any(photo.awaits_linking for photo in photos)
    burst = best.burst
    assert burst is not None
    assert len(records.near_duplicates.members(DEFAULT, burst)) == SHOTS
