"""The local stack as `make demo KEEP=1` leaves it up: the owner's commands on it, and what can be made to go wrong."""

import io
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from adapters.clock import SystemClock
from cli.main import app
from cli.settings import EXTRAS
from handlers import wiring
from integration.test_cli_posting import Clock, clock
from integration.test_cli_stack import ROOT, plain, use
from local import trouble
from local.environment import ACCOUNT_ID, TOKEN, Addresses, extras, isolated
from local.instagram.control_client import EmulatorControl
from local.stack import LOG, STATE
from local.tables import resources_of

__all__ = ["clock"]

MOST_LOOKS: Final = 60


class LocalStack:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        lines = (folder / "env").read_text(encoding="utf-8").splitlines()
        self.environment = dict(shlex.split(line)[1].split("=", 1) for line in lines)
        self.instagram = EmulatorControl(json.loads((folder / STATE).read_text())["instagram"])
        self.hours = 0
        self._pictures = 0

    def run(self, *words: str, stdin: str = "") -> Result:
        wiring.build.cache_clear()
        result = CliRunner().invoke(app, words, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def import_photo(self, persona_id: str) -> None:
        self._pictures += 1
        folder = self.folder / f"photos-{self._pictures}"
        folder.mkdir()
        canvas = io.BytesIO()
        Image.effect_noise((400, 400), 60).save(canvas, "JPEG")
        (folder / "photo.jpg").write_bytes(canvas.getvalue())
        assert self.run("photos", "import", str(folder), "--persona", persona_id).exit_code == 0

    def make(self, kind: str, capsys: pytest.CaptureFixture[str]) -> str:
        capsys.readouterr()
        assert trouble.main([kind], self.folder) == 0
        return capsys.readouterr().out.strip()

    def invoke(self, function: str, event: Mapping[str, Any], kind: str = "RequestResponse") -> Any:
        told = boto3.client("lambda").invoke(
            FunctionName=function, InvocationType=kind, Payload=json.dumps(event).encode()
        )
        return json.loads(told["Payload"].read() or b"null")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("stack")
    command = [sys.executable, "-m", "local.stack", "--folder", str(folder)]
    log = (folder / "stack.log").open("wb")
    # A profile of the owner's must not be looked for.
    process = subprocess.Popen(command, cwd=ROOT, env=isolated({"AWS_PROFILE": "somebody"}), stderr=log)
    try:
        # It writes the state last.
        while not (folder / STATE).exists():
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=0.1)
        yield LocalStack(folder)
    finally:
        process.terminate()
        process.wait(timeout=60)
        log.close()
    assert not (folder / STATE).exists()


@pytest.fixture
def local(running: LocalStack, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStack]:
    """With the default persona, whose account is well."""
    use(monkeypatch, plain(isolated(running.environment)))
    monkeypatch.setattr(SystemClock, "sleep", lambda *_: None)
    boto3.DEFAULT_SESSION = None
    running.instagram.reset()
    running.instagram.configure(processing_seconds=0)
    # Each test has slots of its own: the record outlives it.
    running.hours += 2
    clock.advance(60 * running.hours)
    if running.run("persona", "add", "default", "--instagram-user-id", ACCOUNT_ID, stdin=TOKEN).exit_code != 0:
        assert running.run("persona", "set-token", "default", stdin=TOKEN).exit_code == 0
        assert running.run("persona", "resume", "default").exit_code == 0
    yield running
    wiring.build.cache_clear()
    boto3.DEFAULT_SESSION = None


def test_every_name_that_a_command_may_read_is_told_but_the_webhooks() -> None:
    told = extras(Addresses("http://aws", "http://instagram", "http://functions"))
    assert EXTRAS.keys() - told.keys() == {"WEBHOOK_QUEUE_URL"}


def test_status_shows_the_next_slot_of_the_templates_rule(local: LocalStack) -> None:
    rule = resources_of()["PostNextBest"]["Properties"]["Events"]["Schedule"]["Properties"]["Schedule"]
    assert rule == "cron(0 9 * * ? *)"
    told = json.loads(local.run("status", "--json").stdout)
    assert told["dead_letters"] == 0
    assert told["personas"][0]["next_slot"].endswith("T09:00:00.000Z")


def test_a_persona_is_scheduled_unscheduled_and_removed(local: LocalStack) -> None:
    assert local.run("persona", "add", "anna", "--instagram-user-id", ACCOUNT_ID, stdin=TOKEN).exit_code == 0
    scheduled = local.run("persona", "schedule", "anna", "--cron", "0 18 * * ? *", "--timezone", "Europe/Berlin")
    assert scheduled.exit_code == 0
    assert "no schedule starts anything by itself" in scheduled.stderr
    (one,) = json.loads(local.run("status", "--persona", "anna", "--json").stdout)["personas"]
    assert one["next_slot"].endswith("T17:00:00.000Z")
    assert "has no schedule of its own any more" in local.run("persona", "unschedule", "anna").stdout
    assert "anna is removed" in local.run("persona", "remove", "anna", "--yes").stdout


def test_a_start_that_failed_is_sent_again_by_redrive_and_posts(local: LocalStack) -> None:
    local.import_photo("default")
    assert "is empty" in local.run("redrive").stdout
    start = {"persona_id": "berta", "time": "2036-01-02T09:00:00Z"}
    local.invoke("PostNextBest", start, "Event")
    sqs = boto3.client("sqs")
    looked = (
        sqs.receive_message(QueueUrl=local.environment["DEAD_LETTERS_URL"], WaitTimeSeconds=5, VisibilityTimeout=0)
        for _ in range(MOST_LOOKS)
    )
    assert any("Messages" in told for told in looked), (local.folder / LOG).read_text()
    rehearsed = local.run("redrive", "--dry-run").stdout
    assert "would be sent: a start for berta/2036-01-02T09:00:00Z" in rehearsed
    assert "UnknownPersonaError" in rehearsed

    assert local.run("persona", "add", "berta", "--instagram-user-id", ACCOUNT_ID, stdin=TOKEN).exit_code == 0
    local.import_photo("berta")
    assert local.run("redrive").exit_code == 0
    # What Lambda's queue has accepted runs by itself; a second start of the slot tells how it stands.
    answers = (local.invoke("PostNextBest", start)["outcome"] for _ in range(MOST_LOOKS))
    assert next(answer for answer in answers if answer != "in_progress") in {"already_done", "posted"}
    assert len(local.instagram.live_posts(ACCOUNT_ID)) == 1


def test_an_expired_token_is_mended_by_a_new_one(local: LocalStack, capsys: pytest.CaptureFixture[str]) -> None:
    local.import_photo("default")
    local.make("token-expired", capsys)
    assert "code 190, subcode 463" in local.run("post").stdout
    token = local.make("new-token", capsys)
    assert local.run("persona", "set-token", "default", stdin=token).exit_code == 0
    assert local.run("persona", "resume", "default").exit_code == 0
    assert local.run("persona", "check", "default").exit_code == 0


def test_a_blocked_account_pauses_until_it_is_lifted(local: LocalStack, capsys: pytest.CaptureFixture[str]) -> None:
    local.import_photo("default")
    local.make("account-blocked", capsys)
    assert "Instagram restricted the account" in local.run("post").stdout
    local.make("none", capsys)
    assert local.run("persona", "resume", "default").exit_code == 0
    assert local.run("persona", "check", "default").exit_code == 0


def test_a_full_quota_defers_the_post(local: LocalStack, capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    assert trouble.main(["quota-full"], local.folder) == 1
    assert "Nothing was posted today" in capsys.readouterr().err
    local.import_photo("default")
    assert local.run("post").exit_code == 0
    clock.advance()
    local.import_photo("default")
    local.make("quota-full", capsys)
    assert "quota is used up" in local.run("post").stdout
    local.make("none", capsys)
    assert local.instagram.configure().quota_total > 1


@pytest.mark.parametrize(("kind", "outcome"), [("lost-reply", "posted"), ("silence", "unresolved")])
def test_a_lost_reply_leaves_one_live_post_and_an_honest_record(
    local: LocalStack, capsys: pytest.CaptureFixture[str], kind: str, outcome: str
) -> None:
    local.import_photo("default")
    local.make(kind, capsys)
    assert json.loads(local.run("post", "--json").stdout)["outcome"] == outcome
    assert len(local.instagram.live_posts(ACCOUNT_ID)) == 1


def test_a_function_can_be_run_by_hand_as_if_hours_had_passed_and_for_any_persona(local: LocalStack) -> None:
    def invoked(*options: str) -> subprocess.CompletedProcess[str]:
        slot = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:00Z")
        command = [sys.executable, "-m", "local.invoke", "PostNextBest", "-e", "events/scheduler.json", "--time", slot]
        environment = isolated(local.environment)
        return subprocess.run(
            [*command, *options], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    assert json.loads(invoked("--later", "7").stdout)["outcome"] == "too_late"
    assert "there is no persona 'nobody'" in invoked("--persona", "nobody").stderr


def test_without_a_local_stack_the_way_to_one_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trouble.main(["none"], tmp_path) == 1
    assert "make demo KEEP=1" in capsys.readouterr().err
