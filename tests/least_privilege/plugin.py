"""For pytest: `-p least_privilege.plugin` records the calls of the handlers that the tests run."""

import pytest

from least_privilege.recorder import FOLDER_VARIABLE, HANDLERS, recorder_asked_for

_RECORDER = recorder_asked_for()
if _RECORDER is None:
    raise pytest.UsageError(f"{FOLDER_VARIABLE} must name a folder for the calls")
_RECORDER.attend(HANDLERS)
