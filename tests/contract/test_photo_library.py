"""The contract of PhotoLibrary: the queue and its order, and additions that never bring back a photo with a post."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, permutations
from typing import Any

import pytest

from adapters.dynamo import DynamoPhotoLibrary
from contract.implementations import DynamoImplementation, Records
from contract.scenes import photo_in
from domain.ids import PersonaId
from domain.photos import GIVEN, Photo
from domain.ports import Addition, Claim, RecordsUnavailableError, Settlement
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post, an_analysis

OTHER = PersonaId("other")
LATER = datetime(2026, 11, 1, 13, tzinfo=UTC)


def queue(records: Records, persona_id: PersonaId = DEFAULT) -> list[str]:
    return [photo.photo_id for photo in records.library.best_first(persona_id)]


def claim(records: Records, photo: Photo) -> None:
    """Give the photo a post."""
    records.personas.add(a_persona())
    assert records.ledger.claim(a_post(photo_id=photo.photo_id)) is Claim.WON


# ---- reading ----


@pytest.mark.parametrize(
    "photo",
    [
        a_photo(),
        a_photo(score=None),
        a_photo(
            caption="Mörning\n#sun",
            alt_text="A lake at sunrise.",
            imported_at=datetime(2026, 11, 1, 12, 0, 0, 987_000, UTC),
            analysis=an_analysis(7.123456, sharpness=0.25, exposure=-1.5),
        ),
        a_photo(caption="", alt_text=""),
    ],
    ids=["plain", "not scored", "full", "empty texts"],
)
def test_a_photo_is_read_back_as_it_was_added(records: Records, photo: Photo) -> None:
    assert records.library.add(photo) is Addition.ADDED
    assert records.library.get(DEFAULT, photo.photo_id) == photo


def test_the_queue_gives_a_photo_as_it_was_added(records: Records) -> None:
    photo = a_photo(caption="Mine", alt_text="A lake.", analysis=an_analysis(6.5, sharpness=0.25, exposure=0.5))
    records.library.add(photo)
    assert list(records.library.best_first(DEFAULT)) == [photo]


def test_an_unknown_photo_is_none(records: Records) -> None:
    records.library.add(a_photo())
    assert records.library.get(DEFAULT, a_photo_id("unknown")) is None
    assert records.library.get(OTHER, a_photo().photo_id) is None


# ---- the queue's order ----


def test_an_empty_library_has_an_empty_queue(records: Records) -> None:
    assert queue(records) == []


def test_the_highest_score_comes_first(records: Records) -> None:
    for name, score in (("low", 2.0), ("ten", 10.0), ("nine", 9.999999), ("zero", 0.0), ("high", 9.5)):
        records.library.add(a_photo(name, score=score))
    assert queue(records) == [a_photo_id(name) for name in ("ten", "nine", "high", "low", "zero")]


def test_of_equal_scores_the_older_import_comes_first(records: Records) -> None:
    for name, minutes in (("second", 1), ("third", 60 * 24 * 365), ("first", 0)):
        records.library.add(a_photo(name, imported_at=LATER + timedelta(minutes=minutes)))
    assert queue(records) == [a_photo_id(name) for name in ("first", "second", "third")]


def test_of_equal_scores_and_imports_the_lower_id_comes_first(records: Records) -> None:
    names = [f"photo {number}" for number in range(5)]
    for name in names:
        records.library.add(a_photo(name))
    assert queue(records) == sorted(a_photo_id(name) for name in names)


def test_the_order_of_additions_does_not_matter(records: Records) -> None:
    photos = [a_photo("a", score=3.0), a_photo("b", score=3.0, imported_at=LATER), a_photo("c", score=4.0)]
    for number, order in enumerate(permutations(photos)):
        persona_id = PersonaId(f"persona-{number}")
        for photo in order:
            records.library.add(replace(photo, persona_id=persona_id))
        assert queue(records, persona_id) == [a_photo_id(name) for name in "cab"]


def test_a_photo_without_an_analysis_is_not_in_the_queue(records: Records) -> None:
    records.library.add(a_photo("scored"))
    records.library.add(a_photo("not scored", score=None))
    assert queue(records) == [a_photo_id("scored")]


def test_another_personas_photos_are_not_in_the_queue(records: Records) -> None:
    records.library.add(a_photo("mine"))
    records.library.add(a_photo("theirs", persona_id=OTHER, score=9.0))
    assert queue(records) == [a_photo_id("mine")]
    assert queue(records, OTHER) == [a_photo_id("theirs")]


def test_the_same_picture_may_be_in_two_personas_libraries(records: Records) -> None:
    records.library.add(a_photo())
    assert records.library.add(a_photo(persona_id=OTHER)) is Addition.ADDED
    assert queue(records) == queue(records, OTHER) == [a_photo().photo_id]


# ---- pages ----


def test_the_queue_is_not_read_before_it_is_asked_for(records: Records) -> None:
    records.library.add(a_photo())
    records.library.best_first(DEFAULT)
    assert records.pages_read() == 0


@pytest.mark.parametrize(("asked_for", "page_size", "pages"), [(1, 1, 1), (2, 1, 2), (3, 3, 1), (4, 3, 2)])
def test_a_page_is_read_when_its_first_photo_is_asked_for(
    records: Records, asked_for: int, page_size: int, pages: int
) -> None:
    for number in range(7):
        records.library.add(a_photo(f"photo {number}", score=float(number)))
    got = list(islice(records.library.best_first(DEFAULT, page_size=page_size), asked_for))
    assert [photo.photo_id for photo in got] == [a_photo_id(f"photo {6 - place}") for place in range(asked_for)]
    assert records.pages_read() == pages


@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
def test_pages_of_every_size_give_the_same_queue(records: Records, page_size: int) -> None:
    for number in range(6):
        records.library.add(a_photo(f"photo {number}", score=float(number)))
    got = [photo.photo_id for photo in records.library.best_first(DEFAULT, page_size=page_size)]
    assert got == [a_photo_id(f"photo {number}") for number in (5, 4, 3, 2, 1, 0)]


def test_what_leaves_the_queue_between_two_pages_is_passed_over_and_nothing_else(records: Records) -> None:
    for number in range(4):
        records.library.add(a_photo(f"photo {number}", score=float(number)))
    photos = records.library.best_first(DEFAULT)
    first = next(photos)
    claim(records, first)
    records.library.add(a_photo("late", score=9.0))
    assert [photo.photo_id for photo in photos] == [a_photo_id(f"photo {number}") for number in (2, 1, 0)]


def test_choosing_is_one_query_of_the_index_and_filters_nothing(dynamo: DynamoImplementation) -> None:
    dynamo.library.add(a_photo())
    next(dynamo.library.best_first(DEFAULT))
    query = dynamo.asked[-1]
    assert [asked.operation for asked in dynamo.asked] == ["PutItem", "Query"]
    assert query.parameters["IndexName"] == "queue"
    assert query.parameters["Limit"] == 1
    assert query.parameters["ScanIndexForward"] is False
    assert "FilterExpression" not in query.parameters
    assert not query.parameters.get("ConsistentRead")


def test_a_photo_is_read_consistently(dynamo: DynamoImplementation) -> None:
    dynamo.library.get(DEFAULT, a_photo_id("sunrise"))
    assert dynamo.asked[-1].parameters["ConsistentRead"] is True


# ---- adding ----


def test_importing_the_same_twice_changes_nothing(records: Records) -> None:
    records.library.add(a_photo(caption="Mine", alt_text="A lake."))
    before = records.everything()
    assert records.library.add(a_photo(caption="Mine", alt_text="A lake.")) is Addition.UNCHANGED
    assert records.everything() == before


def test_a_later_import_of_the_same_bytes_changes_nothing(records: Records) -> None:
    records.library.add(a_photo())
    before = records.everything()
    again = a_photo(
        imported_at=LATER,
        object_key="photos/default/elsewhere.jpg",
        width=1,
        height=1,
        analysis=an_analysis(5.0, analysed_at=LATER),
    )
    assert records.library.add(again) is Addition.UNCHANGED
    assert records.everything() == before


def test_texts_that_are_given_replace_those_that_are_known(records: Records) -> None:
    records.library.add(a_photo(caption="Old", alt_text="Old."))
    assert records.library.add(a_photo(caption="New", alt_text="New.")) is Addition.UPDATED
    assert records.library.get(DEFAULT, a_photo().photo_id) == a_photo(caption="New", alt_text="New.")


@pytest.mark.parametrize("change", [{"caption": "New"}, {"alt_text": "New."}, {"caption": ""}, {"alt_text": ""}])
def test_what_is_not_given_is_kept(records: Records, change: dict[str, str]) -> None:
    records.library.add(a_photo(caption="Old", alt_text="Old."))
    assert records.library.add(a_photo(score=None, **change)) is Addition.UPDATED
    assert records.library.get(DEFAULT, a_photo().photo_id) == replace(
        a_photo(caption="Old", alt_text="Old."),
        **change,  # type: ignore[arg-type]
    )
    assert queue(records) == [a_photo().photo_id]


def test_another_score_gives_the_photo_another_place(records: Records) -> None:
    records.library.add(a_photo("middle", score=5.0))
    records.library.add(a_photo("riser", score=1.0))
    assert records.library.add(a_photo("riser", score=9.0, imported_at=LATER)) is Addition.UPDATED
    assert queue(records) == [a_photo_id("riser"), a_photo_id("middle")]
    riser = records.library.get(DEFAULT, a_photo_id("riser"))
    assert riser is not None
    assert riser.imported_at == a_photo().imported_at


@pytest.mark.parametrize("change", [{"scorer": "test 2"}, {"sharpness": 0.5}, {"exposure": 0.5}])
def test_an_analysis_that_says_something_else_is_an_update(records: Records, change: dict[str, object]) -> None:
    records.library.add(a_photo())
    assert records.library.add(a_photo(analysis=an_analysis(5.0, **change))) is Addition.UPDATED
    assert records.library.get(DEFAULT, a_photo().photo_id) == a_photo(analysis=an_analysis(5.0, **change))


def test_an_analysis_that_arrives_late_puts_the_photo_in_the_queue(records: Records) -> None:
    records.library.add(a_photo(score=None, caption="Mine"))
    assert records.library.add(a_photo(score=8.0)) is Addition.UPDATED
    assert list(records.library.best_first(DEFAULT)) == [a_photo(score=8.0, caption="Mine")]


def test_no_import_gives_a_photo_a_post(records: Records) -> None:
    assert records.library.add(a_photo(post_slot=NINE)) is Addition.ADDED
    assert records.library.add(a_photo(post_slot=NINE, caption="New")) is Addition.UPDATED
    assert records.library.get(DEFAULT, a_photo().photo_id) == a_photo(caption="New")
    assert queue(records) == [a_photo().photo_id]


@pytest.mark.parametrize(
    ("again", "addition"),
    [
        (a_photo(), Addition.UNCHANGED),
        (a_photo(caption="New"), Addition.UPDATED),
        (a_photo(score=9.0), Addition.UPDATED),
        (a_photo(score=9.0, caption="New", alt_text="New."), Addition.UPDATED),
    ],
    ids=["the same", "caption", "score", "all"],
)
def test_a_photo_with_a_post_is_never_in_the_queue_again(records: Records, again: Photo, addition: Addition) -> None:
    records.library.add(a_photo())
    claim(records, a_photo())
    assert records.library.add(again) is addition
    assert records.library.get(DEFAULT, again.photo_id) == replace(again, post_slot=NINE)
    assert queue(records) == []


def test_an_analysis_that_arrives_after_the_post_counts_once_the_photo_is_back(records: Records) -> None:
    records.library.add(a_photo())
    claim(records, a_photo())
    assert records.library.add(a_photo(score=8.0)) is Addition.UPDATED
    assert queue(records) == []
    photo = records.library.get(DEFAULT, a_photo().photo_id)
    post = a_post()
    settled = records.ledger.settle(post, replace(post, updated_at=LATER), requeue=photo)
    assert settled is Settlement.DONE
    assert list(records.library.best_first(DEFAULT)) == [a_photo(score=8.0)]


def test_an_update_that_meets_a_claim_is_made_again_and_leaves_the_post(dynamo: DynamoImplementation) -> None:
    dynamo.library.add(a_photo())
    get = dynamo.library.get

    def get_just_before_the_claim(persona_id: PersonaId, photo_id: object) -> Photo | None:
        dynamo.library.get = get  # type: ignore[method-assign]
        photo = get(persona_id, a_photo().photo_id)
        claim(dynamo, a_photo())
        return photo

    dynamo.library.get = get_just_before_the_claim  # type: ignore[method-assign]
    assert dynamo.library.add(a_photo(score=9.0)) is Addition.UPDATED
    assert dynamo.library.get(DEFAULT, a_photo().photo_id) == a_photo(score=9.0, post_slot=NINE)
    assert queue(dynamo) == []
    assert not {"queued_for", "rank"} & dynamo.item("PhotosTable", a_photo().photo_id).keys()


# ---- the items ----


def test_a_photo_has_the_queues_keys_only_while_it_may_be_posted(dynamo: DynamoImplementation) -> None:
    dynamo.library.add(a_photo("scored"))
    dynamo.library.add(a_photo("not scored", score=None))
    dynamo.library.add(a_photo("posted"))
    claim(dynamo, a_photo("posted"))
    scored = dynamo.item("PhotosTable", a_photo_id("scored"))
    assert scored["queued_for"] == {"S": "default"}
    assert scored["rank"] == {"S": a_photo("scored").rank}
    for name in ("not scored", "posted"):
        assert not {"queued_for", "rank"} & dynamo.item("PhotosTable", a_photo_id(name)).keys()


@pytest.mark.parametrize("damage", [{"post_slot": {"S": "tomorrow"}}, {"imported_at": {"S": "2026-11-01"}}])
def test_a_damaged_record_is_records_unavailable(dynamo: DynamoImplementation, damage: dict[str, object]) -> None:
    dynamo.library.add(a_photo())
    item = dynamo.item("PhotosTable", a_photo().photo_id)
    dynamo.raw.put_item(TableName=dynamo.names["PhotosTable"], Item=item | damage)
    with pytest.raises(RecordsUnavailableError):
        dynamo.library.get(DEFAULT, a_photo().photo_id)
    with pytest.raises(RecordsUnavailableError):
        next(dynamo.library.best_first(DEFAULT))


# ---- the score that its owner gave ----


def test_a_given_score_is_not_overwritten_by_a_scorer(records: Records) -> None:
    """A scorer that began before the owner spoke comes last."""
    given = an_analysis(3.0, scorer=GIVEN)
    records.library.add(a_photo(analysis=given))
    assert records.library.add(a_photo(score=9.0)) is Addition.UNCHANGED
    assert photo_in(records).analysis == given
    assert records.library.add(a_photo(score=9.0, caption="Mine")) is Addition.UPDATED
    assert photo_in(records) == a_photo(analysis=given, caption="Mine")


def test_a_given_score_wins_over_a_scorers_and_over_an_earlier_one(records: Records) -> None:
    records.library.add(a_photo("other", score=5.0))
    records.library.add(a_photo(score=4.0))
    for score, best in ((6.0, "sunrise"), (3.0, "other")):
        given = an_analysis(score, scorer=GIVEN)
        assert records.library.add(a_photo(analysis=given)) is Addition.UPDATED
        assert photo_in(records).analysis == given
        assert queue(records)[0] == a_photo_id(best)


@pytest.mark.parametrize("when", ["while it is read", "while it is written"])
def test_an_analysis_that_comes_in_between_is_not_lost(dynamo: DynamoImplementation, when: str) -> None:
    """The owner gives a score while another import brings a caption, or a scorer's later score."""
    dynamo.library.add(a_photo(score=4.0))
    given = an_analysis(8.0, scorer=GIVEN)
    other = DynamoPhotoLibrary(dynamo.tables)
    late = DynamoPhotoLibrary(dynamo.tables)
    done: list[Addition] = []
    method = "_update" if when == "while it is read" else "_write"
    original = getattr(late, method)

    def disturbed(*arguments: Any) -> Any:
        if not done:
            done.append(other.add(a_photo(analysis=given)))
        return original(*arguments)

    setattr(late, method, disturbed)
    assert late.add(a_photo(score=2.0, caption="Mine")) is Addition.UPDATED
    assert photo_in(dynamo) == a_photo(analysis=given, caption="Mine")
    (queued,) = dynamo.library.best_first(DEFAULT)
    assert dynamo.item("PhotosTable", queued.photo_id)["rank"] == {"S": queued.rank}


def test_a_photo_is_admitted_by_the_score_that_it_has_by_then(records: Records) -> None:
    before = a_photo(score=4.0, awaits_linking=True)
    records.library.add(before)
    records.library.add(a_photo("other", score=5.0))
    records.library.add(a_photo(score=6.0))
    assert records.library.admit(before) is True
    assert queue(records) == [a_photo_id("sunrise"), a_photo_id("other")]
    assert records.library.admit(a_photo("unknown")) is False


def test_a_photo_that_is_not_scored_is_admitted_by_its_first_score(records: Records) -> None:
    records.library.add(a_photo(score=None, awaits_linking=True))
    assert records.library.admit(a_photo(score=None)) is False
    assert queue(records) == []
    assert records.library.add(a_photo(score=6.0)) is Addition.UPDATED
    assert queue(records) == [a_photo_id("sunrise")]


# ---- out of the queue, until it is imported again ----


def test_an_unqueued_photo_waits_for_another_import_and_nothing_else_changes(records: Records) -> None:
    photo = a_photo(caption="Mine")
    records.library.add(photo)
    records.library.add(a_photo("another"))
    assert records.library.unqueue(DEFAULT, photo.photo_id) is True
    assert records.library.unqueue(DEFAULT, photo.photo_id) is True
    assert queue(records) == [a_photo_id("another")]
    assert records.library.get(DEFAULT, photo.photo_id) == replace(photo, awaits_linking=True)
    assert records.library.add(photo) is Addition.UNCHANGED
    assert queue(records) == [a_photo_id("another")]
    assert records.library.admit(photo) is True
    assert sorted(queue(records)) == sorted([photo.photo_id, a_photo_id("another")])


def test_an_unqueued_photo_cannot_be_claimed(records: Records) -> None:
    records.personas.add(a_persona())
    records.library.add(a_photo())
    records.library.unqueue(DEFAULT, a_photo().photo_id)
    assert records.ledger.claim(a_post(photo_id=a_photo().photo_id)) is Claim.PHOTO_TAKEN


def test_a_photo_with_a_post_and_one_that_is_not_there_are_not_unqueued(records: Records) -> None:
    records.library.add(a_photo())
    claim(records, a_photo())
    before = records.everything()
    assert records.library.unqueue(DEFAULT, a_photo().photo_id) is False
    assert records.library.unqueue(DEFAULT, a_photo_id("nobody's")) is False
    assert records.everything() == before
