"""Several at a time, in order, and no more of them in memory than are worked on."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from adapters.s3 import MOST_CONNECTIONS


def several_at_once(
    do: Callable[[Any], Any], things: Iterable[Any], /, *, most: int = MOST_CONNECTIONS
) -> Iterator[Any]:
    """As ``map``. Raises the first failure in order, when what was begun before is done."""
    with ThreadPoolExecutor(most) as pool:
        jobs: deque[Future[Any]] = deque()
        for thing in things:
            jobs.append(pool.submit(do, thing))
            if len(jobs) >= most:
                yield jobs.popleft().result()
        while jobs:
            yield jobs.popleft().result()
