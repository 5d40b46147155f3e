"""Runs a function's real handler with an event file, as `sam local invoke` does, without Docker.

The log goes to standard error and the answer to standard output. The environment says which stack is spoken to.
"""

import argparse
import importlib
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from local.lambda_context import LambdaContext
from local.tables import TEMPLATE


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.invoke", description=__doc__)
    parser.add_argument("function", help="a function's logical id in template.yaml, such as PostNextBest")
    parser.add_argument("-e", "--event", type=Path, required=True, help="a JSON file, such as events/schedule.json")
    parser.add_argument("--time", help="replaces the event's time, e.g. 2036-01-02T09:00:00Z: another slot")
    arguments = parser.parse_args()
    event = json.loads(arguments.event.read_text(encoding="utf-8"))
    if arguments.time:
        event["time"] = arguments.time
    properties = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Resources"][arguments.function]["Properties"]
    context = LambdaContext(arguments.function, float(properties["Timeout"]), int(properties["MemorySize"]))
    # Powertools takes hold of standard output at import, which is what Lambda reads the log and the metrics from.
    with redirect_stdout(sys.stderr):
        module, name = properties["Handler"].rsplit(".", 1)
        answer = getattr(importlib.import_module(module), name)(event, context)
    print(json.dumps(answer, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
