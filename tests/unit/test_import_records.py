"""A library's whole record, out of one stack and into another: nothing lost, nothing changed, nothing posted twice."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from contract.implementations import FakeImplementation, Records
from domain.archive_ports import Restored
from domain.export_records import ExportRecords, Owners
from domain.faults import FaultRecord
from domain.ids import ContainerId, MediaId, PersonaId, PhotoId
from domain.import_records import EXPORTED_WHILE_OPEN, ImportRecords, ImportReport, Line
from domain.photos import HeldBack, HeldBackFor, Photo
from domain.ports import Addition
from domain.posts import Evidence, Post, PostStatus
from domain.record_lines import Record, to_line
from domain.slots import Slot
from fakes.instagram import FakeRenditions
from fakes.libraries import Library, libraries
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post

AT = a_post().created_at
POSTED = a_post().as_posted(MediaId("1792"), AT)
BURST = {"first": 5.0, "second": 7.0, "third": 6.0}
SEEN = Evidence("FINISHED")
FENCED = a_post().as_fenced(ContainerId("1788"), AT)


def exported(stack: Records) -> list[str]:
    export = exporting(stack)
    return [to_line(record) for record in export(export.everybody())]


def exporting(stack: Records) -> ExportRecords:
    return ExportRecords(personas=stack.personas, archive=stack.archive, ledger=stack.ledger)


def imported(stack: Records, lines: Iterable[str | Record], **options: Any) -> ImportReport:
    texts = [one if isinstance(one, str) else to_line(one) for one in lines]
    numbered: Sequence[Line] = list(enumerate(texts, start=1))
    work = ImportRecords(
        personas=stack.personas,
        archive=stack.archive,
        ledger=stack.ledger,
        near_duplicates=stack.near_duplicates,
        **options,
    )
    return work(lambda: numbered)


def queue(stack: Records, persona_id: PersonaId = DEFAULT) -> list[str]:
    return [photo.photo_id for photo in stack.library.best_first(persona_id)]


def round_trip(library: Library, old: Records, new: Records) -> None:
    """From ``library`` into one stack, and from there into the other, which is then as the first."""
    imported(old, library.records)
    lines = exported(old)
    assert sorted(lines) == sorted(map(to_line, library.records))
    report = imported(new, lines)
    assert (report.problems, report.differing) == ([], [])
    assert exported(new) == lines
    for persona in library.personas:
        assert queue(new, persona.persona_id) == queue(old, persona.persona_id)
    again = imported(new, lines)
    assert {restored for _, restored in again.counts} <= {Restored.SAME}
    assert exported(new) == lines


@settings(max_examples=50)
@given(libraries())
def test_what_is_exported_and_imported_is_the_same_library(library: Library) -> None:
    round_trip(library, FakeImplementation(), FakeImplementation())


@settings(max_examples=50)
@given(libraries(statuses=("posting", "posted", "failed", "unconfirmed")))
def test_nothing_that_may_be_live_is_ever_queued_or_under_way(library: Library) -> None:
    stack = FakeImplementation()
    imported(stack, library.records)
    taken = {post.photo_id for post in library.posts if post.status is not PostStatus.FAILED}
    for persona in library.personas:
        assert not taken & set(queue(stack, persona.persona_id))
        assert all(post.status is not PostStatus.POSTING for post in stack.archive.posts(persona.persona_id))


def test_lines_in_any_order_give_the_same() -> None:
    records: list[Record] = [a_photo(post_slot=NINE), POSTED, a_photo("second"), a_persona()]
    stack = FakeImplementation()
    assert imported(stack, records).problems == []
    assert queue(stack) == [a_photo_id("second")]
    assert exported(stack)[0] == to_line(a_persona())


def test_of_a_burst_the_best_is_queued_once_all_of_it_is_there_and_none_before() -> None:
    burst = a_photo_id("first")
    lines: list[Record] = [a_persona(), *(a_photo(name, score=score, burst=burst) for name, score in BURST.items())]
    stack = FakeImplementation()
    waiting: list[list[str]] = []
    elect = stack.near_duplicates.elect
    stack.near_duplicates.elect = lambda *names: waiting.append(queue(stack)) or elect(*names)  # type: ignore[method-assign,func-returns-value]
    imported(stack, lines)
    assert waiting == [[]]
    assert queue(stack) == [a_photo_id("second")]


def test_an_import_that_broke_off_before_the_election_makes_up_for_it() -> None:
    burst = a_photo_id("first")
    stack = FakeImplementation()
    photos = [a_photo(name, score=score, burst=burst) for name, score in BURST.items()]
    for photo in photos:
        stack.archive.restore_photo(photo)
    assert queue(stack) == []
    imported(stack, [a_persona(), *photos])
    assert queue(stack) == [a_photo_id("second")]


# ---- posts that were under way ----


def test_a_post_that_was_sent_is_unconfirmed_and_never_sent_again() -> None:
    stack = FakeImplementation()
    report = imported(stack, [a_persona(), FENCED, a_photo(post_slot=NINE)])
    (post,) = stack.archive.posts(DEFAULT)
    assert post.status is PostStatus.UNCONFIRMED
    assert post.fault is not None
    assert post.fault.kind == EXPORTED_WHILE_OPEN
    assert post.publish_sent_at == FENCED.publish_sent_at, (
        "not before a day after it may the owner say it was not posted"
    )
    assert (report.closed, queue(stack)) == (1, [])


def test_a_post_that_was_not_sent_has_failed_and_keeps_its_photo_for_a_retry() -> None:
    stack = FakeImplementation()
    imported(stack, [a_persona(), a_post(), a_photo(post_slot=NINE)])
    (post,) = stack.archive.posts(DEFAULT)
    assert (post.status, post.fault and post.fault.kind) == (PostStatus.FAILED, EXPORTED_WHILE_OPEN)
    (photo,) = stack.archive.photos(DEFAULT)
    assert photo.post_slot == NINE
    assert queue(stack) == []


def test_importing_a_post_that_was_under_way_again_changes_nothing() -> None:
    stack = FakeImplementation()
    lines: list[Record] = [a_persona(), a_post(), a_photo(post_slot=NINE)]
    imported(stack, lines)
    report = imported(stack, lines)
    assert report.counts == {("persona", Restored.SAME): 1, ("post", Restored.SAME): 1, ("photo", Restored.SAME): 1}
    assert report.closed == 0


# ---- what does not fit together ----


def test_a_free_photo_that_was_posted_by_another_line_is_not_queued() -> None:
    stack = FakeImplementation()
    imported(stack, [a_persona(), POSTED, a_photo()])
    assert queue(stack) == []
    assert [photo.post_slot for photo in stack.archive.photos(DEFAULT)] == [NINE]


def test_a_photo_whose_post_is_nowhere_is_left_out() -> None:
    stack = FakeImplementation()
    report = imported(stack, [a_persona(), a_photo(post_slot=NINE)])
    assert [(one.line, one.reason) for one in report.problems] == [
        (2, "its post 2026-11-22T09:00:00Z is neither in the file nor in the stack")
    ]
    assert list(stack.archive.photos(DEFAULT)) == []


def test_a_photo_whose_post_has_another_photo_is_left_out() -> None:
    stack = FakeImplementation()
    report = imported(stack, [a_persona(), POSTED, a_photo("second", post_slot=NINE)])
    assert [one.reason for one in report.problems] == ["its post 2026-11-22T09:00:00Z has another photo"]


def test_posts_and_photos_of_a_persona_that_is_nowhere_are_put_back_and_said_to_be_so() -> None:
    stack = FakeImplementation()
    report = imported(stack, [POSTED, a_photo()])
    assert (report.problems, report.removed) == ([], {DEFAULT})
    again = imported(stack, [a_persona(), POSTED, a_photo()])
    assert (again.problems, again.differing, again.removed) == ([], [], set())


def test_a_bad_line_is_named_once_and_the_rest_goes_on() -> None:
    stack = FakeImplementation()
    report = imported(stack, ["nonsense", a_persona(), '{"kind": "post", "version": 1}', a_photo()])
    assert [(one.line, one.reason) for one in report.problems] == [
        (1, "it is no JSON"),
        (3, "persona_id: it is missing"),
    ]
    assert queue(stack) == [a_photo_id("sunrise")]


def test_what_is_there_already_and_differs_is_left_and_named() -> None:
    stack = FakeImplementation()
    imported(stack, [a_persona(), POSTED, a_photo(post_slot=NINE)])
    changed: list[Record] = [a_persona(caption="New"), replace(POSTED, caption="New"), a_photo(caption="New")]
    before = exported(stack)
    report = imported(stack, changed)
    assert [one.reason for one in report.differing] == [
        "the persona default",
        "the post default 2026-11-22T09:00:00Z",
        f"the photo {a_photo_id('sunrise')} of default",
    ]
    assert exported(stack) == before


def test_a_photo_without_its_file_is_left_out_where_files_are_looked_for() -> None:
    stack = FakeImplementation()
    renditions = FakeRenditions(missing={a_photo().object_key})
    report = imported(stack, [a_persona(), a_photo(), a_photo("second")], renditions=renditions)
    assert [one.reason for one in report.problems] == [f"its file {a_photo().object_key} is not in the bucket"]
    assert queue(stack) == [a_photo_id("second")]


# ---- an export beside a stack that goes on posting ----


def test_the_post_of_a_photo_claimed_since_the_posts_were_read_is_told_before_it() -> None:
    stack = FakeImplementation()
    imported(stack, [a_persona(), a_photo()])
    export = exporting(stack)
    records = export(export.everybody())
    told = [next(records)]
    late = replace(POSTED, slot=Slot(NINE.start, 2))
    stack.archive.mark_posted(late)
    posts = stack.archive.posts
    stack.archive.posts = lambda persona_id: iter(())  # type: ignore[method-assign] # as they were a moment ago
    told += list(records)
    stack.archive.posts = posts  # type: ignore[method-assign]
    assert told == [a_persona(), late, a_photo(post_slot=late.slot)]
    assert json.loads(to_line(told[1]))["kind"] == "post"


@pytest.mark.parametrize(
    "photo",
    [a_photo(post_slot=NINE), a_photo(held_back=HeldBack(HeldBackFor.POSTED_ELSEWHERE)), a_photo()],
    ids=["has a post", "is on the account", "a post of the file has it"],
)
def test_what_keeps_a_picture_from_being_posted_again_is_put_back_without_its_file(photo: Photo) -> None:
    stack = FakeImplementation()
    lines: list[Record] = [a_persona(), *([] if photo.held_back else [POSTED]), photo]
    report = imported(stack, lines, renditions=FakeRenditions(missing={photo.object_key}))
    assert report.problems == []
    assert stack.library.add(a_photo()) is not Addition.ADDED
    assert queue(stack) == []


def test_personas_are_told_first_and_then_the_posts_and_photos_of_each_whether_it_was_removed_or_not() -> None:
    stack = FakeImplementation()
    gone = PersonaId("gone")
    theirs = [replace(one, persona_id=gone) for one in (POSTED, a_photo(post_slot=NINE))]
    records: list[Record] = [a_persona(), a_persona(persona_id=PersonaId("other")), POSTED, a_photo(post_slot=NINE)]
    imported(stack, [*theirs, *records])
    assert exported(stack) == [to_line(record) for record in (*records, *theirs)]


@pytest.mark.parametrize("only", ["default", "other"])
def test_one_personas_records_are_exported_alone(only: str) -> None:
    stack = FakeImplementation()
    other = PersonaId("other")
    imported(stack, [a_persona(), a_photo(), a_persona(persona_id=other), a_photo("second", persona_id=other)])
    export = exporting(stack)
    told = list(export(export.one(PersonaId(only))))
    assert len(told) == 2
    assert {record.persona_id for record in told} == {only}


# ---- personas that were removed ----


def removed(stack: Records, persona_id: PersonaId = DEFAULT) -> None:
    """As `persona remove` leaves it: no record and no queue."""
    for photo_id in queue(stack, persona_id):
        stack.library.unqueue(persona_id, PhotoId(photo_id))
    reason = stack.personas.pause(persona_id, "It is removed.")
    assert reason is not None
    assert stack.personas.remove(persona_id, paused_for=reason)


@pytest.mark.parametrize("post", [POSTED, FENCED.as_unconfirmed(FaultRecord("Unresolved", "Lost."), SEEN, AT)])
def test_what_a_removed_persona_posted_is_not_posted_again_in_another_stack(post: Post) -> None:
    old, new = FakeImplementation(), FakeImplementation()
    imported(old, [a_persona(), post, a_photo(post_slot=NINE), a_photo("second")])
    removed(old)
    report = imported(new, exported(old))
    assert (report.problems, report.removed) == ([], {DEFAULT})
    assert exported(new) == exported(old)
    new.personas.add(a_persona())
    assert new.library.add(a_photo()) is not Addition.ADDED, "the same picture is imported again"
    new.library.admit(a_photo())
    assert queue(new) == []
    assert [photo.post_slot for photo in new.archive.photos(DEFAULT) if photo.photo_id == post.photo_id] == [NINE]


def test_who_has_a_persona_is_not_told_as_removed() -> None:
    stack = FakeImplementation()
    other = PersonaId("other")
    imported(stack, [a_persona(), POSTED, a_photo(post_slot=NINE), a_photo("theirs", persona_id=other)])
    assert exporting(stack).everybody() == Owners((a_persona(),), (other,))
    assert exporting(stack).one(other) == Owners(removed=(other,))
    assert exporting(stack).one(PersonaId("nobody")) == Owners()


def test_a_persona_that_the_list_of_all_lacks_yet_was_not_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = FakeImplementation()
    imported(stack, [a_persona(), a_photo()])
    monkeypatch.setattr(stack.personas, "all", list)
    assert exporting(stack).everybody() == Owners((a_persona(),))


def test_of_a_removed_personas_burst_nothing_is_queued_before_it_is_imported_again() -> None:
    old, new = FakeImplementation(), FakeImplementation()
    burst = a_photo_id("first")
    imported(old, [a_persona(), *(a_photo(name, score=score, burst=burst) for name, score in BURST.items())])
    assert queue(old) == [a_photo_id("second")]
    removed(old)
    lines = exported(old)
    imported(new, lines)
    new.personas.add(a_persona())
    assert queue(new) == queue(old) == []
    assert exported(new)[1:] == lines
