"""What every archive of records keeps: nothing gets lost, nothing is overwritten, nothing is queued too early."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contract.implementations import DynamoImplementation, Records
from contract.scenes import CLAIMED_AT, FAULT, MEDIA, TEN, claimed, ended, furnish, photo_in, queue
from domain.archive_ports import Marked, Restored
from domain.ids import PersonaId
from domain.photos import HeldBack, HeldBackFor
from domain.posts import Evidence, PostStatus
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post

HASH, NEAR = "00ff00ff00ff00ff-102030", "00ff00ff00ff00fe-102030"
MADE_ELSEWHERE = replace(a_post().as_posted(MEDIA, CLAIMED_AT), evidence=Evidence("NOT_ASKED"), lease=a_post().lease)


def test_posts_come_oldest_slot_first(records: Records) -> None:
    slots = [Slot(NINE.start + timedelta(hours=hours), attempt) for hours in (5, 0, 3) for attempt in (2, 1)]
    for slot in slots:
        assert records.archive.restore_post(a_post(slot=slot)) is Restored.ADDED
    assert [post.slot for post in records.archive.posts(DEFAULT)] == sorted(slots)


def test_whose_posts_and_photos_there_are_is_told_once_each_with_or_without_a_persona(records: Records) -> None:
    posts_alone, photos_alone, both, nothing = map(PersonaId, ("posts", "photos", "both", "nothing"))
    records.archive.restore_persona(a_persona(persona_id=both))
    records.archive.restore_persona(a_persona(persona_id=nothing))
    for persona_id in (posts_alone, both):
        for slot in (NINE, TEN):
            records.archive.restore_post(a_post(persona_id=persona_id, slot=slot))
    for persona_id in (photos_alone, both):
        for name in ("sunrise", "second"):
            records.archive.restore_photo(a_photo(name, persona_id=persona_id))
    assert sorted(records.archive.persona_ids()) == [both, photos_alone, posts_alone]


def test_whose_photos_there_are_is_read_a_page_at_a_time_by_the_keys_alone(dynamo: DynamoImplementation) -> None:
    caption = "x" * 300_000  # a page ends at a megabyte
    everybody = [PersonaId(f"persona-{number}") for number in range(6)]
    for persona_id in everybody:
        dynamo.archive.restore_photo(a_photo(persona_id=persona_id, caption=caption))
    dynamo.asked.clear()
    told = dynamo.archive.persona_ids()
    next(told)
    assert [asked.operation for asked in dynamo.asked] == ["Scan", "Scan"], "no page before it is needed"
    assert {*told} < {*everybody}
    asked = [one.parameters for one in dynamo.asked if one.parameters["TableName"] == dynamo.names["PhotosTable"]]
    assert len(asked) > 1
    for parameters in asked:
        (name,) = parameters["ExpressionAttributeNames"].values()
        assert (name, parameters["ConsistentRead"]) == ("persona_id", True)


def test_a_record_is_put_back_once(records: Records) -> None:
    persona, post, photo = a_persona(paused_reason="A reason"), a_post(), a_photo(perceptual_hashes=(HASH,))
    for expected in (Restored.ADDED, Restored.SAME):
        assert records.archive.restore_persona(persona) is expected
        assert records.archive.restore_post(post) is expected
        assert records.archive.restore_photo(photo) is expected
    assert records.personas.get(DEFAULT) == persona
    assert list(records.archive.posts(DEFAULT)) == [post]
    assert list(records.archive.photos(DEFAULT)) == [photo]


def test_a_record_that_stands_there_and_differs_is_left_as_it_is(records: Records) -> None:
    records.archive.restore_persona(a_persona())
    records.archive.restore_post(a_post())
    records.archive.restore_photo(a_photo())
    before = records.everything()
    assert records.archive.restore_persona(a_persona(caption="Another")) is Restored.DIFFERENT
    assert records.archive.restore_post(a_post(caption="Another")) is Restored.DIFFERENT
    assert records.archive.restore_photo(a_photo(post_slot=NINE, perceptual_hashes=(HASH,))) is Restored.DIFFERENT
    assert records.everything() == before


def test_a_photo_is_queued_where_it_is_scored_and_free(records: Records) -> None:
    for name, score, changes in (
        ("good", 5.0, {}),
        ("better", 6.0, {}),
        ("unscored", None, {}),
        ("posted", 9.0, {"post_slot": NINE}),
        ("skipped", 9.0, {"held_back": HeldBack(HeldBackFor.SKIPPED)}),
        ("arriving", 9.0, {"awaits_linking": True}),
        ("of a burst", 9.0, {"burst": a_photo_id("of a burst")}),
    ):
        photo = a_photo(name, score=score, **changes)
        assert records.archive.restore_photo(photo) is Restored.ADDED
        assert records.library.get(DEFAULT, photo.photo_id) == photo
    assert queue(records) == [a_photo_id("better"), a_photo_id("good")]


def test_a_photo_that_was_put_back_is_found_by_its_hashes(records: Records) -> None:
    records.archive.restore_photo(a_photo(perceptual_hashes=(HASH,)))
    assert records.near_duplicates.near(DEFAULT, (NEAR,), 6) == [(a_photo_id("sunrise"), 1)]


def test_of_a_burst_the_best_one_is_queued_when_it_is_elected(records: Records) -> None:
    burst = a_photo_id("first")
    for name, score in (("first", 5.0), ("second", 7.0)):
        records.archive.restore_photo(a_photo(name, score=score, burst=burst, perceptual_hashes=(HASH,)))
    assert queue(records) == []
    assert records.near_duplicates.members(DEFAULT, burst) == sorted([burst, a_photo_id("second")])
    assert records.near_duplicates.elect(DEFAULT, burst) == a_photo_id("second")
    assert queue(records) == [a_photo_id("second")]


def test_of_a_burst_that_was_posted_none_is_queued(records: Records) -> None:
    burst = a_photo_id("first")
    records.archive.restore_photo(a_photo("first", burst=burst, post_slot=NINE))
    records.archive.restore_photo(a_photo("second", burst=burst))
    assert records.near_duplicates.elect(DEFAULT, burst) is None
    assert queue(records) == []


def test_bursts_that_became_one_are_told_as_one(records: Records) -> None:
    furnish(records, "a", "b", "c", "d")
    a, b, c, d = map(a_photo_id, "abcd")
    records.near_duplicates.join(DEFAULT, a, b)
    records.near_duplicates.join(DEFAULT, c, d)
    records.near_duplicates.join(DEFAULT, a, c)
    (burst,) = {photo.burst for photo in records.archive.photos(DEFAULT)}
    assert burst is not None
    assert records.near_duplicates.members(DEFAULT, burst) == sorted([a, b, c, d])


def test_a_photo_put_back_into_a_burst_that_became_part_of_another_belongs_to_that(
    dynamo: DynamoImplementation,
) -> None:
    furnish(dynamo, "a", "b", "c", "d")
    a, b, c, d = map(a_photo_id, "abcd")
    bursts = {dynamo.near_duplicates.join(DEFAULT, a, b), dynamo.near_duplicates.join(DEFAULT, c, d)}
    dynamo.near_duplicates.join(DEFAULT, a, c)
    (standing,) = {photo.burst for photo in dynamo.archive.photos(DEFAULT)}
    (given_up,) = bursts - {standing}
    assert standing is not None
    late = a_photo("late", burst=given_up)
    assert dynamo.archive.restore_photo(late) is Restored.ADDED
    assert late.photo_id in dynamo.near_duplicates.members(DEFAULT, standing)


def test_a_full_burst_takes_in_only_what_keeps_the_others_out(dynamo: DynamoImplementation) -> None:
    burst = a_photo_id("first")
    name = f"{DEFAULT}/{burst}"
    dynamo.tables.lookalikes(name=name, photos={f"photo {n}" for n in range(200)}, version=1).save()
    dynamo.archive.restore_photo(a_photo("plain", burst=burst))
    assert len(dynamo.tables.lookalikes.get(name).photos or ()) == 200
    elsewhere = HeldBack(HeldBackFor.POSTED_ELSEWHERE)
    dynamo.archive.restore_photo(a_photo("posted", burst=burst, post_slot=NINE))
    dynamo.archive.restore_photo(a_photo("elsewhere", burst=burst, held_back=elsewhere))
    assert len(dynamo.tables.lookalikes.get(name).photos or ()) == 202


@pytest.mark.parametrize("end", ["posting", *ended(a_post())])
def test_a_post_is_put_back_whole(records: Records, end: str) -> None:
    post = {"posting": a_post(), **ended(a_post())}[end]
    post = replace(post, retried_in=TEN, publish_attempts=2, container_id=None)
    records.archive.restore_post(post)
    assert records.ledger.get(DEFAULT, NINE) == post
    is_open = next(iter(records.ledger.open_posts(CLAIMED_AT + timedelta(days=1))), None) is not None
    assert is_open == (post.status is PostStatus.POSTING)


# ---- posts that were made elsewhere ----


def test_a_post_that_was_made_elsewhere_takes_its_photo_out_of_the_queue(records: Records) -> None:
    furnish(records)
    for _ in range(2):
        assert records.archive.mark_posted(MADE_ELSEWHERE) is Marked.DONE
    assert photo_in(records).post_slot == NINE
    assert queue(records) == []
    assert records.ledger.get(DEFAULT, NINE) == MADE_ELSEWHERE
    assert list(records.ledger.open_posts(CLAIMED_AT + timedelta(days=9))) == [], "its media is looked for by nobody"


def test_it_is_recorded_for_a_photo_that_is_being_taken_in_and_a_persona_that_is_paused(records: Records) -> None:
    records.personas.add(a_persona(paused_reason="A reason"))
    records.library.add(a_photo(awaits_linking=True))
    assert records.archive.mark_posted(MADE_ELSEWHERE) is Marked.DONE
    assert records.library.admit(photo_in(records)) is False
    assert queue(records) == []


@pytest.mark.parametrize("case", ["no photo", "photo taken", "slot taken"])
def test_it_is_not_recorded_where_slot_or_photo_has_another_post(records: Records, case: str) -> None:
    post, expected = MADE_ELSEWHERE, Marked.PHOTO_TAKEN
    match case:
        case "photo taken":
            claimed(records)
            post = replace(MADE_ELSEWHERE, slot=TEN)
        case "slot taken":
            furnish(records, "sunrise", "second")
            records.archive.restore_post(a_post(photo_id=a_photo_id("second"), fault=FAULT))
            expected = Marked.SLOT_TAKEN
    before = records.everything()
    assert records.archive.mark_posted(post) is expected
    assert records.everything() == before
