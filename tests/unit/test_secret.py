"""A secret is never shown, however it comes to a log line."""

import json
import logging
import traceback
from dataclasses import dataclass

import pytest

from domain.secret import Secret

TOKEN = "IGAA-a-token-that-nobody-may-see"


@dataclass(frozen=True)
class Holder:
    secret: Secret


@pytest.mark.parametrize(
    "shown",
    [
        str(Secret(TOKEN)),
        repr(Secret(TOKEN)),
        f"{Secret(TOKEN)}",
        f"{Secret(TOKEN)!r}",
        f"{Secret(TOKEN)!s:>10}",
        f"{[Secret(TOKEN)]} { {'token': Secret(TOKEN)} }",
        repr(Holder(Secret(TOKEN))),
        "%s %r" % (Secret(TOKEN), Secret(TOKEN)),  # noqa: UP031
        json.dumps({"token": Secret(TOKEN)}, default=str),
        "".join(traceback.format_exception(ValueError(Secret(TOKEN)))),
    ],
)
def test_a_secret_prints_as_stars(shown: str) -> None:
    assert TOKEN not in shown
    assert "***" in shown or "Secret()" in shown


def test_a_secret_in_a_log_line_prints_as_stars(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").error("the token is %s, %r", Secret(TOKEN), Secret(TOKEN))
    assert TOKEN not in caplog.text


def test_only_reveal_gives_it_out() -> None:
    assert Secret(TOKEN).reveal() == TOKEN


def test_a_secret_does_not_go_into_json_by_itself() -> None:
    with pytest.raises(TypeError):
        json.dumps(Secret(TOKEN))


def test_a_secret_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Secret(TOKEN)._value = "another"  # type: ignore[misc]


def test_secrets_are_equal_when_their_values_are() -> None:
    assert Secret(TOKEN) == Secret(TOKEN)
    assert Secret(TOKEN) != Secret("another")
