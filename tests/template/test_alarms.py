"""Never silent: what raises an alarm, and that the alarm reaches a person with words that help."""

from typing import Any

import pytest

from template.expansion import ACCOUNT, REGION, Stack, expand

ALARMS = sorted(expand().of_type("AWS::CloudWatch::Alarm"))
FUNCTIONS = sorted(expand().of_type("AWS::Lambda::Function"))


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
        assert stack.properties(name)["TreatMissingData"] in ("notBreaching", "breaching")

    def test_is_raised_by_the_first_occurrence(self, stack: Stack, name: str) -> None:
        alarm = stack.properties(name)
        if alarm["MetricName"] == "TokenDaysLeft":
            pytest.skip("it counts days, not occurrences: test_refresh_tokens.py")
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
        assert alarm["EvaluationPeriods"] == 1


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
    return [alarm for alarm in alarms if (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)]
