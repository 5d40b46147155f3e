"""`make smoke`: every file of events/ by the real `sam build` and `sam local invoke`, in Docker, on the local stack.

Ends with status 0 if every outcome was as `STARTS` says, 1 if one was not, 2 if something is not there that it needs.
"""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from rich.console import Console
from rich.table import Table

from handlers import uploads
from local.environment import (
    ACCOUNT_ID,
    BUCKET,
    PERSONA,
    REGION,
    Addresses,
    isolate_process,
    isolated,
    settings,
    table,
)
from local.instagram.control_client import EmulatorControl
from local.owner_commands import CommandError, OwnerCommands
from local.sam_cli import SAM, SamError, run_sam
from local.sample_library import PICTURES, draw_sample_library
from local.stack_process import StackError, end_stack, start_stack

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / ".smoke"
EVENTS: Final = ROOT / "events"
IMAGE: Final = "public.ecr.aws/lambda/python:3.13-x86_64"
"""What SAM builds its own images on, by the functions' runtime and architecture (samcli.local.docker.lambda_image)."""
BRIDGE: Final = "172.17.0.1"
"""Docker's bridge, where Docker does not say."""
LONGEST_START: Final = 300.0  # seconds
WIDTH: Final = 120
"""Of what is printed into a file."""
_CONTAINER: Final = re.compile(r"SAM_CONTAINER_ID: ([0-9a-f]{64})")

Outcomes = tuple[str, ...]
"""What an answer says, of each post, file or token that it tells of."""


@dataclass(frozen=True, slots=True)
class Starts:
    """``function`` is started with one file, again and again; each time the outcomes are to be the next of these."""

    function: str
    expected: tuple[Outcomes, ...]


STARTS: Final[Mapping[str, tuple[Starts, ...]]] = {
    "ingest-photo.json": (Starts("IngestPhoto", (("added",), ("unchanged",))),),
    # It tells of the same object.
    "ingest-photo-s3.json": (Starts("IngestPhoto", (("unchanged",),)),),
    "dry-run.json": (Starts("PostNextBest", (("dry_run",),)),),
    "schedule.json": (
        Starts("PostNextBest", (("posted",), ("already_done",))),
        # A post that is done is none of the reconciler's.
        Starts("Reconcile", ((),)),
        # The token is a minute old, and one younger than a day is left alone.
        Starts("RefreshTokens", (("young",),)),
    ),
    "scheduler.json": (Starts("PostNextBest", (("posted",), ("already_done",))),),
    # By hand each start is a slot of its own.
    "by-hand.json": (Starts("PostNextBest", (("posted",),)),),
    "by-hand-persona.json": (Starts("PostNextBest", (("posted",),)),),
}
"""By file of events/, in the order in which they are run."""


class NotThereError(Exception):
    """Something that the smoke test needs is not on this machine. The text says what to do."""


class StoppedError(Exception):
    """The smoke test cannot go on. The text says why."""


@dataclass(frozen=True, slots=True)
class Start:
    """``faults`` are what did not hold, in words."""

    file: str
    function: str
    expected: Outcomes
    answer: Any
    faults: tuple[str, ...]
    seconds: float


def main() -> int:
    argparse.ArgumentParser(prog="python -m local.smoke", description=__doc__).parse_args()
    # So that the stack and the containers are ended then too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)
    # `sam build` fetches the packages as this machine does, by a proxy if need be; it speaks to no cloud.
    as_given = dict(os.environ)
    isolate_process({})
    try:
        check_what_is_needed()
        check_the_table()
        return _run(console, as_given)
    except NotThereError as error:
        console.print(f"`make smoke` cannot run here. {error}", markup=False)
        return 2
    except (StoppedError, SamError, StackError, CommandError) as error:
        console.print(str(error), style="red", markup=False)
        return 1


def check_what_is_needed() -> None:
    """Raises NotThereError."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NotThereError("The package is built for Linux on x86_64, and Docker's bridge must be this machine's own.")
    if not SAM.exists():
        raise NotThereError("The SAM CLI is not there: `make sam`.")
    if shutil.which("docker") is None:
        raise NotThereError("There is no docker: install Docker's engine (Debian, Ubuntu: `apt install docker.io`).")
    engine = _docker("info", "--format", "{{.ServerVersion}}")
    if engine.returncode != 0:
        raise NotThereError(
            "Docker's engine does not answer: start it (`systemctl start docker`, or as root `dockerd &`), "
            f"and be root or in the group docker. It says: {engine.stderr.strip()}"
        )
    if _docker("image", "inspect", IMAGE).returncode != 0:
        raise NotThereError(f"There is no image {IMAGE}: `docker pull {IMAGE}`.")


def check_the_table() -> None:
    """Raises StoppedError if a file of events/ has no entry in ``STARTS``, or an entry no file."""
    there = {file.name for file in EVENTS.iterdir()}
    if there != STARTS.keys():
        differing = ", ".join(sorted(there ^ STARTS.keys()))
        raise StoppedError(f"STARTS in local/smoke.py and the files of events/ differ: {differing}.")


def outcomes_of(answer: Any) -> Outcomes:
    """Of a handler's answer, whichever function's it is; ``error: …`` where the function raised."""
    match answer:
        case {"errorType": kind}:
            return (f"error: {kind}",)
        case {"outcome": outcome}:
            return (outcome,)
        case {"files": files}:
            return tuple(file["reception"] for file in files)
        case {"posts": entries} | {"tokens": entries}:
            return tuple(entry["outcome"] for entry in entries)
        case _:
            return (f"no answer that we know: {answer!r:.80}",)


def _run(console: Console, as_given: Mapping[str, str]) -> int:
    began = time.monotonic()
    FOLDER.mkdir(exist_ok=True)
    logs = FOLDER / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir()
    seconds = run_sam({**as_given, "AWS_DEFAULT_REGION": REGION}, "build")
    console.print(f"[dim]$ sam build[/]   {seconds:.1f} s")
    photos, upload = _library()
    # Of a run that was killed: with its posts on record nothing would be as it is to be.
    end_stack(FOLDER)
    try:
        addresses = start_stack(FOLDER, _bridge())
        console.print(f"The local stack: {addresses.aws} and {addresses.instagram}")
        owner = OwnerCommands(addresses, console)
        owner.add_persona()
        owner.run("photos", "import", str(photos), "--persona", PERSONA, "--scores", str(photos / "scores.csv"))
        _upload(addresses, upload)
        starts = list(Smoke(addresses, owner, logs).starts(console))
    finally:
        _remove_containers(logs)
        end_stack(FOLDER)
    _show(console, starts)
    faulty = sum(bool(start.faults) for start in starts)
    verdict = f"{faulty} of {len(starts)} starts did not hold; their logs: {logs}" if faulty else "all of it held"
    seconds = time.monotonic() - began
    console.print(f"{len(starts)} starts, {len(STARTS)} files: {verdict}, in {seconds:.0f} s", markup=False)
    return int(faulty > 0)


class Smoke:
    def __init__(self, addresses: Addresses, owner: OwnerCommands, logs: Path) -> None:
        self._addresses = addresses
        self._owner = owner
        self._logs = logs
        self._instagram = EmulatorControl(addresses.instagram)
        self._posted: dict[str, str] = {}
        """The media id of each slot that was posted."""

    def starts(self, console: Console) -> Iterator[Start]:
        for file, all_starts in STARTS.items():
            for starts in all_starts:
                for number, expected in enumerate(starts.expected, 1):
                    best = self._owner.answer("next")["photos"][0]["photo_id"]
                    began = time.monotonic()
                    answer = self._invoke(starts.function, file, number)
                    seconds = time.monotonic() - began
                    faults = tuple(self._faults(file, answer, expected, best))
                    console.print(f"{starts.function}, {file}: {json.dumps(answer, ensure_ascii=False)}", markup=False)
                    yield Start(file, starts.function, expected, answer, faults, seconds)

    def _invoke(self, function: str, file: str, number: int) -> Any:
        """The function's answer, which SAM prints to standard output; the log goes to a file. Raises StoppedError."""
        command = [str(SAM), "local", "invoke", function, "-e", str(EVENTS / file)]
        command += ["--env-vars", str(FOLDER / "sam-env.json"), "--skip-pull-image"]
        path = self._logs / f"{function}-{Path(file).stem}-{number}.log"
        environment = isolated({**settings(self._addresses), "SAM_CLI_TELEMETRY": "0"})
        with path.open("w", encoding="utf-8") as log:
            try:
                done = subprocess.run(
                    command,
                    cwd=ROOT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    check=False,
                    timeout=LONGEST_START,
                )
            except subprocess.TimeoutExpired:
                raise StoppedError(f"`sam local invoke {function}` took over {LONGEST_START:.0f} s: {path}.") from None
        if done.returncode != 0:
            raise StoppedError(f"`sam local invoke {function}` ended with status {done.returncode}: {path}.")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise StoppedError(f"`sam local invoke {function}` printed no answer, {done.stdout!r}: {path}.") from None

    def _faults(self, file: str, answer: Any, expected: Outcomes, best: str) -> Iterator[str]:
        outcomes = outcomes_of(answer)
        if outcomes != expected:
            yield f"expected {_told(expected)}, not {_told(outcomes)}"
        else:
            match answer:
                case {"outcome": "posted" | "already_done" | "dry_run"}:
                    yield from self._post_faults(file, answer, best)
                case {"files": files}:
                    yield from self._photo_faults(files)
        live = sorted(post.media_id for post in self._instagram.live_posts(ACCOUNT_ID))
        if live != sorted(self._posted.values()):
            yield f"live are {live}, not {sorted(self._posted.values())}"

    def _post_faults(self, file: str, answer: Mapping[str, Any], best: str) -> Iterator[str]:
        """Takes note of what was posted."""
        outcome, slot = answer["outcome"], answer["slot"]
        time_of_event = json.loads((EVENTS / file).read_text(encoding="utf-8")).get("time", slot)
        if slot != time_of_event:
            yield f"the slot is {slot}, not {time_of_event}"
        if outcome == "already_done" and answer.get("provider_post_id") != self._posted.get(slot):
            yield f"it was posted as {self._posted.get(slot)}, not {answer.get('provider_post_id')}"
        if outcome != "already_done" and answer["photo_id"] != best:
            yield f"the best photo was {best}, not {answer['photo_id']}"
        if outcome == "posted":
            self._posted[slot] = answer["provider_post_id"]
        key = {"persona_id": answer["persona_id"], "slot": slot}
        record = table(self._addresses, "PostsTable").get_item(Key=key).get("Item")
        if outcome == "dry_run":
            if record is not None:
                yield "a dry run left a record"
        elif record is None:
            yield "there is no record of the post"
        else:
            facts = {"status": "posted"} | {name: answer[name] for name in ("photo_id", "provider_post_id")}
            yield from (
                f"on record is {name} {record.get(name)}, not {value}"
                for name, value in facts.items()
                if record.get(name) != value
            )

    def _photo_faults(self, files: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        photos = table(self._addresses, "PhotosTable")
        for file in files:
            key = {"persona_id": PERSONA, "photo_id": file["photo_id"]}
            if "Item" not in photos.get_item(Key=key):
                yield f"the photo {file['photo_id']} is not in the library"


def _library() -> tuple[Path, Path]:
    """The folder to import, and a picture without a score that is kept back from it, to be uploaded."""
    photos, upload = FOLDER / "photos", FOLDER / "upload.jpg"
    if not upload.exists():
        draw_sample_library(photos)
        kept_back = next(picture.file for picture in PICTURES if picture.aesthetic_score is None)
        (photos / kept_back).rename(upload)
    return photos, upload


def _upload(addresses: Addresses, picture: Path) -> None:
    """Put it where the uploads' events say that it arrived."""
    of_uploads = [
        file for file, all_starts in STARTS.items() if any(one.function == "IngestPhoto" for one in all_starts)
    ]
    session = boto3.session.Session("local", "local", region_name=REGION)
    s3 = session.client("s3", endpoint_url=addresses.aws)
    for file in of_uploads:
        for key in uploads.parse(json.loads((EVENTS / file).read_text(encoding="utf-8")), BUCKET):
            s3.put_object(Bucket=BUCKET, Key=key, Body=picture.read_bytes())


def _docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=False)


def _bridge() -> str:
    """This machine's address on Docker's bridge, by which the containers reach it and nobody from outside does."""
    told = _docker("network", "inspect", "bridge", "--format", "{{range .IPAM.Config}}{{.Gateway}}{{end}}").stdout
    # An engine that runs no container yet may not tell.
    return told.strip() or BRIDGE


def _remove_containers(logs: Path) -> None:
    """Those that SAM started and, because it was killed, did not remove. They are known by its logs."""
    ours = {found for log in logs.glob("*.log") for found in _CONTAINER.findall(log.read_text(encoding="utf-8"))}
    left = ours.intersection(_docker("ps", "--all", "--quiet", "--no-trunc").stdout.split())
    if left:
        _docker("rm", "--force", *sorted(left))


def _show(console: Console, starts: Sequence[Start]) -> None:
    shown = Table()
    for column in ("event", "function", "expected", "answered", "held"):
        shown.add_column(column)
    shown.add_column("s", justify="right")
    for start in starts:
        held = "[red]" + "; ".join(start.faults) + "[/]" if start.faults else "[green]yes[/]"
        answered = _told(outcomes_of(start.answer))
        shown.add_row(start.file, start.function, _told(start.expected), answered, held, f"{start.seconds:.1f}")
    console.print(shown)


def _told(outcomes: Outcomes) -> str:
    return ", ".join(outcomes) or "nothing to do"


if __name__ == "__main__":
    sys.exit(main())
