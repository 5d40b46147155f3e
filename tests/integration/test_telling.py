"""What a run tells: log lines that can be searched by slot and photo, one metric for each outcome, and no secret."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.personas import Login
from fakes.library import a_persona
from integration.conftest import Deliver
from integration.deployment import APP_SECRET, TOKEN, Deployment, Told
from integration.test_post_next_best import EVENTS, FILES, SCHEDULE
from local.instagram import Fault

ROOT = Path(__file__).parents[2]
FACTS = {"persona_id", "slot", "photo_id", "post_status"}


def test_each_line_about_a_post_names_persona_slot_photo_and_status(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told]
) -> None:
    deployment.add_persona()
    best = deployment.add_photo("best", 9.0)
    answer = deliver(SCHEDULE)
    said = told()
    assert [line["message"] for line in said.lines] == ["Container created.", "Published.", "Done."]
    for line in said.lines:
        assert line.keys() >= FACTS
        assert (line["persona_id"], line["slot"], line["photo_id"]) == ("default", answer["slot"], best.photo_id)
        assert line["function_request_id"]
        assert line["cold_start"] in (True, False)
    assert [line["post_status"] for line in said.lines] == ["posting", "posting", "posted"]
    assert said.lines[-1]["outcome"] == "posted"
    assert said.lines[-1]["provider_post_id"] == answer["provider_post_id"]


def test_what_one_run_was_about_is_not_on_the_next_ones_lines(
    deployment: Deployment, deliver: Deliver, told: Callable[[], Told]
) -> None:
    deployment.add_persona()
    deployment.add_photo("best", 9.0)
    deliver(SCHEDULE)
    told()
    deliver({"persona_id": "default", "time": "2036-01-05T09:00:00Z"})
    for line in told().lines:
        assert line["slot"] == "2036-01-05T09:00:00Z"
        assert not {"photo_id", "post_status"} & line.keys()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_secret_is_told(deployment: Deployment, deliver: Deliver, told: Callable[[], Told], file: Path) -> None:
    deployment.add_persona(a_persona(login=Login.FACEBOOK))
    for number in range(3):
        deployment.add_photo(f"photo {number}", float(number))
    event = json.loads((EVENTS / file.name).read_text())
    answers = [deliver(event)]
    for fault in (
        Fault.reset("media_publish"),
        Fault.error("create_container", 190, 463, message=f"The session {TOKEN} has expired"),
    ):
        deployment.emulator.order_fault(fault)
        answers.append(deliver({"persona_id": "default", "time": f"2036-02-0{len(answers)}T09:00:00Z"}))
    everything = told().text + json.dumps(answers) + json.dumps(deployment.records.everything(), default=str)
    for secret in (TOKEN, APP_SECRET, "X-Amz-", "Bearer", "appsecret_proof"):
        assert secret not in everything


COLD_START = """
import json, logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
from handlers.post_next_best import handler
from local.lambda_context import LambdaContext
for event in json.load(sys.stdin):
    print("ANSWER", json.dumps(handler(event, LambdaContext())), file=sys.stderr)
"""


def test_a_process_of_its_own_posts_and_tells_under_the_stacks_name(deployment: Deployment) -> None:
    """As Lambda starts it: a fresh import in the template's environment, the machine's clock, and a talkative root."""
    deployment.emulator.freeze(None)
    deployment.add_persona(a_persona(login=Login.FACEBOOK))
    best = deployment.add_photo("best", 9.0)
    deployment.add_photo("good", 7.0)
    done = subprocess.run(
        [sys.executable, "-c", COLD_START],
        input=json.dumps([SCHEDULE, SCHEDULE]),
        env=_environment(deployment),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answers = [json.loads(line.removeprefix("ANSWER ")) for line in done.stderr.splitlines() if "ANSWER" in line]
    assert [answer["outcome"] for answer in answers] == ["posted", "already_done"]
    assert {answer["photo_id"] for answer in answers} == {best.photo_id}
    assert deployment.is_live(best)
    assert len(deployment.live()) == 1
    said = Told.of(done.stdout)
    assert {line["service"] for line in said.lines} == {"fluffy-train"}
    for metrics, name in zip(said.metrics, ("Posted", "AlreadyDone"), strict=True):
        (directive,) = metrics["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == ("FluffyTrain", [["service"]])
        assert directive["Metrics"] == [{"Name": name, "Unit": "Count"}]
        assert (metrics["service"], metrics[name]) == ("fluffy-train", [1.0])
    assert [line["cold_start"] for line in said.lines if line["message"] == "Done."] == [True, False]
    for secret in (TOKEN, APP_SECRET, "X-Amz-Signature", "Bearer", "appsecret_proof"):
        assert secret not in done.stdout
        assert secret not in done.stderr


def _environment(deployment: Deployment) -> dict[str, str]:
    return {**os.environ, **deployment.environment, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
