"""Records as lines of JSON: there and back without a difference, and every line that is none is named and refused."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from domain.photos import HeldBack, HeldBackFor
from domain.record_lines import KINDS, BadLineError, Record, from_line, to_line
from fakes.libraries import Library, libraries
from fakes.library import NINE, a_persona, a_photo, a_post

RECORDS: dict[str, Record] = {"persona": a_persona(), "post": a_post(), "photo": a_photo()}


@settings(max_examples=50)
@given(libraries(statuses=("posting", "posted", "failed", "unconfirmed")))
def test_a_record_comes_back_as_it_was(library: Library) -> None:
    for record in library.records:
        line = to_line(record)
        assert from_line(line) == record
        assert line.isascii()
        assert len(line.splitlines()) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_has_every_attribute_of_its_record(kind: str) -> None:
    members = json.loads(to_line(RECORDS[kind]))
    assert members.keys() == {"kind", "version"} | {one.name for one in fields(KINDS[kind])}
    assert (members["kind"], members["version"]) == (kind, 1)


def test_a_line_reads_as_the_docs_say() -> None:
    photo = a_photo(post_slot=NINE, held_back=HeldBack(HeldBackFor.SKIPPED), perceptual_hashes=("00ff" * 4,))
    members = json.loads(to_line(photo))
    assert members["post_slot"] == "2026-11-22T09:00:00Z"
    assert members["held_back"] == {"reason": "skipped", "media_id": None}
    assert members["analysis"]["analysed_at"] == "2026-11-02T12:00:00.000Z"
    assert members["perceptual_hashes"] == ["00ff" * 4]


def test_a_number_has_one_form_whichever_the_table_gave() -> None:
    assert to_line(a_persona(minimum_score=6)) == to_line(a_persona(minimum_score=6.0))


def test_what_a_line_leaves_out_has_its_default() -> None:
    members = json.loads(to_line(a_photo(caption="A caption")))
    del members["caption"], members["held_back"]
    assert from_line(json.dumps(members)) == a_photo()


def test_a_time_with_another_offset_is_the_same_time() -> None:
    members = json.loads(to_line(a_photo()))
    members["imported_at"] = "2026-11-01T13:00:00.0009+01:00"
    photo = from_line(json.dumps(members))
    assert photo == a_photo(imported_at=datetime(2026, 11, 1, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "it is no JSON"),
        ("{", "it is no JSON"),
        (100_000 * "[", "it is no JSON"),
        (100_001 * " ", "it is longer than 100000 characters"),
        ('{"kind": "photo", "width": NaN}', "it is no JSON"),
        ("[]", "it is no JSON object"),
        ("{}", "kind: it must be one of persona, post, photo"),
        ('{"kind": ["photo"]}', "kind: it must be one of persona, post, photo"),
        ('{"kind": "photo"}', "version: it must be 1; a later fluffy-train may have written it"),
        ('{"kind": "photo", "version": 2}', "version: it must be 1; a later fluffy-train may have written it"),
        ('{"kind": "photo", "version": true}', "version: it must be 1; a later fluffy-train may have written it"),
        ('{"kind": "photo", "version": 1}', "persona_id: it is missing"),
    ],
)
def test_what_is_no_line_of_an_export_is_refused(line: str, complaint: str) -> None:
    with pytest.raises(BadLineError) as raised:
        from_line(line)
    assert str(raised.value) == complaint


@pytest.mark.parametrize(
    ("kind", "changes", "complaint"),
    [
        ("persona", {"persona_id": "../x"}, "persona_id: '../x' is no persona id"),
        ("persona", {"token": "IG"}, "token: there is no such member"),
        ("persona", {"login": "google"}, "login: it must be one of instagram, facebook"),
        ("persona", {"minimum_score": "6"}, "minimum_score: it must be a number"),
        ("persona", {"minimum_score": 10**400}, "minimum_score: "),
        ("persona", {"minimum_score": 5e-324}, "minimum_score: it is too small or too large a number"),
        ("persona", {"quota": {"left": 1.5, "read_at": "2026-11-01T12:00:00Z"}}, "quota.left: it must be a whole"),
        ("persona", {"quota": {"left": 1}}, "quota.read_at: it is missing"),
        ("persona", {"quota": []}, "quota: it must be an object"),
        ("persona", {"name": None}, "name: it must be text"),
        ("persona", {"caption": "\ud800"}, "caption: "),
        ("photo", {"photo_id": "ABC"}, "photo_id: it must be 64 hexadecimal digits"),
        ("photo", {"object_key": ""}, "object_key: it is empty"),
        ("photo", {"width": 0}, "width, height: they must be 1 or more"),
        ("photo", {"width": True}, "width: it must be a whole number"),
        ("photo", {"width": 2**60}, "width: it must be a whole number"),
        ("photo", {"imported_at": "2026-11-01T12:00:00"}, "imported_at: '2026-11-01T12:00:00' has no time zone"),
        ("photo", {"imported_at": "yesterday"}, "imported_at: "),
        ("photo", {"imported_at": 5}, "imported_at: it must be text"),
        ("photo", {"post_slot": "2026-11-22T09:00:00Z#9"}, "post_slot: '2026-11-22T09:00:00Z#9' is no slot"),
        ("photo", {"awaits_linking": 1}, "awaits_linking: it must be true or false"),
        ("photo", {"burst": "a"}, "burst: it must be the id of a photo"),
        ("photo", {"perceptual_hashes": ["xyz"]}, "perceptual_hashes: one of them is no hash"),
        ("photo", {"perceptual_hashes": "00ff"}, "perceptual_hashes: it must be a list"),
        ("photo", {"perceptual_hashes": [5]}, "perceptual_hashes[0]: it must be text"),
        ("photo", {"analysis": {"aesthetic_score": 11}}, "analysis.scorer: it is missing"),
        ("post", {"status": "done"}, "status: it must be one of posting, posted, failed, unconfirmed"),
        ("post", {"slot": None}, "slot: it must be text"),
        ("post", {"lease": {"owner": "a", "until": "x"}}, "lease.until: "),
        ("post", {"evidence": {"container_status": "A", "candidate_media": [None]}}, "evidence.candidate_media[0]: it"),
    ],
)
def test_a_member_that_is_wrong_is_named(kind: str, changes: dict[str, Any], complaint: str) -> None:
    members = json.loads(to_line(RECORDS[kind])) | changes
    with pytest.raises(BadLineError) as raised:
        from_line(json.dumps(members))
    assert str(raised.value).startswith(complaint)
    assert len(str(raised.value)) < 260


def test_a_score_out_of_range_is_refused() -> None:
    members = json.loads(to_line(a_photo()))
    members["analysis"]["aesthetic_score"] = 11
    with pytest.raises(BadLineError, match="analysis: an aesthetic score runs from 0 to 10, not 11"):
        from_line(json.dumps(members))
