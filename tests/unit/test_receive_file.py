"""ReceiveFile: what becomes of a file that arrived, by its place, its size, its metadata and its content."""

from typing import Final

import pytest

from domain.ids import PersonaId
from domain.ingest_photo import Given, photo_id_of
from domain.intake_ports import InboxUnavailableError
from domain.photos import GIVEN
from domain.ports import ScorerUnavailableError, UnscorablePictureError
from domain.receive_file import LARGEST_FILE, Reception, _RefusedError, given_of
from fakes.intake import Intake, a_file
from fakes.struck import KilledError, Strike

SUNRISE: Final = a_file("sunrise", score=6.0)
KEY: Final = "incoming/default/Trip 1/sunrise.jpg"
ASIDE: Final = "rejected/default/Trip 1/sunrise.jpg"


@pytest.fixture
def intake() -> Intake:
    return Intake()


def refusal_of(intake: Intake, key: str = KEY) -> tuple[str, str]:
    """The kind and the reason with which the file is put aside, its bytes whole."""
    content = list(intake.inbox.files[key].values())[-1].content
    receipt = intake.receive_file()(key)
    assert receipt.reception is Reception.REJECTED
    assert receipt.kind is not None
    assert receipt.reason is not None
    assert intake.inbox.aside == {f"rejected/{key.removeprefix('incoming/')}": (content, receipt.kind, receipt.reason)}
    assert not intake.inbox.files[key]
    assert intake.records.photos == {}
    assert intake.renditions.files == {}
    return receipt.kind, receipt.reason


# ---- good ones ----


def test_a_picture_becomes_a_photo_and_the_file_stays(intake: Intake) -> None:
    intake.inbox.upload(KEY, SUNRISE, {"aesthetic-score": " 8.5 ", "caption": "Mine", "alt-text": "A lake.", "x": "y"})
    receipt = intake.receive_file()(KEY)
    assert (receipt.reception, receipt.object_key) == (Reception.ADDED, KEY)
    assert (receipt.persona_id, receipt.photo_id) == ("default", photo_id_of(SUNRISE))
    photo = intake.photo(SUNRISE)
    assert photo.analysis is not None
    assert (photo.analysis.aesthetic_score, photo.analysis.scorer) == (8.5, GIVEN)
    assert (photo.caption, photo.alt_text) == ("Mine", "A lake.")
    assert KEY in intake.inbox.files
    assert intake.inbox.aside == {}


def test_a_second_delivery_and_another_name_find_the_same_photo(intake: Intake) -> None:
    for key in (KEY, KEY, "incoming/default/copy.jpg"):
        intake.inbox.upload(key, SUNRISE)
    assert intake.receive_file()(KEY).reception is Reception.ADDED
    before = intake.state()
    for key in (KEY, "incoming/default/copy.jpg"):
        assert intake.receive_file()(key).reception is Reception.UNCHANGED
    assert intake.state() == before


def test_what_the_second_upload_says_updates_the_photo(intake: Intake) -> None:
    intake.inbox.upload(KEY, SUNRISE)
    intake.receive_file()(KEY)
    intake.inbox.upload(KEY, SUNRISE, {"aesthetic-score": "9"})
    assert intake.receive_file()(KEY).reception is Reception.UPDATED


def test_deleted_and_uploaded_again_it_is_the_same_photo(intake: Intake) -> None:
    intake.inbox.upload(KEY, SUNRISE)
    intake.receive_file()(KEY)
    intake.post_best()
    intake.inbox.take_away(KEY)
    intake.inbox.upload(KEY, SUNRISE)
    assert intake.receive_file()(KEY).reception is Reception.UNCHANGED
    assert intake.queue() == []


def test_the_log_knows_what_it_is_about_and_nothing_of_an_earlier_file(intake: Intake) -> None:
    intake.inbox.upload(KEY, SUNRISE)
    receive = intake.receive_file()
    receive(KEY)
    assert intake.log.facts == {"object_key": KEY, "persona_id": "default", "photo_id": photo_id_of(SUNRISE)}
    receive("incoming/default/.hidden")
    assert intake.log.facts == {"object_key": "incoming/default/.hidden", "persona_id": None, "photo_id": None}


# ---- none of a person's ----


@pytest.mark.parametrize(
    "key",
    [
        "incoming/",
        "incoming/default/",
        "incoming/default/Trip/",
        "incoming/default/.DS_Store",
        "incoming/default/Trip/._sunrise.jpg",
        "incoming/.hidden",
        "library/default/sunrise.jpg",
        "rejected/default/sunrise.jpg",
        "incoming",
        "",
    ],
)
def test_marks_of_folders_hidden_files_and_other_folders_are_passed_over(intake: Intake, key: str) -> None:
    intake.inbox.upload(key, SUNRISE)
    before = intake.state()
    assert intake.receive_file()(key).reception is Reception.IGNORED
    assert intake.state() == before
    assert intake.inbox.read_keys == []


def test_a_file_that_is_not_there_any_more_is_told_of(intake: Intake) -> None:
    assert intake.receive_file()(KEY).reception is Reception.GONE
    assert len(intake.log.messages("warning")) == 1


def test_a_file_that_goes_while_it_is_looked_at_is_gone(intake: Intake) -> None:
    intake.inbox.upload(KEY, SUNRISE)
    intake.inbox.after_look = lambda: intake.inbox.take_away(KEY)
    receipt = intake.receive_file()(KEY)
    assert receipt.reception is Reception.GONE
    assert intake.records.photos == {}


# ---- refused ----


def test_a_file_that_is_no_picture_is_put_aside_with_its_reason(intake: Intake) -> None:
    intake.inbox.upload(KEY, b"bad picture")
    assert refusal_of(intake) == ("damaged", "The file is damaged. Copy it again.")


@pytest.mark.parametrize("size", [LARGEST_FILE + 1, 7_000_000_000])
def test_a_file_that_is_too_large_is_never_read(intake: Intake, size: int) -> None:
    intake.inbox.upload(KEY, SUNRISE, size=size)
    kind, reason = refusal_of(intake)
    assert kind == "too-large"
    assert f"{size / 1e6:.0f} MB" in reason
    assert intake.inbox.read_keys == []


def test_a_file_of_the_greatest_size_is_taken(intake: Intake) -> None:
    intake.inbox.upload(KEY, SUNRISE, size=LARGEST_FILE)
    assert intake.receive_file()(KEY).reception is Reception.ADDED


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("incoming/sunrise.jpg", "incoming/PERSONA/"),
        ("incoming/nobody/sunrise.jpg", "persona add nobody"),
        ("incoming/Not An Id/sunrise.jpg", "lower-case"),
        ("incoming//sunrise.jpg", "lower-case"),
        ("incoming/../library/sunrise.jpg", "lower-case"),
    ],
)
def test_a_file_of_nobodys_is_never_read_and_its_owner_told_what_to_do(intake: Intake, key: str, hint: str) -> None:
    intake.inbox.upload(key, SUNRISE)
    kind, reason = refusal_of(intake, key)
    assert kind == "unknown-persona"
    assert hint in reason
    assert intake.inbox.read_keys == []


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("aesthetic-score", "good", "'good'"),
        ("aesthetic-score", "7,5", "no comma"),
        ("aesthetic-score", "11", "0 to 10"),
        ("aesthetic-score", "nan", "no number"),
        ("caption", "x" * 2201, "2201 characters"),
        ("caption", "#a " * 31, "31 hashtags"),
        ("alt-text", "x" * 1001, "1001 characters"),
    ],
)
def test_what_the_metadata_say_wrongly_is_refused_and_nothing_read(
    intake: Intake, name: str, value: str, hint: str
) -> None:
    intake.inbox.upload(KEY, SUNRISE, {name: value})
    kind, reason = refusal_of(intake)
    assert kind == "bad-metadata"
    assert hint in reason
    assert len(reason) <= 256
    assert intake.inbox.read_keys == []


def test_metadata_that_say_nothing_give_nothing() -> None:
    assert given_of({"aesthetic-score": " ", "caption": "", "unknown": "x"}) == Given()
    assert given_of({"aesthetic-score": "7.50", "caption": " Two words "}) == Given(7.5, "Two words")
    with pytest.raises(_RefusedError):
        given_of({"aesthetic-score": "-1"})


def test_a_newer_upload_stays_where_a_bad_one_was(intake: Intake) -> None:
    intake.inbox.upload(KEY, b"bad picture")
    intake.inbox.after_look = lambda: intake.inbox.upload(KEY, SUNRISE)
    assert intake.receive_file()(KEY).reception is Reception.REJECTED
    intake.inbox.after_look = lambda: None
    assert intake.inbox.aside[ASIDE][0] == b"bad picture"
    assert intake.receive_file()(KEY).reception is Reception.ADDED


# ---- failures that another delivery mends ----


def test_without_its_scorer_the_file_stays_and_the_next_delivery_completes_it(intake: Intake) -> None:
    intake.inbox.upload(KEY, SUNRISE)
    intake.scorer.is_down = True
    with pytest.raises(ScorerUnavailableError):
        intake.receive_file()(KEY)
    intake.scorer.is_down = False
    assert intake.receive_file()(KEY).reception is Reception.UPDATED
    assert intake.queue() == [photo_id_of(SUNRISE)]


def test_a_picture_that_the_scorer_cannot_judge_is_taken_in_and_not_tried_again(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: bytes) -> None:
        raise UnscorablePictureError("The model does not answer for this picture.")

    monkeypatch.setattr(intake.scorer, "score", refuse)
    intake.inbox.upload(KEY, SUNRISE)
    receipt = intake.receive_file()(KEY)
    assert (receipt.reception, receipt.photo_id) == (Reception.ADDED, photo_id_of(SUNRISE))
    assert "does not answer for this picture" in (receipt.reason or "")
    assert intake.queue() == []


def test_a_bucket_that_does_not_answer_refuses_no_file(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(_: object) -> bytes:
        raise InboxUnavailableError("The bucket could not be reached.")

    intake.inbox.upload(KEY, SUNRISE)
    before = intake.state()
    monkeypatch.setattr(intake.inbox, "read", unavailable)
    with pytest.raises(InboxUnavailableError):
        intake.receive_file()(KEY)
    assert intake.state() == before


@pytest.mark.parametrize("content", [SUNRISE, b"bad picture"], ids=["good", "bad"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_call_and_delivered_again_all_is_as_if_nothing_had_happened(content: bytes, after: bool) -> None:
    undisturbed = Intake()
    undisturbed.inbox.upload(KEY, content)
    strike = Strike()
    undisturbed.receive_file(strike)(KEY)
    assert len(strike.calls) >= 5
    for number, call in enumerate(strike.calls, start=1):
        intake = Intake()
        intake.inbox.upload(KEY, content)
        struck = Strike.kill(number, after=after)
        with pytest.raises(KilledError):
            intake.receive_file(struck)(KEY)
        intake.receive_file()(KEY)
        assert intake.state() == undisturbed.state(), f"killed at call {number}, {call}"


def test_each_persona_has_its_own_library(intake: Intake) -> None:
    other = PersonaId("other")
    intake.personas.add(type(intake.persona)(other, "Other", "17841400000000002"))
    for persona_id in ("default", "other"):
        intake.inbox.upload(f"incoming/{persona_id}/sunrise.jpg", SUNRISE)
        assert intake.receive_file()(f"incoming/{persona_id}/sunrise.jpg").reception is Reception.ADDED
    assert {owner for owner, _ in intake.records.photos} == {"default", "other"}
