"""Whatever keeps DynamoDB from answering, each method raises RecordsUnavailableError, and nothing else comes out."""

import json
import socket
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from adapters.dynamo import (
    DynamoPersonaDirectory,
    DynamoPhotoLibrary,
    DynamoPostLedger,
    Tables,
)
from adapters.dynamo.near_duplicates import DynamoNearDuplicates
from contract.implementations import tables_at
from contract.scenes import A_MINUTE_LATER, CONTAINER, FAULT, LEASE_OVER, MEDIA, OTHER_LEASE, TEN, next_post
from contract.wire import Wire
from domain.personas import Fit, Quota
from domain.photos import HeldBack, HeldBackFor
from domain.ports import RecordsUnavailableError
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post

NAMES = {"PersonasTable": "personas", "PhotosTable": "photos", "PostsTable": "posts", "LookalikesTable": "lookalikes"}
OPERATIONS = [
    *("GetItem", "BatchGetItem", "Query", "Scan"),
    *("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"),
]
HASH = "9f172786e71f1e00"
SKIPPED = HeldBack(HeldBackFor.SKIPPED)
FAILED = a_post().as_failed(FAULT, A_MINUTE_LATER)

CALLS: dict[str, Callable[[Tables], object]] = {
    "personas.get": lambda tables: DynamoPersonaDirectory(tables).get(DEFAULT),
    "personas.add": lambda tables: DynamoPersonaDirectory(tables).add(a_persona()),
    "personas.resume": lambda tables: DynamoPersonaDirectory(tables).resume(DEFAULT),
    "personas.pause": lambda tables: DynamoPersonaDirectory(tables).pause(DEFAULT, "A pause."),
    "personas.remove": lambda tables: DynamoPersonaDirectory(tables).remove(DEFAULT, paused_for="A pause."),
    "personas.note_quota": lambda tables: DynamoPersonaDirectory(tables).note_quota(DEFAULT, Quota(3, LEASE_OVER)),
    "personas.set_fit": lambda tables: DynamoPersonaDirectory(tables).set_fit(DEFAULT, Fit.PAD),
    "personas.note_token": lambda tables: DynamoPersonaDirectory(tables).note_token(
        a_persona(), refreshed_at=LEASE_OVER, expires_at=None
    ),
    "personas.pause_for_token": lambda tables: DynamoPersonaDirectory(tables).pause_for_token(
        a_persona(), "Dead.", dead_since=TEN.start
    ),
    "personas.set_caption": lambda tables: DynamoPersonaDirectory(tables).set_caption(DEFAULT, "A caption."),
    "personas.all": lambda tables: DynamoPersonaDirectory(tables).all(),
    "library.best_first": lambda tables: next(DynamoPhotoLibrary(tables).best_first(DEFAULT)),
    "library.get": lambda tables: DynamoPhotoLibrary(tables).get(DEFAULT, a_photo().photo_id),
    "library.add": lambda tables: DynamoPhotoLibrary(tables).add(a_photo()),
    "library.beginning_with": lambda tables: DynamoPhotoLibrary(tables).beginning_with(DEFAULT, "abcdef", limit=2),
    "library.count_queued": lambda tables: DynamoPhotoLibrary(tables).count_queued(DEFAULT, minimum_score=0, most=5),
    "library.every": lambda tables: next(DynamoPhotoLibrary(tables).every(DEFAULT)),
    "library.admit": lambda tables: DynamoPhotoLibrary(tables).admit(a_photo()),
    "library.hold_back": lambda tables: DynamoPhotoLibrary(tables).hold_back(DEFAULT, a_photo().photo_id, SKIPPED),
    "library.unqueue": lambda tables: DynamoPhotoLibrary(tables).unqueue(DEFAULT, a_photo().photo_id),
    "library.release": lambda tables: DynamoPhotoLibrary(tables).release(DEFAULT, a_photo().photo_id),
    "near_duplicates.note": lambda tables: DynamoNearDuplicates(tables).note(a_photo(perceptual_hashes=(HASH,))),
    "near_duplicates.near": lambda tables: DynamoNearDuplicates(tables).near(DEFAULT, [HASH], 3),
    "near_duplicates.join": lambda tables: DynamoNearDuplicates(tables).join(DEFAULT, a_photo_id("a"), a_photo_id("b")),
    "near_duplicates.elect": lambda tables: DynamoNearDuplicates(tables).elect(DEFAULT, a_photo_id("a")),
    "near_duplicates.members": lambda tables: DynamoNearDuplicates(tables).members(DEFAULT, a_photo_id("a")),
    "ledger.retry": lambda tables: DynamoPostLedger(tables).retry(FAILED, a_post(slot=TEN)),
    "ledger.resolve": lambda tables: DynamoPostLedger(tables).resolve(a_post(), FAILED),
    "ledger.claim": lambda tables: DynamoPostLedger(tables).claim(a_post()),
    "ledger.refuse": lambda tables: DynamoPostLedger(tables).refuse(FAILED, pause="A pause."),
    "ledger.latest": lambda tables: DynamoPostLedger(tables).latest(DEFAULT, NINE),
    "ledger.get": lambda tables: DynamoPostLedger(tables).get(DEFAULT, NINE),
    "ledger.take_over": lambda tables: DynamoPostLedger(tables).take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER),
    "ledger.open_posts": lambda tables: list(DynamoPostLedger(tables).open_posts(LEASE_OVER)),
    "ledger.complete": lambda tables: DynamoPostLedger(tables).complete(
        a_post().as_posted(None, A_MINUTE_LATER).as_identified(MEDIA, None, LEASE_OVER)
    ),
    "ledger.advance": lambda tables: DynamoPostLedger(tables).advance(
        a_post(), a_post().as_fenced(CONTAINER, A_MINUTE_LATER)
    ),
    "ledger.settle": lambda tables: DynamoPostLedger(tables).settle(
        a_post(), FAILED, requeue=a_photo(), goes_on_with=next_post(of=a_post())
    ),
    "ledger.set_permalink": lambda tables: DynamoPostLedger(tables).set_permalink(
        a_post().as_posted(MEDIA, A_MINUTE_LATER), "https://www.instagram.com/p/abc/"
    ),
    "ledger.posts_since": lambda tables: DynamoPostLedger(tables).posts_since(DEFAULT, NINE.start),
    "ledger.history": lambda tables: DynamoPostLedger(tables).history(DEFAULT, limit=5),
}


@pytest.fixture(params=list(CALLS.values()), ids=list(CALLS))
def call(request: pytest.FixtureRequest) -> Callable[[Tables], object]:
    chosen: Callable[[Tables], object] = request.param
    return chosen


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """Nobody is behind it: it answers what is ordered."""
    with Wire() as wire:
        yield wire


@cache
def tables_without_a_table(url: str) -> Tables:
    return tables_at(url, NAMES)


@pytest.fixture
def tables(wire: Wire, aws_environment: None) -> Tables:
    return tables_without_a_table(wire.url)


def test_every_method_of_the_ports_is_here() -> None:
    adapters = {
        "personas": DynamoPersonaDirectory,
        "library": DynamoPhotoLibrary,
        "ledger": DynamoPostLedger,
        "near_duplicates": DynamoNearDuplicates,
    }
    public = {f"{port}.{name}" for port, adapter in adapters.items() for name in vars(adapter) if name[0] != "_"}
    assert public == CALLS.keys()


@pytest.mark.usefixtures("aws_environment")
def test_nobody_listens(call: Callable[[Tables], object]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        tables = tables_at(f"http://127.0.0.1:{free.getsockname()[1]}", NAMES)
        with pytest.raises(RecordsUnavailableError):
            call(tables)


@pytest.mark.usefixtures("aws_environment")
def test_the_table_does_not_exist(moto_url: str, call: Callable[[Tables], object]) -> None:
    with pytest.raises(RecordsUnavailableError):
        call(tables_without_a_table(moto_url))


def test_the_connection_breaks_off(moto_url: str, call: Callable[[Tables], object], aws_environment: None) -> None:
    """As a read timeout does: the SDK's exception has a place for a response, and none in it."""
    with Wire(moto_url) as wire:
        for operation in OPERATIONS:
            wire.lose_answer(f"DynamoDB {operation}", times=10)
        with pytest.raises(RecordsUnavailableError):
            call(tables_at(wire.url, NAMES))


def test_no_answer_comes_in_time(
    call: Callable[[Tables], object], aws_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.dynamo.tables.READ_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr("adapters.dynamo.tables.MOST_RETRIES", 0)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(RecordsUnavailableError):
        call(tables_at(f"http://127.0.0.1:{silent.getsockname()[1]}", NAMES, patient=False))


NOT_ALLOWED = {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "not authorized"}
BAD_TOKEN = {"__type": "com.amazon.coral.service#UnrecognizedClientException", "message": "The token is invalid."}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (400, json.dumps(NOT_ALLOWED).encode()),
        (400, json.dumps(BAD_TOKEN).encode()),
    ],
    ids=["server error", "not allowed", "bad credentials"],
)
def test_the_answer_is_of_no_use(
    wire: Wire, tables: Tables, call: Callable[[Tables], object], status: int, body: bytes
) -> None:
    for operation in OPERATIONS:
        wire.answer(f"DynamoDB {operation}", status, body, times=10)
    try:
        with pytest.raises(RecordsUnavailableError):
            call(tables)
    finally:
        wire.take_back_orders()


def test_what_is_raised_names_what_was_tried_and_why(wire: Wire, tables: Tables) -> None:
    wire.answer("DynamoDB TransactWriteItems", 400, NOT_ALLOWED)
    with pytest.raises(RecordsUnavailableError, match="claim a photo: AccessDeniedException"):
        DynamoPostLedger(tables).claim(a_post())
