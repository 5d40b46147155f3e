"""The first function that everybody writes: boto3, and one record of DynamoDB."""

import os

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event: object, context: object) -> str:  # noqa: ARG001 - Lambda hands over both
    answer = dynamodb.get_item(TableName=os.environ["PERSONAS_TABLE"], Key={"persona_id": {"S": "default"}})
    return str(answer["Item"]["persona_id"]["S"])
