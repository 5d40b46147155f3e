"""A world for the function's process: DynamoDB Local, S3 and SSM by moto, Instagram by the emulator, and time.

All of it is real but time and Instagram: processes, HTTP, the tables' conditions. It is started once for each process
of pytest and emptied for each cell of a matrix. The man in the middle stands between the function and the rest.
"""

import atexit
import hashlib
import io
import itertools
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Self
from unittest import mock
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from adapters.dynamo import DynamoPersonaDirectory, DynamoPhotoLibrary, DynamoPostLedger
from domain.ids import PhotoId
from domain.personas import Persona
from domain.photos import Photo
from domain.posts import CONTAINER_LIFE, Post
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id
from faults.interposer import Held, Interposer
from faults.worker import MOST_SECONDS, Ending, Job, RunningJob, Worker
from local import dynamodb_local
from local.environment import ACCOUNT_ID, BUCKET, REGION, TABLES, TOKEN, Addresses, isolated, settings
from local.instagram import EmulatorServer, LivePost
from local.tables import opened_tables, table_definitions

START: Final = NINE.start + timedelta(seconds=3)

LAMBDA_RETRIES: Final = (timedelta(minutes=1), timedelta(minutes=2))
"""When Lambda repeats an asynchronous invocation that failed, each counted from the one before (AWS Lambda developer
guide, "Error handling for asynchronous invocation")."""

RECONCILE_EVERY: Final = timedelta(minutes=15)
MOST_RECONCILES: Final = 20

POST_SECONDS: Final = 180.0
RECONCILE_SECONDS: Final = 300.0

BEST: Final = "sunrise"
PHOTOS: Final[Mapping[str, float]] = {BEST: 9.0, "harbour": 8.0, "forest": 7.0, "meadow": 6.0}
"""The library, by score. ``BEST`` is what a slot posts."""
TOWER: Final = "tower"
"""A photo of 1:3, which Instagram refuses with 36003. Better than ``BEST`` where it is in the library."""
MANY_PHOTOS: Final[Mapping[str, float]] = {f"photo {number}": 9.0 - number / 100 for number in range(32)}
"""A larger library, for races."""

CAPTION: Final = "From the window of the night train"
"""Of every photo, and of a post that the owner once made by hand: a caption tells nothing apart here."""

CLAIM: Final = "DynamoDB TransactWriteItems"
FENCE: Final = "DynamoDB UpdateItem"
PUBLISH: Final = "Instagram media_publish"

NINE_CALLS: Final = (
    "DynamoDB GetItem",
    "DynamoDB Query",
    CLAIM,
    "SSM GetParameters",
    "Instagram create_container",
    "Instagram container_status",
    FENCE,
    PUBLISH,
    "DynamoDB UpdateItem",
)
"""Persona, queue, claim, token, container, status, fence, publish, posted (docs/decisions/0001)."""

_EVENT: Final = Path(__file__).resolve().parent.parent.parent / "events" / "schedule.json"
_TABLES: Final = ("PersonasTable", "PhotosTable", "PostsTable", "LookalikesTable")
BATCH: Final = 25
"""The most that one BatchWriteItem takes."""
_MOVED_BY_A_LOOK: Final = frozenset({"lease_owner", "lease_until", "updated_at"})

Records = Mapping[str, Sequence[Mapping[str, Any]]]


class World:
    """What a test does to the function, and what it sees of the function's doing."""

    def __init__(self, *, dynamodb_url: str, moto_url: str, instagram: EmulatorServer, worker: Worker) -> None:
        self.instagram = instagram
        self.now = START
        self._worker = worker
        self._gates = itertools.count(1)
        prefix = f"{uuid4().hex[:8]}-"
        self._names = {table: prefix + table for table in _TABLES}
        with mock.patch.dict(os.environ, self.environment(dynamodb_url, moto_url), clear=True):
            self._dynamodb = boto3.client("dynamodb")
            tables = opened_tables(self._names)
            tables.connection.client  # noqa: B018 - opens the client, while the environment stands
            _furnish(boto3.client("s3"), boto3.client("ssm"))
            for logical_id, definition in table_definitions().items():
                self._dynamodb.create_table(TableName=self._names[logical_id], **definition)
        self._beginnings: dict[tuple[tuple[str, float], ...], Records] = {}
        self.personas = DynamoPersonaDirectory(tables)
        self.library = DynamoPhotoLibrary(tables)
        self.ledger = DynamoPostLedger(tables)
        self.interposer = Interposer(dynamodb=dynamodb_url, aws=moto_url, instagram=instagram.url)
        self.other_way = Interposer(dynamodb=dynamodb_url, aws=moto_url, instagram=instagram.url)
        """A second way to the same world, so that the calls of two processes are told apart."""

    def __enter__(self) -> Self:
        self.interposer.__enter__()
        self.other_way.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.interposer.__exit__(None, None, None)
        self.other_way.__exit__(None, None, None)

    def environment(self, dynamodb_url: str, aws_url: str, instagram_url: str = "") -> dict[str, str]:
        """What a process reads that comes to the world at these addresses."""
        return isolated(
            {
                **settings(Addresses(aws_url, instagram_url)),
                **{name: self._names[table] for name, table in TABLES.items()},
                "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_url,
            }
        )

    # ---- what is there at the start ----

    def begin_anew(self, photos: Mapping[str, float] = PHOTOS, *, polls: int = 0) -> None:
        """A library of ``photos`` by score, an account with one old post of the same caption, and a new day.

        Instagram says for ``polls`` looks at a container that it is being processed.
        """
        self.forget_calls()
        self.now = START
        self._restore(photos)
        self.instagram.reset()
        self.instagram.configure(processing_polls=polls)
        self.instagram.freeze(self.now - timedelta(days=1))
        self.instagram.add_account(ACCOUNT_ID, TOKEN)
        self.instagram.post_by_hand(ACCOUNT_ID, CAPTION)

    def forget_calls(self) -> None:
        """Count them from 1 again, without any strike; what was held back is dropped."""
        self.interposer.forget()
        self.other_way.forget()

    def _restore(self, photos: Mapping[str, float]) -> None:
        """The tables as the adapters filled them for these photos, the first time that they were wanted."""
        key = tuple(photos.items())
        if key not in self._beginnings:
            self._put_back(dict.fromkeys(self._names, ()))
            self.personas.add(a_persona(instagram_user_id=ACCOUNT_ID, caption=CAPTION))
            for name, score in photos.items():
                self.library.add(a_photo(name, score=score))
            self._beginnings[key] = self.records()
        self._put_back(self._beginnings[key])

    def _put_back(self, wanted: Records) -> None:
        requests: list[tuple[str, Mapping[str, Any]]] = []
        for table, items in self.records().items():
            keys = [each["AttributeName"] for each in _definitions()[table]["KeySchema"]]
            kept = [[item[key] for key in keys] for item in wanted[table]]
            for item in items:
                if [item[key] for key in keys] not in kept:
                    requests.append((table, {"DeleteRequest": {"Key": {key: item[key] for key in keys}}}))
            requests += [(table, {"PutRequest": {"Item": item}}) for item in wanted[table] if item not in items]
        while requests:
            page, requests = requests[:BATCH], requests[BATCH:]
            by_table: dict[str, list[Any]] = {self._names[table]: [] for table, _ in page}
            for table, request in page:
                by_table[self._names[table]].append(request)
            left = self._dynamodb.batch_write_item(RequestItems=by_table)["UnprocessedItems"]
            assert not left

    # ---- what happens ----

    def start(
        self,
        function: str,
        event: Mapping[str, Any],
        *,
        seconds: float,
        through: Interposer | None = None,
        gate: str | None = None,
    ) -> RunningJob:
        """Invoke a function in a process of its own, which sees the world through an interposer."""
        between = through or self.interposer
        environment = self.environment(between.dynamodb_url, between.aws_url, between.instagram_url)
        self.instagram.freeze(self.now)
        running = self._worker.start(Job(function, event, self.now, environment, seconds, gate))
        between.watch(running.kill)
        return running

    def start_post(
        self, slot: Slot = NINE, *, through: Interposer | None = None, gate: str | None = None
    ) -> RunningJob:
        event = {**_schedule_event(), "time": str(slot)}
        return self.start("PostNextBest", event, seconds=POST_SECONDS, through=through, gate=gate)

    def start_reconcile(self, *, through: Interposer | None = None, gate: str | None = None) -> RunningJob:
        return self.start("Reconcile", {}, seconds=RECONCILE_SECONDS, through=through, gate=gate)

    def a_gate(self) -> str:
        """The name of a new gate: jobs that are started with it wait there until ``open_gate``."""
        return f"gate {next(self._gates)}"

    def open_gate(self, gate: str, waiting: Sequence[RunningJob]) -> None:
        """Let them go at once, when all of them are ready."""
        for job in waiting:
            job.ready.result()
        self._worker.open_gate(gate)

    def deliver(self, slot: Slot = NINE) -> Ending:
        """The schedule's event arrives, once."""
        return checked(self.start_post(slot).wait())

    def deliver_with_retries(self, slot: Slot = NINE) -> Ending:
        """The schedule's event arrives, and Lambda delivers it again where the function crashed or raised."""
        ending = self.deliver(slot)
        for pause in LAMBDA_RETRIES:
            if ending.answer is not None:
                break
            self.pass_time(pause)
            ending = self.deliver(slot)
        return ending

    def reconcile(self) -> Ending:
        return checked(self.start_reconcile().wait())

    def let_go(self, held: Held) -> None:
        """What the interposer held back arrives now."""
        self.instagram.freeze(self.now)
        held.let_go()
        assert held.answered.wait(MOST_SECONDS)

    def pass_time(self, duration: timedelta) -> None:
        self.now += duration

    def reconcile_until_quiet(self) -> None:
        """Every 15 minutes, until no post is in flight. Runs that can find nothing to do are left out.

        Those are the runs before a lease ends, and after a look that changed nothing those before a day has passed
        since the post was sent: only that can change anything then.
        """
        looked_in_vain = False
        for _ in range(MOST_RECONCILES):
            in_flight = self.in_flight()
            if not in_flight:
                return
            due = min(post.lease.until for post in in_flight)
            if looked_in_vain and all(post.publish_sent_at for post in in_flight):
                sent = (post.publish_sent_at for post in in_flight if post.publish_sent_at)
                due = max(due, min(sent) + CONTAINER_LIFE)
            self.now = _next_quarter(max(due, self.now))
            before = _without_leases(self.records())
            ending = self.reconcile()
            looked_in_vain = ending.answer is not None and _without_leases(self.records()) == before
        raise AssertionError(f"after {MOST_RECONCILES} reconcile runs there is still in flight: {self.in_flight()}")

    # ---- what is seen ----

    def records(self) -> Records:
        """Every item of every table, attribute by attribute."""
        return {
            table: sorted(
                self._dynamodb.scan(TableName=name, ConsistentRead=True)["Items"],
                key=lambda item: json.dumps(item, sort_keys=True),
            )
            for table, name in self._names.items()
        }

    def posts(self) -> Sequence[Post]:
        """The records of posts, oldest slot first."""
        return self.ledger.history(DEFAULT, limit=1000)[::-1]

    def in_flight(self) -> Sequence[Post]:
        """The posts that the reconciler's index has."""
        keys = {
            (item["persona_id"]["S"], item["slot"]["S"])
            for item in self._dynamodb.scan(TableName=self._names["PostsTable"], IndexName="in_flight")["Items"]
        }
        return [post for post in self.posts() if (post.persona_id, str(post.slot)) in keys]

    def photo(self, name: str) -> Photo:
        photo = self.library.get(DEFAULT, a_photo_id(name))
        assert photo is not None
        return photo

    def photo_item(self, name: str) -> Mapping[str, Any]:
        """The photo with its place in the queue, as the table has it."""
        photo_id = {"S": a_photo_id(name)}
        (item,) = (item for item in self.records()["PhotosTable"] if item["photo_id"] == photo_id)
        return item

    def queue(self) -> Sequence[PhotoId]:
        """What the index has, best first."""
        return [photo.photo_id for photo in self.library.best_first(DEFAULT, page_size=100)]

    def persona(self) -> Persona:
        persona = self.personas.get(DEFAULT)
        assert persona is not None
        return persona

    def live(self) -> Sequence[LivePost]:
        """What followers see, oldest first, without the owner's own post of the day before."""
        return [post for post in self.instagram.live_posts(ACCOUNT_ID)[::-1] if post.container_id]


def photo_of(live: LivePost) -> str:
    """The name of the photo that a live post shows."""
    (name,) = (name for name in (*PHOTOS, TOWER, *MANY_PHOTOS) if _sha256(name) == live.picture_sha256)
    return name


def checked(ending: Ending) -> Ending:
    """A function answers, or raises what its docstring says; and the process printed no secret.

    The suite's guard against leaks does not hear into another process.
    """
    assert ending.raised is None or ending.raised.startswith("RecordsUnavailableError:"), ending.raised
    for secret in (TOKEN, "X-Amz-Signature"):
        assert secret not in ending.log
    return ending


def _without_leases(records: Records) -> Records:
    return {
        table: [{name: value for name, value in item.items() if name not in _MOVED_BY_A_LOOK} for item in items]
        for table, items in records.items()
    }


def _next_quarter(moment: datetime) -> datetime:
    """The reconciler's first scheduled minute after ``moment``."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + ((moment - midnight) // RECONCILE_EVERY + 1) * RECONCILE_EVERY


@cache
def _definitions() -> Mapping[str, Mapping[str, Any]]:
    return table_definitions()


@cache
def _schedule_event() -> Mapping[str, Any]:
    event: dict[str, Any] = json.loads(_EVENT.read_text(encoding="utf-8"))
    return event


@cache
def _picture(name: str) -> bytes:
    jpeg = io.BytesIO()
    colour = hashlib.sha256(name.encode()).digest()[:3]
    Image.new("RGB", (320, 960) if name == TOWER else (400, 400), tuple(colour)).save(jpeg, "JPEG")
    return jpeg.getvalue()


def _sha256(name: str) -> str:
    return hashlib.sha256(_picture(name)).hexdigest()


def _furnish(s3: Any, ssm: Any) -> None:
    """The bucket with every photo's file, and the token."""
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for name in (*PHOTOS, TOWER, *MANY_PHOTOS):
        key = a_photo(name).object_key
        s3.put_object(Bucket=BUCKET, Key=key, Body=_picture(name), ContentType="image/jpeg")
    ssm.put_parameter(Name=f"/local/{DEFAULT}/access-token", Value=TOKEN, Type="SecureString", Overwrite=True)


@cache
def _the_world() -> World:
    """This process's world. It ends with the process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    stack = ExitStack()
    atexit.register(stack.close)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    stack.callback(moto.stop)
    made = stack.enter_context(
        World(
            dynamodb_url=stack.enter_context(dynamodb_local.DynamoDbLocal()),
            moto_url=f"http://127.0.0.1:{moto.get_host_and_port()[1]}",
            instagram=stack.enter_context(EmulatorServer()),
            worker=stack.enter_context(Worker()),
        )
    )
    # A first post wakes everything up: the first calls to a young Java machine take longer than the SDK waits for them.
    made.begin_anew()
    made.deliver()
    return made


@pytest.fixture
def world() -> Iterator[World]:
    """This process's world, empty. Without DynamoDB Local the test is skipped, or fails where that is required."""
    if not dynamodb_local.available():
        if dynamodb_local.is_required():
            pytest.fail(f"DynamoDB Local is required here and is not there; {dynamodb_local.HOW_TO_GET_IT} gets it")
        pytest.skip(f"DynamoDB Local is not there; {dynamodb_local.HOW_TO_GET_IT} gets it")
    made = _the_world()
    made.begin_anew()
    yield made
    made.forget_calls()
