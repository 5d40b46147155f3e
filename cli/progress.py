"""How far a long command has come: a bar with rate and time left on a terminal, and a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from cli.shown import err, plain, remark

A_LINE_EVERY: Final = 30.0  # seconds, where there is no terminal


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


@contextmanager
def progress(total: int) -> Iterator[Callable[[str], None]]:
    """Gives what is to be called with the name of each thing of ``total`` that is done."""
    if not sys.stderr.isatty():
        yield _lines(total)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[name]}", markup=False),
    )
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task("", total=total, name="")
        yield lambda name: bar.update(task, advance=1, name=plain(name))


def _lines(total: int) -> Callable[[str], None]:
    began = last = time.monotonic()
    done = 0

    def on_one(_: str) -> None:
        nonlocal done, last
        done += 1
        now = time.monotonic()
        if now - last >= A_LINE_EVERY:
            last = now
            rate = done / (now - began)
            remark(f"{done} of {total}, {rate:.1f}/s, {(total - done) / rate / 60:.0f} min left")

    return on_one


class _DoneRate(ProgressColumn):
    """How many photos are done, and how many a minute."""

    def render(self, task: Task) -> Text:
        done, elapsed = int(task.fields["done"]), task.finished_time or task.elapsed or 0.0
        rate = f", {done * 60 / elapsed:.0f} a minute" if done and elapsed >= 1 else ""
        return Text(f"{done} {task.fields['what']}{rate}")


def progress_bar() -> Progress:
    """For work whose end is far. Its tasks have the fields ``done``, a number, ``what`` was done, and ``note``."""
    return Progress(
        BarColumn(),
        TaskProgressColumn(),
        _DoneRate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=err(),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def counting(what: str) -> Callable[[], None]:
    """What is to be called for each of ``what``, whose number nobody knows: a line now and then says how many."""
    began = last = time.monotonic()
    done = 0

    def on_one() -> None:
        nonlocal done, last
        done += 1
        now = time.monotonic()
        if now - last >= A_LINE_EVERY:
            last = now
            remark(f"{done} {what}, {done / (now - began):.0f}/s")

    return on_one
