"""IngestPhoto: whatever comes twice, late or half done, a photo is in the library once and in its place."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import pytest

from domain.ids import MediaId
from domain.ingest_photo import Given, photo_id_of, rendition_key
from domain.intake_ports import UnusablePhotoError
from domain.personas import Fit
from domain.photos import GIVEN, HeldBack, HeldBackFor, PhotoAnalysis
from domain.ports import Addition, ScorerUnavailableError
from fakes.clock import START
from fakes.intake import EXPOSURE, NOTHING, SHARPNESS, Intake, a_file, hash_of
from fakes.library import DEFAULT, NINE, a_persona
from fakes.struck import KilledError, Strike

SUNRISE: Final = a_file("sunrise", score=6.0)
BETTER: Final = a_file("a second later", looks_like="sunrise", score=7.0)
WORSE: Final = a_file("blurred", looks_like="sunrise", score=4.0)
HARBOUR: Final = a_file("harbour", score=5.0)


@pytest.fixture
def intake() -> Intake:
    return Intake()


def ids(*sources: bytes) -> list[str]:
    return [photo_id_of(source) for source in sources]


# ---- new ----


def test_a_new_photo_is_prepared_scored_and_queued(intake: Intake) -> None:
    done = intake.ingest(SUNRISE, Given(caption="Mörning", alt_text="A lake."))
    assert done.addition is Addition.ADDED
    assert done.photo == intake.photo(SUNRISE)
    photo = done.photo
    assert photo.photo_id == photo_id_of(SUNRISE)
    assert photo.object_key == f"library/default/{photo.photo_id}.jpg"
    assert intake.renditions.files == {photo.object_key: b"crop|" + SUNRISE}
    assert (photo.width, photo.height, photo.imported_at) == (1080, 1350, START)
    assert (photo.caption, photo.alt_text) == ("Mörning", "A lake.")
    assert photo.analysis == PhotoAnalysis(6.0, "fake 1", START, SHARPNESS, EXPOSURE)
    assert photo.perceptual_hashes == (hash_of("sunrise"),)
    assert photo.burst is None
    assert not photo.awaits_linking
    assert intake.queue() == ids(SUNRISE)


def test_the_rendition_is_scored_and_not_the_file(intake: Intake) -> None:
    intake.ingest(SUNRISE)
    assert intake.scorer.scored == [b"crop|" + SUNRISE]


def test_the_time_of_the_import_can_be_told(intake: Intake) -> None:
    told = datetime(2025, 1, 2, 3, tzinfo=UTC)
    done = intake.ingest_photo()(intake.persona, SUNRISE, imported_at=told)
    assert done.photo.imported_at == told


@pytest.mark.parametrize("fit", Fit)
def test_the_personas_fit_is_handed_on(fit: Fit) -> None:
    intake = Intake(a_persona(fit=fit))
    intake.ingest(SUNRISE)
    intake.renditions.files.clear()
    intake.ingest(SUNRISE)
    assert [prepared for _, prepared in intake.darkroom.prepared] == [fit, fit]


def test_the_best_scored_comes_first(intake: Intake) -> None:
    for source in (HARBOUR, SUNRISE):
        intake.ingest(source)
    assert intake.queue() == ids(SUNRISE, HARBOUR)


def test_a_file_that_cannot_be_used_leaves_nothing(intake: Intake) -> None:
    before = intake.state()
    with pytest.raises(UnusablePhotoError, match="damaged"):
        intake.ingest(b"bad picture")
    assert intake.state() == before


# ---- known ----


def test_a_second_upload_changes_nothing_and_is_not_even_looked_at(intake: Intake) -> None:
    intake.ingest(SUNRISE, Given(caption="Mine"))
    before = intake.state()
    intake.darkroom.prepared.clear()
    done = intake.ingest(SUNRISE)
    assert (done.addition, done.restored) == (Addition.UNCHANGED, False)
    assert done.photo == intake.photo(SUNRISE)
    assert intake.state() == before
    assert intake.darkroom.prepared == []
    assert len(intake.scorer.scored) == 1


def test_what_a_second_upload_says_is_taken_and_what_it_does_not_say_stays(intake: Intake) -> None:
    intake.ingest(SUNRISE, Given(caption="One", alt_text="A lake."))
    done = intake.ingest(SUNRISE, Given(caption="Two"))
    assert done.addition is Addition.UPDATED
    assert (done.photo.caption, done.photo.alt_text) == ("Two", "A lake.")
    assert done.photo == intake.photo(SUNRISE)


def test_a_lost_rendition_is_made_again(intake: Intake) -> None:
    intake.ingest(SUNRISE)
    before = intake.state()
    intake.renditions.files.clear()
    done = intake.ingest(SUNRISE)
    assert (done.addition, done.restored) == (Addition.UNCHANGED, True)
    assert intake.state() == before
    assert len(intake.scorer.scored) == 1


def test_a_posted_photo_never_comes_back(intake: Intake) -> None:
    intake.ingest(SUNRISE)
    intake.post_best()
    for given in (Given(), Given(9.5), Given(caption="Again")):
        done = intake.ingest(SUNRISE, given)
        assert done.photo.post_slot == NINE
        assert intake.queue() == []


def test_an_analysis_that_arrives_after_the_post_does_not_bring_the_photo_back(intake: Intake) -> None:
    intake.ingest(SUNRISE)
    intake.post_best()
    late = replace(intake.photo(SUNRISE), post_slot=None, analysis=PhotoAnalysis(9.9, "late 1", START))
    assert intake.library.add(late) is Addition.UPDATED
    assert intake.queue() == []


@pytest.mark.parametrize(
    "why", [HeldBack(HeldBackFor.SKIPPED), HeldBack(HeldBackFor.POSTED_ELSEWHERE, MediaId("17900000000000001"))]
)
def test_a_photo_that_is_held_back_stays_out(intake: Intake, why: HeldBack) -> None:
    intake.ingest(SUNRISE)
    assert intake.library.hold_back(DEFAULT, photo_id_of(SUNRISE), why)
    for given in (Given(), Given(9.5), Given(caption="Again")):
        assert intake.ingest(SUNRISE, given).photo.held_back == why
        assert intake.queue() == []


# ---- scores ----


def test_a_given_score_wins_and_the_scorer_is_not_asked(intake: Intake) -> None:
    done = intake.ingest(SUNRISE, Given(8.5))
    assert done.photo.analysis == PhotoAnalysis(8.5, GIVEN, START)
    assert intake.scorer.scored == []


def test_a_given_score_wins_over_the_one_that_is_there(intake: Intake) -> None:
    intake.ingest(SUNRISE)
    intake.ingest(HARBOUR)
    done = intake.ingest(HARBOUR, Given(9.0))
    assert done.addition is Addition.UPDATED
    assert intake.photo(HARBOUR).analysis == PhotoAnalysis(9.0, GIVEN, START)
    assert intake.queue() == ids(HARBOUR, SUNRISE)


def test_a_given_score_is_not_overwritten_by_a_later_upload_without_one(intake: Intake) -> None:
    intake.ingest(SUNRISE, Given(8.5))
    assert intake.ingest(SUNRISE).addition is Addition.UNCHANGED
    assert intake.photo(SUNRISE).analysis == PhotoAnalysis(8.5, GIVEN, START)


def test_without_its_scorer_a_photo_is_kept_and_another_try_completes_it(intake: Intake) -> None:
    intake.scorer.is_down = True
    for _ in range(2):
        with pytest.raises(ScorerUnavailableError):
            intake.ingest(SUNRISE)
        assert intake.photo(SUNRISE).analysis is None
        assert intake.renditions.files.keys() == {intake.photo(SUNRISE).object_key}
        assert intake.queue() == []
    intake.scorer.is_down = False
    assert intake.ingest(SUNRISE).addition is Addition.UPDATED
    undisturbed = Intake()
    undisturbed.ingest(SUNRISE)
    assert intake.state() == undisturbed.state()


def test_a_photo_that_has_no_score_takes_the_owners(intake: Intake) -> None:
    intake.scorer.is_down = True
    with pytest.raises(ScorerUnavailableError):
        intake.ingest(SUNRISE)
    assert intake.ingest(SUNRISE, Given(8.5)).addition is Addition.UPDATED
    assert intake.queue() == ids(SUNRISE)


# ---- bursts ----


@pytest.mark.parametrize("order", [(SUNRISE, BETTER, WORSE), (BETTER, WORSE, SUNRISE), (WORSE, SUNRISE, BETTER)])
def test_of_a_burst_the_best_is_queued_whatever_the_order(intake: Intake, order: tuple[bytes, ...]) -> None:
    for source in order:
        intake.ingest(source)
    assert intake.queue() == ids(BETTER)
    assert len({intake.photo(source).burst for source in order}) == 1
    assert intake.photo(SUNRISE).burst is not None


def test_photos_that_do_not_look_alike_are_no_burst(intake: Intake) -> None:
    for source in (SUNRISE, HARBOUR):
        intake.ingest(source)
    assert intake.photo(SUNRISE).burst is None
    assert len(intake.queue()) == 2


def test_of_a_burst_none_is_queued_once_one_was_posted(intake: Intake) -> None:
    intake.ingest(SUNRISE)
    intake.post_best()
    for given in (Given(), Given(10.0)):
        intake.ingest(BETTER, given)
        assert intake.queue() == []


def test_a_given_score_changes_the_best_of_a_burst(intake: Intake) -> None:
    for source in (SUNRISE, BETTER):
        intake.ingest(source)
    done = intake.ingest(SUNRISE, Given(9.0))
    assert intake.queue() == ids(SUNRISE)
    assert done.photo == intake.photo(SUNRISE)


def test_a_photo_of_a_burst_that_waits_for_its_score_keeps_nobody_out(intake: Intake) -> None:
    intake.ingest(WORSE)
    intake.scorer.is_down = True
    with pytest.raises(ScorerUnavailableError):
        intake.ingest(BETTER)
    assert intake.queue() == ids(WORSE)
    intake.scorer.is_down = False
    intake.ingest(BETTER)
    assert intake.queue() == ids(BETTER)


def test_a_photo_of_before_the_hashes_is_linked_by_its_second_upload(intake: Intake) -> None:
    _of_before_the_hashes(intake)
    intake.ingest(BETTER)
    assert len(intake.queue()) == 2
    assert intake.ingest(SUNRISE).addition is Addition.UPDATED
    assert intake.photo(SUNRISE).perceptual_hashes == (hash_of("sunrise"),)
    assert intake.queue() == ids(BETTER)
    assert intake.ingest(SUNRISE).addition is Addition.UNCHANGED


# ---- killed at every call ----


def _of_before_the_hashes(intake: Intake) -> None:
    intake.ingest(SUNRISE)
    key = DEFAULT, photo_id_of(SUNRISE)
    intake.records.photos[key] = replace(intake.records.photos[key], perceptual_hashes=())
    del intake.records.noted[key]


def _of_before_the_hashes_and_alike(intake: Intake) -> None:
    _of_before_the_hashes(intake)
    intake.ingest(BETTER)


def _rendition_lost(intake: Intake) -> None:
    intake.ingest(SUNRISE)
    intake.renditions.files.clear()


def _scorer_was_down(intake: Intake) -> None:
    intake.scorer.is_down = True
    with pytest.raises(ScorerUnavailableError):
        intake.ingest(SUNRISE)
    intake.scorer.is_down = False


@dataclass(frozen=True)
class Path:
    name: str
    source: bytes = SUNRISE
    given: Given = NOTHING
    arrange: Callable[[Intake], object] = lambda _: None
    fewest_calls: int = 5

    def __str__(self) -> str:
        return self.name

    def arranged(self) -> Intake:
        intake = Intake()
        intake.ingest(HARBOUR)
        self.arrange(intake)
        return intake


PATHS: Final = (
    Path("new", fewest_calls=9),
    Path("new, with a score", given=Given(8.0, "Mine"), fewest_calls=8),
    Path("better than its burst", BETTER, arrange=lambda intake: intake.ingest(SUNRISE), fewest_calls=11),
    Path("worse than its burst", WORSE, arrange=lambda intake: intake.ingest(SUNRISE), fewest_calls=11),
    Path(
        "third of its burst",
        BETTER,
        arrange=lambda intake: [intake.ingest(SUNRISE), intake.ingest(WORSE)],
        fewest_calls=12,
    ),
    Path(
        "like a posted one",
        BETTER,
        arrange=lambda intake: [intake.ingest(SUNRISE), intake.post_best()],
        fewest_calls=11,
    ),
    Path("known", arrange=lambda intake: intake.ingest(SUNRISE), fewest_calls=3),
    Path("scored at last", arrange=_scorer_was_down),
    Path("given a score", given=Given(8.0), arrange=lambda intake: intake.ingest(SUNRISE), fewest_calls=4),
    Path(
        "given the best score of its burst",
        WORSE,
        Given(9.0),
        arrange=lambda intake: [intake.ingest(SUNRISE), intake.ingest(WORSE)],
    ),
    Path(
        "its rendition lost",
        arrange=_rendition_lost,
    ),
    Path(
        "of before the hashes, and like another",
        arrange=_of_before_the_hashes_and_alike,
        fewest_calls=10,
    ),
)


def test_the_renditions_key_has_the_persona_and_the_photo() -> None:
    assert rendition_key(DEFAULT, photo_id_of(SUNRISE)) == f"library/default/{photo_id_of(SUNRISE)}.jpg"


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_call_and_run_again_all_is_as_if_nothing_had_happened(path: Path, after: bool) -> None:
    undisturbed = path.arranged()
    strike = Strike()
    undisturbed.ingest_photo(strike)(undisturbed.persona, path.source, path.given)
    assert len(strike.calls) >= path.fewest_calls, strike.calls
    for number, call in enumerate(strike.calls, start=1):
        intake = path.arranged()
        struck = Strike.kill(number, after=after)
        with pytest.raises(KilledError):
            intake.ingest_photo(struck)(intake.persona, path.source, path.given)
        assert set(intake.queue()) <= set(undisturbed.queue()) | set(path.arranged().queue()), call
        intake.ingest(path.source, path.given)
        assert intake.state() == undisturbed.state(), f"killed at call {number}, {call}"


# ---- two at once ----


@pytest.mark.parametrize(
    ("first", "second", "best"),
    [
        ((SUNRISE, Given()), (SUNRISE, Given()), SUNRISE),
        ((SUNRISE, Given()), (SUNRISE, Given(8.0)), SUNRISE),
        ((SUNRISE, Given(8.0)), (SUNRISE, Given()), SUNRISE),
        ((SUNRISE, Given()), (BETTER, Given()), BETTER),
        ((BETTER, Given()), (SUNRISE, Given()), BETTER),
        ((SUNRISE, Given(8.0)), (BETTER, Given()), SUNRISE),
    ],
    ids=["twice", "the second given", "the first given", "worse first", "better first", "given first"],
)
def test_whatever_another_run_does_between_two_calls_one_photo_is_queued(
    first: tuple[bytes, Given], second: tuple[bytes, Given], best: bytes
) -> None:
    strike = Strike()
    alone = Intake()
    alone.ingest_photo(strike)(alone.persona, *first)
    for number in range(1, len(strike.calls) + 1):
        intake = Intake()
        struck = Strike(number, before=lambda intake=intake: intake.ingest(*second))  # type: ignore[misc]
        intake.ingest_photo(struck)(intake.persona, *first)
        call = strike.calls[number - 1]
        assert intake.queue() == ids(best), f"before call {number}, {call}"
        scores = {given.aesthetic_score for source, given in (first, second) if source == best} - {None}
        analysis = intake.photo(best).analysis
        assert analysis is not None
        assert not scores or {analysis.aesthetic_score} == scores, f"before call {number}, {call}"
        assert not any(photo.awaits_linking for photo in intake.records.photos.values())


def test_a_burst_is_posted_once_whenever_the_post_is_claimed() -> None:
    """The claim comes between any two calls of the import of a better one."""
    path = Path("", BETTER, arrange=lambda intake: intake.ingest(SUNRISE))
    strike = Strike()
    alone = Intake()
    alone.ingest(SUNRISE)
    alone.ingest_photo(strike)(alone.persona, BETTER)
    for number in range(1, len(strike.calls) + 1):
        intake = Intake()
        path.arrange(intake)
        struck = Strike(number, before=lambda intake=intake: intake.post_best())  # type: ignore[misc]
        intake.ingest_photo(struck)(intake.persona, BETTER)
        assert intake.queue() == [], f"before call {number}, {strike.calls[number - 1]}"
