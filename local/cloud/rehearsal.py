"""`make deploy-local`: the real `sam build` and `sam deploy` into the local cloud, and what the stack does then.

Ends with status 0 if all of it held.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from local.cloud.delivery import Delivery, deliver
from local.cloud.lambda_runtime import LambdaRuntime
from local.cloud.refusal import RefusedError
from local.cloud.server import CloudServer
from local.cloud.starts import Start, due, uploaded
from local.environment import ACCOUNT_ID, TOKEN, USERNAME, isolated
from local.instagram import EmulatorServer, LivePost, StartingAccount
from local.runtime_emulator import NotThereError, Tools
from local.sam_cli import SamError, run_sam
from local.sample_library import PICTURES, draw_sample_library

ROOT: Final = Path(__file__).resolve().parents[2]
STACK: Final = "fluffy-train"
SECOND, SECOND_ID, SECOND_TOKEN = "anna", "17841400000000002", "IGLOCAL111111111111111111111111111111111"

console = Console(highlight=False, soft_wrap=True)


class StoppedError(Exception):
    """The rehearsal cannot go on. The text says why."""


def main() -> int:
    argparse.ArgumentParser(prog="python -m local.cloud.rehearsal", description=__doc__).parse_args()
    accounts = [
        StartingAccount(ACCOUNT_ID, TOKEN, username=USERNAME),
        StartingAccount(SECOND_ID, SECOND_TOKEN, username=SECOND),
    ]
    try:
        tools = Tools.found_in(ROOT)
        with (
            tempfile.TemporaryDirectory() as scratch,
            CloudServer() as cloud,
            EmulatorServer(accounts=accounts) as instagram,
        ):
            return Rehearsal(cloud, instagram, tools, Path(scratch)).run()
    except (NotThereError, RefusedError, StoppedError, SamError) as error:
        console.print(f"[red]{error}[/]")
        return 1


class Rehearsal:
    def __init__(self, cloud: CloudServer, instagram: EmulatorServer, tools: Tools, folder: Path) -> None:
        self._cloud, self._instagram, self._folder = cloud, instagram, folder
        hosts = {"INSTAGRAM_GRAPH_URL": instagram.instagram_url, "FACEBOOK_GRAPH_URL": instagram.facebook_url}
        self._environment = isolated(cloud.environment | hosts)
        endpoints = {"AWS_ENDPOINT_URL": cloud.account.url} | hosts
        (folder / "functions").mkdir()
        self._runtime = LambdaRuntime(cloud.account, tools, folder / "functions", endpoints)
        self._failed = 0

    def run(self) -> int:
        began = time.monotonic()
        self._deploy()
        self._add_personas_and_photos()
        self._upload()
        # The next 9 o'clock: a slot that has not been, and for which the functions' own clock is not too late.
        morning = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self._post(morning)
        self._post_by_the_scheduler(morning + timedelta(minutes=30))
        self._run_the_rest(morning.replace(hour=0))
        failed = f"[red]{self._failed} did not hold[/]" if self._failed else "[green]all of it held[/]"
        console.print(f"\n{failed}, in {time.monotonic() - began:.0f} s")
        return int(self._failed > 0)

    def _deploy(self) -> None:
        self._title("sam build, and sam deploy from nothing")
        # It fetches the packages as this machine does, by a proxy if need be; it speaks to no cloud.
        self._sam(dict(os.environ), "build")
        self._sam(self._environment, "deploy", "--no-confirm-changeset", "--no-progressbar", "--stack-name", STACK)
        stack = self._cloud.cloudformation.stack(STACK)
        self._expect(stack.status == "CREATE_COMPLETE", f"{STACK} is {stack.status}, with {len(stack.made)} resources")

    def _add_personas_and_photos(self) -> None:
        self._title("The personas and their photos, by the owner's commands")
        photos = self._folder / "photos"
        draw_sample_library(photos)
        # One that has no score yet is kept back, to be uploaded.
        kept_back = next(picture.file for picture in PICTURES if picture.aesthetic_score is None)
        (photos / kept_back).rename(self._folder / "upload.jpg")
        self._command("persona", "add", "default", "--instagram-user-id", ACCOUNT_ID, token=TOKEN)
        self._command("persona", "add", SECOND, "--instagram-user-id", SECOND_ID, token=SECOND_TOKEN)
        for persona in ("default", SECOND):
            arguments = ("--persona", persona, "--scores", str(photos / "scores.csv"))
            self._command("photos", "import", str(photos), *arguments)
        self._command("persona", "schedule", SECOND, "--cron", "30 9 * * ? *", "--timezone", "UTC")

    def _upload(self) -> None:
        self._title("An upload: the bucket tells EventBridge, and that IngestPhoto")
        bucket = self._output("PhotosBucketName")
        before = self._photos_of(SECOND)
        picture = (self._folder / "upload.jpg").read_bytes()
        key = f"incoming/{SECOND}/upload.jpg"
        self._cloud.account.client("s3").put_object(Bucket=bucket, Key=key, Body=picture)
        deliveries = self._deliver(uploaded(self._cloud.account, bucket, key, datetime.now(UTC)), "IngestPhoto")
        self._expect(len(deliveries) == 1 and self._photos_of(SECOND) == before + 1, "the upload is in the library")

    def _post(self, at: datetime) -> None:
        self._title(f"The rule fires: {at:%Y-%m-%d %H:%M} UTC")
        best = json.loads(self._output_of("next", "--json"))["photos"][0]["photo_id"]
        self._deliver(due(self._cloud.account, at), "PostNextBest", "posted")
        live = self._live(ACCOUNT_ID)
        self._expect(len(live) == 1, f"one post is live: {', '.join(one.shortcode for one in live)}")
        newest = json.loads(self._output_of("history", "--json"))[0]
        recorded = (newest["photo_id"], newest["status"], newest["provider_post_id"])
        self._expect(
            recorded == (best, "posted", live[0].media_id if live else None), "it is the best photo's, on record"
        )
        self._command("history")
        self._title("The same event once more")
        self._deliver(due(self._cloud.account, at), "PostNextBest", "already_done")
        self._expect(self._live(ACCOUNT_ID) == live, "nothing more is live")

    def _post_by_the_scheduler(self, at: datetime) -> None:
        self._title(f"{SECOND}'s own schedule fires: {at:%Y-%m-%d %H:%M} UTC")
        self._deliver(due(self._cloud.account, at), "PostNextBest", "posted")
        self._expect(len(self._live(SECOND_ID)) == 1, f"one post of {SECOND}'s is live")

    def _run_the_rest(self, at: datetime) -> None:
        self._title(f"The other rules: {at:%Y-%m-%d %H:%M} UTC")
        started = {self._function(one.start) for one in self._deliver(due(self._cloud.account, at))}
        self._expect(started == {"Reconcile", "RefreshTokens"}, f"started: {', '.join(sorted(started))}")

    def _deliver(self, starts: Any, function: str | None = None, outcome: str | None = None) -> Sequence[Delivery]:
        """Deliver all starts, each of which must end well, ``function``'s with ``outcome``. Those of ``function``."""
        deliveries = list(deliver(self._cloud.account, starts, self._runtime))
        for one in deliveries:
            name = self._function(one.start)
            if one.invocation is None:
                self._expect(False, f"{one.refused} Kept as a dead letter: {one.dead_letter}")
            else:
                console.print(f"{name}: {json.dumps(one.invocation.answer, ensure_ascii=False)}", markup=False)
                self._expect(not one.invocation.failed, f"{name} ended well")
                if one.invocation.failed:
                    console.print(one.invocation.log, markup=False)
        wanted = [one for one in deliveries if function in (None, self._function(one.start))]
        if outcome is not None:
            answers = [one.invocation.answer for one in wanted if one.invocation and not one.invocation.failed]
            outcomes = [answer.get("outcome") for answer in answers]
            self._expect(outcomes == [outcome], f"{function} answered {', '.join(map(str, outcomes)) or 'nothing'}")
        return wanted

    def _function(self, start: Start) -> str:
        """The logical id of the function that is started."""
        made = self._cloud.cloudformation.stack(STACK).made
        return next(name for name, one in made.items() if one.attributes.get("Arn") == start.target_arn)

    def _live(self, account_id: str) -> Sequence[LivePost]:
        return self._instagram.live_posts(account_id)

    def _photos_of(self, persona: str) -> int:
        return len(json.loads(self._output_of("queue", "-n", "100", "--persona", persona, "--json"))["photos"])

    def _output(self, name: str) -> str:
        outputs = self._cloud.cloudformation.stack(STACK).outputs
        return next(output["OutputValue"] for output in outputs if output["OutputKey"] == name)

    def _sam(self, environment: Mapping[str, str], *words: str) -> None:
        seconds = run_sam(environment, *words)
        console.print(f"[dim]$ sam {' '.join(words)}[/]   {seconds:.1f} s")

    def _command(self, *words: str, token: str | None = None) -> None:
        console.print(f"[dim]$ fluffy-train --stack {STACK} {' '.join(words)}[/]")
        done = subprocess.run(
            self._fluffy_train(*words), cwd=ROOT, env=self._environment, input=token, text=True, check=False
        )
        if done.returncode != 0:
            raise StoppedError(f"`fluffy-train {' '.join(words)}` ended with status {done.returncode}.")

    def _output_of(self, *words: str) -> str:
        done = subprocess.run(
            self._fluffy_train(*words), cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    @staticmethod
    def _fluffy_train(*words: str) -> Sequence[str]:
        return [sys.executable, "-m", "cli", "--stack", STACK, *words]

    def _expect(self, holds: bool, text: str) -> None:
        self._failed += not holds
        console.print(f"[green]✓[/] {text}" if holds else f"[red]✗ {text}[/]")

    @staticmethod
    def _title(text: str) -> None:
        console.print(f"\n[bold]── {text} ──[/]")


if __name__ == "__main__":
    sys.exit(main())
