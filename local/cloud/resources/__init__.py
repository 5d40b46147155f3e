"""How each resource type is made in the account: one function a type, a file for what belongs together."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from local.cloud.resources import functions, messages, roles, storage, triggers, watching
from local.cloud.resources.making import Made, Request

Maker = Callable[[Request, dict[str, Any]], Made]
"""Takes out of the properties what it has applied: what is left is refused, and not left undone unseen."""

MAKERS: Final[Mapping[str, Maker]] = {
    "AWS::CloudWatch::Alarm": watching.alarm,
    "AWS::CloudWatch::Dashboard": watching.dashboard,
    "AWS::DynamoDB::Table": storage.table,
    "AWS::Events::Rule": triggers.rule,
    "AWS::IAM::Role": roles.role,
    "AWS::Lambda::EventInvokeConfig": functions.event_invoke_config,
    "AWS::Lambda::EventSourceMapping": functions.event_source_mapping,
    "AWS::Lambda::Function": functions.function,
    "AWS::Lambda::LayerVersion": functions.layer_version,
    "AWS::Lambda::Permission": functions.permission,
    "AWS::Logs::LogGroup": watching.log_group,
    "AWS::Pipes::Pipe": triggers.pipe,
    "AWS::S3::Bucket": storage.bucket,
    "AWS::S3::BucketPolicy": storage.bucket_policy,
    "AWS::SNS::Subscription": messages.subscription,
    "AWS::SNS::Topic": messages.topic,
    "AWS::SNS::TopicPolicy": messages.topic_policy,
    "AWS::SQS::Queue": messages.queue,
    "AWS::SQS::QueuePolicy": messages.queue_policy,
    "AWS::Scheduler::ScheduleGroup": triggers.schedule_group,
}
