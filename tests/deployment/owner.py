"""Deploys as `sam deploy` does, by CloudFormation's own API, without the SAM CLI: its packages are as good as empty."""

import copy
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import boto3

from local.cloud import sam_transform
from local.cloud.server import CloudServer
from template.expansion import read_template

CAPABILITIES = ("CAPABILITY_IAM",)

Json = Any


class Owner:
    """Has one cloud, and gives each stack a name of its own."""

    def __init__(self, cloud: CloudServer) -> None:
        self.cloud = cloud
        session = boto3.session.Session("local", "local", region_name=cloud.account.region)
        self.cloudformation = session.client("cloudformation", endpoint_url=cloud.url)
        self._bucket = f"packages-{uuid4()}"
        s3 = cloud.account.client("s3")
        s3.create_bucket(Bucket=self._bucket, CreateBucketConfiguration={"LocationConstraint": cloud.account.region})
        s3.put_object(Bucket=self._bucket, Key="package", Body=_a_package())

    def packaged(self) -> Json:
        """template.yaml, as `sam package` leaves it."""
        return sam_transform.as_uploaded(read_template(), f"s3://{self._bucket}/package")

    def transformed(self, template: Json | None = None) -> Json:
        """The same in CloudFormation's own types: what SAM writes, a test can change."""
        template = template or self.packaged()
        parameters = {name: str(one["Default"]) for name, one in template["Parameters"].items()}
        return sam_transform.expanded(template, parameters, self.cloud.account.region)

    def deploy(
        self,
        template: Json,
        name: str | None = None,
        capabilities: Sequence[str] = CAPABILITIES,
        **parameters: str,
    ) -> Mapping[str, Any]:
        """The stack as it is described afterwards. Raises ClientError where the change set is refused."""
        name = name or f"stack-{uuid4().hex[:8]}"
        known = {stack["StackName"] for stack in self.cloudformation.describe_stacks()["Stacks"]}
        change_set = self.cloudformation.create_change_set(
            StackName=name,
            ChangeSetName="change",
            ChangeSetType="UPDATE" if name in known else "CREATE",
            TemplateBody=json.dumps(copy.deepcopy(template)),
            Capabilities=list(capabilities),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )["Id"]
        self.cloudformation.execute_change_set(ChangeSetName=change_set, StackName=name)
        described: Mapping[str, Any] = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return described

    def events(self, stack: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
        """What became of which resource, in the order in which it did."""
        events = self.cloudformation.describe_stack_events(StackName=stack["StackName"])["StackEvents"]
        return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(events)]


def _a_package() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("nothing.py", "")
    return content.getvalue()
