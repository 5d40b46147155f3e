"""What comes from others: pinned, listed, and under licences that may be shipped."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import smoke
from tools import licences

PROJECT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
REQUIREMENTS = sorted([*(PROJECT / "requirements").glob("*.txt"), *licences.DEPLOYED.values()])
PAGES = ["CONTRIBUTING.md", "SECURITY.md", ".github/workflows/check.yml", ".github/workflows/release.yml", ".ci/run"]

NOT_TO_BE_SHIPPED = re.compile(r"(?<!Lesser )General Public|\bA?GPL|SSPL|Commons Clause|Proprietary", re.IGNORECASE)


def _workflow(path: Path) -> dict[Any, Any]:
    parsed: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return parsed


def test_there_are_workflows_for_check_and_release() -> None:
    assert [path.name for path in WORKFLOWS] == ["check.yml", "release.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit_and_says_its_version(path: Path) -> None:
    uses = [line for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert uses
    for line in uses:
        assert re.search(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_the_sources_and_no_more_unless_a_job_says_so(path: Path) -> None:
    workflow = _workflow(path)
    assert workflow["permissions"] == {"contents": "read"}
    wider = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
    assert wider == ({"release": {"contents": "write"}} if path.name == "release.yml" else {})
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 90


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_checkout_leaves_no_credentials_behind(path: Path) -> None:
    steps = [step for job in _workflow(path)["jobs"].values() for step in job["steps"]]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize(("path", "job"), [*zip(WORKFLOWS, ["everything", "check"], strict=True)])
def test_on_github_the_functions_are_started_in_docker_or_the_checks_fail(path: Path, job: str) -> None:
    *before, last = _workflow(path)["jobs"][job]["steps"]
    assert f"docker pull --quiet {smoke.IMAGE}" in [step.get("run") for step in before]
    assert last == {"run": "bash .ci/run", "env": {"FLUFFY_TRAIN_REQUIRE_DOCKER": "1"}}


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_requirement_is_pinned_with_hashes_and_without_an_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    blocks = re.split(r"\n(?=[A-Za-z0-9])", "\n" + text)[1:]
    assert blocks
    for block in blocks:
        assert re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==\S+", block), block.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]


def test_the_page_of_licences_is_what_the_deployed_packages_say() -> None:
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page()


@pytest.mark.parametrize("requirements", licences.DEPLOYED.values(), ids=lambda path: path.parent.name)
def test_nothing_is_deployed_that_may_not_be_shipped(requirements: Path) -> None:
    deployed = licences.pins(requirements)
    assert deployed
    for name in deployed:
        licence = licences.licence_of(name)
        assert licence
        assert NOT_TO_BE_SHIPPED.search(licence) is None, f"{name}: {licence}"


@pytest.mark.parametrize("licence", ["GNU General Public License v3", "GPL-3.0-only", "AGPL-3.0", "SSPL-1.0"])
def test_a_licence_that_binds_the_whole_is_refused(licence: str) -> None:
    assert NOT_TO_BE_SHIPPED.search(licence) is not None


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_is_named_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = (PROJECT / page).read_text(encoding="utf-8")
    lines = re.findall(r"(?:^|`|run: |; |&& )make ([a-z][a-z0-9 -]*)", text, re.MULTILINE)
    named = {word for line in lines for word in line.split() if word != "-"}
    assert named <= targets | {"KEEP"}, named - targets
