"""The contract of PersonaDirectory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.implementations import DynamoImplementation, Records
from domain.ids import PersonaId
from domain.personas import Fit, Login, Persona, Quota
from fakes.library import DEFAULT, a_persona

FULL = a_persona(
    login=Login.FACEBOOK,
    caption="Ünïted 📷",
    minimum_score=6.5,
    fit=Fit.PAD,
    paused_reason="The token has expired.",
    token_expires_at=datetime(2026, 12, 24, 18, 30, 0, 125_000, UTC),
    token_refreshed_at=datetime(2026, 10, 25, 18, 30, 0, 125_000, UTC),
)
NOW = datetime(2026, 11, 22, 9, 0, 3, tzinfo=UTC)


@pytest.mark.parametrize("persona", [a_persona(), FULL, a_persona(caption="")], ids=["plain", "full", "empty caption"])
def test_a_persona_is_read_back_as_it_was_added(records: Records, persona: Persona) -> None:
    assert records.personas.add(persona) is True
    assert records.personas.get(DEFAULT) == persona


def test_an_unknown_persona_is_none(records: Records) -> None:
    records.personas.add(a_persona())
    assert records.personas.get(PersonaId("stranger")) is None


def test_a_taken_id_is_refused_and_changes_nothing(records: Records) -> None:
    records.personas.add(a_persona())
    before = records.everything()
    assert records.personas.add(a_persona(name="Another", instagram_user_id="17841400000000002")) is False
    assert records.everything() == before


def test_resuming_lifts_the_pause_and_nothing_else(records: Records) -> None:
    records.personas.add(FULL)
    assert records.personas.resume(DEFAULT) is True
    assert records.personas.get(DEFAULT) == a_persona(
        login=FULL.login,
        caption=FULL.caption,
        minimum_score=FULL.minimum_score,
        fit=FULL.fit,
        token_expires_at=FULL.token_expires_at,
        token_refreshed_at=FULL.token_refreshed_at,
    )


def test_resuming_a_persona_that_is_not_paused_changes_nothing(records: Records) -> None:
    records.personas.add(a_persona())
    before = records.everything()
    assert records.personas.resume(DEFAULT) is True
    assert records.everything() == before


def test_resuming_an_unknown_persona_makes_none(records: Records) -> None:
    before = records.everything()
    assert records.personas.resume(DEFAULT) is False
    assert records.everything() == before
    assert records.personas.get(DEFAULT) is None


@pytest.mark.parametrize("caption", ["A new one. 📷", "", None], ids=["new", "empty", "taken away"])
def test_a_caption_is_set_and_nothing_else(records: Records, caption: str | None) -> None:
    records.personas.add(FULL)
    assert records.personas.set_caption(DEFAULT, caption) is True
    assert records.personas.get(DEFAULT) == replace(FULL, caption=caption)


def test_setting_an_unknown_personas_caption_makes_none(records: Records) -> None:
    before = records.everything()
    assert records.personas.set_caption(DEFAULT, "A caption.") is False
    assert records.everything() == before


@pytest.mark.parametrize("fit", Fit)
@pytest.mark.parametrize("before", Fit)
def test_a_fit_is_set_and_nothing_else(records: Records, before: Fit, fit: Fit) -> None:
    records.personas.add(replace(FULL, fit=before))
    assert records.personas.set_fit(DEFAULT, fit) is True
    assert records.personas.get(DEFAULT) == replace(FULL, fit=fit)


def test_setting_an_unknown_personas_fit_makes_none(records: Records) -> None:
    before = records.everything()
    assert records.personas.set_fit(DEFAULT, Fit.PAD) is False
    assert records.everything() == before


# ---- tokens ----


@pytest.mark.parametrize("expires_at", [NOW + timedelta(days=60), None], ids=["known", "unknown"])
@pytest.mark.parametrize("persona", [a_persona(), FULL], ids=["the first", "the next"])
def test_a_new_token_is_noted_and_nothing_else(records: Records, persona: Persona, expires_at: datetime | None) -> None:
    records.personas.add(persona)
    assert records.personas.note_token(persona, refreshed_at=NOW, expires_at=expires_at) is True
    assert records.personas.get(DEFAULT) == replace(persona, token_refreshed_at=NOW, token_expires_at=expires_at)


@pytest.mark.parametrize("persona", [a_persona(), FULL], ids=["the first", "the next"])
def test_a_token_that_somebody_else_has_noted_since_stays_on_record(records: Records, persona: Persona) -> None:
    records.personas.add(persona)
    records.personas.note_token(persona, refreshed_at=NOW, expires_at=None)
    before = records.everything()
    later = NOW + timedelta(seconds=1)
    assert records.personas.note_token(persona, refreshed_at=later, expires_at=later) is False
    assert records.personas.pause_for_token(persona, "The old token is dead.", dead_since=NOW) is False
    assert records.everything() == before


def test_noting_the_same_token_twice_is_done_twice(records: Records) -> None:
    """As the SDK does when the reply was lost."""
    records.personas.add(FULL)
    for _ in range(2):
        assert records.personas.note_token(FULL, refreshed_at=NOW, expires_at=NOW + timedelta(days=60)) is True


def test_a_dead_token_is_on_record_as_expired_and_pauses_and_does_nothing_else(records: Records) -> None:
    persona = replace(FULL, paused_reason=None)
    records.personas.add(persona)
    for _ in range(2):  # as the SDK does when the reply was lost
        assert records.personas.pause_for_token(persona, "The token is dead.", dead_since=NOW) is True
    dead = replace(persona, paused_reason="The token is dead.", token_expires_at=NOW)
    assert records.personas.get(DEFAULT) == dead


def test_the_first_reason_of_a_pause_stays(records: Records) -> None:
    records.personas.add(FULL)
    assert records.personas.pause_for_token(FULL, "Another reason.", dead_since=NOW) is True
    assert records.personas.get(DEFAULT) == replace(FULL, token_expires_at=NOW)


def test_an_unknown_personas_token_makes_none(records: Records) -> None:
    before = records.everything()
    assert records.personas.note_token(a_persona(), refreshed_at=NOW, expires_at=None) is False
    assert records.personas.pause_for_token(a_persona(), "The token is dead.", dead_since=NOW) is False
    assert records.everything() == before


def test_all_personas_come_by_id(records: Records) -> None:
    ids = [PersonaId(f"persona-{number}") for number in (3, 1, 4, 2, 9, 7)]
    for persona_id in ids:
        records.personas.add(a_persona(persona_id=persona_id))
    assert [persona.persona_id for persona in records.personas.all()] == sorted(ids)


def test_without_personas_all_is_empty(records: Records) -> None:
    assert list(records.personas.all()) == []


def test_a_persona_is_read_consistently_and_by_its_key(dynamo: DynamoImplementation) -> None:
    dynamo.personas.get(DEFAULT)
    (asked,) = dynamo.asked
    assert asked.operation == "GetItem"
    assert asked.parameters["ConsistentRead"] is True


def test_a_note_of_the_quota_changes_nothing_else(records: Records) -> None:
    records.personas.add(a_persona(paused_reason="A pause."))
    quota = Quota(3, datetime(2026, 11, 22, 9, 0, 0, 987_000, UTC))
    records.personas.note_quota(DEFAULT, quota)
    assert records.personas.get(DEFAULT) == a_persona(paused_reason="A pause.", quota=quota)


def test_a_note_of_an_unknown_personas_quota_makes_none(records: Records) -> None:
    records.personas.note_quota(DEFAULT, Quota(3, datetime(2026, 11, 22, 9, tzinfo=UTC)))
    assert records.personas.all() == []


# ---- pausing and removing ----

REASON = "It is being removed."


def test_pausing_sets_the_reason_and_nothing_else(records: Records) -> None:
    records.personas.add(replace(FULL, paused_reason=None))
    assert records.personas.pause(DEFAULT, REASON) == REASON
    assert records.personas.get(DEFAULT) == replace(FULL, paused_reason=REASON)


def test_a_pause_that_stands_keeps_its_reason(records: Records) -> None:
    records.personas.add(FULL)
    before = records.everything()
    assert records.personas.pause(DEFAULT, REASON) == FULL.paused_reason
    assert records.everything() == before


def test_pausing_an_unknown_persona_makes_none(records: Records) -> None:
    before = records.everything()
    assert records.personas.pause(DEFAULT, REASON) is None
    assert records.everything() == before


def test_a_paused_persona_is_removed_and_no_other(records: Records) -> None:
    other = a_persona(persona_id=PersonaId("other"), paused_reason=REASON)
    records.personas.add(other)
    records.personas.add(a_persona(paused_reason=REASON))
    assert records.personas.remove(DEFAULT, paused_for=REASON) is True
    assert list(records.personas.all()) == [other]


def test_a_persona_that_is_gone_is_removed_already(records: Records) -> None:
    assert records.personas.remove(DEFAULT, paused_for=REASON) is True
    assert list(records.personas.all()) == []


@pytest.mark.parametrize("paused_reason", [None, "The token has expired."])
def test_a_persona_that_was_resumed_or_paused_for_something_else_is_not_removed(
    records: Records, paused_reason: str | None
) -> None:
    records.personas.add(a_persona(paused_reason=paused_reason))
    before = records.everything()
    assert records.personas.remove(DEFAULT, paused_for=REASON) is False
    assert records.everything() == before
