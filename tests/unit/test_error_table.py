"""Instagram's errors, row by row as the documentation has them, and what each lets us do in both phases.

The table stands here once more and by hand, so that a slip in the adapter's cannot pass for the rule.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.meta.errors import TABLE, GraphError, Phase, fault_of, fault_of_status
from domain.faults import AccountFault, Defer, Fault, ImageNotFetched, PhotoFault, QuotaUsed, Retry, Unresolved

RETRY, NEW_CONTAINER, IMAGE, DEFER = "retry", "retry with a new container", "image not fetched", "defer"
PHOTO, ACCOUNT = "photo fault", "account fault"
UNRESOLVED, UNRESOLVED_AND_ACCOUNT = "unresolved", "unresolved and account fault"

# Meta says nothing of the cells marked "–" in its table. At publish, unresolved is the answer that never posts twice.
NOT_SAID = UNRESOLVED

Row = tuple[int | None, int | None, str, str]

DOCUMENTED: list[Row] = [
    # code, subcode, at container or status, at publish
    (-2, 2207003, RETRY, UNRESOLVED),
    (-2, 2207020, NEW_CONTAINER, UNRESOLVED),
    (-1, 2207001, RETRY, UNRESOLVED),
    (-1, 2207032, RETRY, UNRESOLVED),
    (-1, 2207053, NEW_CONTAINER, UNRESOLVED),
    (1, None, RETRY, UNRESOLVED),
    (2, None, RETRY, UNRESOLVED),
    (4, 2207051, ACCOUNT, UNRESOLVED_AND_ACCOUNT),
    *((code, None, DEFER, DEFER) for code in (4, 17, 32, 341, 613, 80002)),
    (9, 2207042, DEFER, DEFER),
    (24, 2207006, ACCOUNT, UNRESOLVED),
    (24, 2207008, NEW_CONTAINER, UNRESOLVED),
    (25, 2207050, ACCOUNT, ACCOUNT),
    (100, 33, RETRY, UNRESOLVED),
    *((100, subcode, PHOTO, PHOTO) for subcode in (2207023, 2207028, 2207035, 2207036, 2207037, 2207040)),
    (100, None, PHOTO, PHOTO),
    (352, 2207026, PHOTO, PHOTO),
    (9004, 2207052, IMAGE, NOT_SAID),
    (9007, 2207027, RETRY, RETRY),
    (36000, 2207004, PHOTO, NOT_SAID),
    (36001, 2207005, PHOTO, NOT_SAID),
    (36003, 2207009, PHOTO, NOT_SAID),
    (36004, 2207010, PHOTO, NOT_SAID),
    *((code, None, ACCOUNT, ACCOUNT) for code in (3, 10, *range(200, 300))),
    *((code, None, ACCOUNT, ACCOUNT) for code in (102, 190)),
    *((190, subcode, ACCOUNT, ACCOUNT) for subcode in (*range(458, 468), 492)),
    *((102, subcode, ACCOUNT, ACCOUNT) for subcode in (458, 463, 467, 492)),
    (368, None, ACCOUNT, ACCOUNT),
]

SUBCODE_MISSING: list[Row] = [
    (-2, None, RETRY, UNRESOLVED),
    (-1, None, RETRY, UNRESOLVED),
    (9, None, DEFER, DEFER),
    (24, None, RETRY, UNRESOLVED),
    (25, None, ACCOUNT, ACCOUNT),
    (352, None, PHOTO, PHOTO),
    (9004, None, IMAGE, UNRESOLVED),
    (9007, None, RETRY, RETRY),
    (36000, None, PHOTO, UNRESOLVED),
    (36001, None, PHOTO, UNRESOLVED),
    (36003, None, PHOTO, UNRESOLVED),
    (36004, None, PHOTO, UNRESOLVED),
]

SUBCODE_UNKNOWN: list[Row] = [
    (code, 1234567, at_container, UNRESOLVED if code in {9, 25, 352, 9007} else at_publish)
    for code, subcode, at_container, at_publish in (*DOCUMENTED, *SUBCODE_MISSING)
    if subcode is None
]

UNKNOWN: list[Row] = [
    (None, None, RETRY, UNRESOLVED),
    (None, 2207052, RETRY, UNRESOLVED),
    (0, None, PHOTO, UNRESOLVED),
    (5, None, PHOTO, UNRESOLVED),
    (11, None, PHOTO, UNRESOLVED),
    (101, None, PHOTO, UNRESOLVED),
    (199, None, PHOTO, UNRESOLVED),
    (300, None, PHOTO, UNRESOLVED),
    (36005, 2207010, PHOTO, UNRESOLVED),
    (999999, 33, PHOTO, UNRESOLVED),
]

ROWS = [*DOCUMENTED, *SUBCODE_MISSING, *SUBCODE_UNKNOWN, *UNKNOWN]
KNOWN_CODES = {code for code, *_ in (*DOCUMENTED, *SUBCODE_MISSING)}


def in_words(fault: Fault) -> str:
    """What the fault lets its caller do. The exact class: a subclass would be another permission."""
    kind = type(fault)
    if isinstance(fault, Unresolved):
        return UNRESOLVED_AND_ACCOUNT if fault.account_too else UNRESOLVED
    if kind is Retry and isinstance(fault, Retry):
        return NEW_CONTAINER if fault.new_container else RETRY
    return {ImageNotFetched: IMAGE, Defer: DEFER, QuotaUsed: DEFER, PhotoFault: PHOTO, AccountFault: ACCOUNT}[kind]


@pytest.mark.parametrize(("code", "subcode", "expected"), [(c, s, container) for c, s, container, _ in ROWS])
def test_an_error_at_the_container_or_its_status(code: int | None, subcode: int | None, expected: str) -> None:
    assert in_words(fault_of(GraphError(code, subcode), Phase.CONTAINER)) == expected


@pytest.mark.parametrize(("code", "subcode", "expected"), [(c, s, publish) for c, s, _, publish in ROWS])
def test_an_error_at_publish(code: int | None, subcode: int | None, expected: str) -> None:
    assert in_words(fault_of(GraphError(code, subcode), Phase.PUBLISH)) == expected


def test_the_adapters_table_has_no_row_that_the_documentation_has_not() -> None:
    assert {code for code, _ in TABLE} == KNOWN_CODES
    assert {key for key in TABLE if key[1] is not None} <= {(code, subcode) for code, subcode, *_ in DOCUMENTED}


@given(st.integers(-(10**6), 10**7).filter(lambda code: code not in KNOWN_CODES), st.none() | st.integers(0, 10**7))
def test_an_unknown_code_fails_a_post_only_before_it_is_published(code: int, subcode: int | None) -> None:
    assert in_words(fault_of(GraphError(code, subcode), Phase.CONTAINER)) == PHOTO
    assert in_words(fault_of(GraphError(code, subcode), Phase.PUBLISH)) == UNRESOLVED


@given(st.integers(-10, 40000) | st.sampled_from(sorted({code for code, _ in TABLE})), st.none() | st.integers())
def test_only_an_unready_container_is_sent_again_at_once_and_never_as_a_new_one(code: int, subcode: int | None) -> None:
    fault = fault_of(GraphError(code, subcode), Phase.PUBLISH)
    if isinstance(fault, Retry):
        assert (code, fault.new_container) == (9007, False)


@given(st.none() | st.integers(), st.none() | st.integers(), st.sampled_from(Phase))
def test_every_fault_carries_the_numbers(code: int | None, subcode: int | None, phase: Phase) -> None:
    fault = fault_of(GraphError(code, subcode), phase)
    assert (fault.code, fault.subcode) == (code, subcode)
    assert ("no code" if code is None else f"code {code}") in fault.message
    assert subcode is None or f"subcode {subcode}" in fault.message


def test_a_fault_names_the_trace_that_metas_support_asks_for() -> None:
    fault = fault_of(GraphError(36003, 2207009, trace_id="AbC-123"), Phase.CONTAINER)
    assert fault.message == (
        "Instagram refused: the photo's aspect ratio is outside 4:5 to 1.91:1 "
        "(code 36003, subcode 2207009, trace AbC-123)."
    )
    assert "trace" not in fault_of(GraphError(36003, 2207009), Phase.CONTAINER).message


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("code", [4, 9, 17, 32, 341, 613, 80002])
def test_a_throttled_account_is_left_alone_for_as_long_as_meta_estimates(code: int, phase: Phase) -> None:
    fault = fault_of(GraphError(code, regain_access_after=timedelta(minutes=37)), phase)
    assert isinstance(fault, Defer)
    assert fault.after == timedelta(minutes=37)


@pytest.mark.parametrize("phase", Phase)
def test_a_throttled_account_without_an_estimate_is_looked_at_by_the_next_run(phase: Phase) -> None:
    fault = fault_of(GraphError(4), phase)
    assert isinstance(fault, Defer)
    assert fault.after == timedelta(0)


def test_an_image_that_was_not_fetched_is_tried_again_ten_seconds_later() -> None:
    fault = fault_of(GraphError(9004, 2207052), Phase.CONTAINER)
    assert isinstance(fault, ImageNotFetched)
    assert (fault.after, fault.new_container) == (timedelta(seconds=10), False)


def test_a_missing_container_is_made_anew_half_a_minute_to_two_minutes_later() -> None:
    fault = fault_of(GraphError(24, 2207008), Phase.CONTAINER)
    assert isinstance(fault, Retry)
    assert fault.after is not None
    assert timedelta(seconds=30) <= fault.after <= timedelta(minutes=2)


def test_a_container_that_is_not_ready_at_publish_gets_longer_than_it_was_ever_seen_to_need() -> None:
    fault = fault_of(GraphError(9007, 2207027), Phase.PUBLISH)
    assert isinstance(fault, Retry)
    assert fault.after is not None
    assert fault.after > timedelta(milliseconds=400)


IN_STATUS: list[tuple[int, int, str]] = [
    # subcode, the code that it belongs to, what follows for a container that has ended
    (2207003, -2, NEW_CONTAINER),
    (2207020, -2, NEW_CONTAINER),
    (2207001, -1, NEW_CONTAINER),
    (2207032, -1, NEW_CONTAINER),
    (2207053, -1, NEW_CONTAINER),
    (2207051, 4, ACCOUNT),
    (2207042, 9, DEFER),
    (2207006, 24, ACCOUNT),
    (2207008, 24, NEW_CONTAINER),
    (2207050, 25, ACCOUNT),
    (2207023, 100, PHOTO),
    (2207028, 100, PHOTO),
    (2207035, 100, PHOTO),
    (2207036, 100, PHOTO),
    (2207037, 100, PHOTO),
    (2207040, 100, PHOTO),
    (2207026, 352, PHOTO),
    (2207052, 9004, IMAGE),
    (2207027, 9007, NEW_CONTAINER),
    (2207004, 36000, PHOTO),
    (2207005, 36001, PHOTO),
    (2207009, 36003, PHOTO),
    (2207010, 36004, PHOTO),
]


@pytest.mark.parametrize(("subcode", "code", "expected"), IN_STATUS)
def test_a_container_in_error_names_its_fault_by_the_subcode_in_its_status(
    subcode: int, code: int, expected: str
) -> None:
    fault = fault_of_status(f"Error: Media upload has failed with error code {subcode}")
    assert (fault.code, fault.subcode, in_words(fault)) == (code, subcode, expected)


def test_every_documented_subcode_is_understood_in_a_status() -> None:
    documented = {subcode for _, subcode, *_ in DOCUMENTED if subcode is not None and subcode > 2_000_000}
    assert {subcode for subcode, *_ in IN_STATUS} == documented


def test_a_container_in_error_is_never_polled_again_for_an_image_that_was_not_fetched() -> None:
    fault = fault_of_status("Error: Media upload has failed with error code 2207052")
    assert isinstance(fault, ImageNotFetched)
    assert fault.new_container


def test_a_status_does_not_change_what_the_same_error_means_elsewhere() -> None:
    fault_of_status("error code 2207052")
    fault = fault_of(GraphError(9004, 2207052), Phase.CONTAINER)
    assert isinstance(fault, Retry)
    assert not fault.new_container


@pytest.mark.parametrize(
    "status",
    [
        "",
        "Error",
        "Error: Media upload has failed",
        "Error: Media upload has failed with error code 2299999",
        "Error: Media upload has failed with error code 12207026",
        "Error: Media upload has failed with error code 22070261",
        "Erreur : 36003",
    ],
)
def test_a_container_in_error_that_gives_no_reason_is_replaced(status: str) -> None:
    fault = fault_of_status(status)
    assert in_words(fault) == NEW_CONTAINER
    assert (fault.code, fault.subcode) == (None, None)


@given(st.text())
def test_the_text_of_a_status_never_stands_in_a_fault(status: str) -> None:
    assert fault_of_status(f"{status} secret-text").message.count("secret-text") == 0


def test_an_ended_container_is_not_kept_for_a_later_run() -> None:
    fault = fault_of_status("Error: Media upload has failed with error code 2207042")
    assert isinstance(fault, Defer)
    assert fault.new_container
