"""AWS's query protocol: forms in, XML out (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html)."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree  # it writes, and reads nothing # nosec B405

_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


def read(form: Mapping[str, str]) -> dict[str, Any]:
    """`Tags.member.1.Key=a` as ``{"Tags": [{"Key": "a"}]}``."""
    root: dict[str, Any] = {}
    for path, value in form.items():
        *parents, last = path.split(".")
        node = root
        for name in parents:
            node = node.setdefault(name, {})
        node[last] = value
    return {name: _lists(value) for name, value in root.items()}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node.keys() == {"member"}:
        members = sorted(node["member"].items(), key=lambda item: int(item[0]))
        return [_lists(value) for _, value in members]
    return {name: _lists(value) for name, value in node.items()}


def written(action: str, result: Mapping[str, Any]) -> bytes:
    """The answer to an action."""
    root = ElementTree.Element(f"{action}Response", xmlns=_NAMESPACE)
    _write(ElementTree.SubElement(root, f"{action}Result"), result)
    return ElementTree.tostring(root)


def refused(code: str, text: str) -> bytes:
    """The answer that botocore raises as a ClientError."""
    root = ElementTree.Element("ErrorResponse", xmlns=_NAMESPACE)
    _write(ElementTree.SubElement(root, "Error"), {"Type": "Sender", "Code": code, "Message": text})
    return ElementTree.tostring(root)


def _write(element: ElementTree.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, one in value.items():
            _write(ElementTree.SubElement(element, name), one)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            _write(ElementTree.SubElement(element, "member"), one)
    else:
        element.text = str(value)
