"""What `make bench-cold` builds its rivals from."""

import re
from importlib.metadata import requires

from local.bench.cold_packages import BOTO3, pinned


def _asked_for_by(name: str) -> set[str]:
    """It, and all that is installed with it when no extra is asked for."""
    found = {name}
    for requirement in requires(name) or ():
        if "extra ==" not in requirement:
            library = re.match(r"[A-Za-z0-9_.-]+", requirement)
            assert library is not None
            found |= _asked_for_by(library[0])
    return found


def test_the_hello_has_no_library_that_is_not_pinned() -> None:
    assert set(BOTO3) == _asked_for_by("boto3")
    pins = pinned()
    assert {pins[name].partition("==")[0] for name in BOTO3} == set(BOTO3)
