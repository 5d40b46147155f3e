"""What the functions' package knows of AWS: the operations whose descriptions ``src/Makefile`` leaves in it."""

import re
from pathlib import Path
from typing import Final

_MAKEFILE: Final = Path(__file__).resolve().parents[2] / "src" / "Makefile"


def packaged() -> frozenset[str]:
    """Each as the recorder writes it: ``s3 GetObject``. Raises ValueError where the Makefile has no such list."""
    found = re.search(r"^CALLS := ((?:.*\\\n)*.*)$", _MAKEFILE.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError(f"{_MAKEFILE} has no line that begins with CALLS :=")
    return frozenset(call.replace(":", " ") for call in found[1].replace("\\\n", " ").split())
