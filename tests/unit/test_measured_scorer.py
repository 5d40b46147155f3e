"""The scorer that measures."""

import io

import pytest
from PIL import Image

from adapters.imaging import measure
from adapters.scoring import MeasuredScorer
from domain.ports import PhotoScorer, ScorerUnavailableError
from fakes.clock import START, FakeClock


def a_jpeg() -> bytes:
    canvas = io.BytesIO()
    Image.effect_noise((400, 500), 60).convert("RGB").save(canvas, "JPEG")
    return canvas.getvalue()


def test_an_analysis_has_the_measures_and_says_who_made_them_and_when() -> None:
    jpeg = a_jpeg()
    scorer: PhotoScorer = MeasuredScorer(FakeClock())
    analysis, measures = scorer.score(jpeg), measure(jpeg)
    assert analysis.aesthetic_score == measures.aesthetic_score
    assert (analysis.sharpness, analysis.exposure) == (measures.sharpness, measures.exposure)
    assert (analysis.scorer, analysis.analysed_at) == (measures.scorer, START)
    assert scorer.name == analysis.scorer


@pytest.mark.parametrize("jpeg", [b"", b"no picture", a_jpeg()[:300]])
def test_a_picture_that_cannot_be_read_has_no_score_and_the_reason_says_what_to_do(jpeg: bytes) -> None:
    with pytest.raises(ScorerUnavailableError, match=r"cannot be measured\. .*\."):
        MeasuredScorer(FakeClock()).score(jpeg)
