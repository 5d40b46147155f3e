"""The daily look at the tokens: when it runs, and the alarm that comes while there is time to act."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from domain.tokens import FEWEST_DAYS
from template.expansion import Stack


def test_the_tokens_are_looked_after_every_day(stack: Stack) -> None:
    assert stack.properties("RefreshTokens")["Handler"] == "handlers.refresh_tokens.handler"
    rule = stack.properties("RefreshTokensSchedule")
    assert [target["Arn"] for target in rule["Targets"]] == ["RefreshTokens.Arn"]
    assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(1 day)")


def test_a_run_has_all_the_time_that_lambda_gives(stack: Stack) -> None:
    """Fifteen minutes are the most (Lambda developer guide, "Lambda quotas"); docs/scale.md reckons with them."""
    assert stack.properties("RefreshTokens")["Timeout"] == 900


def test_a_token_that_expires_soon_raises_an_alarm_by_its_fewest_days(stack: Stack) -> None:
    alarm = stack.properties("TokenExpiresSoonAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("FluffyTrain", "TokenDaysLeft")
    service = stack.properties("RefreshTokens")["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": service}]
    assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("Minimum", "LessThanThreshold")
    assert alarm["Threshold"] == FEWEST_DAYS
    assert alarm["EvaluationPeriods"] == 1


def test_each_evaluation_has_a_days_value(stack: Stack) -> None:
    assert stack.properties("TokenExpiresSoonAlarm")["Period"] == 24 * 60 * 60


def test_the_alarm_is_raised_by_the_first_low_value_and_ended_by_the_first_good_one_and_mails_once(
    stack: Stack,
) -> None:
    """Each day's value comes some minutes later than the day before, so that for as long the period has none."""
    values = {timedelta(days=day, minutes=8 * day): left for day, left in enumerate([12, 11, 10, 9, 8, 7, 60, 60])}
    changes = [at for at, _ in _changes(stack.properties("TokenExpiresSoonAlarm"), values)]
    assert changes == [timedelta(days=3, minutes=24), timedelta(days=6, minutes=48)]


def test_a_stack_without_any_known_expiry_is_no_alarm(stack: Stack) -> None:
    assert list(_changes(stack.properties("TokenExpiresSoonAlarm"), {})) == []


def _changes(alarm: dict[str, Any], values: dict[timedelta, int]) -> Iterator[tuple[timedelta, bool]]:
    """When CloudWatch would raise the alarm and end it, in a window that slides with the minute.

    (CloudWatch user guide, "Alarm evaluation window" and "Configuring how CloudWatch alarms treat missing data".)
    """
    is_raised, period = False, timedelta(seconds=alarm["Period"])
    of_no_data = {"ignore": None, "breaching": True, "notBreaching": False}[alarm["TreatMissingData"]]
    for minute in range(10 * 24 * 60):
        now = timedelta(minutes=minute)
        seen = [left for at, left in values.items() if now - period < at <= now]
        is_breaching = min(seen) < alarm["Threshold"] if seen else of_no_data
        if is_breaching is not None and is_breaching != is_raised:
            is_raised = is_breaching
            yield now, is_raised


def test_the_alarm_says_how_to_get_a_new_token(stack: Stack) -> None:
    description = stack.properties("TokenExpiresSoonAlarm")["AlarmDescription"]
    for word in ("Meta", "persona list", "persona check", "persona set-token", "persona resume"):
        assert word in description
