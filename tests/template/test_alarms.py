"""Never silent: what raises an alarm, and that the alarm reaches a person with words that help."""

from datetime import timedelta
from typing import Any

import pytest

from domain.take_stock import ENOUGH
from handlers.reconcile import STOCK_BEFORE_MINUTE, STOCK_EVERY_HOURS
from template.expansion import ACCOUNT, PROJECT, REGION, Stack, expand

ALARMS = sorted(expand().of_type("AWS::CloudWatch::Alarm"))
FUNCTIONS = sorted(expand().of_type("AWS::Lambda::Function"))
WITH_WEBHOOK = expand(WebhookUrl="https://receiver.example/posts")

# Those that are raised by too little of something. All others are raised by the first occurrence of it.
NOT_RUNNING = {"ReconcileNotRunningAlarm", "RefreshTokensNotRunningAlarm"}
BY_TOO_LITTLE = {"NoPostAlarm", "FewPhotosLeftAlarm", "TokenExpiresSoonAlarm"} | NOT_RUNNING
# What should happen by itself, so that silence is the very thing to tell of.
SILENCE_IS_BAD = {"NoPostAlarm", "FewPhotosLeftAlarm"} | NOT_RUNNING

A_DAY, SEVEN_DAYS = 24 * 60 * 60, 7 * 24 * 60 * 60


@pytest.mark.parametrize("name", ALARMS)
class TestEveryAlarm:
    def test_says_what_happened_and_what_to_do(self, stack: Stack, name: str) -> None:
        description = stack.properties(name)["AlarmDescription"]
        assert 80 < len(description) <= 1024, "1024 is CloudWatch's limit"
        assert description.count(". ") >= 1, "one sentence says what happened, the next what to do"

    def test_mails_the_topic(self, stack: Stack, name: str) -> None:
        assert stack.properties(name)["AlarmActions"] == ["AlarmTopic"]
        assert stack.properties(name).get("ActionsEnabled", True) is True

    def test_says_what_no_data_means(self, stack: Stack, name: str) -> None:
        missing = stack.properties(name)["TreatMissingData"]
        expected = "breaching" if name in SILENCE_IS_BAD else "notBreaching"
        assert missing == ("ignore" if name == "TokenExpiresSoonAlarm" else expected)

    def test_is_raised_by_the_first_occurrence_or_by_too_little(self, stack: Stack, name: str) -> None:
        alarm = stack.properties(name)
        if name in BY_TOO_LITTLE:
            assert alarm["ComparisonOperator"] == "LessThanThreshold"
            return
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
        assert alarm["EvaluationPeriods"] == 1

    def test_looks_back_no_longer_than_cloudwatch_allows(self, stack: Stack, name: str) -> None:
        """Seven days, and one day where a period is shorter than an hour (CloudWatch API reference, PutMetricAlarm)."""
        alarm = stack.properties(name)
        periods = [metric["MetricStat"]["Period"] for metric in alarm.get("Metrics", ()) if "MetricStat" in metric]
        for period in periods or [alarm["Period"]]:
            assert period % 60 == 0
            assert period * int(alarm["EvaluationPeriods"]) <= (SEVEN_DAYS if period >= 3600 else A_DAY)


@pytest.mark.parametrize("metric", ["Failed", "Unconfirmed", "UnresolvedForAnHour", "Paused"])
def test_a_post_that_did_not_succeed_raises_an_alarm(stack: Stack, metric: str) -> None:
    """Powertools writes each metric with one dimension, `service`; with another set the alarm would watch nothing."""
    (alarm,) = _alarms_on(stack, "FluffyTrain", metric)
    service = stack.properties("PostNextBest")["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": service}]
    assert alarm["Statistic"] == "Sum"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_crashes_raises_an_alarm(stack: Stack, function: str) -> None:
    alarms = _alarms_on(stack, "AWS/Lambda", "Errors")
    (alarm,) = [alarm for alarm in alarms if alarm["Dimensions"] == [{"Name": "FunctionName", "Value": function}]]
    assert alarm["Statistic"] == "Sum"


@pytest.mark.parametrize(("hours", "periods"), [({}, "26"), ({"HoursWithoutPost": "168"}, "168")])
def test_so_many_hours_without_a_post_raise_an_alarm(hours: dict[str, str], periods: str) -> None:
    (alarm,) = _alarms_on(expand(**hours), "FluffyTrain", "Posted")
    assert (alarm["Statistic"], alarm["Period"], alarm["Threshold"]) == ("Sum", 3600, 1)
    assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] == periods
    assert f"for {periods} hours" in alarm["AlarmDescription"]


def test_beside_the_cron_expression_stands_what_else_a_change_of_it_asks_for() -> None:
    lines = (PROJECT / "template.yaml").read_text(encoding="utf-8").splitlines()
    (line,) = (number for number, line in enumerate(lines) if line.strip() == "Schedule: cron(0 9 * * ? *)")
    assert "HoursWithoutPost" in " ".join(lines[line - 5 : line])


def test_no_command_of_the_owner_ends_the_alarm_on_no_post() -> None:
    """It watches the schedules. Only the functions write the metric, and the alarm says so (docs/decisions/0011)."""
    for path in (PROJECT / "cli").glob("*.py"):
        assert "add_metric" not in path.read_text(encoding="utf-8"), path.name
    description = expand().properties("NoPostAlarm")["AlarmDescription"]
    assert "ends with the next scheduled post; one by hand, `fluffy-train post`, does not end it" in description


def test_fewer_than_14_photos_of_the_poorest_persona_raise_an_alarm(stack: Stack) -> None:
    (alarm,) = _alarms_on(stack, "FluffyTrain", "PhotosLeft")
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Minimum", ENOUGH)
    assert f"fewer than {ENOUGH} photos" in alarm["AlarmDescription"]
    assert f"finds {ENOUGH}" in alarm["AlarmDescription"]


ENOUGH_LEFT, TOO_FEW, NOT_COUNTED = ENOUGH, ENOUGH - 1, None


@pytest.mark.parametrize(
    ("counts", "is_raised"),
    [
        ([ENOUGH_LEFT, ENOUGH_LEFT, ENOUGH_LEFT, ENOUGH_LEFT], False),
        ([ENOUGH_LEFT, ENOUGH_LEFT, TOO_FEW, TOO_FEW], False),
        ([ENOUGH_LEFT, TOO_FEW, TOO_FEW, TOO_FEW], True),
        ([TOO_FEW, TOO_FEW, NOT_COUNTED, TOO_FEW], True),
        ([TOO_FEW, TOO_FEW, TOO_FEW, ENOUGH_LEFT], False),
        ([ENOUGH_LEFT, ENOUGH_LEFT, NOT_COUNTED, ENOUGH_LEFT], False),
        ([ENOUGH_LEFT, ENOUGH_LEFT, NOT_COUNTED], False),
        ([ENOUGH_LEFT, NOT_COUNTED, NOT_COUNTED, NOT_COUNTED, NOT_COUNTED], True),
    ],
)
@pytest.mark.parametrize("late_by", [timedelta(0), timedelta(minutes=1), timedelta(minutes=29)])
@pytest.mark.parametrize("last_late_by", [timedelta(0), timedelta(minutes=29)])
def test_one_count_that_is_missed_raises_nothing_a_day_without_does_and_the_next_good_one_ends_it(
    stack: Stack, counts: list[int | None], is_raised: bool, late_by: timedelta, last_late_by: timedelta
) -> None:
    """At any minute from the last of ``counts`` until the next one is due, however late in its half hour each comes."""
    (alarm,) = _alarms_on(stack, "FluffyTrain", "PhotosLeft")
    last = len(counts) - 1
    counted = {
        EVERY * place + (last_late_by if place == last else late_by): count
        for place, count in enumerate(counts)
        if count is not None
    }
    for minutes in range(STOCK_BEFORE_MINUTE, 60 * STOCK_EVERY_HOURS):
        now = EVERY * last + timedelta(minutes=minutes)
        assert _is_in_alarm(alarm, counted, now) == is_raised, f"{minutes} minutes after the last one's hour"


EVERY = timedelta(hours=STOCK_EVERY_HOURS)


def _is_in_alarm(alarm: dict[str, Any], values: dict[timedelta, int], now: timedelta) -> bool:
    """What CloudWatch makes of ``values`` in a window that slides with ``now``, without a look further back.

    (CloudWatch user guide, "Alarm evaluation window" and "Configuring how CloudWatch alarms treat missing data".)
    """
    period = timedelta(seconds=alarm["Period"])
    of_all = sum if alarm["Statistic"] == "Sum" else min
    breaching = 0
    for place in range(alarm["EvaluationPeriods"]):
        end = now - period * place
        seen = [value for at, value in values.items() if end - period < at <= end]
        breaching += of_all(seen) < alarm["Threshold"] if seen else alarm["TreatMissingData"] == "breaching"
    return breaching >= int(alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]))


@pytest.mark.parametrize(("function", "seconds"), [("Reconcile", 60 * 60), ("RefreshTokens", 2 * A_DAY)])
def test_a_function_that_is_not_started_raises_an_alarm(stack: Stack, function: str, seconds: int) -> None:
    alarms = _alarms_on(stack, "AWS/Lambda", "Invocations")
    (alarm,) = [alarm for alarm in alarms if alarm["Dimensions"] == [{"Name": "FunctionName", "Value": function}]]
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 1)
    assert alarm["Period"] * alarm["EvaluationPeriods"] == seconds
    assert alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]) == alarm["EvaluationPeriods"]
    assert f"{function}Schedule" in alarm["AlarmDescription"], "the rule that is to be turned on"


def test_a_daily_start_that_is_some_minutes_late_raises_nothing(stack: Stack) -> None:
    alarm = stack.properties("RefreshTokensNotRunningAlarm")
    started = {timedelta(days=day, minutes=9 * day): 1 for day in range(10)}
    for hours in range(24 * 3, 24 * 10):
        assert not _is_in_alarm(alarm, started, timedelta(hours=hours))
    stopped = {at: one for at, one in started.items() if at < timedelta(days=6)}
    assert _is_in_alarm(alarm, stopped, timedelta(days=8))


@pytest.mark.parametrize("stack", [expand(), WITH_WEBHOOK], ids=["without webhook", "with webhook"])
def test_a_start_of_whatever_function_that_is_held_back_raises_an_alarm(stack: Stack) -> None:
    metrics = stack.properties("ThrottlesAlarm")["Metrics"]
    (total,) = (metric for metric in metrics if "Expression" in metric)
    assert total["Expression"] == "SUM(METRICS())"
    counted = [metric for metric in metrics if metric is not total]
    assert all(metric["ReturnData"] is False for metric in counted), "one of them decides: the sum"
    told = [metric["MetricStat"] for metric in counted]
    assert {(one["Metric"]["Namespace"], one["Metric"]["MetricName"], one["Stat"]) for one in told} == {
        ("AWS/Lambda", "Throttles", "Sum")
    }
    functions = sorted(stack.of_type("AWS::Lambda::Function"))
    assert sorted(one["Metric"]["Dimensions"][0]["Value"] for one in told) == functions


def test_a_start_that_was_given_up_raises_an_alarm(stack: Stack) -> None:
    (alarm,) = _alarms_on(stack, "AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "DeadLetters.QueueName"}]
    assert alarm["Statistic"] == "Maximum"


def test_an_owner_who_gave_an_address_is_mailed() -> None:
    subscriptions = expand(AlarmEmail="owner@example.com").of_type("AWS::SNS::Subscription").values()
    assert [subscription["Properties"] for subscription in subscriptions] == [
        {"TopicArn": "AlarmTopic", "Protocol": "email", "Endpoint": "owner@example.com"}
    ]


def test_an_owner_who_gave_none_is_not(stack: Stack) -> None:
    assert stack.of_type("AWS::SNS::Subscription") == {}


def test_the_topic_is_not_encrypted_by_a_key_that_cloudwatch_may_not_use(stack: Stack) -> None:
    """By SNS's own key the alarm's action would fail without a word; a key of our own costs 1 USD a month."""
    assert "KmsMasterKeyId" not in stack.properties("AlarmTopic")


def test_only_this_accounts_alarms_can_publish_to_the_topic(stack: Stack) -> None:
    policy = stack.properties("AlarmTopicPolicy")
    assert policy["Topics"] == ["AlarmTopic"]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "OnlyThisAccountsAlarms",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": "AlarmTopic",
            "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"}},
        }
    ]


def _alarms_on(stack: Stack, namespace: str, metric: str) -> list[dict[str, Any]]:
    alarms = [alarm["Properties"] for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()]
    return [alarm for alarm in alarms if (alarm.get("Namespace"), alarm.get("MetricName")) == (namespace, metric)]
