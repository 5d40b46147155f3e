"""`make demo`: a folder of photos, a schedule's event, and what becomes of them, on the embedded local stack."""

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import requests
from rich.console import Console
from rich.table import Table

from local.environment import ACCOUNT_ID, PERSONA, Addresses, isolate_process, table
from local.owner_commands import CommandError, OwnerCommands
from local.sample_library import draw_sample_library
from local.scores import write_scores
from local.stack import LOG
from local.stack_process import StackError, end_stack, running_stack, start_stack

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / ".demo"
EVENT: Final = ROOT / "events" / "schedule.json"

console = Console(highlight=False)


class DemoError(Exception):
    """The demo cannot go on. The text says what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--photos", type=Path, help="a folder of your own photos (a drawn sample library)")
    parser.add_argument("--slot", help="the slot to run, e.g. 2036-01-02T09:00:00Z (that of events/schedule.json)")
    parser.add_argument("--keep", action="store_true", help="leave the stack up")
    parser.add_argument("--down", action="store_true", help="end a stack that was left up, and do nothing else")
    parser.add_argument("--host", default="127.0.0.1", help="where the stack listens (127.0.0.1)")
    arguments = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    isolate_process({})
    if arguments.down:
        return _end_stack()
    try:
        return Demo(arguments).run()
    except (DemoError, StackError, CommandError) as error:
        console.print(f"[red]{error}[/]")
        return 1
    finally:
        if not arguments.keep:
            _end_stack()


class Demo:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._photos: Path = (arguments.photos or FOLDER / "photos").resolve()
        self._names: dict[str, str] = {}

    def run(self) -> int:
        _title("1. The library")
        scores = self._library()
        _title("2. The local stack")
        self._addresses = self._start_stack()
        self._owner = OwnerCommands(self._addresses, console)
        _title("3. The persona and its photos")
        self._owner.add_persona()
        self._owner.run("photos", "import", str(self._photos), "--persona", PERSONA, "--scores", str(scores))
        _title("4. The queue, best first")
        self._owner.run("next")
        event = json.loads(EVENT.read_text(encoding="utf-8"))
        slot = self._arguments.slot or event["time"]
        _title(f"5. The schedule fires (events/schedule.json): the slot {slot}")
        failed = not self._invoke(slot)
        if not self._arguments.slot:
            _title("6. EventBridge delivers the same event again")
            failed |= not self._invoke(slot)
            following = _a_day_after(slot)
            _title(f"7. The next slot, {following}")
            failed |= not self._invoke(following)
        _title("What is on record")
        self._owner.run("history")
        self._show_feed()
        return int(failed)

    def _library(self) -> Path:
        """Draw or look at the folder; the CSV with its scores."""
        if self._arguments.photos is None and not self._photos.exists():
            console.print("Drawing a sample library (your own: make demo PHOTOS=~/Pictures/some-folder) ...")
            draw_sample_library(self._photos)
        if not self._photos.is_dir():
            raise DemoError(f"There is no folder {self._photos}: give one that holds photos, PHOTOS=<folder>.")
        files = sorted(path for path in self._photos.rglob("*") if path.is_file())
        self._names = {hashlib.sha256(path.read_bytes()).hexdigest(): path.name for path in files}
        console.print(f"{self._photos} has {len(files)} files.")
        scores = self._photos / "scores.csv"
        if scores.exists():
            return scores
        scores = FOLDER / "scores.csv"
        console.print(f"It has no scores.csv, so the photos are measured: {write_scores(self._photos, scores)} scores.")
        return scores

    def _start_stack(self) -> Addresses:
        addresses = running_stack(FOLDER) or start_stack(FOLDER, self._arguments.host)
        console.print(
            f"DynamoDB, S3 and SSM (moto): {addresses.aws}\nInstagram (our emulator):     {addresses.instagram}"
        )
        return addresses

    def _invoke(self, slot: str) -> bool:
        """Run the real handler as a process of its own; whether it ended well."""
        queue = self._owner.answer("next", "-n", "2")["photos"]
        command = [sys.executable, "-m", "local.invoke", "PostNextBest", "-e", str(EVENT), "--time", slot]
        environment = self._owner.environment
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        with (FOLDER / LOG).open("a", encoding="utf-8") as log:
            log.write(done.stderr)
        if done.returncode != 0:
            console.print(f"[red]The function raised an error; its log is {FOLDER / LOG}:[/]\n{done.stderr[-2000:]}")
            return False
        answer = json.loads(done.stdout)
        console.print_json(data=answer)
        if answer["outcome"] == "posted":
            self._show_post(answer, queue)
        elif answer["outcome"] == "already_done":
            console.print(f"[green]Nothing was posted: {answer['reason']}[/]")
        else:
            console.print(f"[yellow]{answer.get('reason', '')}[/]")
        return answer["outcome"] in {"posted", "already_done", "nothing_to_post"}

    def _show_post(self, answer: Mapping[str, Any], queue: Sequence[Mapping[str, Any]]) -> None:
        console.print(f"[bold green]Posted {self._name(answer['photo_id'])}.[/]")
        best = next((photo for photo in queue if photo["photo_id"] == answer["photo_id"]), None)
        if best is not None:
            others = [photo for photo in queue if photo["rank"] > best["rank"]]
            runner_up = f"{self._name(others[0]['photo_id'])} with {others[0]['aesthetic_score']}" if others else "none"
            console.print(
                f"Why: score {best['aesthetic_score']}, rank {best['rank']} of the queue. Runner-up: {runner_up}."
            )
        key = {"persona_id": answer["persona_id"], "slot": answer["slot"]}
        record = table(self._addresses, "PostsTable").get_item(Key=key)["Item"]
        shown = Table(title="The post's record", title_justify="left", show_header=False)
        for attribute, value in sorted(record.items()):
            shown.add_row(attribute, str(value))
        console.print(shown)

    def _name(self, photo_id: str) -> str:
        """The file that the photo came from, for people."""
        return self._names.get(photo_id, photo_id)

    def _show_feed(self) -> None:
        address = f"{self._addresses.instagram}/feed/{ACCOUNT_ID}"
        page = requests.get(address, timeout=10).text
        saved = FOLDER / "feed.html"
        saved.write_text(_self_contained(page, self._addresses.instagram), encoding="utf-8")
        _title("The account, as its followers see it")
        console.print(f"A copy to open in a browser: {saved}")
        if self._arguments.keep:
            console.print(f"Live, while the stack is up:  {address}")
            console.print(
                "\nThe stack stays up. Play with it:\n"
                "  . .demo/env && .venv/bin/fluffy-train next\n"
                "  . .demo/env && .venv/bin/fluffy-train post\n"
                "  make demo KEEP=1 SLOT=2036-01-03T09:00:00Z\n"
                "  .venv/bin/python -m local.trouble --help    (docs/local-stack.md)\n"
                "and end it with `make demo-down`."
            )
        else:
            console.print(f"It was served at {address}; `make demo KEEP=1` leaves it up.")


def _end_stack() -> int:
    if end_stack(FOLDER):
        console.print("\nThe local stack has ended; nothing of it is left but the .demo folder.")
    return 0


def _a_day_after(slot: str) -> str:
    following = datetime.fromisoformat(slot).astimezone(UTC) + timedelta(days=1)
    return following.strftime("%Y-%m-%dT%H:%M:%SZ")


def _self_contained(page: str, base: str) -> str:
    """The page with its pictures inside, so that it can be opened when the stack is gone."""

    def inlined(match: re.Match[str]) -> str:
        picture = requests.get(f"{base}{match[1]}", timeout=10).content
        return f'src="data:image/jpeg;base64,{base64.b64encode(picture).decode()}"'

    allowed = page.replace("img-src 'self'", "img-src data:")
    return re.sub(r'src="(/_emulator/media/[^"]+)"', inlined, allowed)


def _title(text: str) -> None:
    console.print()
    console.print(f"[bold]── {text} ──[/]", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
