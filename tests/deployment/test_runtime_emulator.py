"""That what functions are run by is asked for plainly."""

from pathlib import Path

import pytest

from local.runtime_emulator import NotThereError, Tools

EMULATOR = ".venv-sam/lib/python3.11/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that the package is built for, whatever the tests run on."""
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def _put(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True)
    (folder / name).touch()


def test_the_emulator_of_lambdas_interface_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match=r"make \.venv-sam/ready"):
        Tools.found_in(tmp_path)


def test_the_interpreter_is_asked_for(tmp_path: Path) -> None:
    _put(tmp_path, EMULATOR)
    with pytest.raises(NotThereError, match=r"make \.venv-lambda/ready"):
        Tools.found_in(tmp_path)


def test_where_both_are_there_they_are_found(tmp_path: Path) -> None:
    _put(tmp_path, EMULATOR)
    _put(tmp_path, ".venv-lambda/bin/python")
    tools = Tools.found_in(tmp_path)
    assert (tools.emulator, tools.python) == (tmp_path / EMULATOR, tmp_path / ".venv-lambda" / "bin" / "python")


def test_another_machine_than_the_package_is_built_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    with pytest.raises(NotThereError, match="Linux on x86_64"):
        Tools.found_in(tmp_path)
