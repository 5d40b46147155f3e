"""That what AWS would refuse is refused here, too: each is template.yaml with one thing wrong."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deployment.owner import Owner

Json = Any
Change = Callable[[Json], None]


def _broken_reference(template: Json) -> None:
    template["Resources"]["PostNextBest"]["Properties"]["Role"] = {"Fn::GetAtt": ["NoSuchRole", "Arn"]}


def _broken_reference_in_a_text(template: Json) -> None:
    template["Resources"]["PostNextBestLogGroup"]["Properties"]["LogGroupName"] = {"Fn::Sub": "/aws/${NoSuchThing}"}


def _broken_reference_of_an_output(template: Json) -> None:
    template["Outputs"]["DefaultPersona"]["Value"] = {"Ref": "NoSuchThing"}


def _reference_to_what_is_not_made(template: Json) -> None:
    """WebhookQueue is made with a WebhookUrl alone."""
    template["Outputs"]["DefaultPersona"]["Value"] = {"Ref": "WebhookQueue"}


def _attribute_that_there_is_not(template: Json) -> None:
    template["Outputs"]["DeadLettersArn"]["Value"] = {"Fn::GetAtt": ["DeadLetters", "ARN"]}


def _bucket_that_starts_the_function_which_uses_it(template: Json) -> None:
    """The classic: no order in which the three can be made."""
    template["Resources"]["PhotosBucket"]["Properties"]["NotificationConfiguration"] = {
        "LambdaConfigurations": [
            {"Event": "s3:ObjectCreated:*", "Function": {"Fn::GetAtt": ["IngestPhoto", "Arn"]}},
        ]
    }


def _two_that_need_each_other(template: Json) -> None:
    template["Resources"]["AlarmTopic"]["DependsOn"] = "AlarmTopicPolicy"


def _type_that_there_is_not(template: Json) -> None:
    template["Resources"]["DeadLetters"]["Type"] = "AWS::SQS::Queues"


def _condition_that_there_is_not(template: Json) -> None:
    template["Resources"]["DeadLetters"]["Condition"] = "NoSuchCondition"


def _condition_on_a_resource(template: Json) -> None:
    template["Conditions"]["HasWebhook"] = {"Fn::Equals": [{"Ref": "DeadLetters"}, ""]}


def _broken_reference_in_the_branch_that_does_not_hold(template: Json) -> None:
    """By default there is no WebhookUrl."""
    queue = template["Resources"]["DeadLetters"]["Properties"]
    queue["QueueName"] = {"Fn::If": ["HasWebhook", {"Ref": "NoSuchThing"}, {"Ref": "AWS::NoValue"}]}


def _broken_reference_in_such_a_branch_of_an_output(template: Json) -> None:
    told = {"Fn::Sub": ["${of} of ${NoSuchThing.Arn}", {"of": "The end"}]}
    template["Outputs"]["DefaultPersona"]["Value"] = {"Fn::If": ["HasWebhook", told, "none"]}


def _broken_reference_in_what_is_not_made(template: Json) -> None:
    template["Resources"]["WebhookQueue"]["Properties"]["QueueName"] = {"Fn::GetAtt": "NoSuchThing.QueueName"}


def _dependency_of_what_is_not_made(template: Json) -> None:
    template["Resources"]["WebhookQueue"]["DependsOn"] = ["DeadLetters", "NoSuchThing"]


def _section_that_there_is_not(template: Json) -> None:
    template["Output"] = template.pop("Outputs")


def _event_that_sam_does_not_know(template: Json) -> None:
    template["Resources"]["PostNextBest"]["Properties"]["Events"]["Schedule"]["Type"] = "Schedules"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_broken_reference, r"Unresolved resource dependencies \[NoSuchRole\] in the Resources block"),
        (_broken_reference_in_a_text, r"Unresolved resource dependencies \[NoSuchThing\]"),
        (_broken_reference_of_an_output, r"Unresolved resource dependencies \[NoSuchThing\] in the Outputs block"),
        (
            _broken_reference_in_the_branch_that_does_not_hold,
            r"Unresolved resource dependencies \[NoSuchThing\] in the Resources block",
        ),
        (
            _broken_reference_in_such_a_branch_of_an_output,
            r"Unresolved resource dependencies \[NoSuchThing\] in the Outputs block",
        ),
        (_broken_reference_in_what_is_not_made, r"Unresolved resource dependencies \[NoSuchThing\]"),
        (_dependency_of_what_is_not_made, r"Unresolved resource dependencies \[NoSuchThing\]"),
        (_reference_to_what_is_not_made, r"Unresolved resource dependencies \[WebhookQueue\]"),
        (_attribute_that_there_is_not, "resource DeadLetters does not support attribute type ARN in Fn::GetAtt"),
        (
            _bucket_that_starts_the_function_which_uses_it,
            r"Circular dependency between resources: \[IngestPhoto.*PhotosBucket\]",
        ),
        (_two_that_need_each_other, r"Circular dependency between resources: \[AlarmTopic, AlarmTopicPolicy\]"),
        (_type_that_there_is_not, r"Unrecognized resource types: \[AWS::SQS::Queues\]"),
        (_section_that_there_is_not, r"Invalid template property or properties \[Output\]"),
        (_condition_that_there_is_not, r"Unresolved condition dependencies \[NoSuchCondition\]"),
        (
            _condition_on_a_resource,
            r"Unresolved dependencies \[DeadLetters\]. Cannot reference resources in the Conditions",
        ),
        (_event_that_sam_does_not_know, "Transform AWS::Serverless-2016-10-31 failed with: .*Schedules"),
    ],
)
def test_a_template_that_cannot_be_deployed_is_refused_before_anything_is_made(
    owner: Owner, change: Change, told: str
) -> None:
    template = owner.packaged()
    change(template)
    with pytest.raises(ClientError, match=told):
        owner.deploy(template)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"DefaultPersona": "Not A Name"}, "must be 1 to 63 lower-case letters"),
        ({"HoursWithoutPost": "1"}, "must be 2 to 168 hours"),
        ({"LogRetentionDays": "8"}, "must be one of 7, 14"),
        ({"NoSuchParameter": "1"}, r"Parameters: \[NoSuchParameter\] do not exist in the template"),
    ],
)
def test_a_parameter_that_the_template_does_not_take_is_refused(
    owner: Owner, parameters: dict[str, str], told: str
) -> None:
    with pytest.raises(ClientError, match=told):
        owner.deploy(owner.packaged(), **parameters)


def test_roles_want_to_be_acknowledged(owner: Owner) -> None:
    with pytest.raises(ClientError, match=r"Requires capabilities : \[CAPABILITY_IAM\]"):
        owner.deploy(owner.packaged(), capabilities=[])


def _property_that_there_is_not(template: Json) -> None:
    template["Resources"]["DeadLetters"]["Properties"]["MessageRetention"] = 60


def _property_that_is_missing(template: Json) -> None:
    del template["Resources"]["PostsTable"]["Properties"]["KeySchema"]


def _property_of_another_type(template: Json) -> None:
    template["Resources"]["DeadLetters"]["Properties"]["MessageRetentionPeriod"] = "long"


def _name_that_botocore_refuses(template: Json) -> None:
    template["Resources"]["PostNextBestRole"]["Properties"]["Policies"][0]["PolicyName"] = ""


def _attribute_of_a_table_that_is_no_key(template: Json) -> None:
    """The schema takes it; DynamoDB, and moto as well, do not."""
    attributes = template["Resources"]["PersonasTable"]["Properties"]["AttributeDefinitions"]
    attributes.append({"AttributeName": "paused", "AttributeType": "S"})


def _alarm_that_looks_back_more_than_a_day(template: Json) -> None:
    template["Resources"]["DeadLettersAlarm"]["Properties"]["EvaluationPeriods"] = 24 * 12 + 1


def _alarm_that_looks_back_more_than_a_week(template: Json) -> None:
    template["Resources"]["FewPhotosLeftAlarm"]["Properties"]["EvaluationPeriods"] = 7 * 4 + 1


def _alarm_of_several_metrics_that_looks_back_too_far(template: Json) -> None:
    template["Resources"]["ThrottlesAlarm"]["Properties"]["EvaluationPeriods"] = 7 * 24 + 1


def _may_not_hand_over_what_failed(template: Json) -> None:
    _drop_statement(template, "PostNextBestRole", "HandOverWhatFailed")


def _hands_it_over_to_another_queue(template: Json) -> None:
    statement = _statement(template, "PostNextBestRole", "HandOverWhatFailed")
    statement["Resource"] = "arn:aws:sqs:eu-north-1:123456789012:another"


def _role_for_another_service(template: Json) -> None:
    trust = template["Resources"]["ReconcileRole"]["Properties"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Principal"] = {"Service": "scheduler.amazonaws.com"}


def _may_not_take_its_messages(template: Json) -> None:
    _drop_statement(template, "WebhookRole", "TakeItsMessages")


def _messages_seen_while_they_are_worked_on(template: Json) -> None:
    template["Resources"]["WebhookQueue"]["Properties"]["VisibilityTimeout"] = 30


def _pipe_that_may_not_read_the_stream(template: Json) -> None:
    _drop_statement(template, "WebhookPipeRole", "ReadThePostsStream")


def _pipe_that_may_not_hand_on(template: Json) -> None:
    _drop_statement(template, "WebhookPipeRole", "HandThemOn")


def _pipe_that_may_not_keep_what_it_gives_up(template: Json) -> None:
    statement = _statement(template, "WebhookPipeRole", "HandThemOn")
    statement["Resource"].remove({"Fn::GetAtt": ["DeadLetters", "Arn"]})


def _schedule_of_five_fields(template: Json) -> None:
    """As crontab has it, without EventBridge's year."""
    template["Resources"]["PostNextBest"]["Properties"]["Events"]["Schedule"]["Properties"]["Schedule"] = (
        "cron(0 9 * * *)"
    )


def _role_that_no_pipe_may_assume(template: Json) -> None:
    trust = template["Resources"]["WebhookPipeRole"]["Properties"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Condition"]["StringEquals"]["aws:SourceAccount"] = "999999999999"


def _policy_for_another_bucket(template: Json) -> None:
    policy = template["Resources"]["PhotosBucketPolicy"]["Properties"]["PolicyDocument"]
    policy["Statement"][0]["Resource"] = ["arn:aws:s3:::another", "arn:aws:s3:::another/*"]


def _package_that_was_not_uploaded(template: Json) -> None:
    template["Resources"]["PostNextBest"]["Properties"]["CodeUri"] += "-of-yesterday"


def _bucket_that_starts_a_function_without_permission(template: Json) -> None:
    """No circle: RefreshTokens does not know the bucket. But S3 asks whether it may invoke, and nothing says so."""
    resources = template["Resources"]
    resources["PhotosBucket"]["Properties"]["NotificationConfiguration"] = {
        "LambdaConfigurations": [
            {"Event": "s3:ObjectCreated:*", "Function": {"Fn::GetAtt": ["Stranger", "Arn"]}},
        ]
    }
    resources["Stranger"] = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Handler": "nothing.handler",
            "Runtime": "python3.13",
            "Role": {"Fn::GetAtt": ["StrangersRole", "Arn"]},
            "Code": dict(zip(("S3Bucket", "S3Key"), _place(resources["PostNextBest"]), strict=True)),
        },
    }
    trust = copy.deepcopy(resources["PostNextBestRole"]["Properties"]["AssumeRolePolicyDocument"])
    resources["StrangersRole"] = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}


@pytest.mark.parametrize(
    ("change", "failed", "told"),
    [
        (_property_that_there_is_not, "DeadLetters", "'MessageRetention' was unexpected"),
        (_property_that_is_missing, "PostsTable", "'KeySchema' is a required property"),
        (_property_of_another_type, "DeadLetters", "'long' is not of type 'integer'"),
        (_name_that_botocore_refuses, "PostNextBestRole", "Invalid length for parameter PolicyName"),
        (
            _attribute_of_a_table_that_is_no_key,
            "PersonasTable",
            "Number of attributes in KeySchema does not",
        ),
        (_alarm_that_looks_back_more_than_a_day, "DeadLettersAlarm", "checked across more than a day"),
        (_alarm_that_looks_back_more_than_a_week, "FewPhotosLeftAlarm", "checked across more than a week"),
        (
            _alarm_of_several_metrics_that_looks_back_too_far,
            "ThrottlesAlarm",
            "checked across more than a week",
        ),
        (
            _may_not_hand_over_what_failed,
            "PostNextBestEventInvokeConfig",
            "does not have permissions to call SendMessage",
        ),
        (
            _hands_it_over_to_another_queue,
            "PostNextBestEventInvokeConfig",
            "does not have permissions to call SendMessage",
        ),
        (_role_for_another_service, "Reconcile", "cannot be assumed by Lambda"),
        (_may_not_take_its_messages, "WebhookFinished", "does not have permissions to call ReceiveMessage on SQS"),
        (_messages_seen_while_they_are_worked_on, "WebhookFinished", "visibility timeout: 30 seconds is less than"),
        (_pipe_that_may_not_read_the_stream, "WebhookPipe", "does not have permission to call dynamodb:DescribeStream"),
        (_pipe_that_may_not_hand_on, "WebhookPipe", "does not have permission to call sqs:SendMessage"),
        (_pipe_that_may_not_keep_what_it_gives_up, "WebhookPipe", "does not have permission to call sqs:SendMessage"),
        (_schedule_of_five_fields, "PostNextBestSchedule", "ScheduleExpression is not valid: cron(0 9 * * *)"),
        (_role_that_no_pipe_may_assume, "WebhookPipe", "Pipes cannot assume the role"),
        (_policy_for_another_bucket, "PhotosBucketPolicy", "Policy has invalid resource"),
        (_package_that_was_not_uploaded, "PostNextBest", "package-of-yesterday is not there"),
        (
            _bucket_that_starts_a_function_without_permission,
            "PhotosBucket",
            "Unable to validate the following destination",
        ),
    ],
)
def test_what_aws_refuses_while_it_deploys_fails_and_is_rolled_back(
    owner: Owner, change: Change, failed: str, told: str
) -> None:
    template = owner.packaged()
    change(template)
    stack = owner.deploy(template, WebhookUrl="https://example.com/told")
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert f"failed to create: [{failed}]" in stack["StackStatusReason"]
    assert told in stack["StackStatusReason"]
    events = owner.events(stack)
    made = [name for name, status in events if status == "CREATE_COMPLETE"]
    gone = {name for name, status in events if status in ("DELETE_COMPLETE", "DELETE_SKIPPED")}
    assert set(made) == gone
    # As in AWS: such a stack can only be deleted.
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE state and can not be updated"):
        owner.deploy(owner.packaged(), stack["StackName"])


def test_two_stacks_do_not_export_one_name(owner: Owner) -> None:
    template = owner.packaged()
    template["Outputs"]["PostNextBestArn"]["Export"] = {"Name": "only-one"}
    assert owner.deploy(template)["StackStatus"] == "CREATE_COMPLETE"
    assert "Export with name only-one is already exported" in owner.deploy(template)["StackStatusReason"]


def _statement(template: Json, role: str, sid: str) -> Json:
    statements = template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return next(statement for statement in statements if statement["Sid"] == sid)


def _drop_statement(template: Json, role: str, sid: str) -> None:
    statement = _statement(template, role, sid)
    template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].remove(statement)


def _place(function: Json) -> list[str]:
    """Bucket and key of its package."""
    uri: str = function["Properties"]["CodeUri"]
    return uri.removeprefix("s3://").split("/")
