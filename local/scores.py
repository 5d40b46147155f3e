"""Scores for a folder of one's own pictures, so that the demo runs with them too."""

import csv
from pathlib import Path

from adapters.imaging import UnusableImageError, measure

SCORES_HEADER = ("file", "aesthetic_score", "caption", "alt_text")

# Only these are opened: the folder may hold films of many gigabytes beside the pictures.
_SUFFIXES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp"),
    *(".tif", ".tiff", ".avif", ".heic", ".heif", ".hif"),
}


def write_scores(folder: Path, csv_file: Path) -> int:
    """Measures every readable picture in and below `folder` and writes `csv_file`; how many rows that are.

    The columns are those of the sample library's `scores.csv`, without captions and alt texts; `file` is the path
    within `folder`, with slashes. A hidden file, a damaged one and one that is no picture get no row. `csv_file` is
    replaced.
    """
    rows = []
    for picture in sorted(folder.rglob("*")):
        name = picture.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in name.parts)
        if is_hidden or picture.suffix.lower() not in _SUFFIXES or not picture.is_file():
            continue
        try:
            score = measure(picture.read_bytes()).aesthetic_score
        except UnusableImageError:
            continue
        rows.append((name.as_posix(), f"{score:.2f}", "", ""))
    with csv_file.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(SCORES_HEADER)
        writer.writerows(rows)
    return len(rows)
