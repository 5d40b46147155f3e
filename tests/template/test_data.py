"""The tables and the bucket: their keys as designed, and nothing that a slip could lose or open."""

import pytest

from template.expansion import Stack, expand

TABLES = sorted(expand().of_type("AWS::DynamoDB::Table"))
BUCKETS = sorted(expand().of_type("AWS::S3::Bucket"))


def test_the_tables_are_personas_photos_posts_and_lookalikes() -> None:
    assert TABLES == ["LookalikesTable", "PersonasTable", "PhotosTable", "PostsTable"]


def test_photos_that_stand_together_are_found_by_the_name_of_their_bucket_or_burst(stack: Stack) -> None:
    assert _keys(stack.properties("LookalikesTable")) == ["name"]
    assert "GlobalSecondaryIndexes" not in stack.properties("LookalikesTable")


def test_a_persona_is_found_by_its_id(stack: Stack) -> None:
    assert _keys(stack.properties("PersonasTable")) == ["persona_id"]
    assert "GlobalSecondaryIndexes" not in stack.properties("PersonasTable")


def test_a_photo_is_found_by_its_persona_and_its_content(stack: Stack) -> None:
    assert _keys(stack.properties("PhotosTable")) == ["persona_id", "photo_id"]


def test_the_best_photo_is_the_last_of_the_queue_and_comes_with_all_it_has(stack: Stack) -> None:
    (queue,) = stack.properties("PhotosTable")["GlobalSecondaryIndexes"]
    assert queue["IndexName"] == "queue"
    assert _keys(queue) == ["queued_for", "rank"]
    assert queue["Projection"] == {"ProjectionType": "ALL"}


def test_a_post_is_found_by_its_persona_and_its_slot(stack: Stack) -> None:
    assert _keys(stack.properties("PostsTable")) == ["persona_id", "slot"]


def test_posts_in_flight_are_found_by_the_end_of_their_lease_and_by_key_alone(stack: Stack) -> None:
    (in_flight,) = stack.properties("PostsTable")["GlobalSecondaryIndexes"]
    assert in_flight["IndexName"] == "in_flight"
    assert _keys(in_flight) == ["in_flight", "lease_until"]
    assert in_flight["Projection"] == {"ProjectionType": "KEYS_ONLY"}


@pytest.mark.parametrize("name", TABLES)
class TestEveryTable:
    def test_keys_are_strings_and_every_one_is_declared(self, stack: Stack, name: str) -> None:
        table = stack.properties(name)
        keys = {key for keyed in (table, *table.get("GlobalSecondaryIndexes", [])) for key in _keys(keyed)}
        assert {(a["AttributeName"], a["AttributeType"]) for a in table["AttributeDefinitions"]} == {
            (key, "S") for key in keys
        }

    def test_costs_nothing_while_it_is_not_used(self, stack: Stack, name: str) -> None:
        assert stack.properties(name)["BillingMode"] == "PAY_PER_REQUEST"

    def test_can_be_restored_to_any_second(self, stack: Stack, name: str) -> None:
        assert stack.properties(name)["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}

    def test_is_encrypted(self, stack: Stack, name: str) -> None:
        assert stack.properties(name)["SSESpecification"] == {"SSEEnabled": True}

    def test_cannot_be_deleted_by_hand(self, stack: Stack, name: str) -> None:
        assert stack.properties(name)["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize("name", [*TABLES, *BUCKETS, "PhotosBucketPolicy"])
def test_data_outlives_its_stack(stack: Stack, name: str) -> None:
    assert stack.resources[name]["DeletionPolicy"] == "Retain"
    assert stack.resources[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", [*TABLES, *BUCKETS])
def test_data_has_no_fixed_name_so_that_a_second_stack_can_stand_beside_it(stack: Stack, name: str) -> None:
    assert not {"TableName", "BucketName"} & set(stack.properties(name))


def test_the_tables_can_be_deleted_only_where_their_owner_says_so() -> None:
    unprotected = expand(ProtectData="false").of_type("AWS::DynamoDB::Table")
    assert unprotected.keys() == set(TABLES)
    for table in unprotected.values():
        assert table["Properties"]["DeletionProtectionEnabled"] is False
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_what_waits_in_a_queue_is_encrypted() -> None:
    queues = expand(WebhookUrl="https://example.com/hook").of_type("AWS::SQS::Queue")
    assert queues.keys() == {"DeadLetters", "WebhookQueue"}
    assert all(queue["Properties"]["SqsManagedSseEnabled"] is True for queue in queues.values())


def test_no_log_is_kept_for_ever() -> None:
    stack = expand(WebhookUrl="https://example.com/hook", LogRetentionDays="30")
    groups = stack.of_type("AWS::Logs::LogGroup")
    assert all(group["Properties"]["RetentionInDays"] == "30" for group in groups.values())
    for function in stack.of_type("AWS::Lambda::Function").values():
        assert function["Properties"]["LoggingConfig"]["LogGroup"] in groups


def test_the_library_is_private(stack: Stack) -> None:
    bucket = stack.properties("PhotosBucket")
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_the_library_is_encrypted(stack: Stack) -> None:
    assert stack.properties("PhotosBucket")["BucketEncryption"] == {
        "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    }


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_read_and_written_by_tls_only(stack: Stack, name: str) -> None:
    policies = [p["Properties"] for p in stack.of_type("AWS::S3::BucketPolicy").values()]
    (document,) = [p["PolicyDocument"] for p in policies if p["Bucket"] == name]
    denials = [statement for statement in document["Statement"] if statement["Effect"] == "Deny"]
    assert denials == [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"{name}.Arn", f"{name}.Arn/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "NoOldTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"{name}.Arn", f"{name}.Arn/*"],
            "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
        },
    ]


def test_a_deleted_photo_can_be_brought_back_for_30_days_and_then_costs_nothing(stack: Stack) -> None:
    bucket = stack.properties("PhotosBucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert all(rule["Status"] == "Enabled" for rule in rules.values())
    assert rules["ForgetWhatWasDeleted"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rules["AbortUnfinishedUploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_no_lifecycle_rule_expires_a_photo(stack: Stack) -> None:
    for rule in stack.properties("PhotosBucket")["LifecycleConfiguration"]["Rules"]:
        assert not {"ExpirationInDays", "ExpirationDate", "Transition", "Transitions"} & set(rule)


def _keys(keyed: dict[str, list[dict[str, str]]]) -> list[str]:
    """The attribute names of a table's or an index's key, hash first."""
    assert [key["KeyType"] for key in keyed["KeySchema"]] in (["HASH"], ["HASH", "RANGE"])
    return [key["AttributeName"] for key in keyed["KeySchema"]]
