"""What Instagram takes as a caption: each limit at its boundary."""

from collections.abc import Callable

import pytest

from domain.captions import alt_text_problem, caption_problem


@pytest.mark.parametrize(
    "caption",
    [
        "",
        "x" * 2200,
        "📷" * 2200,
        " ".join(f"#tag{number}" for number in range(30)),
        " ".join(f"@friend{number}" for number in range(20)),
        "#" * 31,
        "@ " * 21,
        "#tag @friend" + "\n" * 2000,
    ],
)
def test_a_caption_up_to_its_limits_is_taken(caption: str) -> None:
    assert caption_problem(caption) is None


@pytest.mark.parametrize(
    ("caption", "named"),
    [
        ("x" * 2201, "2201 characters, and Instagram takes 2200"),
        ("📷" * 2201, "2201 characters, and Instagram takes 2200"),
        (" ".join(f"#tag{number}" for number in range(31)), "31 hashtags, and Instagram takes 30"),
        ("#tag" * 31, "31 hashtags, and Instagram takes 30"),
        ("#été " * 31, "31 hashtags, and Instagram takes 30"),
        (" ".join(f"@friend{number}" for number in range(21)), "21 mentions, and Instagram takes 20"),
    ],
)
def test_a_caption_over_a_limit_is_refused_with_its_count(caption: str, named: str) -> None:
    problem = caption_problem(caption)
    assert problem is not None
    assert problem == f"the caption has {named}: shorten it"


def test_every_limit_that_is_passed_is_named() -> None:
    problem = caption_problem("#tag @friend " * 200)
    assert problem == (
        "the caption has 2600 characters, and Instagram takes 2200; it has 200 hashtags, and Instagram takes 30; "
        "it has 200 mentions, and Instagram takes 20: shorten it"
    )


def test_a_refusal_does_not_quote_the_caption() -> None:
    assert "private" not in (caption_problem("private " * 500) or "")


def test_an_alternative_text_has_at_most_1000_characters() -> None:
    assert alt_text_problem("") is None
    assert alt_text_problem("x" * 1000) is None
    assert alt_text_problem("x" * 1001) == "the alt text has 1001 characters, and Instagram takes 1000: shorten it"


@pytest.mark.parametrize("problem_of", [caption_problem, alt_text_problem])
def test_half_a_character_is_refused(problem_of: Callable[[str], str | None]) -> None:
    assert "half of a character" in (problem_of("A smile \ud83d") or "")
    assert problem_of("A smile \U0001f600") is None
