"""How every call to DynamoDB is made: its errors become the port's one error, and a conflict is tried again."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from pynamodb.exceptions import PynamoDBException, TransactWriteError

from domain.ports import RecordsUnavailableError

MOST_CONFLICTS: Final = 8
FIRST_CONFLICT_WAIT: Final = 0.02  # seconds; doubled each time, so 5 s at the most in all

_CONFLICTS: Final = frozenset({"TransactionConflictException", "TransactionInProgressException"})

T = TypeVar("T")


@contextmanager
def records(what: str) -> Iterator[None]:
    """Raises RecordsUnavailableError for whatever PynamoDB raises, and for a record that cannot be understood."""
    try:
        yield
    except PynamoDBException as error:
        reason = _code(error) or type(error.cause or error).__name__
        raise RecordsUnavailableError(f"DynamoDB did not {what}: {reason}") from error
    except (TypeError, ValueError) as error:
        raise RecordsUnavailableError(f"DynamoDB could not {what}, since a record is damaged: {error}") from error


def retried_on_conflict(write: Callable[[], T]) -> T:
    """The result of ``write``, tried again while another transaction holds one of its items.

    A conflict cancels a write without any effect and says nothing of its conditions (Amazon DynamoDB developer guide,
    "Transaction conflict handling"), and the SDK does not repeat it.
    """
    for conflict in range(MOST_CONFLICTS):
        try:
            return write()
        except PynamoDBException as error:
            if not _is_conflict(error):
                raise
        time.sleep(random.uniform(0.5, 1.0) * FIRST_CONFLICT_WAIT * 2**conflict)  # noqa: S311 - no secret
    return write()


def _is_conflict(error: PynamoDBException) -> bool:
    if _code(error) in _CONFLICTS:
        return True
    if not isinstance(error, TransactWriteError):
        return False
    codes = {reason.code for reason in error.cancellation_reasons if reason is not None}
    return "TransactionConflict" in codes and "ConditionalCheckFailed" not in codes


def condition_failed(error: PynamoDBException) -> bool:
    """Whether a single write was refused because its condition did not hold."""
    return _code(error) == "ConditionalCheckFailedException"


def _code(error: PynamoDBException) -> str | None:
    """DynamoDB's error code. PynamoDB's own property stumbles over a lost connection, whose ``response`` is None."""
    response = getattr(error.cause, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return code if isinstance(code, str) else None
