"""Runs a deployed function from the package that was uploaded for it."""

import shutil
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from local.cloud.account import Account
from local.cloud.delivery import Invocation
from local.runtime_emulator import Container, Function, Tools


class LambdaRuntime:
    """Each invocation is a cold start, in a process of its own that ends with it.

    ``folder`` is where packages are unpacked; ``endpoints`` are variables beside the function's own, as a cloud has its
    own ways to its services.
    """

    def __init__(self, account: Account, tools: Tools, folder: Path, endpoints: Mapping[str, str]) -> None:
        self._account, self._tools, self._folder, self._endpoints = account, tools, folder, endpoints

    def invoke(self, function_arn: str, event: Any) -> Invocation:
        deployed = self._account.client("lambda").get_function(FunctionName=function_arn)["Configuration"]
        function = Function(
            name=deployed["FunctionName"],
            handler=deployed["Handler"],
            task=self._unpacked(function_arn),
            variables={**deployed.get("Environment", {}).get("Variables", {}), **self._endpoints},
            layers=[self._unpacked(layer["Arn"]) for layer in deployed.get("Layers", ())],
            seconds=deployed["Timeout"],
            megabytes=deployed["MemorySize"],
            region=self._account.region,
        )
        log = self._folder / f"{function.name}.log"
        with Container(self._tools, function, log) as container:
            answered = container.invoke(event)
        try:
            answer = answered.json()
        except ValueError:
            answer = answered.text  # as when it ran out of time
        failed = not answered.ok or not isinstance(answer, dict) or "errorType" in answer
        return Invocation(answer, failed, log.read_text(encoding="utf-8"))

    def _unpacked(self, arn: str) -> Path:
        folder = self._folder / arn.replace(":", "-")
        if not folder.exists():
            bucket, key = self._account.packages[arn]
            package = self._account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
            unfinished = folder.with_suffix(".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            zipfile.ZipFile(BytesIO(package)).extractall(unfinished)
            unfinished.rename(folder)
        return folder
