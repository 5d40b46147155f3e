"""How `make deploy-local` ends where it cannot go on."""

from contextlib import nullcontext
from typing import Any, NoReturn

import pytest

from local.cloud import rehearsal
from local.cloud.refusal import RefusedError
from local.runtime_emulator import Tools


class Refused:
    """A rehearsal whose stack is asked for what there is not."""

    def __init__(self, *_: Any) -> None:
        pass

    def run(self) -> NoReturn:
        raise RefusedError("Stack with id fluffy-train does not exist")


def test_what_the_cloud_refuses_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rehearsal"])
    monkeypatch.setattr(Tools, "found_in", lambda _: None)
    monkeypatch.setattr(rehearsal, "CloudServer", nullcontext)
    monkeypatch.setattr(rehearsal, "EmulatorServer", lambda **_: nullcontext())
    monkeypatch.setattr(rehearsal, "Rehearsal", Refused)
    assert rehearsal.main() == 1
    assert "Stack with id fluffy-train does not exist" in capsys.readouterr().out
