"""The Rails app's tables as CSV files of psql: columns by name, the unknown ignored, the missing named."""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

PERSONAS, PHOTOS, ANALYSES, POSTS = "personas.csv", "photos.csv", "photo_analyses.csv", "scheduling_posts.csv"

_FILE_COLUMNS: Final = (
    *("path", "file_path", "filepath", "relative_path", "storage_path", "object_key", "key"),
    *("filename", "file_name", "original_filename", "image_url", "url", "file", "image", "name"),
)
_POSTED_AT: Final = ("posted_at", "published_at", "scheduled_time", "scheduled_at", "scheduled_for", "updated_at")
_MEDIA: Final = ("provider_post_id", "instagram_media_id", "media_id")
_LONGEST_CELL: Final = 10_000_000

POSTED: Final = frozenset({"posted", "published"})
NOT_POSTED: Final = frozenset(
    {"draft", "scheduled", "pending", "queued", "failed", "cancelled", "canceled", "rejected"}
)
"""Any other status, `posting` first of all, may mean that it is on the account."""


class UnusableTableError(Exception):
    """A file cannot be used at all. The text names it and says what it must look like."""


@dataclass(frozen=True, slots=True)
class RailsPhoto:
    """``line`` is the one of photos.csv in which it begins; ``file`` is where it lay, or its name, or its address."""

    line: int
    photo_id: str
    persona_id: str
    file: str
    caption: str | None
    is_posted: bool
    score: str | None


@dataclass(frozen=True, slots=True)
class RailsPost:
    line: int
    photo_id: str
    caption: str
    media_id: str | None
    posted_at: datetime | None
    is_posted: bool
    """False: it may be on the account, and nobody knows."""


@dataclass(frozen=True, slots=True)
class RailsTables:
    personas: Mapping[str, str]
    """Names by id."""
    photos: tuple[RailsPhoto, ...]
    posts: Mapping[str, RailsPost]
    """The post that decides, by photo id: of photos that are, or may be, on the account."""


def read_tables(folder: Path, statuses: Mapping[str, str]) -> RailsTables:
    """``statuses`` gives the names of statuses that are numbers. Raises UnusableTableError and OSError."""
    scores = {
        row["photo_id"]: row["aesthetic_score"] for _, row in _rows(folder / ANALYSES, "photo_id", "aesthetic_score")
    }
    photos = []
    for line, row in _rows(folder / PHOTOS, "id", "persona_id"):
        photos.append(
            RailsPhoto(
                line=line,
                photo_id=row["id"],
                persona_id=row["persona_id"],
                file=_first(row, _FILE_COLUMNS, folder / PHOTOS),
                caption=row.get("caption") or None,
                is_posted=bool(row.get("posted_at")),
                score=scores.get(row["id"]) or None,
            )
        )
    personas = {row["id"]: row.get("name", "") for _, row in _rows(folder / PERSONAS, "id")}
    return RailsTables(personas, tuple(photos), _posts(folder / POSTS, statuses))


def _posts(file: Path, statuses: Mapping[str, str]) -> Mapping[str, RailsPost]:
    deciding: dict[str, RailsPost] = {}
    for line, row in _rows(file, "photo_id", "status"):
        written = row["status"].strip().lower()
        status = statuses.get(written, written)
        media_id = next((row[name] for name in _MEDIA if row.get(name)), None)
        if status in NOT_POSTED and media_id is None:
            continue
        post = RailsPost(
            line=line,
            photo_id=row["photo_id"],
            caption=row.get("caption", ""),
            media_id=media_id,
            posted_at=next((_instant(row[name], file, line) for name in _POSTED_AT if row.get(name)), None),
            is_posted=status in POSTED or media_id is not None,
        )
        before = deciding.get(post.photo_id)
        if before is None or _weight(post) < _weight(before):
            deciding[post.photo_id] = post
    return deciding


def _weight(post: RailsPost) -> tuple[bool, float]:
    """Less is more: what was posted for sure, and of that the first."""
    return not post.is_posted, post.posted_at.timestamp() if post.posted_at else math.inf


def _rows(file: Path, *required: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows with the line each begins in."""
    csv.field_size_limit(_LONGEST_CELL)
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text, restval="", strict=True)
        try:
            missing = [name for name in required if name not in (reader.fieldnames or ())]
            if missing:
                raise UnusableTableError(f"{file} lacks the column {', '.join(missing)}; export it with `csv header`.")
            line = reader.line_num + 1
            for row in reader:
                yield line, {name: value for name, value in row.items() if isinstance(name, str)}
                line = reader.line_num + 1
        except (csv.Error, UnicodeDecodeError) as error:
            raise UnusableTableError(f"{file} cannot be read after line {reader.line_num} ({error}).") from None


def _first(row: Mapping[str, str], names: tuple[str, ...], file: Path) -> str:
    if not any(name in row for name in names):
        raise UnusableTableError(f"{file} has no column that names the file; one of {', '.join(names)} is looked for.")
    return next((row[name] for name in names if row.get(name)), "")


def _instant(text: str, file: Path, line: int) -> datetime:
    """Rails keeps UTC, and psql writes it without saying so."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise UnusableTableError(f"{file}, line {line}: {text[:40]!r} is no time.") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
