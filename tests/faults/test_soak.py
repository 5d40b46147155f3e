"""A short chaos soak: real handlers in processes that die, DynamoDB Local, and an Instagram that fails in every way.

`make soak` runs a long one.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from local import dynamodb_local
from local.soak import Reckoning, Soak, http_layers, instagram_faults, run_soak, timetable
from local.soak.servers import servers
from local.soak.settings import SoakSettings
from local.soak.world import Servers

SEEDS = (1, 2)

PROMISES = {
    "photos live twice",
    "slots with two live posts",
    "live posts that no record names",
    "failed on record, but live",
    "posted on record, but not live",
    "wrong media ids",
    "slots unaccounted for",
    "posts still open",
    "photos lost",
    "photos not given back",
    "unconfirmed without evidence",
    "leases taken from a living run",
    "errors that no contract names",
    "secrets in logs, answers, records",
}

FAULTS = {
    *(kind.name for kind in instagram_faults.ALL_KINDS),
    *http_layers.GRAPH_FAULTS,
    *http_layers.DYNAMODB_READ_FAULTS,
    *http_layers.TRANSACTION_FAULTS,
    *http_layers.OTHER_AWS_FAULTS,
    http_layers.ECHO,
    *timetable.SHARES,
    "process death before a call",
    "process death after a call took effect",
    "SIGKILL before a call",
    "SIGKILL after a call took effect",
    "reconcilers overlap",
    "token expired",
    "persona paused and mended",
}


@pytest.fixture
def running_servers() -> Iterator[Servers]:
    if not dynamodb_local.available():
        if dynamodb_local.is_required():
            pytest.fail(f"DynamoDB Local is required here and is not there; {dynamodb_local.HOW_TO_GET_IT} gets it")
        pytest.skip(f"DynamoDB Local is not there; {dynamodb_local.HOW_TO_GET_IT} gets it")
    with servers() as running:
        yield running


def test_a_fifth_of_all_calls_failing_breaks_no_promise(running_servers: Servers) -> None:
    met: Counter[str] = Counter()
    for seed in SEEDS:
        soak = SoakSettings(slots=80, personas=4, seed=seed, workers=6)
        reckoning = run_soak(Soak(soak, running_servers))
        assert reckoning.broken.keys() == PROMISES
        assert {promise: culprits for promise, culprits in reckoning.broken.items() if culprits} == {}, f"seed {seed}"
        _assert_the_soak_did_something(reckoning)
        met += reckoning.faults
    # A soak without chaos could not fail.
    assert FAULTS - met.keys() == set()


def _assert_the_soak_did_something(reckoning: Reckoning) -> None:
    assert reckoning.outcomes["PostNextBest"] >= 80
    assert reckoning.outcomes["Reconcile"] > 180
    assert reckoning.outcomes["posted"] > 40
