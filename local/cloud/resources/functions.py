"""Lambda's functions, their layers, and who may invoke them."""

from typing import Any

from local.cloud import policies
from local.cloud.refusal import RefusedError
from local.cloud.resources.making import Made, Request, pick

# What Lambda demands of a queue's reader (Lambda developer guide, "Using Lambda with Amazon SQS").
_READS_A_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def function(request: Request, properties: dict[str, Any]) -> Made:
    client = request.account.client("lambda")
    name = properties.pop("FunctionName", request.name(64))
    role = properties.pop("Role")
    if not policies.may_assume(request.account, role, "lambda.amazonaws.com"):
        raise RefusedError("The role defined for the function cannot be assumed by Lambda.")
    code = properties.pop("Code")
    package = _package(request, code)
    tags = {tag["Key"]: tag["Value"] for tag in properties.pop("Tags", [])}
    made = client.create_function(
        FunctionName=name,
        Role=role,
        Code=pick(code, "S3Bucket", "S3Key", "S3ObjectVersion"),
        Tags=tags,
        **pick(
            properties,
            *("Architectures", "Description", "Environment", "Handler", "Layers", "LoggingConfig", "MemorySize"),
            *("Runtime", "Timeout"),
        ),
    )
    request.account.packages[made["FunctionArn"]] = package
    return Made(name, {"Arn": made["FunctionArn"]}, lambda: client.delete_function(FunctionName=name))


def layer_version(request: Request, properties: dict[str, Any]) -> Made:
    client = request.account.client("lambda")
    name = properties.pop("LayerName", request.logical_id)
    content = properties.pop("Content")
    package = _package(request, content)
    made = client.publish_layer_version(
        LayerName=name,
        Content=content,
        **pick(properties, "CompatibleArchitectures", "CompatibleRuntimes", "Description", "LicenseInfo"),
    )
    arn, version = made["LayerVersionArn"], made["Version"]
    request.account.packages[arn] = package
    return Made(
        arn, {"LayerVersionArn": arn}, lambda: client.delete_layer_version(LayerName=name, VersionNumber=version)
    )


def permission(request: Request, properties: dict[str, Any]) -> Made:
    client = request.account.client("lambda")
    name, identifier = properties.pop("FunctionName"), request.name(100)
    optional = pick(properties, "SourceArn", "SourceAccount")
    client.add_permission(
        FunctionName=name, StatementId=identifier, **pick(properties, "Action", "Principal"), **optional
    )
    return Made(identifier, {}, lambda: client.remove_permission(FunctionName=name, StatementId=identifier))


def event_invoke_config(request: Request, properties: dict[str, Any]) -> Made:
    client = request.account.client("lambda")
    name, qualifier = properties.pop("FunctionName"), properties.pop("Qualifier")
    if qualifier != "$LATEST":
        raise RefusedError(f"The local cloud knows no version of a function but $LATEST, not {qualifier}.")
    destinations = properties.pop("DestinationConfig", {})
    role = client.get_function_configuration(FunctionName=name)["Role"]
    for destination in (one["Destination"] for one in destinations.values()):
        if not policies.role_allows(request.account, role, "sqs:SendMessage", destination):
            raise RefusedError(
                f"The function's execution role {role} does not have permissions to call SendMessage on {destination}"
            )
    client.put_function_event_invoke_config(
        FunctionName=name,
        **({"DestinationConfig": destinations} if destinations else {}),
        **pick(properties, "MaximumEventAgeInSeconds", "MaximumRetryAttempts"),
    )
    # Deleted with its function.
    return Made(request.name(100))


def event_source_mapping(request: Request, properties: dict[str, Any]) -> Made:
    client, sqs = request.account.client("lambda"), request.account.client("sqs")
    source, function_name = properties["EventSourceArn"], properties["FunctionName"]
    configuration = client.get_function_configuration(FunctionName=function_name)
    for action in _READS_A_QUEUE:
        if not policies.role_allows(request.account, configuration["Role"], action, source):
            call = action.removeprefix("sqs:")
            raise RefusedError(f"The function execution role does not have permissions to call {call} on SQS: {source}")
    url = sqs.get_queue_url(QueueName=source.rsplit(":", 1)[1])["QueueUrl"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    if int(told["VisibilityTimeout"]) < configuration["Timeout"]:
        raise RefusedError(
            f"Queue visibility timeout: {told['VisibilityTimeout']} seconds is less than Function timeout: "
            f"{configuration['Timeout']} seconds"
        )
    made = client.create_event_source_mapping(
        **pick(
            properties,
            *("BatchSize", "Enabled", "EventSourceArn", "FilterCriteria", "FunctionName", "FunctionResponseTypes"),
            *("MaximumBatchingWindowInSeconds", "ScalingConfig"),
        )
    )["UUID"]
    return Made(made, {"Id": made}, lambda: client.delete_event_source_mapping(UUID=made))


def _package(request: Request, code: dict[str, Any]) -> tuple[str, str]:
    """Where the package lies. Raises RefusedError where it does not."""
    s3 = request.account.client("s3")
    bucket, key = code["S3Bucket"], code["S3Key"]
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except s3.exceptions.ClientError as error:
        raise RefusedError(f"Error occurred while GetObject. s3://{bucket}/{key} is not there") from error
    return bucket, key
