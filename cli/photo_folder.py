"""The files of a folder and its sub-folders that may be photos, in the order of their names."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.imaging import MOST_SOURCE_BYTES
from cli.scores_csv import LeftOut

# What file managers leave behind in folders of pictures.
_LITTER: Final = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """``name`` is its path from the folder, with ``/`` between."""

    name: str
    path: Path

    def read(self) -> bytes:
        """Raises OSError, also when the file has grown beyond ``MOST_SOURCE_BYTES``."""
        with self.path.open("rb") as file:
            content = file.read(MOST_SOURCE_BYTES + 1)
        if len(content) > MOST_SOURCE_BYTES:
            raise OSError(_too_large(len(content)))
        return content


@dataclass(slots=True)
class PhotoFolder:
    """``files`` by name, and those that are not taken, with why. What is ignored is in neither."""

    files: list[PhotoFile] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def list_photos(folder: Path, scores: Path | None = None) -> PhotoFolder:
    """Hidden files and the CSV are ignored, and so is a link that leads out of ``folder``, with a note."""
    listed = PhotoFolder()
    root = Path(os.path.realpath(folder))
    csv = os.path.realpath(scores) if scores else None
    for name, path in sorted(_walk(folder, listed)):
        target = os.path.realpath(path)
        if target == csv or name == "scores.csv":
            continue
        if path.is_symlink():
            if not Path(target).is_relative_to(root):
                listed.notes.append(f"{name} is a link that leads out of the folder; it is ignored")
                continue
            if path.is_dir():
                continue  # what it leads to has its own place in the folder
        try:
            facts = path.stat()
        except OSError as error:
            listed.left_out.append(LeftOut(name, f"it cannot be read: {error.strerror}"))
            continue
        if not stat.S_ISREG(facts.st_mode):
            listed.left_out.append(LeftOut(name, "it is no file but a device, a pipe or the like"))
        elif facts.st_size > MOST_SOURCE_BYTES:
            listed.left_out.append(LeftOut(name, _too_large(facts.st_size)))
        else:
            listed.files.append(PhotoFile(name, path))
    return listed


def _walk(folder: Path, listed: PhotoFolder) -> Iterator[tuple[str, Path]]:
    """Every file and every link that is not hidden, by its name from ``folder``."""

    def unreadable(error: OSError) -> None:
        name = Path(error.filename).relative_to(folder).as_posix()
        listed.left_out.append(LeftOut(name, f"the folder cannot be read: {error.strerror}"))

    for parent, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in (*files, *links):
            if not name.startswith(".") and name.lower() not in _LITTER:
                path = Path(parent, name)
                yield path.relative_to(folder).as_posix(), path


def _too_large(size: int) -> str:
    return f"it has {size / 1e6:.0f} MB, more than 100; export it smaller: Instagram shows 1440 px of width"
