"""One TransactWriteItems call, and which of its conditions did not hold."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from pynamodb.exceptions import CancellationReason, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from adapters.dynamo.calls import records, retried_on_conflict
from adapters.dynamo.tables import Tables

_ALL_OLD: Final = "ALL_OLD"


class Transaction:
    """Parts, each under its own condition and by a name of its own. All of them are written, or none."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        # The order in which PynamoDB sends them, which is the order of the reasons: checks, puts, updates.
        self._checks: list[tuple[str, type[Model], tuple[str, str | None], Condition]] = []
        self._puts: list[tuple[str, Model, Condition]] = []
        self._updates: list[tuple[str, Any, Sequence[Action], Condition | None]] = []

    def check(
        self, part: str, model: type[Model], hash_key: str, condition: Condition, *, range_key: str | None = None
    ) -> None:
        self._checks.append((part, model, (hash_key, range_key), condition))

    def put(self, part: str, item: Model, condition: Condition) -> None:
        self._puts.append((part, item, condition))

    def update(self, part: str, item: Any, actions: Sequence[Action], condition: Condition | None = None) -> None:
        self._updates.append((part, item, actions, condition))

    def write(self, what: str) -> Mapping[str, CancellationReason] | None:
        """None when all of it was written; else nothing was, and the refusals by the part that refused."""
        # The SDK repeats a call with its token, so that a repetition of one that took effect is no second write.
        with records(what):
            try:
                retried_on_conflict(self._commit)
            except TransactWriteError as error:
                refusals = {
                    part: reason
                    for part, reason in zip(self._parts(), error.cancellation_reasons, strict=False)
                    if reason is not None and reason.code == "ConditionalCheckFailed"
                }
                if not refusals:
                    raise
                return refusals
        return None

    def _commit(self) -> None:
        with TransactWrite(connection=self._tables.connection, client_request_token=str(uuid4())) as transaction:
            for _, model, (hash_key, range_key), condition in self._checks:
                transaction.condition_check(model, hash_key, range_key, condition=condition)
            for _, item, condition in self._puts:
                transaction.save(item, condition, return_values=_ALL_OLD)
            for _, update, actions, under in self._updates:
                transaction.update(update, list(actions), under, return_values=_ALL_OLD)

    def _parts(self) -> list[str]:
        return [
            *(part for part, *_ in self._checks),
            *(part for part, *_ in self._puts),
            *(part for part, *_ in self._updates),
        ]
