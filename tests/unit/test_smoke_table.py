"""The table of `make smoke`: nothing in events/ is left out, and every start of it is one that there can be."""

from pathlib import Path

import pytest

from local import smoke
from local.smoke import EVENTS, STARTS, StoppedError, check_the_table, outcomes_of
from local.tables import resources_of


def test_every_file_of_events_has_an_entry_and_every_entry_its_file() -> None:
    assert sorted(file.name for file in EVENTS.iterdir()) == sorted(STARTS)
    check_the_table()


@pytest.mark.parametrize("file", STARTS)
def test_an_entry_names_functions_of_the_template_and_what_each_start_is_to_answer(file: str) -> None:
    resources = resources_of()
    assert STARTS[file]
    for starts in STARTS[file]:
        assert resources[starts.function]["Type"] == "AWS::Serverless::Function"
        assert starts.expected


def test_a_file_without_an_entry_is_an_error_that_names_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (*STARTS, "new.json"):
        (tmp_path / file).touch()
    monkeypatch.setattr(smoke, "EVENTS", tmp_path)
    with pytest.raises(StoppedError, match=r"STARTS in local/smoke\.py .*: new\.json\."):
        check_the_table()


@pytest.mark.parametrize(
    ("answer", "outcomes"),
    [
        ({"outcome": "posted", "slot": "2036-01-01T09:00:00Z"}, ("posted",)),
        ({"files": [{"reception": "added"}, {"reception": "unchanged"}]}, ("added", "unchanged")),
        ({"posts": [], "left_for_later": 0}, ()),
        ({"posts": [{"outcome": "unconfirmed"}], "left_for_later": 0}, ("unconfirmed",)),
        ({"tokens": [{"outcome": "refreshed"}], "fewest_days_left": 60, "left_for_later": 0}, ("refreshed",)),
        ({"errorType": "EventRefusedError", "errorMessage": "time: …"}, ("error: EventRefusedError",)),
        (None, ("no answer that we know: None",)),
    ],
)
def test_an_answer_tells_its_outcomes_and_an_error_is_none_that_any_start_expects(
    answer: object, outcomes: tuple[str, ...]
) -> None:
    assert outcomes_of(answer) == outcomes
