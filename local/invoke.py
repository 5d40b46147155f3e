"""Runs a function's real handler with an event file, as `sam local invoke` does, without Docker.

The log goes to standard error and the answer to standard output. The environment says which stack is spoken to.
"""

import argparse
import importlib
import json
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.clock import SystemClock
from local.lambda_context import LambdaContext
from local.tables import resources_of


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.invoke", description=__doc__)
    parser.add_argument("function", help="a function's logical id in template.yaml, such as PostNextBest")
    parser.add_argument(
        "-e", "--event", required=True, help="a JSON file, such as events/schedule.json; - is the input"
    )
    parser.add_argument("--time", help="replaces the event's time, e.g. 2036-01-02T09:00:00Z: another slot")
    parser.add_argument("--persona", help="replaces the event's persona_id (events/scheduler.json)")
    parser.add_argument(
        "--later", type=float, default=0, metavar="HOURS", help="as if so many hours had passed for the function"
    )
    arguments = parser.parse_args()
    given = sys.stdin.read() if arguments.event == "-" else Path(arguments.event).read_text(encoding="utf-8")
    event = json.loads(given)
    if arguments.time:
        event["time"] = arguments.time
    if arguments.persona:
        event["persona_id"] = arguments.persona
    if arguments.later:
        _set_clock_ahead(timedelta(hours=arguments.later))
    properties = resources_of()[arguments.function]["Properties"]
    context = LambdaContext(arguments.function, float(properties["Timeout"]), int(properties["MemorySize"]))
    # Powertools takes hold of standard output at import, which is what Lambda reads the log and the metrics from.
    with redirect_stdout(sys.stderr):
        module, name = properties["Handler"].rsplit(".", 1)
        answer = getattr(importlib.import_module(module), name)(event, context)
    print(json.dumps(answer, ensure_ascii=False))
    return 0


def _set_clock_ahead(by: timedelta) -> None:
    """For this process, whose only clock this is."""

    def now(_: SystemClock) -> datetime:
        return datetime.now(UTC) + by

    SystemClock.now = now  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    sys.exit(main())
