"""The use case behind `persona adopt`, on fakes: a picture's bytes are its hash, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from domain.account_media import LiveMedia, MediaPage, PictureUnavailableError
from domain.adopt import AdoptAccount, Adoption, Finding
from domain.faults import AccountFault, Defer, Fault, Retry
from domain.ids import MediaId, PhotoId
from domain.intake_ports import UnusablePhotoError
from domain.personas import Persona
from domain.photos import HeldBack, HeldBackFor, Photo
from domain.ports import Claim
from domain.posts import PostStatus
from fakes.clock import START
from fakes.library import DEFAULT, NINE, Engine, a_photo, a_photo_id, a_post
from fakes.records import FakeNearDuplicates

SEA, SEA_AGAIN, SEA_CROPPED, HILL, TOWN = (
    "5555555555555555",
    "5555555555555552",
    "55555555555555aa",
    "aaaaaaaa55555555",
    "ffffffffffffffff",
)


@dataclass
class Account:
    """Implements AccountMedia, LivePictures and Eye, over media in pages of two."""

    media: list[LiveMedia] = field(default_factory=list)
    files: dict[str, bytes | Exception] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def post(self, *hashes: str, others: int = 0, media_id: str | None = None) -> MediaId:
        """By hand, in the app: the newest one."""
        number = str(len(self.media) + 1)
        addresses = tuple(f"https://cdn.example/{number}/{place}" for place in range(len(hashes)))
        self.files |= dict(zip(addresses, (one.encode() for one in hashes), strict=True))
        permalink = f"https://instagram.example/p/{number}/"
        one = LiveMedia(MediaId(media_id or number), addresses, others, permalink, START)
        self.media.insert(0, one)
        return one.media_id

    def page(self, persona: Persona, after: str | None, *, within: timedelta) -> MediaPage:
        self.asked.append(after)
        if self.faults:
            raise self.faults.pop(0)
        start = int(after or 0)
        more = start + 2 < len(self.media)
        return MediaPage(self.media[start : start + 2], str(start + 2) if more else None)

    def fetch(self, address: str, *, within: timedelta) -> bytes:
        self.fetched.append(address)
        found = self.files[address]
        if isinstance(found, Exception):
            raise found
        return found

    def perceptual_hash(self, source: bytes) -> str:
        if source == b"a film":
            raise UnusablePhotoError("not-an-image", "It is no picture.")
        return source.decode()


class Home(Engine):
    """A library, and an account that somebody posted to before."""

    def __init__(self, **hashes: str) -> None:
        super().__init__()
        self.near_duplicates = FakeNearDuplicates(self.records)
        self.account = Account()
        for name, perceptual_hash in hashes.items():
            self.take_in(name, perceptual_hash)

    def take_in(self, name: str, *hashes: str, score: float = 5.0) -> Photo:
        photo = a_photo(name, score=score, perceptual_hashes=hashes)
        self.library.add(photo)
        self.near_duplicates.note(photo)
        return photo

    def join(self, *names: str) -> PhotoId:
        for name in names[1:]:
            self.near_duplicates.join(DEFAULT, a_photo_id(names[0]), a_photo_id(name))
        burst = self.photo(names[0]).burst
        assert burst is not None
        self.near_duplicates.elect(DEFAULT, burst)
        return burst

    def adopt(self, *, most: int = 200, dry_run: bool = False) -> Adoption:
        work = self.work()
        work(self.persona, most=most, dry_run=dry_run)
        return work.report

    def work(self) -> AdoptAccount:
        return AdoptAccount(
            media=self.account,
            pictures=self.account,
            eye=self.account,
            library=self.library,
            near_duplicates=self.near_duplicates,
            ledger=self.ledger,
            clock=self.clock,
            distance=4,
        )

    def all_records(self) -> tuple[object, ...]:
        return dict(self.records.photos), dict(self.records.elected), dict(self.records.posts)


def found(report: Adoption) -> list[tuple[PhotoId, MediaId, int, Finding]]:
    return [(one.photo_id, one.media_id, one.bits, one.finding) for one in report.matches.values()]


def test_a_photo_that_is_on_the_account_is_out_of_the_queue_as_posted_elsewhere() -> None:
    home = Home(sea=SEA, hill=HILL)
    media_id = home.account.post(SEA_AGAIN)
    report = home.adopt()
    assert found(report) == [(a_photo_id("sea"), media_id, 3, Finding.HELD_BACK)]
    assert home.photo("sea").held_back == HeldBack(HeldBackFor.POSTED_ELSEWHERE, media_id)
    assert home.queue() == [a_photo_id("hill")]
    assert (report.media, report.pictures, report.own, report.others) == (1, 1, 0, 0)


def test_what_is_further_apart_than_the_stack_says_is_another_picture() -> None:
    home = Home(sea=SEA)
    home.account.post(SEA_CROPPED)
    assert found(home.adopt()) == []
    assert home.queue() == [a_photo_id("sea")]


def test_one_of_a_photos_hashes_is_enough() -> None:
    home = Home()
    home.take_in("sea", HILL, SEA_CROPPED)
    home.account.post(SEA_CROPPED)
    home.adopt()
    assert home.queue() == []


def test_a_second_run_changes_nothing_even_where_two_media_show_the_photo() -> None:
    home = Home(sea=SEA)
    home.account.post(SEA)
    home.account.post(SEA_AGAIN)
    assert found(home.adopt()) == [(a_photo_id("sea"), MediaId("2"), 3, Finding.HELD_BACK)]
    before = home.all_records()
    report = home.adopt()
    assert home.all_records() == before
    assert [one.finding for one in report.matches.values()] == [Finding.HELD_BACK_BEFORE]
    held_back = home.photo("sea").held_back
    assert held_back is not None
    assert held_back.media_id == "2"  # the newest, at both runs


def test_a_media_that_came_later_does_not_take_the_first_ones_place() -> None:
    home = Home(sea=SEA)
    media_id = home.account.post(SEA)
    home.adopt()
    home.account.post(SEA)
    home.adopt()
    assert home.photo("sea").held_back == HeldBack(HeldBackFor.POSTED_ELSEWHERE, media_id)


def test_a_burst_that_comes_about_at_the_same_moment_is_elected_too(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(sea=SEA)
    home.take_in("hill", HILL, score=9.0)
    home.account.post(SEA)
    hold_back = home.library.hold_back

    def a_moment_late(*arguments: Any) -> bool:
        home.join("sea", "hill")
        return hold_back(*arguments)

    monkeypatch.setattr(home.library, "hold_back", a_moment_late)
    home.adopt()
    assert home.queue() == []


def test_a_dry_run_finds_the_same_and_writes_nothing() -> None:
    home = Home(sea=SEA, hill=HILL)
    home.join("sea", "hill")
    home.account.post(SEA)
    before = home.all_records()
    report = home.adopt(dry_run=True)
    assert [one.finding for one in report.matches.values()] == [Finding.HELD_BACK]
    assert home.all_records() == before
    home.adopt()
    assert [one.finding for one in home.adopt(dry_run=True).matches.values()] == [Finding.HELD_BACK_BEFORE]


def test_of_a_burst_none_is_posted_once_one_is_on_the_account() -> None:
    home = Home(sea=SEA, hill=HILL)
    home.join("sea", "hill")
    home.account.post(SEA)
    home.adopt()
    assert home.queue() == []


def test_a_run_that_was_cut_off_before_the_election_is_completed() -> None:
    home = Home(sea=SEA)
    home.take_in("hill", HILL, score=9.0)
    home.join("sea", "hill")
    media_id = home.account.post(SEA)
    home.library.hold_back(DEFAULT, a_photo_id("sea"), HeldBack(HeldBackFor.POSTED_ELSEWHERE, media_id))
    assert home.queue() == [a_photo_id("hill")]
    home.adopt()
    assert home.queue() == []


def test_what_was_skipped_is_on_record_as_posted_elsewhere() -> None:
    home = Home(sea=SEA)
    home.library.hold_back(DEFAULT, a_photo_id("sea"), HeldBack(HeldBackFor.SKIPPED))
    media_id = home.account.post(SEA)
    assert [one.finding for one in home.adopt().matches.values()] == [Finding.HELD_BACK]
    assert home.photo("sea").held_back == HeldBack(HeldBackFor.POSTED_ELSEWHERE, media_id)


def test_a_photo_with_a_post_is_left_as_it_is() -> None:
    home = Home(sea=SEA)
    home.claim("sea", run=home.start_run())
    home.account.post(SEA)
    before = home.all_records()
    assert [one.finding for one in home.adopt().matches.values()] == [Finding.HAS_A_POST]
    assert [one.finding for one in home.adopt(dry_run=True).matches.values()] == [Finding.HAS_A_POST]
    assert home.all_records() == before


def test_a_photo_that_is_taken_at_the_same_moment_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(sea=SEA)
    home.account.post(SEA)
    hold_back = home.library.hold_back

    def a_moment_late(*arguments: Any) -> bool:
        home.claim("sea", run=home.start_run())
        return hold_back(*arguments)

    monkeypatch.setattr(home.library, "hold_back", a_moment_late)
    assert [one.finding for one in home.adopt().matches.values()] == [Finding.HAS_A_POST]
    assert home.photo("sea").held_back is None


def test_our_own_posts_are_not_even_fetched() -> None:
    home = Home(sea=SEA, hill=HILL)
    post = a_post(photo_id=a_photo_id("sea"))
    assert home.ledger.claim(post) is Claim.WON
    home.records.posts[DEFAULT, NINE] = replace(post, status=PostStatus.POSTED, provider_post_id=MediaId("ours"))
    home.account.post(SEA, media_id="ours")
    report = home.adopt()
    assert (report.own, report.media, report.pictures) == (1, 0, 0)
    assert home.account.fetched == []


def test_every_picture_of_an_album_counts_and_films_are_counted() -> None:
    home = Home(sea=SEA, hill=HILL, town=TOWN)
    album = home.account.post(HILL, SEA, others=1)
    home.account.post(others=1)
    report = home.adopt()
    assert {one.photo_id: one.media_id for one in report.matches.values()} == {
        a_photo_id("sea"): album,
        a_photo_id("hill"): album,
    }
    assert (report.media, report.pictures, report.others) == (2, 2, 2)
    assert home.queue() == [a_photo_id("town")]


@pytest.mark.parametrize(("most", "pages", "matched"), [(1, [None], 0), (2, [None], 0), (5, [None, "2", "4"], 1)])
def test_so_many_of_the_newest_media_are_looked_at(most: int, pages: Sequence[str | None], matched: int) -> None:
    home = Home(sea=SEA)
    home.account.post(SEA)
    for _ in range(4):
        home.account.post(TOWN)
    report = home.adopt(most=most)
    assert home.account.asked == pages
    assert report.media == most
    assert len(report.matches) == matched


def test_a_cursor_that_leads_in_a_circle_ends_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(sea=SEA)
    home.account.post(SEA)
    pages = {None: "x", "x": "y", "y": "x"}
    monkeypatch.setattr(
        home.account, "page", lambda persona, after, within: MediaPage(home.account.media, pages[after])
    )
    assert home.adopt().media == 1


def test_a_list_that_does_not_come_is_asked_for_again_and_then_the_fault_tells() -> None:
    home = Home(sea=SEA)
    home.account.post(SEA)
    home.account.faults = [Retry("later"), Retry("later", after=timedelta(seconds=7))]
    before = home.clock.now()
    assert len(home.adopt().matches) == 1
    assert home.clock.now() - before == timedelta(seconds=9)
    home.account.faults = [Retry("still not")] * 3
    with pytest.raises(Retry, match="still not"):
        home.adopt()


@pytest.mark.parametrize("fault", [AccountFault("The token has expired."), Defer("Too many calls.")])
def test_other_faults_are_not_asked_again(fault: Fault) -> None:
    home = Home(sea=SEA)
    home.account.faults = [fault]
    with pytest.raises(type(fault)):
        home.adopt()
    assert home.account.asked == [None]


def test_a_picture_that_cannot_be_looked_at_is_told_and_the_others_go_on() -> None:
    home = Home(sea=SEA, hill=HILL)
    home.account.post(SEA)
    for wrong in (PictureUnavailableError("HTTP 404."), Retry("It did not come."), b"a film"):
        home.account.post("x")
        home.account.files[f"https://cdn.example/{len(home.account.media)}/0"] = wrong
    home.account.media.insert(0, LiveMedia(MediaId("9"), (None,)))
    report = home.adopt()
    assert [(one.media_id, one.reason) for one in report.unseen] == [
        ("9", "Instagram tells no address for its picture."),
        ("4", "It is no picture."),
        ("3", "It did not come."),
        ("2", "HTTP 404."),
    ]
    assert [one.photo_id for one in report.matches.values()] == [a_photo_id("sea")]
    assert home.account.fetched.count("https://cdn.example/3/0") == 3


def test_where_no_picture_comes_the_run_ends() -> None:
    home = Home(sea=SEA)
    for number in range(1, 9):
        home.account.post("x")
        home.account.files[f"https://cdn.example/{number}/0"] = Retry("There is no network.")
    work = home.work()
    with pytest.raises(Retry, match="no network"):
        work(home.persona, most=200)
    assert len(work.report.unseen) == 4


def test_pictures_that_are_lost_now_and_then_do_not_end_the_run() -> None:
    home = Home(sea=SEA)
    for number in range(1, 10):
        home.account.post(SEA)
        if number != 5:
            home.account.files[f"https://cdn.example/{number}/0"] = Retry("It did not come.")
    report = home.adopt()
    assert len(report.unseen) == 8
    assert home.queue() == []


def test_photos_without_hashes_are_counted_where_they_may_still_be_posted() -> None:
    home = Home(sea=SEA)
    home.take_in("old")
    home.take_in("old and posted")
    home.claim("old and posted", run=home.start_run())
    assert home.adopt().without_hashes == 1


def test_a_photo_that_was_noted_and_never_added_is_passed_over() -> None:
    home = Home()
    home.near_duplicates.note(a_photo("sea", perceptual_hashes=(SEA,)))
    home.account.post(SEA)
    assert found(home.adopt()) == []


def test_progress_goes_from_none_to_all() -> None:
    home = Home(sea=SEA)
    for _ in range(3):
        home.account.post(SEA)
    told: list[tuple[int, int]] = []
    home.work()(home.persona, most=200, on_media=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
