"""Which picture of a folder a row of the Rails app means: by the longest end that both paths have in common."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from cli.photo_folder import PhotoFile
from cli.scores_csv import key


class FilesByName:
    def __init__(self, files: Iterable[PhotoFile]) -> None:
        self._by_name: dict[str, list[PhotoFile]] = defaultdict(list)
        for file in files:
            self._by_name[_parts(file.name)[-1]].append(file)

    def find(self, written: str) -> PhotoFile | str:
        """The file that ``written``, a path or an address, means; else why there is none."""
        parts = _parts(_path_of(written))
        if not parts:
            return "its row names no file"
        found = sorted(self._by_name.get(parts[-1], ()), key=lambda one: -_in_common(parts, _parts(one.name)))
        if not found:
            return f"there is no file {parts[-1]} in the folder"
        if len(found) > 1 and _in_common(parts, _parts(found[0].name)) == _in_common(parts, _parts(found[1].name)):
            return f"it may be {found[0].name} or {found[1].name}"
        return found[0]


def _path_of(written: str) -> str:
    return unquote(urlsplit(written).path) if "://" in written else written


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in PurePosixPath(key(path)).parts if part not in {"/", ".", ".."})


def _in_common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many parts the two have in common, from the end."""
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count
