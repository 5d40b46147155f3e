"""What preparing a photo costs: ours with scores and hashes, beside rivals that make the rendition alone.

The rivals take turns on the same pictures in the same run. CPU time is that of the whole process, by the system's own
account, less that of the same process with nothing to do, per photo; the least of all turns counts, since other work on
the machine only ever adds to it.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from local.bench.quality import psnr, ssim
from local.bench.rivals import fetch_heic_encoder, fetch_sharp

HERE: Final = Path(__file__).resolve().parent
PROJECT: Final = HERE.parents[1]
PHOTOS_A_TURN: Final = 3

GOALS: Final = {"12 MP.jpg": 0.5, "24 MP.jpg": 0.75, "50 MP.jpg": 1.0}
"""Ours, all included, over sharp's rendition alone, in CPU time."""
MOST_MEMORY: Final = 145_000_000
MOST_LOSS_DB, MOST_LOSS_SSIM = 0.8, 0.005
"""On average, of ours against plain Pillow's JPEG, each measured against plain Pillow's lossless result."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a process took: seconds of CPU and by the clock, and its peak memory in bytes."""

    cpu: float
    wall: float
    peak: int


class Rival:
    """One way to prepare a photo. ``kinds`` are the suffixes that it is measured on."""

    def __init__(self, name: str, command: Sequence[str], kinds: Sequence[str], **environment: str) -> None:
        self.name = name
        self.kinds = kinds
        self._command = list(command)
        self._environment = {**os.environ, **environment}

    def __call__(self, photo: Path, count: int, result: Path | None = None) -> Turn:
        process = self.start(photo, count, result)
        began = time.perf_counter()
        said = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{self.name} failed at {photo.name}")
        return Turn(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, int(said))

    def start(self, photo: Path, count: int, result: Path | None = None) -> subprocess.Popen[bytes]:
        arguments = [str(photo), str(count), *([str(result)] if result else [])]
        return subprocess.Popen([*self._command, *arguments], env=self._environment, stdout=subprocess.PIPE)


def bench_imaging(rounds: int) -> bool:
    """Measure in so many rounds, print the tables, and say whether all goals are met."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        photos = _draw(folder)
        rivals = _rivals()
        turns = _take_turns(rivals, photos, rounds)
        met = _show_costs(rivals, photos, turns)
        met &= _show_throughput(rivals, folder / "12 MP.jpg")
        met &= _show_quality(rivals, folder)
    return met


def _draw(folder: Path) -> list[Path]:
    print("Drawing the photographs ...", flush=True)
    encoder = fetch_heic_encoder()
    if encoder is None:
        print("pip cannot get pillow-heif, so no HEIC is made and none measured.")
    path = os.pathsep.join(str(folder) for folder in (PROJECT / "src", PROJECT, encoder) if folder)
    subprocess.run(
        [sys.executable, "-m", "local.bench.photographs", str(folder)],
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    return sorted(folder.iterdir(), key=lambda photo: (photo.suffix, photo.name))


def _rivals() -> list[Rival]:
    python = [sys.executable, "-m", "local.bench.contender"]
    path = os.pathsep.join((str(PROJECT / "src"), str(PROJECT)))
    found = [
        Rival("ours", [*python, "ours"], (".jpg", ".png", ".heic"), PYTHONPATH=path),
        Rival("plain Pillow", [*python, "plain_pillow"], (".jpg", ".png"), PYTHONPATH=path),
        Rival("floor", [*python, "floor"], (".jpg",), PYTHONPATH=path),
    ]
    sharp = fetch_sharp()
    if sharp is None:
        print("npm cannot get sharp, so there is nothing to hold ours against.")
    else:
        found.insert(1, Rival("sharp", ["node", str(HERE / "sharp.cjs")], (".jpg", ".png"), NODE_PATH=str(sharp)))
    return found


def _take_turns(rivals: list[Rival], photos: list[Path], rounds: int) -> dict[tuple[str, str], Turn]:
    """The cost of one photo, by rival and photo."""
    taken: dict[tuple[str, str], list[Turn]] = {}
    idle: dict[str, list[Turn]] = {}
    for number in range(rounds):
        for photo in photos:
            print(f"Round {number + 1} of {rounds}: {photo.name}", flush=True)
            for rival in rivals:
                if photo.suffix in rival.kinds:
                    idle.setdefault(rival.name, []).append(rival(photo, 0))
                    taken.setdefault((rival.name, photo.name), []).append(rival(photo, PHOTOS_A_TURN))
    return {
        (name, photo): Turn(
            (min(turn.cpu for turn in turns) - statistics.median(turn.cpu for turn in idle[name])) / PHOTOS_A_TURN,
            (min(turn.wall for turn in turns) - statistics.median(turn.wall for turn in idle[name])) / PHOTOS_A_TURN,
            max(turn.peak for turn in turns),
        )
        for (name, photo), turns in taken.items()
    }


def _show_costs(rivals: list[Rival], photos: list[Path], turns: dict[tuple[str, str], Turn]) -> bool:
    shown = Table("photo", "MB", *(f"{rival.name}: CPU ms" for rival in rivals), "ours / sharp", "goal", "peak MB")
    missed = []
    for photo in photos:
        cells = []
        for rival in rivals:
            turn = turns.get((rival.name, photo.name))
            cells.append(f"{turn.cpu * 1000:,.0f}" if turn else "–")
        sharp = turns.get(("sharp", photo.name))
        ratio = turns["ours", photo.name].cpu / sharp.cpu if sharp else None
        goal = GOALS.get(photo.name)
        if goal is not None and (ratio is None or ratio > goal):
            missed.append(f"{photo.name}, CPU")
        peaks = [turns[rival.name, photo.name].peak for rival in rivals if (rival.name, photo.name) in turns]
        if peaks[0] > MOST_MEMORY:
            missed.append(f"{photo.name}, memory")
        shown.add_row(
            photo.name,
            f"{photo.stat().st_size / 1e6:.1f}",
            *cells,
            "–" if ratio is None else f"{ratio:.2f}",
            "" if goal is None else f"{goal:.2f}",
            " / ".join(f"{peak / 1e6:,.0f}" for peak in peaks),
        )
    Console(width=150).print(shown)
    print("ours: with scores and hashes; all others: the rendition alone. Peak memory in the order of the columns.")
    print(
        f"Goals for CPU time and for {MOST_MEMORY / 1e6:.0f} MB: {'missed: ' + '; '.join(missed) if missed else 'met'}."
    )
    return not missed


def _show_throughput(rivals: list[Rival], photo: Path) -> bool:
    """Photos per second with a process for each core. No goal hangs on it."""
    cores, count = os.cpu_count() or 1, 8
    for rival in rivals:
        if rival.name not in ("ours", "sharp"):
            continue
        began = time.perf_counter()
        at_work = [rival.start(photo, count) for _ in range(cores)]
        for process in at_work:
            process.communicate()
        rate = cores * count / (time.perf_counter() - began)
        print(f"{rival.name}: {rate:.1f} photos of 12 MP per second, on {cores} cores, starts included.")
    return True


def _show_quality(rivals: list[Rival], folder: Path) -> bool:
    python = [sys.executable, "-m", "local.bench.contender", "lossless"]
    lossless = Rival("lossless", python, (), PYTHONPATH=os.pathsep.join((str(PROJECT / "src"), str(PROJECT))))
    judged = [rival for rival in rivals if rival.name != "floor"]
    shown = Table("photo", *(f"{rival.name}: dB, SSIM" for rival in judged), "ours loses")
    losses = []
    for name in GOALS:
        reference = folder / "reference.png"
        lossless(folder / name, 1, reference)
        found = {}
        for rival in judged:
            made = folder / "made.jpg"
            rival(folder / name, 1, made)
            found[rival.name] = psnr(made, reference), ssim(made, reference)
        plain, ours = found["plain Pillow"], found["ours"]
        losses.append((plain[0] - ours[0], plain[1] - ours[1]))
        cells = (f"{found[rival.name][0]:.2f}, {found[rival.name][1]:.4f}" for rival in judged)
        shown.add_row(name, *cells, f"{losses[-1][0]:.2f} dB, {losses[-1][1]:.4f}")
    Console(width=150).print(shown)
    decibels, similarity = (statistics.mean(loss[place] for loss in losses) for place in (0, 1))
    met = decibels <= MOST_LOSS_DB and similarity <= MOST_LOSS_SSIM
    print(
        f"On average ours loses {decibels:.2f} dB and {similarity:.4f} SSIM to plain Pillow's JPEG; "
        f"goal: at most {MOST_LOSS_DB} and {MOST_LOSS_SSIM}: {'met' if met else 'MISSED'}."
    )
    return met
