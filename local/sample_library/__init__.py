"""Draws the sample library that `make demo` uses when no folder of photos is given."""

import csv
from pathlib import Path

from local.sample_library.catalogue import PICTURES, SamplePicture
from local.sample_library.painting import dice
from local.scores import SCORES_HEADER

__all__ = ["PICTURES", "SamplePicture", "draw_sample_library"]

_QUALITY = 90


def draw_sample_library(folder: Path) -> None:
    """Writes twelve JPEGs and their `scores.csv` into `folder`, which is made; about 5 seconds.

    The bytes are the same every time, under one version of Pillow. The CSV comes last: where it stands, the library
    is complete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        draw_picture(picture, folder)
    with (folder / "scores.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(SCORES_HEADER)
        for picture in PICTURES:
            if picture.aesthetic_score is not None:
                writer.writerow((picture.file, picture.aesthetic_score, picture.caption, picture.alt_text))


def draw_picture(picture: SamplePicture, folder: Path) -> None:
    """One of the twelve, without metadata, as an export from a photo editor is."""
    pixels = picture.scene(picture.size, dice(picture.seed))
    pixels.save(folder / picture.file, "JPEG", quality=_QUALITY)
