"""Fetches what the bench of photo preparation compares with. Nothing of it is needed to run or to test the project."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

TOOLS: Final = Path(__file__).resolve().parents[2] / ".tools"

_SHARP: Final = "sharp@0.35.5"
# It has the encoder x265, under the GPL: to make test pictures with, and never a requirement of the project.
_HEIC_ENCODER: Final = "pillow-heif==1.8.1"


def fetch_sharp() -> Path | None:
    """The folder for NODE_PATH that has sharp in it; None where node or npm is missing, or npm cannot get it."""
    folder = TOOLS / "sharp"
    if not (folder / "node_modules" / "sharp").is_dir():
        if shutil.which("npm") is None or shutil.which("node") is None:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ["--silent", "--no-audit", "--no-fund", "--no-save"]
        if subprocess.run(["npm", "install", *quiet, "--prefix", str(folder), _SHARP], check=False).returncode:
            return None
    return folder / "node_modules"


def fetch_heic_encoder() -> Path | None:
    """The folder for PYTHONPATH that has pillow-heif in it; None where pip cannot get it."""
    folder = TOOLS / "heic-encoder"
    if not (folder / "pillow_heif").is_dir():
        quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--target", str(folder)]
        if subprocess.run([sys.executable, "-m", "pip", "install", *quiet, _HEIC_ENCODER], check=False).returncode:
            return None
    return folder
