"""The PostNextBest handler with every file in events/, from the event to the live post and its record."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.post_next_best import NOTHING_TO_POST, UnknownPersonaError
from domain.slots import Slot
from fakes.clock import START
from fakes.library import a_persona, a_photo_id
from handlers.events import EventRefusedError
from handlers.wiring import SettingsError
from integration.conftest import Deliver
from integration.deployment import Deployment, Told, at, variables_of_the_template
from local.instagram import Fault

EVENTS = Path(__file__).parents[2] / "events"
OTHER_FUNCTIONS = ("reconcile", "ingest", "refresh")
FILES = sorted(file for file in EVENTS.glob("*.json") if not file.stem.startswith(OTHER_FUNCTIONS))
NEXT_SLOT = {"persona_id": "default", "time": "2036-01-05T09:00:00Z"}
SCHEDULE = json.loads((EVENTS / "schedule.json").read_text())


def read(file: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(file.read_text())
    return event


def slot_of(event: Mapping[str, Any]) -> str:
    """The slot that an event names: its scheduled minute, or by hand the second of its start."""
    if "time" in event:
        return str(Slot.scheduled(datetime.fromisoformat(event["time"])))
    return str(Slot.by_hand(START))


POSTING = [file for file in FILES if not read(file).get("dry_run")]
DRY = [file for file in FILES if read(file).get("dry_run")]
each_event = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
each_posting_event = pytest.mark.parametrize("file", POSTING, ids=lambda file: file.stem)


def test_there_is_an_event_of_each_kind() -> None:
    assert {file.stem for file in FILES} >= {"schedule", "scheduler", "by-hand", "by-hand-persona", "dry-run"}


# ---- the right photo, to Instagram and on record ----


@each_posting_event
def test_the_best_photo_is_posted_with_its_caption_and_alt_text(
    deployment: Deployment, deliver: Deliver, file: Path
) -> None:
    deployment.add_persona()
    deployment.add_photo("good", 7.0)
    best = deployment.add_photo("best", 9.0, caption="Mörning & #sun 📷", alt_text="A lake at sunrise.")
    deployment.add_photo("not scored yet", 0.0)
    event = read(file)
    answer = deliver(event)
    (live,) = deployment.live()
    assert answer == {
        "outcome": "posted",
        "persona_id": "default",
        "slot": slot_of(event),
        "photo_id": best.photo_id,
        "provider_post_id": live.media_id,
    }
    assert deployment.is_live(best)
    assert (live.caption, live.alt_text) == ("Mörning & #sun 📷", "A lake at sunrise.")


@each_posting_event
def test_instagram_is_given_a_link_of_two_hours_to_the_rendition(
    deployment: Deployment, deliver: Deliver, file: Path
) -> None:
    deployment.add_persona()
    best = deployment.add_photo("best", 9.0)
    deliver(read(file))
    (container,) = deployment.emulator.containers(a_persona().instagram_user_id)
    link = urlsplit(container.image_url)
    assert link.path.endswith(f"/{best.object_key}")
    assert parse_qs(link.query)["X-Amz-Expires"] == ["7200"]
    fetched = [request for request in deployment.aws.requests if request.name == "GET" and "X-Amz-" in request.path]
    assert len(fetched) == 1


@each_posting_event
def test_the_post_is_on_record_and_its_photo_out_of_the_queue(
    deployment: Deployment, deliver: Deliver, file: Path
) -> None:
    deployment.add_persona(a_persona(caption="The persona's caption."))
    best = deployment.add_photo("best", 9.0)
    event = read(file)
    answer = deliver(event)
    (container,) = deployment.emulator.containers(a_persona().instagram_user_id)
    record = deployment.post(slot_of(event))
    assert {name: record[name] for name in record.keys() - {"lease_owner", "lease_until"}} == {
        "persona_id": "default",
        "slot": slot_of(event),
        "photo_id": best.photo_id,
        "status": "posted",
        "caption": "The persona's caption.",
        "container_id": container.container_id,
        "publish_sent_at": "2026-11-22T09:00:04.000Z",
        "publish_attempts": "1",
        "provider_post_id": answer["provider_post_id"],
        "posted_at": "2026-11-22T09:00:04.000Z",
        "created_at": "2026-11-22T09:00:03.000Z",
        "updated_at": "2026-11-22T09:00:04.000Z",
    }
    photo = deployment.photo(best)
    assert photo is not None
    assert str(photo.post_slot) == slot_of(event)
    assert list(deployment.records.library.best_first(best.persona_id)) == []


# ---- a second delivery, and the next slot ----


@each_posting_event
def test_a_second_delivery_finds_the_slot_done_and_posts_nothing(
    deployment: Deployment, deliver: Deliver, file: Path
) -> None:
    deployment.add_persona()
    deployment.add_photo("best", 9.0)
    deployment.add_photo("good", 7.0)
    first = deliver(read(file))
    standing, calls = deployment.records.everything(), len(deployment.emulator.calls())
    second = deliver(read(file))
    assert second == first | {"outcome": "already_done", "reason": second["reason"]}
    assert deployment.records.everything() == standing
    assert len(deployment.emulator.calls()) == calls
    assert len(deployment.live()) == 1


def test_the_next_slot_posts_the_second_best(deployment: Deployment, deliver: Deliver) -> None:
    deployment.add_persona()
    photos = [deployment.add_photo(name, score) for name, score in (("good", 7.0), ("best", 9.0), ("fair", 5.0))]
    answers = [deliver(SCHEDULE | {"time": f"2036-01-0{day}T09:00:00Z"}) for day in (1, 2, 3, 4)]
    assert [answer["outcome"] for answer in answers] == ["posted"] * 3 + ["nothing_to_post"]
    assert [answer.get("photo_id") for answer in answers] == [a_photo_id(name) for name in ("best", "good", "fair")] + [
        None
    ]
    assert all(deployment.is_live(photo) for photo in photos)
    assert len(deployment.live()) == 3


def test_a_photo_under_the_personas_minimum_score_is_never_posted(deployment: Deployment, deliver: Deliver) -> None:
    deployment.add_persona(a_persona(minimum_score=6.0))
    deployment.add_photo("enough", 6.0)
    deployment.add_photo("poor", 5.9)
    assert deliver(SCHEDULE)["photo_id"] == a_photo_id("enough")
    assert deliver(NEXT_SLOT)["outcome"] == "nothing_to_post"


# ---- nothing to post ----


@each_posting_event
def test_an_empty_library_is_a_warning_and_a_success(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told], file: Path
) -> None:
    deployment.add_persona()
    standing = deployment.records.everything()
    answer = deliver(read(file))
    assert (answer["outcome"], answer["reason"]) == ("nothing_to_post", "No unposted photos available to schedule.")
    assert answer["reason"] == NOTHING_TO_POST
    said = told()
    assert [line["message"] for line in said.at("WARNING")] == [NOTHING_TO_POST]
    assert said.counts == {"NothingToPost": 1}
    assert deployment.records.everything() == standing
    assert deployment.emulator.calls() == ()


# ---- a dry run ----


@pytest.mark.parametrize("file", DRY, ids=lambda file: file.stem)
def test_a_dry_run_names_the_photo_writes_nothing_and_calls_nobody(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told], file: Path
) -> None:
    deployment.add_persona()
    deployment.add_photo("best", 9.0)
    deployment.add_photo("good", 7.5)
    standing = deployment.records.everything()
    for _ in range(2):
        answer = deliver(read(file))
        assert (answer["outcome"], answer["photo_id"]) == ("dry_run", a_photo_id("best"))
        assert "9" in answer["reason"]
        assert a_photo_id("good") in answer["reason"]
        assert "provider_post_id" not in answer
    assert deployment.records.everything() == standing
    assert deployment.emulator.calls() == ()
    assert {request.name for request in deployment.our_requests} == {"DynamoDB GetItem", "DynamoDB Query"}
    assert told().counts == {"DryRun": 1}


@pytest.mark.parametrize(
    "event", [SCHEDULE | {"dry_run": True}, NEXT_SLOT | {"dry_run": True}, {"persona_id": "default", "dry_run": True}]
)
def test_every_kind_of_event_may_be_a_dry_run(deployment: Deployment, deliver: Deliver, event: dict[str, Any]) -> None:
    deployment.add_persona(a_persona(paused_reason="A pause."))
    deployment.add_photo("best", 9.0)
    standing = deployment.records.everything()
    answer = deliver(event)
    assert (answer["outcome"], answer["photo_id"]) == ("dry_run", a_photo_id("best"))
    assert "A pause." in answer["reason"]
    assert deployment.records.everything() == standing
    assert deployment.emulator.calls() == ()


def test_a_dry_run_of_an_empty_library_says_so(deployment: Deployment, deliver: Deliver) -> None:
    deployment.add_persona()
    answer = deliver({"dry_run": True})
    assert answer == {
        "outcome": "dry_run",
        "persona_id": "default",
        "slot": str(Slot.by_hand(START)),
        "reason": NOTHING_TO_POST,
    }


# ---- refused events ----


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ([], "event"),
        ("default", "event"),
        (None, "event"),
        ({"dry_run": "true"}, "dry_run"),
        ({"dry_run": 1}, "dry_run"),
        ({"persona_id": 7}, "persona_id"),
        ({"persona_id": "Not An Id"}, "persona_id"),
        ({"persona_id": "../other"}, "persona_id"),
        ({"time": "2036-01-01T09:00:00Z"}, "persona_id"),
        ({"persona_id": "default", "time": 7}, "time"),
        ({"persona_id": "default", "time": "tomorrow"}, "time"),
        ({"persona_id": "default", "time": "2036-01-01T09:00:00"}, "time"),
        ({"persona_id": "default", "slot": "2036-01-01T09:00:00Z"}, "slot"),
        ({**SCHEDULE, "source": "aws.s3"}, "source"),
        ({**SCHEDULE, "detail-type": "Object Created"}, "detail-type"),
        ({**SCHEDULE, "time": None}, "time"),
        ({name: value for name, value in SCHEDULE.items() if name != "time"}, "time"),
        ({**SCHEDULE, "persona_id": "default"}, "persona_id"),
    ],
)
def test_any_other_event_is_refused_by_the_name_of_its_field(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told], event: object, field: str
) -> None:
    with pytest.raises(EventRefusedError, match=field):
        deliver(event)
    assert deployment.our_requests == []
    said = told()
    assert said.counts == {"NoOutcome": 1}
    (line,) = said.at("ERROR")
    assert line["error"] == "EventRefusedError"
    assert field in line["reason"]


def test_a_persona_that_nobody_has_added_is_refused_by_its_name(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told]
) -> None:
    deployment.add_persona()
    standing = deployment.records.everything()
    with pytest.raises(UnknownPersonaError, match=r"persona_id.*stranger"):
        deliver({"persona_id": "stranger"})
    assert deployment.records.everything() == standing
    assert deployment.emulator.calls() == ()
    assert told().counts == {"NoOutcome": 1}


@pytest.mark.parametrize(
    ("late", "outcome"), [(timedelta(hours=6), "posted"), (timedelta(hours=6, seconds=1), "too_late")]
)
def test_a_slot_that_starts_more_than_six_hours_late_is_skipped(
    deployment: Deployment, deliver: Deliver, late: timedelta, outcome: str
) -> None:
    deployment.add_persona()
    deployment.add_photo("best", 9.0)
    clock = at()
    clock.advance(late - timedelta(seconds=3))
    answer = deliver({"persona_id": "default", "time": "2026-11-22T09:00:59Z"}, by=clock)
    assert answer["outcome"] == outcome
    assert len(deployment.live()) == (outcome == "posted")


def test_a_paused_persona_posts_nothing_and_says_why(deployment: Deployment, deliver: Deliver) -> None:
    deployment.add_persona(a_persona(paused_reason="The token has expired."))
    deployment.add_photo("best", 9.0)
    standing = deployment.records.everything()
    answer = deliver(SCHEDULE)
    assert answer["outcome"] == "paused"
    assert "The token has expired." in answer["reason"]
    assert "fluffy-train persona resume default" in answer["reason"]
    assert deployment.records.everything() == standing
    assert deployment.emulator.calls() == ()


# ---- failures ----


def test_a_photo_that_instagram_refuses_fails_and_the_slot_goes_on_with_the_next(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told]
) -> None:
    deployment.add_persona()
    wide = deployment.add_photo("wide", 9.0, size=(1000, 300))
    good = deployment.add_photo("good", 7.0)
    answer = deliver(SCHEDULE)
    assert (answer["outcome"], answer["slot"]) == ("posted", "2036-01-01T09:00:00Z#2")
    assert answer["photo_id"] == good.photo_id
    refused = deployment.post("2036-01-01T09:00:00Z")
    assert (refused["status"], refused["photo_id"]) == ("failed", wide.photo_id)
    assert refused["fault"]["kind"] == {"S": "PhotoFault"}
    assert (refused["fault"]["code"], refused["fault"]["subcode"]) == ({"N": "36003"}, {"N": "2207009"})
    assert deployment.post("2036-01-01T09:00:00Z#2")["status"] == "posted"
    assert deployment.is_live(good)
    assert not deployment.is_live(wide)
    said = told()
    assert said.counts == {"Failed": 1, "Posted": 1}
    assert any(line["photo_id"] == wide.photo_id for line in said.at("ERROR"))
    assert deliver(SCHEDULE)["outcome"] == "already_done"
    assert len(deployment.live()) == 1


def test_a_slot_gives_up_after_three_refused_photos(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told]
) -> None:
    deployment.add_persona()
    for number in range(4):
        deployment.add_photo(f"wide {number}", 9.0 - number, size=(1000, 300))
    answer = deliver(SCHEDULE)
    assert (answer["outcome"], answer["slot"]) == ("failed", "2036-01-01T09:00:00Z#3")
    assert len(deployment.records.items("PostsTable")) == 3
    assert {item["status"]["S"] for item in deployment.records.items("PostsTable")} == {"failed"}
    assert len(deployment.emulator.calls("create_container")) == 3
    assert told().counts == {"Failed": 3}


def test_a_photo_whose_file_is_gone_fails_and_is_named(deployment: Deployment, deliver: Deliver) -> None:
    deployment.add_persona()
    photo = deployment.add_photo("gone", 9.0)
    deployment.delete_rendition(photo)
    answer = deliver(SCHEDULE)
    assert answer["outcome"] == "failed"
    assert photo.object_key in answer["reason"]
    assert deployment.post("2036-01-01T09:00:00Z")["status"] == "failed"
    assert deliver(NEXT_SLOT)["outcome"] == "nothing_to_post"


def test_an_expired_token_pauses_the_persona_and_burns_no_photo(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told]
) -> None:
    deployment.add_persona()
    photo = deployment.add_photo("best", 9.0)
    deployment.emulator.advance(61 * 24 * 60 * 60)
    answer = deliver(SCHEDULE)
    assert answer["outcome"] == "failed"
    record = deployment.post("2036-01-01T09:00:00Z")
    assert record["status"] == "failed"
    assert record["fault"]["kind"] == {"S": "AccountFault"}
    assert record["fault"]["code"] == {"N": "190"}
    persona = deployment.persona()
    assert persona is not None
    assert persona.paused_reason == answer["reason"]
    assert deployment.photo(photo) == photo
    assert [each.photo_id for each in deployment.records.library.best_first(photo.persona_id)] == [photo.photo_id]
    assert told().counts == {"Failed": 1}
    calls = len(deployment.emulator.calls())
    assert deliver(NEXT_SLOT)["outcome"] == "paused"
    assert len(deployment.emulator.calls()) == calls
    assert told().counts == {"Paused": 1}


def test_a_token_that_was_never_set_is_asked_for_by_its_command(deployment: Deployment, deliver: Deliver) -> None:
    deployment.add_persona()
    deployment.delete_token()
    photo = deployment.add_photo("best", 9.0)
    answer = deliver(SCHEDULE)
    assert answer["outcome"] == "failed"
    assert "fluffy-train persona set-token default" in answer["reason"]
    assert deployment.emulator.calls() == ()
    assert deployment.photo(photo) == photo


def test_a_throttled_post_waits_and_a_later_delivery_sends_the_same_container(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told]
) -> None:
    deployment.add_persona()
    photo = deployment.add_photo("best", 9.0)
    deployment.emulator.order_fault(Fault.error("media_publish", 4, status=403, regain_minutes=30))
    assert deliver(SCHEDULE)["outcome"] == "deferred"
    record = deployment.post("2036-01-01T09:00:00Z")
    assert (record["status"], record.get("publish_sent_at")) == ("posting", None)
    assert told().counts == {"Deferred": 1}
    assert deliver(SCHEDULE, by=at(minutes=20))["outcome"] == "in_progress"
    assert deliver(SCHEDULE, by=at(minutes=31))["outcome"] == "posted"
    assert deployment.is_live(photo)
    assert len(deployment.emulator.containers(a_persona().instagram_user_id)) == 1
    assert len(deployment.emulator.calls("media_publish")) == 2


def test_a_publish_whose_answer_is_lost_is_found_live(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told]
) -> None:
    deployment.add_persona()
    deployment.add_photo("best", 9.0)
    deployment.emulator.order_fault(Fault.reset("media_publish", when="after"))
    answer = deliver(SCHEDULE)
    (live,) = deployment.live()
    assert (answer["outcome"], answer["provider_post_id"]) == ("posted", live.media_id)
    assert len(deployment.emulator.calls("media_publish")) == 1
    assert told().counts == {"Posted": 1}


def test_a_publish_that_nobody_can_vouch_for_is_never_sent_again(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told]
) -> None:
    deployment.add_persona()
    deployment.add_photo("best", 9.0)
    good = deployment.add_photo("good", 7.0)
    deployment.emulator.order_fault(Fault.reset("media_publish"))
    assert deliver(SCHEDULE)["outcome"] == "unresolved"
    assert told().counts == {"Unresolved": 1}
    for minutes in (10, 60, 600):
        assert deliver(SCHEDULE, by=at(minutes))["outcome"] == "unresolved"
    assert len(deployment.emulator.calls("media_publish")) == 1
    assert len(deployment.emulator.calls("create_container")) == 1
    told()
    assert deliver(SCHEDULE, by=at(minutes=24 * 60 + 1))["outcome"] == "unconfirmed"
    assert told().counts == {"Unconfirmed": 1}
    assert deployment.live() == ()
    assert deliver(NEXT_SLOT)["photo_id"] == good.photo_id


# ---- AWS loses answers ----


@pytest.mark.parametrize(
    "operation",
    ["DynamoDB GetItem", "DynamoDB Query", "DynamoDB TransactWriteItems", "DynamoDB UpdateItem", "SSM GetParameters"],
)
def test_a_lost_answer_from_aws_makes_no_second_post(deployment: Deployment, deliver: Deliver, operation: str) -> None:
    deployment.add_persona()
    deployment.add_photo("best", 9.0)
    deployment.add_photo("good", 7.0)
    deployment.aws.lose_answer(operation)
    answer = deliver(SCHEDULE)
    assert (answer["outcome"], answer["photo_id"]) == ("posted", a_photo_id("best"))
    assert len(deployment.live()) == 1
    assert len(deployment.emulator.calls("media_publish")) == 1
    assert len(deployment.records.items("PostsTable")) == 1


# ---- settings ----


@pytest.mark.parametrize("name", [name for name in variables_of_the_template() if not name.startswith("POWERTOOLS_")])
def test_a_variable_that_is_missing_is_named_before_anything_is_done(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for is_there in (False, True):
        if is_there:
            monkeypatch.setenv(name, "")
        else:
            monkeypatch.delenv(name)
        with pytest.raises(SettingsError, match=rf"\b{name}\b"):
            deliver(SCHEDULE)
    assert deployment.our_requests == []
    assert told().counts == {"NoOutcome": 1}


def test_a_default_persona_that_is_no_id_is_named(
    deployment: Deployment, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEFAULT_PERSONA", "Not An Id")
    with pytest.raises(SettingsError, match="DEFAULT_PERSONA"):
        deliver(SCHEDULE)
    assert deployment.our_requests == []
