"""Looks through a HEIF file's list of items before pi-heif does, which ends the whole process on one that is no text.

Source: ISO 14496-12, "Item Information Box": each `infe` box has its item's type, four characters, and texts after it.
"""

from collections.abc import Iterator
from typing import Final

_LONGEST_HEADER: Final = 16
_ENTRIES_OF_VERSION: Final = {2: 2, 3: 4}
"""The bytes of an item's number, by the version of its `infe` box. Older versions have no type."""


def check_item_texts(source: bytes) -> None:
    """Raises ValueError where an item's type or a text of it is not UTF-8: the file is damaged."""
    for meta in _boxes(source, b"meta", 0, len(source)):
        for items in _boxes(source, b"iinf", meta[0] + 4, meta[1]):
            count_bytes = 2 if source[items[0]] == 0 else 4
            for start, end in _boxes(source, b"infe", items[0] + 4 + count_bytes, items[1]):
                number = _ENTRIES_OF_VERSION.get(source[start], 0)
                if number:
                    source[start + 4 + number + 2 : end].decode("utf-8")


def _boxes(source: bytes, kind: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the contents of each box of this kind begin and end, among those from ``start`` to ``end``."""
    while start + 8 <= end:
        size = int.from_bytes(source[start : start + 4], "big")
        body = start + 8
        if size == 1:
            size = int.from_bytes(source[body : body + 8], "big")
            body = start + _LONGEST_HEADER
        stop = end if size == 0 else min(start + size, end)
        if stop < body:
            raise ValueError("a box that is shorter than its own header")
        if source[start + 4 : start + 8] == kind and stop > body + 8:
            yield body, stop
        start = stop
