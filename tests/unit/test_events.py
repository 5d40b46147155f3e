"""The events that may start a post; every other is refused with the field at fault."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import PersonaId
from domain.post_next_best import Request
from domain.slots import Slot
from handlers.events import EventRefusedError, parse

ADA = PersonaId("ada")
NOW = datetime(2026, 11, 22, 9, 41, 7, 512_000, tzinfo=UTC)
NINE = Slot(datetime(2026, 11, 22, 9, tzinfo=UTC))
BY_HAND = Slot(datetime(2026, 11, 22, 9, 41, 7, tzinfo=UTC))

RULE: dict[str, Any] = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-22T09:00:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:123456789012:rule/daily"],
    "detail": {},
}


def without(event: dict[str, Any], field: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != field}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (RULE, Request(ADA, NINE)),
        (
            {"source": "aws.events", "detail-type": "Scheduled Event", "time": "2026-11-22T09:00:00Z"},
            Request(ADA, NINE),
        ),
        (RULE | {"dry_run": True}, Request(ADA, NINE, dry_run=True)),
        (RULE | {"dry_run": False}, Request(ADA, NINE)),
        ({"persona_id": "bob", "time": "2026-11-22T09:00:00Z"}, Request(PersonaId("bob"), NINE)),
        (
            {"persona_id": "bob", "time": "2026-11-22T09:00:00Z", "dry_run": True},
            Request(PersonaId("bob"), NINE, dry_run=True),
        ),
        ({}, Request(ADA, BY_HAND)),
        ({"persona_id": "bob"}, Request(PersonaId("bob"), BY_HAND)),
        ({"dry_run": True}, Request(ADA, BY_HAND, dry_run=True)),
        ({"persona_id": "bob", "dry_run": True}, Request(PersonaId("bob"), BY_HAND, dry_run=True)),
    ],
)
def test_an_event_of_a_known_form_asks_for(event: dict[str, Any], expected: Request) -> None:
    assert parse(event, ADA, NOW) == expected


EVENTS = sorted((Path(__file__).parents[2] / "events").glob("*.json"))
POSTING_EVENTS = [path for path in EVENTS if not path.name.startswith("ingest-")]  # these: tests/unit/test_uploads.py


@pytest.mark.parametrize("path", POSTING_EVENTS, ids=lambda p: p.name)
def test_every_sample_event_is_taken(path: Path) -> None:
    assert isinstance(parse(json.loads(path.read_text(encoding="utf-8")), ADA, NOW), Request)


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-22T09:00:00Z",
        "2026-11-22T09:00:59Z",
        "2026-11-22T09:00:59.999Z",
        "2026-11-22T09:00Z",
        "2026-11-22T10:00:31+01:00",
        "2026-11-22T18:00:00+09:00",
        "2026-11-21T21:00:00-12:00",
        "2026-11-22T14:30:01+05:30",
    ],
)
def test_a_schedules_slot_is_its_minute_in_utc(time: str) -> None:
    """So that each delivery names the same slot, whatever the zone that it is told in."""
    assert parse(RULE | {"time": time}, ADA, NOW).slot == NINE
    assert parse({"persona_id": "bob", "time": time}, ADA, NOW).slot == NINE


def test_a_slot_by_hand_is_now_to_the_second() -> None:
    assert str(parse({}, ADA, NOW).slot) == "2026-11-22T09:41:07Z"


@pytest.mark.parametrize("event", [None, True, 0, 1.5, "", "{}", [], [{}]])
def test_what_is_no_object_is_refused(event: object) -> None:
    with pytest.raises(EventRefusedError, match=r"^event: it must be a JSON object"):
        parse(event, ADA, NOW)


@pytest.mark.parametrize("dry_run", [None, 0, 1, "true", "", [], {}])
@pytest.mark.parametrize("event", [{}, RULE], ids=["by hand", "rule"])
def test_a_dry_run_that_is_neither_true_nor_false_is_refused(event: dict[str, Any], dry_run: object) -> None:
    with pytest.raises(EventRefusedError, match=r"^dry_run: "):
        parse(event | {"dry_run": dry_run}, ADA, NOW)


@pytest.mark.parametrize("persona_id", [None, 7, True, [], {}, "", "Ada", "a/b", "../x", "a" * 64, "a\n"])
@pytest.mark.parametrize("rest", [{}, {"time": "2026-11-22T09:00:00Z"}], ids=["by hand", "schedule"])
def test_a_persona_id_that_is_none_is_refused(rest: dict[str, Any], persona_id: object) -> None:
    with pytest.raises(EventRefusedError, match=r"^persona_id: "):
        parse(rest | {"persona_id": persona_id}, ADA, NOW)


def test_a_time_without_its_persona_is_refused() -> None:
    with pytest.raises(EventRefusedError, match=r"^persona_id: it is missing"):
        parse({"time": "2026-11-22T09:00:00Z"}, ADA, NOW)


@pytest.mark.parametrize(
    "time",
    [
        None,
        0,
        1_795_338_000,
        [],
        {},
        "",
        "now",
        "2026-11-22",
        "2026-11-22T09:00:00",
        "2026-13-22T09:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "<aws.scheduler.scheduled-time>",
        "\ud800",
        "2026-11-22T09:00:00Z" * 1000,
    ],
)
@pytest.mark.parametrize("event", [{"persona_id": "bob"}, RULE], ids=["schedule", "rule"])
def test_a_time_that_is_none_or_has_no_zone_is_refused_with_an_example(event: dict[str, Any], time: object) -> None:
    with pytest.raises(EventRefusedError, match=r"^time: .*such as 2026-11-22T09:00:00Z") as refusal:
        parse(event | {"time": time}, ADA, NOW)
    assert len(str(refusal.value)) < 250


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (without(RULE, "source"), "source"),
        (RULE | {"source": "aws.s3"}, "source"),
        (RULE | {"source": None}, "source"),
        ({"source": "aws.events"}, "detail-type"),
        (without(RULE, "detail-type"), "detail-type"),
        (RULE | {"detail-type": "Object Created"}, "detail-type"),
        (RULE | {"detail-type": ["Scheduled Event"]}, "detail-type"),
        (without(RULE, "time"), "time"),
    ],
)
def test_another_services_event_is_refused(event: dict[str, Any], field: str) -> None:
    with pytest.raises(EventRefusedError, match=rf"^{field}: "):
        parse(event, ADA, NOW)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"persona": "bob"}, "persona"),
        ({"persona_id": "bob", "slot": "2026-11-22T09:00:00Z"}, "slot"),
        ({"dryrun": True}, "dryrun"),
        ({"Dry_Run": True}, "Dry_Run"),
        ({"": 1}, ""),
        (RULE | {"persona_id": "bob"}, "persona_id"),
        (RULE | {"extra": 1}, "extra"),
    ],
)
def test_a_field_that_is_not_known_is_refused_and_those_known_are_told(event: dict[str, Any], field: str) -> None:
    """A misspelt dry_run must not post."""
    with pytest.raises(EventRefusedError, match=rf"^'{field}': this field is not known; known are ") as refusal:
        parse(event, ADA, NOW)
    assert "dry_run" in str(refusal.value)


def test_a_refusal_never_shows_the_whole_of_a_long_value() -> None:
    for event in ({"x" * 9999: 1}, {"persona_id": "X" * 9999}, {"dry_run": list(range(9999))}, ["x" * 9999] * 99):
        with pytest.raises(EventRefusedError) as refusal:
            parse(event, ADA, NOW)
        assert len(str(refusal.value)) < 500


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
times = st.datetimes(timezones=st.none() | st.timezones()).map(datetime.isoformat)
nearly_right = st.fixed_dictionaries(
    {},
    optional={
        "persona_id": st.sampled_from(["ada", "Ada", ""]) | json_values,
        "time": times | st.sampled_from(["2026-11-22T09:00:00Z"]) | json_values,
        "dry_run": st.booleans() | json_values,
        "source": st.sampled_from(["aws.events"]) | json_values,
        "detail-type": st.sampled_from(["Scheduled Event"]) | json_values,
        "detail": json_values,
    },
)


@given(json_values | nearly_right)
def test_whatever_comes_is_a_request_or_a_refusal_that_names_a_field(event: object) -> None:
    try:
        request = parse(event, ADA, NOW)
    except EventRefusedError as refusal:
        if ": this field is not known; " not in str(refusal):
            field = str(refusal).split(": ")[0]
            assert field in {"event", "dry_run", "source", "detail-type", "time", "persona_id"}
    else:
        assert isinstance(request, Request)
        assert isinstance(event, dict)
        assert set(event) <= {"persona_id", "dry_run", *RULE}
        assert Slot.parse(str(request.slot)) == request.slot
        if "time" in event:
            assert request.slot.start.second == 0
