"""Which resource needs which, and so the order in which they are made."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from local.cloud.refusal import RefusedError


def order(needs: Mapping[str, set[str]]) -> Sequence[str]:
    """The resources, each after those that it needs. Raises RefusedError, which names a circle's resources."""
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = ", ".join(sorted(set(error.args[1])))
        raise RefusedError(f"Circular dependency between resources: [{circle}]") from error
