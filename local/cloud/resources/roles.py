"""IAM roles."""

import json
from typing import Any

from local.cloud.resources.making import Made, Request, pick


def role(request: Request, properties: dict[str, Any]) -> Made:
    iam = request.account.client("iam")
    name = properties.pop("RoleName", request.name(64))
    policies = properties.pop("Policies", [])
    made = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(properties.pop("AssumeRolePolicyDocument")),
        **pick(properties, "Description", "Path", "MaxSessionDuration", "Tags"),
    )["Role"]
    for policy in policies:
        document = json.dumps(policy["PolicyDocument"])
        iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)

    def undo() -> None:
        for policy in policies:
            iam.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])
        iam.delete_role(RoleName=name)

    return Made(name, {"Arn": made["Arn"], "RoleId": made["RoleId"]}, undo)
