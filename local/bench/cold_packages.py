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

ROOT: Final = Path(__file__).resolve().parents[2]
RIVALS: Final = Path(__file__).resolve().parent / "cold_rivals"
SCRATCH: Final = ROOT / ".tools" / "bench-cold"

TRACER: Final = "aws-xray-sdk==2.15.0"
"""What Powertools' Tracer asks for; no part of ours, so it stands in no requirements file."""

_PIN: Final = re.compile(r"^[A-Za-z0-9_.-]+==[^ \\]+", re.MULTILINE)


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


def build_ours(tools: Tools) -> Package:
    built = _sam_build(tools, ROOT / "template.yaml", SCRATCH / "ours")
    return Package("fluffy-train, PostNextBest", built / "PostNextBest", "handlers.post_next_best.handler")


def build_rivals(tools: Tools) -> Mapping[str, Package]:
    """By name: ``empty``, ``hello``, ``hello-compiled`` and ``usual-trio``, all with our versions of the libraries."""
    sources = SCRATCH / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree(RIVALS, sources)
    pins = _PIN.findall((ROOT / "src" / "requirements.txt").read_text(encoding="utf-8"))
    boto = [pin for pin in pins if pin.startswith("boto3==")]
    (sources / "empty" / "requirements.txt").write_text("")
    (sources / "hello" / "requirements.txt").write_text("\n".join(boto))
    (sources / "usual_trio" / "requirements.txt").write_text("\n".join([*pins, TRACER]))
    for layer in ("domain", "adapters", "handlers"):
        shutil.copytree(
            ROOT / "src" / layer, sources / "usual_trio" / layer, ignore=shutil.ignore_patterns("__pycache__")
        )
    built = _sam_build(tools, sources / "template.yaml", SCRATCH / "rivals")
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


def _sam_build(tools: Tools, template: Path, into: Path) -> Path:
    """Build with the SAM CLI, which wants the runtime's Python on the PATH."""
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(tools.python.parent), os.environ.get("PATH", os.defpath)]),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    command = [
        str(ROOT / ".venv-sam" / "bin" / "sam"),
        "build",
        "--template-file",
        str(template),
        "--build-dir",
        str(into),
    ]
    done = subprocess.run(
        [*command, "--no-cached"], cwd=template.parent, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"`sam build` of {template.name} failed :\n{done.stderr[-2000:]}")
    return into
