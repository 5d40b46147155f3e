"""Both directions of least privilege: what was asked for is allowed, and what is allowed was asked for.

The package is held the same way: what was called is described in it, and what is described was called.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set

from least_privilege.actions import Need
from least_privilege.expectations import Asked
from least_privilege.roles import covers

ALLOWED = "Allowed"
DENIED = ("ImplicitlyDenied", "ExplicitlyDenied")

Evaluate = Callable[[Sequence[Asked]], Sequence[str]]
"""What IAM answers to each: ``ALLOWED``, one of ``DENIED``, or what is wrong with the question."""


def not_allowed(asked: Sequence[Asked], evaluate: Evaluate) -> Iterator[str]:
    """A line for each that IAM does not allow."""
    for one, answer in zip(asked, evaluate(asked), strict=True):
        if answer != ALLOWED:
            yield f"{one.role} is not allowed {one.need.action} on {one.need.resource} ({answer}): {one.why}"


def not_denied(asked: Sequence[Asked], evaluate: Evaluate) -> Iterator[str]:
    """A line for each that IAM does not deny. A question that IAM does not know proves nothing."""
    for one, answer in zip(asked, evaluate(asked), strict=True):
        if answer not in DENIED:
            yield f"{one.role} should not have {one.need.action} on {one.need.resource} ({answer}): {one.why}"


def not_needed(
    grants: Mapping[str, Collection[Need]], asked: Sequence[Asked], in_reserve: Mapping[tuple[str, Need], str]
) -> Iterator[str]:
    """A line for each grant that nothing needs and no reason keeps, and for each reason that keeps nothing.

    ``grants`` are by role, ``in_reserve`` has the reasons by role and grant.
    """
    unused = {
        (role, grant)
        for role, granted in grants.items()
        for grant in granted
        if not any(one.role == role and covers(grant, one.need) for one in asked)
    }
    for role, grant in sorted(unused - in_reserve.keys()):
        yield (
            f"{role} is allowed {grant.action} on {grant.resource}, and nothing asked for it: take it out of "
            "template.yaml, test it, or give its reason in IN_RESERVE (tests/least_privilege/expectations.py)"
        )
    for role, grant in sorted(in_reserve.keys() - unused):
        granted = grant in grants.get(role, ())
        what = "is needed after all" if granted else "is not in the template"
        yield f"IN_RESERVE keeps {grant.action} on {grant.resource} for {role}, which {what}: take it out of the list"


def not_packaged(called: Set[str], packaged: Set[str], by_the_sdk: Mapping[str, str]) -> Iterator[str]:
    """A line for each operation that was called and is not in the package, and for each that nobody needs there.

    ``by_the_sdk`` has the reasons for those that the SDK calls by itself.
    """
    for operation in sorted((called | by_the_sdk.keys()) - packaged):
        yield f"{operation} is called, and not in the functions' package: add it to CALLS in src/Makefile"
    for operation in sorted(packaged - called - by_the_sdk.keys()):
        yield f"CALLS in src/Makefile keeps {operation}, which nothing called: take it out, or test what calls it"
    for operation in sorted(by_the_sdk.keys() & called):
        yield f"BY_THE_SDK has a reason for {operation}, which our own code calls as well: take it out of the list"
