"""CloudFormation's intrinsic functions."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from local.cloud.refusal import RefusedError

# CloudFormation's objects are JSON of any shape.
Json = Any
Lookup = Callable[[str, str | None], Json]
"""What a resource is known by: ``("Queue", None)`` for `!Ref Queue`, ``("Queue", "Arn")`` for `!GetAtt Queue.Arn`."""

NO_VALUE: Final = object()
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]+)\}")


class Intrinsics:
    """Evaluates parts of a template. Of an `Fn::If` only the branch that holds; ``names_in`` tells what both name.

    ``values`` are the parameters and pseudo parameters by name; all other names are asked of ``resource``.
    """

    def __init__(self, values: Mapping[str, Json], conditions: Mapping[str, Json], resource: Lookup) -> None:
        self._values, self._conditions, self._resource = values, conditions, resource

    def holds(self, condition: str) -> bool:
        """Raises RefusedError where there is no such condition."""
        if condition not in self._conditions:
            raise RefusedError(f"Template format error: Unresolved condition dependencies [{condition}]")
        return bool(self.resolve(self._conditions[condition]))

    def resolve(self, node: Json) -> Json:
        """The value of ``node``, without what is AWS::NoValue. Raises RefusedError, and what the lookup raises."""
        if isinstance(node, list):
            return [value for value in map(self.resolve, node) if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name in ("Ref", "Condition") or name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not NO_VALUE}

    def _call(self, name: str, argument: Json) -> Json:
        match name:
            case "Ref":
                return NO_VALUE if argument == "AWS::NoValue" else self._named(argument)
            case "Condition" if isinstance(argument, str):
                return self.holds(argument)
            case "Condition":  # an IAM statement's, which has the same name
                return {name: self.resolve(argument)}
            case "Fn::GetAtt":
                resource, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
                return self._resource(resource, attribute)
            case "Fn::Sub":
                text, given = (argument, {}) if isinstance(argument, str) else argument
                return self._substituted(text, self.resolve(given))
            case "Fn::Join":
                separator, parts = argument
                return separator.join(map(str, self.resolve(parts)))
            case "Fn::Equals":
                left, right = map(self.resolve, argument)
                return left == right
            case "Fn::Not":
                return not self.resolve(argument[0])
            case "Fn::And":
                return all(map(self.resolve, argument))
            case "Fn::Or":
                return any(map(self.resolve, argument))
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolve(then if self.holds(condition) else otherwise)
        raise RefusedError(f"{name} is not known to the local cloud: teach {__name__} what it means.")

    def _named(self, name: str) -> Json:
        return self._values[name] if name in self._values else self._resource(name, None)

    def _substituted(self, text: str, given: Mapping[str, Json]) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in given:
                return str(given[name])
            if "." in name and name not in self._values:
                return str(self._resource(*name.split(".", 1)))
            return str(self._named(name))

        return _PLACEHOLDER.sub(value, text)


def names_in(node: Json) -> Iterator[str]:
    """The resources, parameters and pseudo parameters that a part of a template names, whichever conditions hold."""
    if isinstance(node, list):
        for part in node:
            yield from names_in(part)
    elif isinstance(node, dict):
        match node:
            case {"Ref": str(name)} if len(node) == 1:
                yield name
            case {"Fn::GetAtt": str(name)} if len(node) == 1:
                yield name.split(".", 1)[0]
            case {"Fn::GetAtt": [str(name), *_]} if len(node) == 1:
                yield name
            case {"Fn::Sub": str(text)} if len(node) == 1:
                yield from _placeholders(text)
            case {"Fn::Sub": [str(text), dict(given)]} if len(node) == 1:
                yield from (name for name in _placeholders(text) if name not in given)
                yield from names_in(list(given.values()))
            case _:
                yield from names_in(list(node.values()))


def _placeholders(text: str) -> Iterator[str]:
    for name in _PLACEHOLDER.findall(text):
        if not name.startswith("!"):
            yield name.split(".", 1)[0]
