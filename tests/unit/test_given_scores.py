"""A score that the owner wrote, wherever it stands: a CSV's cell, or the metadata of a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.photos import parse_score


@pytest.mark.parametrize(
    ("text", "score"),
    [("0", 0.0), ("10", 10.0), ("-0", 0.0), (" 7.5\n", 7.5), (".5", 0.5), ("5.", 5.0), ("+5", 5.0), ("1e-300", 0.0)],
)
def test_a_score_may_be_written_as_numbers_are(text: str, score: float) -> None:
    assert repr(parse_score(text)) == repr(score), "and is never -0.0, which the queue would sort below 0"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'', which is no number; give 0 to 10"),
        ("good", "'good', which is no number"),
        ("nan", "is no number"),
        ("inf", "is no number"),
        ("1_0", "is no number"),
        ("٧", "is no number"),
        ("7\x00", "is no number"),
        ("7,5", "with a point and no comma"),
        ("10.01", "10.01; it runs from 0 to 10"),
        ("-0.01", "runs from 0 to 10"),
        ("1e999", "runs from 0 to 10"),
    ],
)
def test_what_is_no_score_is_refused_with_a_sentence_that_says_why(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"0 to 10") as raised:
        parse_score(text)
    assert says in str(raised.value)


def test_a_score_is_as_fine_as_the_queue_tells_scores_apart() -> None:
    assert parse_score("7.12345678") == 7.123457


@given(st.text() | st.from_regex(r"[-+.0-9e,]{1,60}"))
def test_any_text_is_a_score_from_0_to_10_or_refused_in_one_short_line(text: str) -> None:
    try:
        score, refusal = parse_score(text), ""
    except ValueError as error:
        score, refusal = 0.0, str(error)
    assert 0.0 <= score <= 10.0
    assert len(refusal) < 500
    assert refusal.isprintable()
