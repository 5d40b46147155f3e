"""Writes template.yaml as CloudFormation gets it, after SAM's transform, for what audits templates.

Conditions and intrinsic functions stand as they are, so that what only some parameters deploy is audited as well.
"""

import argparse
import json
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from local.cloud.sam_transform import as_uploaded, expanded
from local.tables import TEMPLATE


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.expanded_template", description=__doc__)
    parser.add_argument("into", type=Path, help="the JSON file to write")
    arguments = parser.parse_args()
    template = as_uploaded(yaml_parse(TEMPLATE.read_text(encoding="utf-8")))
    defaults = {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}
    arguments.into.parent.mkdir(parents=True, exist_ok=True)
    arguments.into.write_text(json.dumps(expanded(template, defaults, "eu-central-1"), indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
