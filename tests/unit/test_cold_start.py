"""What the poster imports before its claim, which every cold start pays for, and what waits until it is asked for."""

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

from handlers.late import late
from handlers.quick_imports import quick_imports

SRC = Path(__file__).resolve().parents[2] / "src"

AFTER_THE_CLAIM = {
    "adapters.meta": "Instagram",
    "adapters.s3": "the rendition",
    "adapters.ssm": "the token",
    "domain.post_driver": "the post",
    "domain.quota": "the post",
    "requests": "Instagram",
}
NEVER_BY_THE_POSTER = {
    "adapters.dynamo.archive",
    "adapters.dynamo.near_duplicates",
    "adapters.imaging",
    "adapters.scoring",
    "adapters.webhook",
    "aws_xray_sdk",
    "boto3",
    "domain.refresh_tokens",
    "domain.resolve_post",
    "domain.retry_post",
    "PIL",
    "pydantic",
    "s3transfer",
}


OURS = {"adapters", "domain", "handlers"}
# With some to spare for a library's new version; a whole library more, or a use case, is no longer within them.
MOST_OF_OTHERS = 210  # 192 in the package, 197 with the tests' own
MOST_OF_OURS = 33  # 31


def _in_a_new_interpreter(program: str) -> list[str]:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(SRC)!r}); {program}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", sorted({*AFTER_THE_CLAIM, *NEVER_BY_THE_POSTER}))
def test_the_poster_does_not_import_before_its_claim(name: str, imported: list[str]) -> None:
    assert name not in imported


@pytest.mark.parametrize("name", ["botocore", "pynamodb", "adapters.dynamo", "domain.post_next_best"])
def test_the_poster_imports_what_its_claim_needs(name: str, imported: list[str]) -> None:
    assert name in imported


def test_the_poster_imports_no_more_of_others_modules_than_it_did(imported: list[str]) -> None:
    """A cold start is mostly imports, and their number is the same on every machine (docs/cold-start.md)."""
    others = [name for name in imported if name.partition(".")[0] not in {*sys.stdlib_module_names, *OURS}]
    assert 100 < len(others) <= MOST_OF_OTHERS
    assert sum(name.partition(".")[0] in OURS for name in imported) <= MOST_OF_OURS


@pytest.fixture(scope="module")
def imported() -> list[str]:
    return _in_a_new_interpreter(
        "import handlers.post_next_best, json; print(); print(json.dumps(sorted(sys.modules)))"
    )


def test_the_collector_rests_during_the_imports_and_works_after_them() -> None:
    assert gc.isenabled()
    with quick_imports():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_collector_works_again_where_an_import_fails() -> None:
    with pytest.raises(ImportError), quick_imports():
        raise ImportError("no such library")
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with quick_imports():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


class Adapter:
    def __init__(self) -> None:
        self.asked = 0

    def ask(self) -> int:
        self.asked += 1
        return self.asked


def test_a_late_adapter_is_built_at_its_first_use_and_once() -> None:
    built: list[Adapter] = []

    def build() -> Adapter:
        built.append(Adapter())
        return built[-1]

    adapter = late(build)
    assert not built
    assert (adapter.ask(), adapter.ask()) == (1, 2)
    assert len(built) == 1


def test_a_late_adapter_that_could_not_be_built_is_tried_again() -> None:
    refusals = [RuntimeError("not yet")]

    def build() -> Adapter:
        if refusals:
            raise refusals.pop()
        return Adapter()

    adapter = late(build)
    with pytest.raises(RuntimeError, match="not yet"):
        adapter.ask()
    assert adapter.ask() == 1
