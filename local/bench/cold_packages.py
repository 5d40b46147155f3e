"""The packages that `make bench-cold` starts: ours, and the rivals, each by the real `sam build`."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.runtime_emulator import Tools
from local.sam_cli import run_sam

ROOT: Final = Path(__file__).resolve().parents[2]
RIVALS: Final = Path(__file__).resolve().parent / "cold_rivals"
SCRATCH: Final = ROOT / ".tools" / "bench-cold"

TRACER: Final = "aws-xray-sdk==2.15.0"
"""What Powertools' Tracer asks for; no part of ours, so it stands in no requirements file."""

BOTO3: Final = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
"""boto3 and all that it asks for. What of it were not pinned would make another rival of it with each release."""

_PIN: Final = re.compile(r"^([A-Za-z0-9_.-]+)==[^ \\]+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Package:
    """A folder that Lambda would unpack to /var/task, and the handler in it. ``name`` is for people."""

    name: str
    folder: Path
    handler: str

    @property
    def size(self) -> int:
        """Bytes, unzipped."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def pinned() -> Mapping[str, str]:
    """The requirement of each library in our package, such as ``six==1.17.0``, by its name."""
    text = (ROOT / "src" / "requirements.txt").read_text(encoding="utf-8")
    return {found[1]: found[0] for found in _PIN.finditer(text)}


def build_ours() -> Package:
    """Raises SamError."""
    built = _sam_build(ROOT / "template.yaml", SCRATCH / "ours")
    return Package("fluffy-train, PostNextBest", built / "PostNextBest", "handlers.post_next_best.handler")


def build_rivals(tools: Tools) -> Mapping[str, Package]:
    """By name: ``empty``, ``hello``, ``hello-compiled`` and ``usual-trio``, all with our versions of the libraries.

    Raises SamError.
    """
    sources = SCRATCH / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree(RIVALS, sources)
    pins = pinned()
    (sources / "empty" / "requirements.txt").write_text("")
    (sources / "hello" / "requirements.txt").write_text("\n".join(pins[name] for name in BOTO3))
    (sources / "usual_trio" / "requirements.txt").write_text("\n".join([*pins.values(), TRACER]))
    for layer in ("domain", "adapters", "handlers"):
        shutil.copytree(
            ROOT / "src" / layer, sources / "usual_trio" / layer, ignore=shutil.ignore_patterns("__pycache__")
        )
    built = _sam_build(sources / "template.yaml", SCRATCH / "rivals")
    compiled = SCRATCH / "hello-compiled"
    shutil.rmtree(compiled, ignore_errors=True)
    shutil.copytree(built / "Hello", compiled)
    compiler = [str(tools.python), "-m", "compileall", "-q"]
    subprocess.run([*compiler, "--invalidation-mode", "unchecked-hash", str(compiled)], check=True)
    return {
        "empty": Package("an empty handler", built / "Empty", "empty.handler"),
        "hello-compiled": Package("boto3's hello, compiled", compiled, "hello.handler"),
        "hello": Package("boto3's hello, as `sam build` packages it", built / "Hello", "hello.handler"),
        "usual-trio": Package(
            "ours with Logger, Tracer and Metrics, as usual", built / "UsualTrio", "usual_trio.handler"
        ),
    }


def _sam_build(template: Path, into: Path) -> Path:
    environment = {"PATH": os.defpath, **os.environ, "AWS_DEFAULT_REGION": "eu-central-1"}
    run_sam(environment, "build", "--template-file", str(template), "--build-dir", str(into), "--no-cached")
    return into
