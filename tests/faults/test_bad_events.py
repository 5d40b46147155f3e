"""Fuzzed events: each is a valid request, or is refused with the field's name, before anything is read or written."""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_socket import disable_socket, enable_socket

from domain.ids import PersonaId
from domain.personas import Persona
from domain.post_next_best import UnknownPersonaError
from fakes.library import Engine, a_photo
from handlers import post_next_best, reconcile
from handlers.events import EventRefusedError
from local.lambda_context import LambdaContext

EVENTS: Final = sorted((Path(__file__).parents[2] / "events").glob("*.json"))
VALID: Final = [json.loads(path.read_text()) for path in EVENTS if not path.stem.startswith("ingest")]
FIELDS: Final = ("persona_id", "time", "dry_run", "source", "detail-type", "detail", "resources", "version", "account")

# As json.loads gives them in Lambda's runtime: NaN, infinities and halves of characters are among them.
TEXTS: Final = st.text(st.characters(exclude_categories=()), max_size=90)
TIMES: Final = st.datetimes().map(lambda time: f"{time.isoformat()}Z") | st.sampled_from(
    [
        "2026-11-22T09:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-22T09:00:00",
        "2026-11-22",
        "2026-W47-7T09:00:00Z",
        "٢٠٢٦-11-22T09:00:00Z",
        "2026-11-22T09:00:00Z#2",
    ]
)
SCALARS: Final = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | TIMES | st.sampled_from(["default", "aws.events"])
)
VALUES: Final = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS) | TEXTS, inner, max_size=6),
    max_leaves=10,
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A sample event with some fields taken away, exchanged or added."""
    event = deepcopy(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from([*event, *FIELDS]) | TEXTS)
        if draw(st.booleans()):
            event[name] = draw(VALUES)
        else:
            event.pop(name, None)
    return event


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    disable_socket()
    yield
    enable_socket()


def run(event: object) -> dict[str, Any]:
    answer: dict[str, Any] = post_next_best.handler(event, LambdaContext())
    return answer


@pytest.mark.parametrize("event", VALID)
def test_each_sample_event_is_a_request(on_fakes: Callable[..., None], event: dict[str, Any]) -> None:
    engine = Engine(a_photo())
    engine.personas.add(Persona(PersonaId(event.get("persona_id", "another")), "Another", "17841400000000002"))
    on_fakes(engine)
    assert run(event)["outcome"] in {"posted", "dry_run", "nothing_to_post", "too_late"}


@settings(settings.get_profile("fuzz"), max_examples=3 * settings.get_profile("fuzz").max_examples)
@given(event=VALUES | mutated())
def test_any_event_is_a_request_or_is_refused_by_its_fields_name(on_fakes: Callable[..., None], event: Any) -> None:
    engine = Engine(a_photo())
    on_fakes(engine)
    before = records_of(engine)
    answer: object
    try:
        answer = run(event)
    except (EventRefusedError, UnknownPersonaError) as refusal:
        answer = refusal
    if isinstance(answer, Exception):
        text = str(answer)
        assert names_a_field(text, event), text
        assert len(text) <= 400
        assert text.isprintable(), repr(text)
        assert records_of(engine) == before
        assert not engine.publisher.calls
    else:
        assert isinstance(event, dict)
        assert isinstance(answer, dict)
        assert set(event) <= {*FIELDS, "id", "region"}, "a field that nobody knows was taken"
        assert answer["outcome"] in {"posted", "too_late", "dry_run"}
        assert (answer["outcome"] == "posted") == (records_of(engine) != before)
        assert (answer["outcome"] == "dry_run") == (event.get("dry_run") is True)


def records_of(engine: Engine) -> object:
    return dict(engine.records.personas), dict(engine.records.photos), dict(engine.records.posts)


def names_a_field(text: str, event: Any) -> bool:
    """By its name, or by what can be shown of it where it is none that we know."""
    known = re.match(r"(event|dry_run|source|detail-type|time|persona_id): ", text)
    return known is not None or (isinstance(event, dict) and "this field is not known" in text)


BAD: Final[list[tuple[object, str]]] = [
    (None, "event"),
    ([], "event"),
    ("2026-11-22T09:00:00Z", "event"),
    ({"dry_run": 1}, "dry_run"),
    ({"dry_run": None}, "dry_run"),
    ({"time": "2026-11-22T09:00:00Z"}, "persona_id"),
    ({"persona_id": "default", "time": None}, "time"),
    ({"persona_id": "default", "time": "2026-11-22T09:00:00"}, "time"),
    ({"persona_id": "default", "time": "0001-01-01T00:00:00+14:00"}, "time"),
    ({"persona_id": "../other", "time": "2026-11-22T09:00:00Z"}, "persona_id"),
    ({"persona_id": 1}, "persona_id"),
    ({"persona_id": "nobody"}, "persona_id"),
    ({"source": "aws.s3", "detail-type": "Scheduled Event", "time": "2026-11-22T09:00:00Z"}, "source"),
    ({"source": "aws.events", "time": "2026-11-22T09:00:00Z"}, "detail-type"),
    ({"source": "aws.events", "detail-type": "Scheduled Event"}, "time"),
    ({"Records": [{"s3": {}}]}, "'Records'"),
    ({"x" * 100_000: 1}, "'xxx"),
    ({"persona_id": "default", "token": "IG" + "x" * 100_000}, "'token'"),
]


@pytest.mark.parametrize(("event", "name"), BAD)
def test_a_bad_event_is_refused_by_its_fields_name(on_fakes: Callable[..., None], event: object, name: str) -> None:
    engine = Engine(a_photo())
    on_fakes(engine)
    before = records_of(engine)
    with pytest.raises((EventRefusedError, UnknownPersonaError), match=f"^{re.escape(name)}") as caught:
        run(event)
    assert len(str(caught.value)) <= 400
    assert records_of(engine) == before
    assert not engine.publisher.calls


@settings(settings.get_profile("fuzz"))
@given(event=VALUES)
def test_the_reconciler_takes_any_event(on_fakes: Callable[..., None], event: Any) -> None:
    on_fakes(Engine(a_photo()))
    assert reconcile.handler(event, LambdaContext()) == {"posts": [], "left_for_later": False}
