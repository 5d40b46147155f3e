"""When a rule is due."""

from datetime import UTC, datetime

import pytest

from local.cloud.refusal import RefusedError
from local.cloud.schedule_expressions import is_due, refuse_invalid

THURSDAY = datetime(2036, 1, 3, 9, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("cron(30 9 * * ? *)", True),
        ("cron(31 9 * * ? *)", False),
        ("cron(30 9,18 * * ? *)", True),
        ("cron(0/15 * * * ? *)", True),
        ("cron(0/20 * * * ? *)", False),
        ("cron(30 8-10 * * ? *)", True),
        ("cron(30 9 ? * MON-FRI *)", True),
        ("cron(30 9 ? * 5 *)", True),
        ("cron(30 9 ? * SAT,SUN *)", False),
        ("cron(30 9 ? * SUN,THU *)", True),
        ("cron(*/15 * * * ? *)", True),
        ("cron(30 9 */2 * ? *)", True),
        ("cron(30 9 3 JAN ? *)", True),
        ("cron(30 9 3 1 ? 2035)", False),
        ("rate(15 minutes)", True),
        ("rate(1 hour)", False),
        ("rate(1 day)", False),
    ],
)
def test_a_rule_is_due_in_its_minute(expression: str, due: bool) -> None:
    assert is_due(expression, THURSDAY) is due


def test_a_schedule_goes_by_its_own_clock() -> None:
    assert is_due("cron(30 10 * * ? *)", THURSDAY, "Europe/Berlin")
    assert not is_due("cron(30 9 * * ? *)", THURSDAY, "Europe/Berlin")


@pytest.mark.parametrize(
    "expression",
    [
        *("every day", "cron(0 9 * *)", "cron(0 9 * * *)", "cron(0 9 * * * *)", "cron(0 9 ? * ? *)"),
        *("cron(60 9 * * ? *)", "cron(0 24 * * ? *)", "cron(0 9 0 * ? *)", "cron(0 9 * 13 ? *)", "cron(0 9 ? * 8 *)"),
        *("cron(? 9 * * ? *)", "cron(0 9-8 * * ? *)", "cron(0/0 9 * * ? *)", "cron(0 9,soon * * ? *)"),
        *("cron(0 9, * * ? *)", "cron(0 9 L * ? *)"),
        *("rate(1 week)", "rate(0 minutes)", "rate(1 hours)", "rate(5 hour)", "at(2036-01-03T09:30:00)"),
    ],
)
def test_what_cannot_be_told_is_refused_at_whatever_time(expression: str) -> None:
    with pytest.raises(RefusedError):
        refuse_invalid(expression)
    with pytest.raises(RefusedError):
        is_due(expression, THURSDAY)


@pytest.mark.parametrize("expression", ["cron(0 9,18 * * ? *)", "cron(0 9 ? * MON-FRI *)", "rate(15 minutes)"])
def test_what_the_template_and_its_comments_have_is_taken(expression: str) -> None:
    refuse_invalid(expression)
