"""The CSV that gives scores, captions and alt texts to the photos of a folder: read row by row, each checked."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from domain.captions import alt_text_problem, caption_problem
from domain.photos import parse_score

REQUIRED: Final = ("file", "aesthetic_score")
OPTIONAL: Final = ("caption", "alt_text")

_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_RIGHT_HEADER: Final = (
    "The first line must be `file,aesthetic_score`, and may go on with `,caption` and `,alt_text`; the file is UTF-8, "
    "its columns are separated by commas"
)


class UnusableScoresError(Exception):
    """No row of the file can be used. The text says why, and what the file must look like."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not imported: ``what`` names the file, or the row of the CSV, which begins in ``line``."""

    what: str
    reason: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """What one row says of one file. None where its cell is empty. ``line`` is the one in which the row begins."""

    line: int
    file: str
    aesthetic_score: float | None = None
    caption: str | None = None
    alt_text: str | None = None

    @property
    def what(self) -> str:
        return f"line {self.line} ({self.file})"

    @property
    def facts(self) -> tuple[float | None, str | None, str | None]:
        return self.aesthetic_score, self.caption, self.alt_text


@dataclass(slots=True)
class Scores:
    """The rows that can be used, by their file's ``key``; what is left out; and the keys of rows that are."""

    rows: dict[str, ScoreRow] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)


class _RowError(Exception):
    """A row cannot be used; the text says why."""


def key(name: str) -> str:
    """A file's name for comparison: macOS and editors write one accent in two ways, Windows its folders with ``\\``."""
    return PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).as_posix()


def read_scores(path: Path) -> Scores:
    """Raises UnusableScoresError for a file without the right header, and OSError."""
    # Bytes that are not UTF-8 become lone surrogates, and those a refused row; the rest goes on.
    text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns = _columns(reader)
    scores = Scores()
    lines: dict[str, int] = {}
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return scores
        except csv.Error as error:
            scores.left_out.append(LeftOut(f"line {line}", f"its quotes or commas are wrong ({error})", line))
            continue
        if not cells:
            continue
        file = cells[columns["file"]] if len(cells) > columns["file"] else ""
        what = f"line {line} ({file})" if file else f"line {line}"
        try:
            row = _row(line, cells, columns)
            if key(file) in lines:
                raise _RowError(f"{file} has a row already, in line {lines[key(file)]}; that one counts")
        except _RowError as error:
            scores.left_out.append(LeftOut(what, str(error), line))
            if file and key(file) not in lines:
                scores.refused.add(key(file))
                lines[key(file)] = line
            continue
        lines[key(file)] = line
        scores.rows[key(file)] = row


def _columns(reader: Iterator[list[str]]) -> Mapping[str, int]:
    """Each column's place, as the header tells it."""
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise UnusableScoresError(f"Line 1 cannot be read ({error}). {_RIGHT_HEADER}.") from None
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in REQUIRED + OPTIONAL]
    doubled = sorted({name for name in header if header.count(name) > 1})
    for names, problem in ((missing, "lacks"), (unknown, "has the unknown column"), (doubled, "has twice")):
        if names:
            raise UnusableScoresError(f"Line 1 {problem} {', '.join(map(repr, names))}. {_RIGHT_HEADER}.")
    return {name: place for place, name in enumerate(header)}


def _row(line: int, cells: Sequence[str], columns: Mapping[str, int]) -> ScoreRow:
    if len(cells) != len(columns):
        raise _RowError(
            f"it has {len(cells)} columns where the header has {len(columns)}; put a cell with a comma in double quotes"
        )
    if _SURROGATE.search("".join(cells)):
        raise _RowError("it is not UTF-8; save the file as CSV UTF-8")
    cell = {name: cells[place] for name, place in columns.items()}
    if not cell["file"].strip():
        raise _RowError("it names no file")
    caption, alt_text = (_text(cell.get(name, "")) for name in OPTIONAL)
    for text, problem_of in ((caption, caption_problem), (alt_text, alt_text_problem)):
        problem = problem_of(text) if text is not None else None
        if problem is not None:
            raise _RowError(problem)
    return ScoreRow(line, cell["file"], _score(cell["aesthetic_score"].strip()), caption, alt_text)


def _text(cell: str) -> str | None:
    text = cell.replace("\r\n", "\n").strip()
    return text or None


def _score(cell: str) -> float | None:
    if not cell:
        return None
    try:
        return parse_score(cell)
    except ValueError as error:
        raise _RowError(f"aesthetic_score is {error}") from None
