"""`make soak`: run a chaos soak and show its reckoning. Exit status 1 when a promise was broken."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from local import soak as package
from local.dynamodb_local import NotThereError
from local.soak import Soak, run_soak
from local.soak.report import show
from local.soak.servers import servers
from local.soak.settings import SoakSettings


def main() -> int:
    usual = SoakSettings()
    parser = argparse.ArgumentParser(
        prog="python -m local.soak", description=package.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--slots", type=int, default=usual.slots, help=f"in all ({usual.slots})")
    parser.add_argument("--personas", type=int, default=usual.personas, help=f"({usual.personas})")
    parser.add_argument("--probability", type=float, default=usual.probability, help=f"({usual.probability})")
    parser.add_argument("--seed", type=int, default=usual.seed, help=f"({usual.seed})")
    parser.add_argument("--workers", type=int, default=usual.workers, help=f"processes ({usual.workers})")
    parser.add_argument("--logs", type=Path, help="keep what the runs logged in this folder")
    chosen = parser.parse_args()
    try:
        settings = SoakSettings(chosen.slots, chosen.personas, chosen.probability, chosen.seed, chosen.workers)
        with servers() as running:
            reckoning = run_soak(Soak(settings, running, chosen.logs))
    except (NotThereError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    show(reckoning, settings, Console(width=120))
    return 0 if reckoning.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
