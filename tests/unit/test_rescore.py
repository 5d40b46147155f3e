"""The work behind `photos rescore`, on fakes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from cli import rescore
from cli.rescore import Rescore, place_of
from domain.ids import MediaId, PhotoId
from domain.photos import GIVEN, HeldBack, HeldBackFor, Photo, PhotoAnalysis
from domain.ports import Claim, ScorerUnavailableError, UnscorablePictureError
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post, an_analysis
from fakes.records import FakeNearDuplicates, FakePhotoLibrary, FakePostLedger, FakeRecords

NEW = "new 2"
LATER = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Scorer:
    """Gives each rendition, which is a score in words, that score."""

    name: str = NEW
    asked: list[bytes] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def score(self, jpeg: bytes) -> PhotoAnalysis:
        self.asked.append(jpeg)
        self.meanwhile()
        if jpeg == b"bad":
            raise UnscorablePictureError("The photo cannot be measured.")
        if jpeg == b"down":
            raise ScorerUnavailableError("Bedrock is down.")
        return PhotoAnalysis(float(jpeg), self.name, LATER)


@dataclass
class Renditions:
    files: dict[str, bytes] = field(default_factory=dict)

    def read(self, object_key: str) -> bytes | None:
        return self.files.get(object_key)


class Home:
    """A library, and what its renditions are worth to the new scorer."""

    def __init__(self) -> None:
        self.records = FakeRecords(personas={DEFAULT: a_persona()})
        self.library = FakePhotoLibrary(self.records)
        self.near_duplicates = FakeNearDuplicates(self.records)
        self.ledger = FakePostLedger(self.records)
        self.renditions = Renditions()
        self.scorer = Scorer()

    def add(self, name: str, rendition: bytes | None, *, scorer: str | None = "old 1", **changes: Any) -> Photo:
        photo = a_photo(name)
        analysis = None if scorer is None else an_analysis(5.0, scorer=scorer)
        photo = replace(photo, analysis=analysis, **changes)
        self.library.add(photo)
        if rendition is not None:
            self.renditions.files[photo.object_key] = rendition
        return photo

    def burst(self, *names: str) -> None:
        for name in names[1:]:
            self.near_duplicates.join(DEFAULT, a_photo_id(names[0]), a_photo_id(name))
        self.near_duplicates.elect(DEFAULT, self.photo(names[0]).burst or a_photo_id(names[0]))

    def rescore(self) -> Rescore:
        return Rescore(
            DEFAULT,
            library=self.library,
            near_duplicates=self.near_duplicates,
            renditions=self.renditions,
            scorer=self.scorer,
        )

    def photo(self, name: str) -> Photo:
        return self.records.photos[DEFAULT, a_photo_id(name)]

    def queue(self) -> list[PhotoId]:
        return [photo.photo_id for photo in self.library.best_first(DEFAULT)]

    def score(self, name: str) -> tuple[float, str] | None:
        analysis = self.photo(name).analysis
        return None if analysis is None else (analysis.aesthetic_score, analysis.scorer)


@pytest.fixture
def home() -> Home:
    return Home()


def test_what_has_no_score_or_another_scorers_is_scored_and_queued_by_it(home: Home) -> None:
    home.add("a", b"3")
    home.add("b", b"8", scorer=None)
    work = home.rescore()
    work()
    assert (home.score("a"), home.score("b")) == ((3.0, NEW), (8.0, NEW))
    assert home.queue() == [a_photo_id("b"), a_photo_id("a")]
    assert (work.report.scored, work.report.current, work.report.passed_over) == (2, 0, 0)


def test_the_owners_score_and_the_scorers_own_stay(home: Home) -> None:
    home.add("mine", b"3", scorer=GIVEN)
    home.add("its own", b"3", scorer=NEW)
    work = home.rescore()
    work()
    assert home.scorer.asked == []
    assert (home.score("mine"), home.score("its own")) == ((5.0, GIVEN), (5.0, NEW))
    assert (work.report.scored, work.report.current) == (0, 2)


def test_what_is_on_the_account_is_not_scored(home: Home) -> None:
    home.add("posted", b"3")
    assert home.ledger.claim(a_post(photo_id=a_photo_id("posted"), slot=NINE)) is Claim.WON
    home.add("elsewhere", b"3")
    home.library.hold_back(DEFAULT, a_photo_id("elsewhere"), HeldBack(HeldBackFor.POSTED_ELSEWHERE, MediaId("1")))
    home.rescore()()
    assert home.scorer.asked == []


def test_what_is_skipped_is_scored_and_stays_out_of_the_queue(home: Home) -> None:
    home.add("skipped", b"9")
    home.library.hold_back(DEFAULT, a_photo_id("skipped"), HeldBack(HeldBackFor.SKIPPED))
    home.rescore()()
    assert home.score("skipped") == (9.0, NEW)
    assert home.queue() == []


def test_a_burst_gets_another_best_one(home: Home) -> None:
    home.add("a", b"3")
    home.add("b", b"8")
    home.burst("a", "b")
    was_best = home.queue()
    home.renditions.files[home.photo("a").object_key] = b"9" if was_best == [a_photo_id("b")] else b"1"
    home.rescore()()
    assert home.queue() != was_best
    assert len(home.queue()) == 1


def test_a_pass_that_was_killed_before_the_election_is_made_good(home: Home) -> None:
    home.add("a", b"3", scorer=NEW)
    home.add("b", b"8", scorer=NEW)
    home.burst("a", "b")
    (best,) = home.queue()
    other = "b" if best == a_photo_id("a") else "a"
    # Scored by the pass that was killed; nobody elected since.
    home.library.add(replace(home.photo(other), analysis=an_analysis(9.9, scorer=NEW)))
    assert home.queue() == [best]
    home.rescore()()
    assert home.scorer.asked == []
    assert home.queue() == [a_photo_id(other)]


def test_a_second_pass_changes_nothing(home: Home) -> None:
    for name in ("a", "b", "c"):
        home.add(name, b"4")
    home.burst("a", "b")
    home.rescore()()
    before = dict(home.records.photos), dict(home.records.elected)
    again = home.rescore()
    again()
    assert (dict(home.records.photos), dict(home.records.elected)) == before
    assert (again.report.scored, again.report.current) == (0, 3)


def test_a_missing_rendition_and_a_picture_without_a_score_are_passed_over(home: Home) -> None:
    home.add("lost", None)
    home.add("bad", b"bad")
    home.add("good", b"7")
    work = home.rescore()
    work()
    assert work.report.missing == [a_photo_id("lost")]
    assert work.report.unscorable == {a_photo_id("bad"): "The photo cannot be measured."}
    assert (work.report.scored, work.report.passed_over) == (1, 2)
    assert home.score("lost") == home.score("bad") == (5.0, "old 1")


def test_a_photo_that_was_never_linked_is_scored_told_and_not_queued(home: Home) -> None:
    home.add("half", b"7", awaits_linking=True)
    work = home.rescore()
    work()
    assert work.report.awaiting == [a_photo_id("half")]
    assert home.score("half") == (7.0, NEW)
    assert home.queue() == []


def test_a_scorer_that_is_down_ends_the_pass_and_what_was_done_stays(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescore, "AT_ONCE", 1)
    monkeypatch.setattr(rescore, "_AHEAD", 1)
    names = sorted(map(str, range(9)), key=a_photo_id)
    for number, name in enumerate(names):
        home.add(name, b"down" if number == 4 else b"6")
    work = home.rescore()
    with pytest.raises(ScorerUnavailableError):
        work()
    assert work.report.scored == 4
    assert [home.score(name) for name in names] == [(6.0, NEW)] * 4 + [(5.0, "old 1")] * 5
    home.renditions.files[home.photo(names[4]).object_key] = b"6"
    again = home.rescore()
    again()
    assert (again.report.scored, again.report.current) == (5, 4)


def test_ctrl_c_lets_what_is_under_way_end_and_takes_on_no_more(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        home.add(str(number), b"6")
    work = home.rescore()
    never = Event()
    home.scorer.meanwhile = lambda: never.wait(0.01)  # so that some are under way

    def interrupt(place: float, scored: int) -> None:
        if scored >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(interrupt)
    anew = [photo for photo in home.records.photos.values() if photo.analysis and photo.analysis.scorer == NEW]
    assert 5 <= len(home.scorer.asked) == len(anew) == work.report.scored < 60
    again = home.rescore()
    again()
    assert again.report.scored == 60 - work.report.scored


def test_the_owners_score_that_comes_meanwhile_wins(home: Home) -> None:
    photo = home.add("a", b"3", caption="Old")
    said = replace(photo, analysis=an_analysis(9.0, scorer=GIVEN), caption="New")
    home.scorer.meanwhile = lambda: home.library.add(said)
    work = home.rescore()
    work()
    assert home.score("a") == (9.0, GIVEN)
    assert home.photo("a").caption == "New"
    assert work.report.scored == 0


def test_a_caption_that_comes_meanwhile_stays(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = home.add("a", b"3", caption="Old")
    stands = home.library.get

    def get(*key: Any) -> Photo | None:
        found = stands(*key)
        home.library.add(replace(photo, analysis=None, caption="New"))  # a moment after it was read
        return found

    monkeypatch.setattr(home.library, "get", get)
    home.rescore()()
    assert (home.photo("a").caption, home.score("a")) == ("New", (3.0, NEW))


def test_no_more_renditions_are_in_memory_than_are_worked_on(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is listed as it is worked off, and not before."""
    for number in range(200):
        home.add(str(number), b"6")
    every, listed, most = home.library.every, 0, 0

    def watched(*key: Any) -> Iterator[Photo]:
        nonlocal listed, most
        for photo in every(*key):
            listed += 1
            most = max(most, listed - len(home.scorer.asked))
            yield photo

    monkeypatch.setattr(home.library, "every", watched)
    home.rescore()()
    assert len(home.scorer.asked) == 200
    assert most <= 2 * rescore.AT_ONCE + 1


def test_progress_goes_from_the_first_id_to_the_last(home: Home) -> None:
    assert place_of(PhotoId("0" * 64)) == 0.0
    assert place_of(PhotoId("8" + "0" * 63)) == 0.5
    assert 0.999 < place_of(PhotoId("f" * 64)) < 1.0
    for number in range(30):
        home.add(str(number), b"6")
    told: list[tuple[float, int]] = []
    home.rescore()(lambda place, scored: told.append((place, scored)))
    assert told == sorted(told)
    assert told[-1] == (1.0, 30)
