"""A progress bar for work whose end is far: on standard error, and only where somebody looks at it."""

import sys

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from cli.shown import err


class _Rate(ProgressColumn):
    """How many photos are done, and how many a minute."""

    def render(self, task: Task) -> Text:
        done, elapsed = int(task.fields["done"]), task.finished_time or task.elapsed or 0.0
        rate = f", {done * 60 / elapsed:.0f} a minute" if done and elapsed >= 1 else ""
        return Text(f"{done} {task.fields['what']}{rate}")


def progress_bar() -> Progress:
    """Its tasks have the fields ``done``, a number, ``what`` was done, and ``note``."""
    return Progress(
        BarColumn(),
        TaskProgressColumn(),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=err(),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
