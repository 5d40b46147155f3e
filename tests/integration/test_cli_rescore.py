"""`fluffy-train photos rescore` on a stack over real HTTP."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from PIL import Image, ImageFilter

from adapters.imaging.measures import SCORER
from adapters.scoring import BedrockScorer
from cli.rescore import Rescore
from domain.ids import PhotoId
from domain.ports import RecordsUnavailableError, ScorerUnavailableError
from fakes.library import an_analysis
from integration.test_cli_posting import A, B, C, add_photo
from integration.test_cli_stack import PERSONA, CliStack, error_line


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        stack.add_persona()
        yield stack


def add(stack: CliStack, photo_id: PhotoId, *, blur: float = 0.0, score: float | None = None) -> None:
    """A photo of chequers, which a ``blur`` makes worse; a ``score`` is another scorer's."""
    add_photo(stack, photo_id, None)
    known = stack.adapters.library.get(PERSONA, photo_id)
    assert known is not None
    if score is not None:
        stack.adapters.library.add(replace(known, analysis=an_analysis(score, scorer="older/1")))
    picture = Image.effect_noise((320, 320), 60).filter(ImageFilter.GaussianBlur(blur)).convert("RGB")
    canvas = io.BytesIO()
    picture.save(canvas, "JPEG", quality=92)
    stack.adapters.renditions.put(known.object_key, canvas.getvalue())


def scorer(stack: CliStack, photo_id: PhotoId) -> str | None:
    photo = stack.adapters.library.get(PERSONA, photo_id)
    assert photo is not None
    return photo.analysis.scorer if photo.analysis else None


def queue(stack: CliStack) -> list[PhotoId]:
    return [one.photo_id for one in stack.adapters.library.best_first(PERSONA)]


def test_the_queue_has_the_order_of_the_new_scores_and_a_second_run_does_nothing(stack: CliStack) -> None:
    add(stack, A, blur=6, score=9.0)
    add(stack, B)
    add_photo(stack, C, 0.5)  # the owner's own
    result = stack.run("photos", "rescore")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"Photos: 2 scored anew by {SCORER}; 1 had its score, or yours, already.\n"
    assert [scorer(stack, one) for one in (A, B, C)] == [SCORER, SCORER, "given"]
    assert queue(stack)[0] == B
    assert json.loads(stack.run("photos", "rescore", "--json").output) == {
        "persona_id": PERSONA,
        "scorer": SCORER,
        "scored": 0,
        "current": 3,
        "missing_renditions": [],
        "unscorable": {},
        "awaiting_linking": [],
        "stopped": None,
    }


def test_a_burst_has_its_best_one_by_the_new_scores(stack: CliStack) -> None:
    add(stack, A, blur=6, score=9.0)
    add(stack, B, score=3.0)
    near_duplicates = stack.adapters.near_duplicates
    burst = near_duplicates.join(PERSONA, A, B)
    assert burst is not None
    near_duplicates.elect(PERSONA, burst)
    assert queue(stack) == [A]
    assert stack.run("photos", "rescore").exit_code == 0
    assert queue(stack) == [B]


def test_what_cannot_be_scored_is_passed_over_and_told(stack: CliStack) -> None:
    for photo_id in (A, B, C):
        add(stack, photo_id)
    lost, damaged = (f"library/{PERSONA}/{photo_id}.jpg" for photo_id in (A, B))
    boto3.client("s3").delete_object(Bucket=stack.environment["PHOTOS_BUCKET"], Key=lost)
    stack.adapters.renditions.put(damaged, b"no picture")
    result = stack.run("photos", "rescore")
    assert result.exit_code == 1
    assert "1 scored anew" in result.stdout
    assert f"passed over: {A[:12]}: its rendition is not in the bucket. Import the photo again." in result.stdout
    assert f"passed over: {B[:12]}: The photo cannot be measured." in result.stdout
    assert queue(stack) == [C]
    facts = json.loads(stack.run("photos", "rescore", "--json").stdout)
    assert (facts["missing_renditions"], list(facts["unscorable"]), facts["stopped"]) == ([A], [B], None)


def test_a_photo_that_was_never_linked_is_told_with_what_to_do(stack: CliStack) -> None:
    add(stack, A)
    known = stack.adapters.library.get(PERSONA, A)
    assert known is not None
    stack.adapters.library.add(replace(known, photo_id=B, awaits_linking=True))
    result = stack.run("photos", "rescore")
    assert result.exit_code == 0
    assert f"not in the queue: {B[:12]}: it was not taken in to its end. Upload or import it again." in result.stdout


def test_a_scorer_that_is_down_is_told_with_what_to_do(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    add(stack, A)

    def down(*_: object) -> None:
        raise ScorerUnavailableError("Bedrock is busy, or down.")

    monkeypatch.setattr(BedrockScorer, "score", down)
    monkeypatch.setenv("SCORER", "bedrock")
    assert "BEDROCK_MODEL_ID" in error_line(stack.run("photos", "rescore"))
    monkeypatch.setenv("BEDROCK_MODEL_ID", "eu.amazon.nova-lite-v1:0")
    result = stack.run("photos", "rescore")
    assert result.exit_code == 1
    assert result.stdout.startswith("Photos: 0 scored anew by bedrock:eu.amazon.nova-lite-v1:0")
    assert "Error: Bedrock is busy, or down. What is done stays done" in result.stderr
    assert "Scorer=measured" in result.stderr
    facts = json.loads(stack.run("photos", "rescore", "--json").stdout)
    assert facts["stopped"].startswith("Bedrock is busy")


@pytest.mark.parametrize(
    ("raised", "status", "says"),
    [
        (KeyboardInterrupt(), 130, "Interrupted. What is done"),
        (RecordsUnavailableError("gone"), 1, "gone What is done"),
    ],
)
def test_a_run_that_is_cut_off_says_what_was_done(
    stack: CliStack, monkeypatch: pytest.MonkeyPatch, raised: BaseException, status: int, says: str
) -> None:
    add(stack, A)
    whole = Rescore.__call__

    def cut_off(work: Rescore, *told: object) -> None:
        whole(work)
        raise raised

    monkeypatch.setattr(Rescore, "__call__", cut_off)
    result = stack.run("photos", "rescore")
    assert result.exit_code == status
    assert "Photos: 1 scored anew" in result.stdout
    assert says in result.stderr


def test_a_persona_or_a_table_that_is_not_there_is_one_line(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There is no persona nobody" in error_line(stack.run("photos", "rescore", "--persona", "nobody"))
    monkeypatch.delenv("LOOKALIKES_TABLE")
    assert "lacks LOOKALIKES_TABLE" in error_line(stack.run("photos", "rescore"))
