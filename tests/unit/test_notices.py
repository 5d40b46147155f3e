"""Which changes of a post its owner's systems are told of, by what name, and what they are told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain import notices
from domain.faults import FaultRecord
from domain.ids import MediaId
from domain.posts import Evidence, Post, PostStatus
from fakes.library import a_post

AT = datetime(2026, 11, 22, 9, 0, 12, 310_000, tzinfo=UTC)
FAULT = FaultRecord("PhotoFault", "Instagram refused: the format (code 352).", 352, 2207026)
ENDS = {
    "posted": a_post().as_posted(MediaId("17920238422030506"), AT, "https://www.instagram.com/p/abc/"),
    "failed": a_post().as_failed(FAULT, AT),
    "unconfirmed": a_post().as_unconfirmed(FAULT, Evidence("EXPIRED"), AT),
}


def told(before: PostStatus | None, post: Post) -> notices.Notice:
    notice = notices.of_change(before, post)
    assert notice is not None
    return notice


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("before", [PostStatus.POSTING, None])
def test_each_end_of_a_post_has_a_notice_of_its_own_name(end: str, before: PostStatus | None) -> None:
    notice = told(before, ENDS[end])
    assert notice.id == notice.payload["id"] == f"default/2026-11-22T09:00:00Z/{end}"
    assert notice.payload["event"] == f"post.{end}"
    assert notice.payload["occurred_at"] == "2026-11-22T09:00:12.310Z"


def test_a_notice_says_all_there_is_to_say() -> None:
    payload = told(PostStatus.POSTING, ENDS["posted"]).payload
    assert payload == {
        "id": "default/2026-11-22T09:00:00Z/posted",
        "event": "post.posted",
        "persona_id": "default",
        "slot": "2026-11-22T09:00:00Z",
        "photo_id": ENDS["posted"].photo_id,
        "provider_post_id": "17920238422030506",
        "permalink": "https://www.instagram.com/p/abc/",
        "posted_at": "2026-11-22T09:00:12.310Z",
        "fault": None,
        "occurred_at": "2026-11-22T09:00:12.310Z",
    }
    assert told(None, ENDS["failed"]).payload["fault"] == {
        "kind": "PhotoFault",
        "message": "Instagram refused: the format (code 352).",
        "code": 352,
        "subcode": 2207026,
    }


@pytest.mark.parametrize("end", ENDS)
def test_a_change_after_the_end_is_no_second_one(end: str) -> None:
    assert notices.of_change(PostStatus(end), replace(ENDS[end], permalink="https://www.instagram.com/p/new/")) is None


def test_a_post_under_way_has_none() -> None:
    assert notices.of_change(None, a_post()) is None
    assert notices.of_change(PostStatus.POSTING, a_post()) is None


def test_an_unconfirmed_post_that_its_owner_resolved_has_a_second_notice_of_another_name() -> None:
    resolved = told(PostStatus.UNCONFIRMED, ENDS["unconfirmed"].as_posted(MediaId("17920238422030506"), AT))
    assert resolved.id != told(PostStatus.POSTING, ENDS["unconfirmed"]).id


def test_the_test_has_every_member_of_a_notice_and_no_post() -> None:
    notice = notices.of_test(AT)
    assert notice.payload.keys() == told(None, ENDS["posted"]).payload.keys()
    assert (notice.payload["event"], notice.payload["slot"]) == ("webhook.test", None)
