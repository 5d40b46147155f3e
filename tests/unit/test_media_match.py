"""Which of the account's media a container became, when only its status says that it is live."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.faults import FaultRecord
from domain.ids import ContainerId, MediaId
from domain.media_match import candidates, match
from domain.ports import RecentMedia
from domain.posts import Evidence, Post
from fakes.library import a_post

CREATED = a_post().created_at
SENT = CREATED + timedelta(minutes=10)
POST = a_post(caption="Sunrise over the bay").as_fenced(ContainerId("17900000000000001"), SENT)


def a_media(media_id: str = "17900000000000002", **changes: Any) -> RecentMedia:
    media = RecentMedia(MediaId(media_id), "Sunrise over the bay", "IMAGE", SENT + timedelta(seconds=2))
    return replace(media, **changes)


def matches(post_caption: str, media_caption: str) -> bool:
    media = a_media(caption=media_caption)
    return candidates(replace(POST, caption=post_caption), [media], ()) == (media,)


def test_the_media_of_the_posts_time_and_caption_matches() -> None:
    assert candidates(POST, [a_media()], ()) == (a_media(),)


def test_every_media_that_fits_is_a_candidate_in_the_order_told() -> None:
    one, other = a_media("2"), a_media("1")
    assert candidates(POST, [one, a_media("3", caption="Another"), other], ()) == (one, other)


def test_nothing_matches_an_account_without_media() -> None:
    assert candidates(POST, [], ()) == ()


@pytest.mark.parametrize(
    ("published_at", "expected"),
    [
        (CREATED - timedelta(minutes=5), True),
        (CREATED - timedelta(minutes=5, microseconds=1), False),
        (SENT + timedelta(minutes=15), True),
        (SENT + timedelta(minutes=15, microseconds=1), False),
        (SENT - timedelta(days=1), False),
    ],
)
def test_a_media_is_of_the_posts_time_from_5_minutes_before_creation_to_15_after_publishing(
    published_at: Any, expected: bool
) -> None:
    assert bool(candidates(POST, [a_media(published_at=published_at)], ())) is expected


def test_the_window_of_a_post_that_was_never_fenced_ends_15_minutes_after_its_last_change() -> None:
    post = a_post(caption="Sunrise over the bay", updated_at=CREATED + timedelta(hours=1))
    last = post.updated_at + timedelta(minutes=15)
    assert candidates(post, [a_media(published_at=last)], ())
    assert not candidates(post, [a_media(published_at=last + timedelta(microseconds=1))], ())


@pytest.mark.parametrize(
    ("posted", "told"),
    [
        ("Sunrise over the bay", "  Sunrise \n\n over\tthe\u00a0bay "),
        ("With @ada and @bob", "With ada and @bob"),
        ("@ada", "ada"),
        ("x" * 2200, "x" * 2000),
        ("x" * 2000, "x" * 2200),
        ("x" * 2000 + " ends here", "x" * 2000 + " ends there"),
        ("@" * 5 + "x" * 2000, "x" * 2000),
        ("One 📷 #sky", "One 📷 #sky"),
    ],
)
def test_captions_are_equal_after_folding(posted: str, told: str) -> None:
    assert matches(posted, told)


@pytest.mark.parametrize(
    ("posted", "told"),
    [
        ("Sunrise over the bay", "Sunset over the bay"),
        ("Sunrise over the bay", "Sunrise over the bay!"),
        ("Sunrise", "sunrise"),
        ("Sun rise", "Sunrise"),
        ("x" * 2000, "x" * 1999),
        ("x" * 1999 + "y", "x" * 2000),
        ("Sunrise", ""),
    ],
)
def test_captions_that_differ_after_folding_do_not_match(posted: str, told: str) -> None:
    assert not matches(posted, told)


@pytest.mark.parametrize("caption", ["", " ", "\n\t", "@", " @ @ "])
def test_an_empty_caption_matches_nothing(caption: str) -> None:
    assert not matches(caption, caption)
    assert not matches(caption, "")


@pytest.mark.parametrize("media_type", ["VIDEO", "CAROUSEL_ALBUM", "image"])
def test_another_kind_of_media_does_not_match(media_type: str) -> None:
    assert candidates(POST, [a_media(media_type=media_type)], ()) == ()


def test_a_media_without_a_type_is_a_single_image() -> None:
    media = a_media(media_type="")
    assert candidates(POST, [media], ()) == (media,)


def test_a_media_that_another_post_has_recorded_does_not_match() -> None:
    recorded, free = a_media("1"), a_media("2")
    assert candidates(POST, [recorded, free], {MediaId("1"), MediaId("9")}) == (free,)


# ---- posts of one caption ----

OTHER = replace(POST, slot=replace(POST.slot, start=POST.slot.start - timedelta(minutes=5)))


def test_the_only_candidate_is_what_the_post_became() -> None:
    assert match(POST, [a_media()], [POST]).unique == a_media()


def test_of_two_candidates_neither_is_taken_and_both_are_told() -> None:
    found = match(POST, [a_media("1"), a_media("2")], [POST])
    assert (found.unique, found.media_ids) == (None, (MediaId("1"), MediaId("2")))


def test_the_media_that_another_post_recorded_is_not_taken() -> None:
    recorded = OTHER.as_posted(MediaId("1"), SENT)
    assert match(POST, [a_media("1"), a_media("2")], [POST, recorded]).unique == a_media("2")


@pytest.mark.parametrize(
    "other",
    [
        OTHER,
        OTHER.as_posted(None, SENT),
        OTHER.as_posted(None, SENT).as_unidentified(Evidence("PUBLISHED"), SENT),
        OTHER.as_unconfirmed(FaultRecord("Unresolved", "No answer."), Evidence("FINISHED"), SENT),
    ],
    ids=["sent", "posted without its media id", "given up", "unconfirmed"],
)
def test_a_lagging_list_does_not_give_a_post_the_media_of_another_of_its_caption(other: Post) -> None:
    assert match(POST, [a_media()], [POST, other]).unique is None
    assert match(POST, [a_media()], [POST, replace(other, caption="Another")]).unique == a_media()


@pytest.mark.parametrize(
    "other",
    [replace(OTHER, publish_sent_at=None), OTHER.as_failed(FaultRecord("PhotoFault", "Refused."), SENT)],
    ids=["not sent", "failed"],
)
def test_a_post_that_cannot_be_live_leaves_no_doubt(other: Post) -> None:
    assert match(POST, [a_media()], [POST, other]).unique == a_media()
