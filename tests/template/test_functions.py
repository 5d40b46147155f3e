"""How each function runs, and how a start reaches it: delivery is set on purpose at every layer."""

import re
from typing import Any

import pytest

from domain.receive_file import INCOMING
from template.expansion import Stack, expand, read_template

FUNCTIONS = sorted(expand().of_type("AWS::Lambda::Function"))
RULES = sorted(expand().of_type("AWS::Events::Rule"))
SIX_HOURS = 6 * 60 * 60  # a later start is refused as too late
A_QUARTER = 15 * 60  # then the next reconcile run does the work of the one before

A_DAY = 24 * 60 * 60  # EventBridge's most: a photo is never too late

EVENT_AGES = {"PostNextBestSchedule": SIX_HOURS, "ReconcileSchedule": A_QUARTER, "IngestPhotoUpload": A_DAY}
EVENT_AGES["RefreshTokensSchedule"] = A_DAY  # then the next day's run does it
# How often Lambda repeats a failed invocation, for how long, and where it keeps what it gives up.
INVOCATIONS = {
    "PostNextBest": (2, SIX_HOURS, "DeadLetters.Arn"),
    "Reconcile": (0, A_QUARTER, None),
    "IngestPhoto": (2, SIX_HOURS, "DeadLetters.Arn"),
}
INVOCATIONS["RefreshTokens"] = (2, SIX_HOURS, None)  # the next day's run does what it leaves

ENVIRONMENT = {
    "PERSONAS_TABLE": "PersonasTable",
    "PHOTOS_TABLE": "PhotosTable",
    "POSTS_TABLE": "PostsTable",
    "LOOKALIKES_TABLE": "LookalikesTable",
    "PHOTOS_BUCKET": "PhotosBucket",
    "TOKEN_PREFIX": "/fluffy-train",
    "DEFAULT_PERSONA": "default",
    "GRAPH_VERSION": "v26.0",
    "INSTAGRAM_GRAPH_URL": "https://graph.instagram.com",
    "FACEBOOK_GRAPH_URL": "https://graph.facebook.com",
    "POWERTOOLS_SERVICE_NAME": "fluffy-train",
    "POWERTOOLS_METRICS_NAMESPACE": "FluffyTrain",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}

ITS_OWN = {
    "IngestPhoto": {
        "LOOKALIKES_TABLE": "LookalikesTable",
        "SCORER": "measured",
        "BEDROCK_MODEL_ID": "amazon.nova-lite-v1:0",
        "NEAR_DUPLICATE_BITS": "6",
    }
}


def test_the_posting_function_runs_the_posting_handler(stack: Stack) -> None:
    assert stack.properties("PostNextBest")["Handler"] == "handlers.post_next_best.handler"


def test_the_reconciler_runs_every_quarter_of_an_hour(stack: Stack) -> None:
    assert stack.properties("Reconcile")["Handler"] == "handlers.reconcile.handler"
    rule = stack.properties("ReconcileSchedule")
    assert [target["Arn"] for target in rule["Targets"]] == ["Reconcile.Arn"]
    assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(15 minutes)")


def test_the_rule_starts_the_posting_function_by_a_cron_expression(stack: Stack) -> None:
    rule = stack.properties("PostNextBestSchedule")
    assert [target["Arn"] for target in rule["Targets"]] == ["PostNextBest.Arn"]
    assert rule["State"] == "ENABLED"
    assert re.fullmatch(r"cron\(\S+ \S+ \S+ \S+ \S+ \S+\)", rule["ScheduleExpression"])


def test_editing_the_cron_expression_is_all_it_takes_to_retime(stack: Stack) -> None:
    template = read_template()
    events = template["Resources"]["PostNextBest"]["Properties"]["Events"]
    events["Schedule"]["Properties"]["Schedule"] = "cron(30 17 ? * MON-FRI *)"
    retimed = expand(template).resources
    rule = retimed["PostNextBestSchedule"]["Properties"]
    assert rule["ScheduleExpression"] == "cron(30 17 ? * MON-FRI *)"
    rule["ScheduleExpression"] = stack.properties("PostNextBestSchedule")["ScheduleExpression"]
    assert retimed == stack.resources, "nothing else changes"


def test_the_rule_and_nobody_else_may_start_the_posting_function(stack: Stack) -> None:
    permissions = [p["Properties"] for p in stack.of_type("AWS::Lambda::Permission").values()]
    assert [p for p in permissions if p["FunctionName"] == "PostNextBest"] == [
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": "PostNextBest",
            "Principal": "events.amazonaws.com",
            "SourceArn": "PostNextBestSchedule.Arn",
        }
    ]


def test_the_intake_hears_of_every_file_that_arrives_under_incoming_and_of_no_other(stack: Stack) -> None:
    assert stack.properties("IngestPhoto")["Handler"] == "handlers.ingest_photo.handler"
    rule = stack.properties("IngestPhotoUpload")
    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["PhotosBucket"]}, "object": {"key": [{"prefix": INCOMING}]}},
    }
    assert rule.get("State", "ENABLED") == "ENABLED"
    assert [target["Arn"] for target in rule["Targets"]] == ["IngestPhoto.Arn"]
    permissions = [p["Properties"] for p in stack.of_type("AWS::Lambda::Permission").values()]
    assert [(p["Principal"], p["SourceArn"]) for p in permissions if p["FunctionName"] == "IngestPhoto"] == [
        ("events.amazonaws.com", "IngestPhotoUpload.Arn")
    ]


def test_the_bucket_tells_eventbridge(stack: Stack) -> None:
    """Without it no event is ever sent, and nothing says so. A bucket that named the function would be a circle."""
    assert stack.properties("PhotosBucket")["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }


def test_the_owners_choices_reach_the_intake() -> None:
    stack = expand(Scorer="bedrock", BedrockModelId="eu.amazon.nova-lite-v1:0", NearDuplicateBits="3")
    variables = stack.properties("IngestPhoto")["Environment"]["Variables"]
    assert (variables["SCORER"], variables["NEAR_DUPLICATE_BITS"]) == ("bedrock", "3")
    assert variables["BEDROCK_MODEL_ID"] == "eu.amazon.nova-lite-v1:0"


@pytest.mark.parametrize("name", FUNCTIONS)
class TestEveryFunction:
    def test_runs_the_runtime_that_the_package_is_built_for(self, stack: Stack, name: str) -> None:
        assert stack.properties(name)["Runtime"] == "python3.13"
        assert stack.properties(name)["Architectures"] == ["x86_64"]
        assert stack.resources[name]["Metadata"]["BuildMethod"] == "makefile"

    def test_runs_on_the_processors_that_its_owner_chose(self, name: str) -> None:
        stack = expand(Architecture="arm64", WebhookUrl="https://example.com/hook")
        assert stack.properties(name)["Architectures"] == ["arm64"]

    def test_reserves_no_concurrency(self, stack: Stack, name: str) -> None:
        """Decision 17: a new account has too little of it to reserve any."""
        assert "ReservedConcurrentExecutions" not in stack.properties(name)

    def test_knows_its_surroundings_by_these_names_alone(self, stack: Stack, name: str) -> None:
        assert stack.properties(name)["Environment"]["Variables"] == ENVIRONMENT | ITS_OWN.get(name, {})

    def test_has_the_imaging_library_only_if_it_takes_photos_in(self, stack: Stack, name: str) -> None:
        """Its size would be the posting function's cold start."""
        layers = stack.properties(name).get("Layers", [])
        assert [layer.startswith("ImagingLayer") for layer in layers] == ([True] if name == "IngestPhoto" else [])

    def test_is_not_traced(self, stack: Stack, name: str) -> None:
        assert "TracingConfig" not in stack.properties(name)
        assert "Tracing" not in read_template()["Globals"]["Function"]

    def test_says_what_it_does_and_how_long_it_may_take(self, stack: Stack, name: str) -> None:
        assert stack.properties(name)["Description"].endswith(".")
        assert stack.properties(name)["Timeout"] > 3, "not Lambda's default"

    def test_logs_to_a_group_that_forgets(self, stack: Stack, name: str) -> None:
        log_group = stack.properties(name)["LoggingConfig"]["LogGroup"]
        assert stack.resources[log_group]["Type"] == "AWS::Logs::LogGroup"
        assert stack.properties(log_group)["RetentionInDays"] == "90"

    def test_is_retried_and_its_lost_events_are_kept(self, stack: Stack, name: str) -> None:
        configs = [c["Properties"] for c in stack.of_type("AWS::Lambda::EventInvokeConfig").values()]
        (config,) = [c for c in configs if c["FunctionName"] == name]
        assert config["Qualifier"] == "$LATEST"
        kept = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"], kept) == INVOCATIONS[name]


@pytest.mark.parametrize("name", RULES)
class TestEveryRule:
    def test_retries_until_its_start_would_be_too_late_and_keeps_what_it_gave_up(self, stack: Stack, name: str) -> None:
        (target,) = stack.properties(name)["Targets"]
        assert target["RetryPolicy"] == {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": EVENT_AGES[name]}
        assert target["DeadLetterConfig"] == {"Arn": "DeadLetters.Arn"}

    def test_hands_on_its_event_whole_so_that_a_second_delivery_names_the_same_slot(
        self, stack: Stack, name: str
    ) -> None:
        (target,) = stack.properties(name)["Targets"]
        assert not {"Input", "InputPath", "InputTransformer"} & set(target)

    def test_may_send_to_the_dead_letter_queue(self, stack: Stack, name: str) -> None:
        assert f"{name}.Arn" in _senders(stack)


def test_nobody_but_the_rules_may_send_to_the_dead_letter_queue_from_outside(stack: Stack) -> None:
    (policy,) = stack.of_type("AWS::SQS::QueuePolicy").values()
    assert policy["Properties"]["Queues"] == ["DeadLetters"]
    for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert statement["Action"] == "sqs:SendMessage"
        assert statement["Resource"] == "DeadLetters.Arn"
        assert set(statement["Condition"]) == {"ArnEquals"}
    assert sorted(_senders(stack)) == [f"{rule}.Arn" for rule in RULES]


def test_dead_letters_are_encrypted_and_kept_for_14_days(stack: Stack) -> None:
    queue = stack.properties("DeadLetters")
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 60 * 60


@pytest.mark.parametrize("variable", [f"AWS_ENDPOINT_URL{service}" for service in ("", "_DYNAMODB", "_S3", "_SSM")])
def test_a_local_run_can_be_redirected_and_a_deployed_one_is_not(variable: str) -> None:
    """`sam local invoke` overrides only what the template declares; CloudFormation drops what is AWS::NoValue."""
    assert read_template()["Globals"]["Function"]["Environment"]["Variables"][variable] == {"Ref": "AWS::NoValue"}
    assert variable not in ENVIRONMENT


def _senders(stack: Stack) -> list[str]:
    """The ARNs of the rules that the queue's policy lets in."""
    arns: list[str] = []
    for policy in stack.of_type("AWS::SQS::QueuePolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            sources: Any = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
            arns += sources if isinstance(sources, list) else [sources]
    return arns
