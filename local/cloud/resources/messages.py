"""SQS queues and SNS topics."""

import json
from typing import Any

from local.cloud.resources.making import Made, Request, pick


def queue(request: Request, properties: dict[str, Any]) -> Made:
    sqs = request.account.client("sqs")
    name = properties.pop("QueueName", request.name(80))
    attributes = pick(
        properties,
        *("DelaySeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod"),
        *("ReceiveMessageWaitTimeSeconds", "RedrivePolicy", "SqsManagedSseEnabled", "VisibilityTimeout"),
    )
    # SQS takes all of them as texts.
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in attributes.items()}
    url = sqs.create_queue(QueueName=name, Attributes=texts)["QueueUrl"]
    attributes = {"Arn": request.account.arn("sqs", name), "QueueName": name, "QueueUrl": url}
    return Made(url, attributes, lambda: sqs.delete_queue(QueueUrl=url))


def queue_policy(request: Request, properties: dict[str, Any]) -> Made:
    sqs = request.account.client("sqs")
    document = json.dumps(properties.pop("PolicyDocument"))
    for url in properties.pop("Queues"):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})
    return Made(request.name(255))


def topic(request: Request, properties: dict[str, Any]) -> Made:
    sns = request.account.client("sns")
    name = properties.pop("TopicName", request.name(256))
    arn = sns.create_topic(Name=name, Attributes=pick(properties, "DisplayName", "KmsMasterKeyId"))["TopicArn"]
    return Made(arn, {"TopicArn": arn, "TopicName": name}, lambda: sns.delete_topic(TopicArn=arn))


def topic_policy(request: Request, properties: dict[str, Any]) -> Made:
    sns = request.account.client("sns")
    document = json.dumps(properties.pop("PolicyDocument"))
    for arn in properties.pop("Topics"):
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)
    return Made(request.name(255))


def subscription(request: Request, properties: dict[str, Any]) -> Made:
    sns = request.account.client("sns")
    arn = sns.subscribe(ReturnSubscriptionArn=True, **pick(properties, "TopicArn", "Protocol", "Endpoint"))
    arn = arn["SubscriptionArn"]
    return Made(arn, {"Arn": arn}, lambda: sns.unsubscribe(SubscriptionArn=arn))
