"""A persona's id: it stands in keys of the bucket and of SSM, so nothing else may pass for one."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.personas import Login, parse_persona_id
from fakes.library import a_persona


@pytest.mark.parametrize("text", ["default", "a", "9-lives", "a-", "x" * 63])
def test_a_persona_id_is_taken(text: str) -> None:
    assert parse_persona_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-a",
        "A",
        "Default",
        "a_b",
        "a b",
        "a/b",
        "../a",
        "a.b",
        "a\n",
        "\na",
        "é",
        "٣",
        "a" * 64,
        "a\x00",
        "arn:aws:ssm",
    ],
)
def test_any_other_text_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="1 to 63 lower-case letters, digits and hyphens"):
        parse_persona_id(text)


@given(st.text(max_size=70) | st.text(string.ascii_lowercase + string.digits + "-", max_size=70))
def test_what_is_taken_fits_the_templates_pattern(text: str) -> None:
    try:
        parse_persona_id(text)
    except ValueError:
        assert not re.fullmatch("[a-z0-9][a-z0-9-]{0,62}", text)
    else:
        assert set(text) <= set(string.ascii_lowercase + string.digits + "-")
        assert 1 <= len(text) <= 63
        assert text[0] != "-"


def test_a_refusal_quotes_no_more_than_a_line() -> None:
    with pytest.raises(ValueError, match="no persona id") as refusal:
        parse_persona_id("X" * 100_000)
    assert len(str(refusal.value)) < 200


def test_a_new_persona_posts_by_instagram_login_whatever_the_score_and_is_not_paused() -> None:
    persona = a_persona()
    assert (persona.login, persona.minimum_score, persona.paused_reason) == (Login.INSTAGRAM, 0.0, None)
