"""Importing without the garbage collector, which would look again and again through objects that all stay.

What that saves is in docs/cold-start.md. Afterwards all of them are set aside.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports() -> Iterator[None]:
    """The block imports, and makes no garbage worth collecting."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
