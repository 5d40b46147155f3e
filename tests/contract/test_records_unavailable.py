"""Whatever keeps DynamoDB from answering, each method raises RecordsUnavailableError, and nothing else comes out."""

import json
import socket
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from adapters.dynamo import DynamoPersonaDirectory, DynamoPhotoLibrary, DynamoPostLedger, Tables
from contract.implementations import tables_at
from contract.scenes import A_MINUTE_LATER, CONTAINER, FAULT, LEASE_OVER, MEDIA, OTHER_LEASE, next_post
from contract.wire import Wire
from domain.ports import RecordsUnavailableError
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_post

NAMES = {"PersonasTable": "personas", "PhotosTable": "photos", "PostsTable": "posts"}
OPERATIONS = ["GetItem", "PutItem", "UpdateItem", "Query", "Scan", "TransactWriteItems"]
FAILED = a_post().as_failed(FAULT, A_MINUTE_LATER)

CALLS: dict[str, Callable[[Tables], object]] = {
    "personas.get": lambda tables: DynamoPersonaDirectory(tables).get(DEFAULT),
    "personas.add": lambda tables: DynamoPersonaDirectory(tables).add(a_persona()),
    "personas.resume": lambda tables: DynamoPersonaDirectory(tables).resume(DEFAULT),
    "personas.set_caption": lambda tables: DynamoPersonaDirectory(tables).set_caption(DEFAULT, "A caption."),
    "personas.all": lambda tables: DynamoPersonaDirectory(tables).all(),
    "library.best_first": lambda tables: next(DynamoPhotoLibrary(tables).best_first(DEFAULT)),
    "library.get": lambda tables: DynamoPhotoLibrary(tables).get(DEFAULT, a_photo().photo_id),
    "library.add": lambda tables: DynamoPhotoLibrary(tables).add(a_photo()),
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
