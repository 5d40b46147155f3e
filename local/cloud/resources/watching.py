"""CloudWatch's alarms and dashboards, and log groups."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.cloud.refusal import RefusedError
from local.cloud.resources.making import Made, Request, pick

_HOUR: Final = 3_600
_DAY: Final = 86_400
_WEEK: Final = 604_800


def alarm(request: Request, properties: dict[str, Any]) -> Made:
    _refuse_a_longer_look_back(properties)
    cloudwatch = request.account.client("cloudwatch")
    name = properties.pop("AlarmName", request.name(255))
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        **pick(
            properties,
            *("AlarmDescription", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods"),
            *("DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "AlarmActions", "Metrics"),
        ),
    )
    arn = request.account.arn("cloudwatch", f"alarm:{name}")
    return Made(name, {"Arn": arn}, lambda: cloudwatch.delete_alarms(AlarmNames=[name]))


def _refuse_a_longer_look_back(properties: Mapping[str, Any]) -> None:
    """Raises RefusedError for more than a week, and with a period of less than an hour for more than a day.

    So CloudWatch's API reference has it, at PutMetricAlarm's Period; moto takes any.
    """
    for period in _periods(properties):
        seconds = period * properties.get("EvaluationPeriods", 1)
        if period < _HOUR and seconds > _DAY:
            raise RefusedError(
                f"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= {_DAY})"
            )
        if seconds > _WEEK:
            raise RefusedError(
                f"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= {_WEEK}) "
                f"for alarms using period >= {_HOUR}"
            )


def _periods(properties: Mapping[str, Any]) -> Iterator[int]:
    """In seconds: the alarm's own, or those of the metrics that it is reckoned from."""
    if "Period" in properties:
        yield properties["Period"]
    for query in properties.get("Metrics", ()):
        if "Period" in query:
            yield query["Period"]
        if "MetricStat" in query:
            yield query["MetricStat"]["Period"]


def dashboard(request: Request, properties: dict[str, Any]) -> Made:
    cloudwatch = request.account.client("cloudwatch")
    name = properties.pop("DashboardName", request.name(255))
    told = cloudwatch.put_dashboard(DashboardName=name, DashboardBody=properties.pop("DashboardBody"))
    if messages := told.get("DashboardValidationMessages"):
        raise RefusedError(f"The dashboard is not as CloudWatch wants it: {messages}")
    return Made(name, {}, lambda: cloudwatch.delete_dashboards(DashboardNames=[name]))


def log_group(request: Request, properties: dict[str, Any]) -> Made:
    logs = request.account.client("logs")
    name = properties.pop("LogGroupName", request.name(512))
    logs.create_log_group(logGroupName=name)
    if "RetentionInDays" in properties:
        logs.put_retention_policy(logGroupName=name, retentionInDays=properties.pop("RetentionInDays"))
    arn = request.account.arn("logs", f"log-group:{name}:*")
    return Made(name, {"Arn": arn}, lambda: logs.delete_log_group(logGroupName=name))
