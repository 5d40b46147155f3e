"""Least privilege, seen and not believed: runs the suites with an ear to AWS' calls, and asks IAM's evaluation of them.

The policies are template.yaml's, resolved with every parameter that adds to them. The evaluation is that of
@cloud-copilot/iam-simulate, on this machine: no AWS, but node and npm.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from least_privilege import verdict
from least_privilege.expectations import BY_THE_SDK, FORBIDDEN, FUNCTIONS, IN_RESERVE, MADE_BY_AWS, Asked
from least_privilege.names import ACCOUNT
from least_privilege.package import packaged
from least_privilege.recorder import FOLDER_VARIABLE, recorded
from least_privilege.roles import grants, policies, role_of
from local import dynamodb_local

ROOT: Final = Path(__file__).resolve().parent.parent
EVALUATION: Final = ROOT / "tools" / "iam"

SUITES: Final = ("tests/integration", "tests/faults")
"""All that runs a handler, failures and killed processes included."""


class CheckError(Exception):
    """The check could not be made. The text says what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.check_iam", description=__doc__)
    parser.add_argument("--calls", type=Path, help="judge the calls that are in this folder, and run no test")
    parser.add_argument("--keep", type=Path, help="keep the recorded calls in this folder")
    arguments = parser.parse_args()
    try:
        _install()
        with tempfile.TemporaryDirectory() as scratch:
            folder: Path = arguments.calls or arguments.keep or Path(scratch)
            if not arguments.calls:
                _record(folder)
            wrong = _judged(folder)
    except CheckError as error:
        print(error, file=sys.stderr)
        return 1
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def _install() -> None:
    """The evaluation by npm, each package by the hash of the lock file. Raises CheckError."""
    installed = EVALUATION / "node_modules" / ".package-lock.json"
    lock = EVALUATION / "package-lock.json"
    if installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise CheckError("node and npm are not on this machine; on Debian and Ubuntu: apt install nodejs npm")
    if subprocess.run(["npm", "ci", "--silent"], cwd=EVALUATION, check=False).returncode != 0:
        raise CheckError("npm could not install what tools/iam/package-lock.json names; why stands above")


def _record(folder: Path) -> None:
    """Run the suites. Raises CheckError where a test fails, or DynamoDB Local is not there: it would be skipped."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise CheckError(f"{folder} is not empty: calls of another run would count as this one's")
    if not dynamodb_local.available():
        raise CheckError(f"DynamoDB Local is not there; {dynamodb_local.HOW_TO_GET_IT} gets it")
    options = ["--numprocesses", "2", "--quiet", "-p", "no:cacheprovider", "-p", "least_privilege.plugin"]
    pytest = [sys.executable, "-m", "pytest", *options]
    environment = {
        **os.environ,
        FOLDER_VARIABLE: str(folder.resolve()),
        dynamodb_local.REQUIRED_VARIABLE: "1",
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("src", "tests")),
    }
    if subprocess.run([*pytest, *SUITES], cwd=ROOT, env=environment, check=False).returncode != 0:
        raise CheckError("Tests failed, so that nobody knows what the functions ask for")


def _judged(folder: Path) -> Sequence[str]:
    """What is wrong, a line each; what was looked at is printed."""
    seen = recorded(folder)
    calls = seen.needs
    silent = [f"{function} was not seen to ask for anything" for function in FUNCTIONS if not calls.get(function)]
    made = [
        Asked(role_of(function), need, f"{function} calls {operation}")
        for function, needed in sorted(calls.items())
        for need, operation in sorted(needed.items())
    ]
    asked = [*made, *MADE_BY_AWS]
    granted = {role: set(grants(role)) for role in policies()}
    for role, of_role in granted.items():
        of_function = {one.need for one in made if one.role == role}
        print(
            f"{role}: {len(of_role)} grants; asked for {len({need.action for need in of_function})} actions on "
            f"{len({need.resource for need in of_function})} resources"
        )
    wrong = [
        *seen.problems,
        *silent,
        *verdict.not_allowed(asked, _evaluate),
        *verdict.not_needed(granted, asked, IN_RESERVE),
        *verdict.not_denied(FORBIDDEN, _evaluate),
        *verdict.not_packaged(seen.operations, packaged(), BY_THE_SDK),
    ]
    print(
        f"{len(made)} needs of the functions' own calls, {len(MADE_BY_AWS)} of AWS's as their roles; "
        f"{sum(map(len, granted.values()))} grants, {len(IN_RESERVE)} kept in reserve; {len(FORBIDDEN)} questions for "
        f"what no role should have; {len(seen.operations)} operations, {len(packaged())} in the package; "
        f"wrong: {len(wrong)}"
    )
    return wrong


def _evaluate(asked: Sequence[Asked]) -> Sequence[str]:
    questions = [
        {
            "role": one.role,
            "principal": f"arn:aws:iam::{ACCOUNT}:role/{one.role}",
            "account": ACCOUNT,
            "action": one.need.action,
            "resource": one.need.resource,
            "context": one.context,
        }
        for one in asked
    ]
    node = subprocess.run(
        ["node", "simulate.mjs"],
        cwd=EVALUATION,
        input=json.dumps({"policies": policies(), "questions": questions}),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if node.returncode != 0:
        raise CheckError("The evaluation of tools/iam ended early; why stands above")
    answers: list[str] = json.loads(node.stdout)
    return answers


if __name__ == "__main__":
    sys.exit(main())
