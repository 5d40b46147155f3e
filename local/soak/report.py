"""How a soak's reckoning is shown."""

from rich.console import Console
from rich.table import Table

from local.soak.reckoning import Reckoning
from local.soak.settings import SoakSettings

MOST_CULPRITS = 10


def show(reckoning: Reckoning, soak: SoakSettings, console: Console) -> None:
    """The promises, then what came of the slots, then what was done to them."""
    promises = Table("must be zero", "count", title=f"Chaos soak, seed {soak.seed}")
    promises.columns[1].justify = "right"
    for promise, culprits in reckoning.broken.items():
        promises.add_row(promise, f"[bold red]{len(culprits)}" if culprits else "0")
    console.print(promises)
    for promise, culprits in reckoning.broken.items():
        for culprit in culprits[:MOST_CULPRITS]:
            console.print(f"{promise}: {culprit}", style="red", markup=False, highlight=False)
    outcomes = Table("outcome", "count")
    outcomes.columns[1].justify = "right"
    for outcome, count in sorted(reckoning.outcomes.items()):
        outcomes.add_row(outcome, f"{count:,}")
    console.print(outcomes)
    faults = Table("fault", "times", "fault", "times")
    rows = sorted(reckoning.faults.items())
    half = -(-len(rows) // 2)
    for (left, left_count), (right, right_count) in zip(rows[:half], [*rows[half:], ("", 0)], strict=False):
        faults.add_row(left, f"{left_count:,}", right, f"{right_count:,}" if right else "")
    for place in (1, 3):
        faults.columns[place].justify = "right"
    console.print(faults)
    verdict = "kept" if reckoning.is_clean else "BROKEN"
    console.print(
        f"Promises {verdict}: {soak.slots_each * soak.personas:,} slots of {soak.personas} personas, "
        f"{soak.probability:.0%} of calls failing, seed {soak.seed}, {soak.workers} workers, "
        f"{reckoning.seconds:.0f} s.",
        highlight=False,
    )
