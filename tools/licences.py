"""Writes docs/licences.md: under which licences the deployed packages are, by their own metadata."""

import re
from collections.abc import Mapping
from email.message import Message
from importlib.metadata import distribution
from pathlib import Path
from typing import Final, cast

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "licences.md"
DEPLOYED: Final = {
    "The functions": ROOT / "src" / "requirements.txt",
    "The imaging layer": ROOT / "layers" / "imaging" / "requirements.txt",
}

_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\;]+)", re.MULTILINE)

_TEXT: Final = """# Licences of what is deployed

`make licences` writes this page from the packages' own metadata. fluffy-train itself: Apache-2.0.
"""

_SHARED_LIBRARIES: Final = """
pi-heif's wheel carries libheif and libde265 under LGPL-3.0, as shared libraries that can be replaced; the template
names them with the layer. The texts of that licence, and of the GPL-3.0 that it builds on, are in the layer's folder
`licences`; where their sources are is in pi-heif's `dist-info`. Pillow's wheel carries the libraries of its formats,
whose licences are in Pillow's. `make sbom` lists the packages, not the libraries inside their wheels.
"""


def pins(requirements: Path) -> Mapping[str, str]:
    """The versions that a compiled requirement file names, by package."""
    return dict(_PIN.findall(requirements.read_text(encoding="utf-8")))


def licence_of(name: str) -> str:
    """What the installed package says: its SPDX expression, else its classifiers, else its licence's first line."""
    found = cast("Message", distribution(name).metadata)  # what its loose protocol stands for
    return _expression(found) or _classifiers(found) or _first_line(found)


def _expression(found: Message) -> str:
    return str(found.get("License-Expression") or "")


def _classifiers(found: Message) -> str:
    licences = [one for one in found.get_all("Classifier") or () if one.startswith("License :: ")]
    return ", ".join(sorted({one.rsplit(" :: ", 1)[-1] for one in licences} - {"OSI Approved"}))


def _first_line(found: Message) -> str:
    return str(found.get("License") or "").strip().split("\n", 1)[0]


def page() -> str:
    """The whole page. Raises PackageNotFoundError for a package that is not installed here."""
    parts = [_TEXT]
    for title, requirements in DEPLOYED.items():
        rows = [f"| {name} | {version} | {licence_of(name)} |" for name, version in sorted(pins(requirements).items())]
        parts.append("\n".join([f"\n## {title}\n", "| package | version | licence |", "|---|---|---|", *rows, ""]))
    return "".join([*parts, _SHARED_LIBRARIES])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
