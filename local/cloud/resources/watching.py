"""CloudWatch's alarms and dashboards, and log groups."""

from typing import Any

from local.cloud.refusal import RefusedError
from local.cloud.resources.making import Made, Request, pick


def alarm(request: Request, properties: dict[str, Any]) -> Made:
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
