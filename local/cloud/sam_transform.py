"""SAM's own transform: what a template with ``AWS::Serverless`` resources is to CloudFormation."""

import copy
import os
from collections.abc import Mapping
from typing import Any, Final
from unittest.mock import patch

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform

from local.cloud.refusal import RefusedError

NAME = "AWS::Serverless-2016-10-31"
_PACKAGES: Final = {"CodeUri", "ContentUri"}
"""Where a function and a layer name their packages."""


def as_uploaded(template: Mapping[str, Any], uri: str = "s3://packages/package") -> dict[str, Any]:
    """The template as `sam deploy` has it with the packages uploaded, all to ``uri``; ``template`` is left as it is."""
    uploaded = copy.deepcopy(dict(template))
    for resource in uploaded["Resources"].values():
        properties = resource.get("Properties", {})
        properties.update(dict.fromkeys(_PACKAGES & properties.keys(), uri))
    return uploaded


def expanded(template: Mapping[str, Any], parameters: Mapping[str, str], region: str) -> dict[str, Any]:
    """The template in CloudFormation's own resource types; ``template`` is left as it is. Raises RefusedError."""
    # The transform asks botocore for the region's partition, and gives parameters their values as texts.
    with patch.dict(os.environ, {"AWS_DEFAULT_REGION": region}):
        try:
            result: dict[str, Any] = transform(copy.deepcopy(dict(template)), dict(parameters), _ManagedPolicies())
        except InvalidDocumentException as error:
            why = "; ".join(cause.message for cause in error.causes)
            raise RefusedError(f"Transform {NAME} failed with: {why}") from error
    return result


class _ManagedPolicies:
    """Stands in for SAM's loader, which asks IAM for the ARNs of AWS's managed policies."""

    def load(self) -> dict[str, str]:
        return {}
