"""S3 buckets and DynamoDB tables."""

import json
from typing import Any

from local.cloud import policies
from local.cloud.refusal import RefusedError
from local.cloud.resources.making import Made, Request, pick


def bucket(request: Request, properties: dict[str, Any]) -> Made:
    s3 = request.account.client("s3")
    # A bucket's name has 63 characters of these at the most.
    name = properties.pop("BucketName", request.name(63).lower())
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": request.account.region})
    if block := properties.pop("PublicAccessBlockConfiguration", None):
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    if controls := properties.pop("OwnershipControls", None):
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=controls)
    if encryption := properties.pop("BucketEncryption", None):
        rules = [
            {"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]}
            for rule in encryption["ServerSideEncryptionConfiguration"]
        ]
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    if versioning := properties.pop("VersioningConfiguration", None):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    if lifecycle := properties.pop("LifecycleConfiguration", None):
        rules = [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    if tags := properties.pop("Tags", None):
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
    if notifications := properties.pop("NotificationConfiguration", None):
        _notify(request, name, notifications)
    attributes = {"Arn": f"arn:aws:s3:::{name}", "DomainName": f"{name}.s3.amazonaws.com"}
    return Made(name, attributes, lambda: s3.delete_bucket(Bucket=name))


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """In the API's words, which are other than the template's."""
    told = {"ID": rule.pop("Id"), "Status": rule.pop("Status"), "Filter": {"Prefix": rule.pop("Prefix", "")}}
    if rule.pop("ExpiredObjectDeleteMarker", False):
        told["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    return told | rule


def _notify(request: Request, bucket_name: str, notifications: dict[str, Any]) -> None:
    """S3 asks, as the bucket is made, whether it may invoke each function: so the permission has to be there before."""
    told: dict[str, Any] = {}
    if notifications.pop("EventBridgeConfiguration", {}).get("EventBridgeEnabled", False):
        told["EventBridgeConfiguration"] = {}
        request.account.buckets_on_eventbridge.add(bucket_name)
    for one in notifications.pop("LambdaConfigurations", []):
        bucket_arn = f"arn:aws:s3:::{bucket_name}"
        if not policies.may_invoke(request.account, one["Function"], "s3.amazonaws.com", bucket_arn):
            raise RefusedError(
                "Unable to validate the following destination configurations: s3.amazonaws.com has no permission to "
                f"invoke {one['Function']} for {bucket_arn}"
            )
        configuration = {"LambdaFunctionArn": one["Function"], "Events": [one["Event"]]}
        told.setdefault("LambdaFunctionConfigurations", []).append(configuration)
    if notifications:
        raise RefusedError(f"The local cloud does not know a bucket's {', '.join(notifications)}: teach {__name__}.")
    request.account.client("s3").put_bucket_notification_configuration(
        Bucket=bucket_name, NotificationConfiguration=told
    )


def bucket_policy(request: Request, properties: dict[str, Any]) -> Made:
    s3 = request.account.client("s3")
    name, document = properties.pop("Bucket"), properties.pop("PolicyDocument")
    s3.head_bucket(Bucket=name)
    own = (f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/")
    for statement in document["Statement"]:
        resources = policies.listed(statement["Resource"])
        if not all(one == own[0] or one.startswith(own[1]) for one in resources):
            raise RefusedError(f"Policy has invalid resource: {', '.join(resources)} is not all of {name}")
    # moto takes a statement without its Condition: "no request without TLS" would be no request at all. None has.
    unconditional = [statement for statement in document["Statement"] if "Condition" not in statement]
    if not unconditional:
        return Made(name)
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(document | {"Statement": unconditional}))
    return Made(name, {}, lambda: s3.delete_bucket_policy(Bucket=name))


def table(request: Request, properties: dict[str, Any]) -> Made:
    dynamodb = request.account.client("dynamodb")
    name = properties.pop("TableName", request.name(255))
    encryption = properties.pop("SSESpecification", {"SSEEnabled": False})
    stream = properties.pop("StreamSpecification", None)
    recovery = properties.pop("PointInTimeRecoverySpecification", None)
    made = dynamodb.create_table(
        TableName=name,
        SSESpecification={"Enabled": encryption["SSEEnabled"]},
        **({"StreamSpecification": {"StreamEnabled": True, **stream}} if stream else {}),
        **pick(
            properties,
            *("AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes"),
            *("KeySchema", "Tags"),
        ),
    )["TableDescription"]
    if recovery:
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    attributes = {"Arn": made["TableArn"]} | ({"StreamArn": made["LatestStreamArn"]} if stream else {})
    return Made(name, attributes, lambda: dynamodb.delete_table(TableName=name))
