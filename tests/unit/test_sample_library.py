"""The demo's sample library: the same every time, within Instagram's limits; and the scores of other folders."""

import csv
import dataclasses
import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from adapters.imaging import make_rendition
from adapters.imaging.limits import LEAST_WIDTH, MOST_WIDTH, cropped_size
from local import sample_library
from local.sample_library import PICTURES, SamplePicture, draw_picture, draw_sample_library
from local.sample_library.painting import dice
from local.scores import SCORES_HEADER, write_scores


def small(picture: SamplePicture, divisor: int = 6) -> SamplePicture:
    """The same scene in a sixth of its width, drawn in a blink."""
    width, height = picture.size
    return dataclasses.replace(picture, size=(width // divisor, height // divisor))


def rows_of(csv_file: Path) -> list[dict[str, str]]:
    with csv_file.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def small_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sample_library, "PICTURES", tuple(small(picture) for picture in PICTURES))
    draw_sample_library(tmp_path / "library")
    return tmp_path / "library"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.file)
def test_a_scene_is_the_same_every_time_and_fills_its_size(picture: SamplePicture) -> None:
    size = small(picture).size
    first, second = (picture.scene(size, dice(picture.seed)) for _ in range(2))
    assert first.size == size
    assert first.mode == "RGB"
    assert first.tobytes() == second.tobytes()


def test_every_picture_lies_within_instagrams_limits() -> None:
    for picture in PICTURES:
        assert LEAST_WIDTH <= picture.size[0] <= MOST_WIDTH
        assert cropped_size(*picture.size) == picture.size


def test_a_picture_in_full_size_becomes_a_rendition_as_it_is(tmp_path: Path) -> None:
    picture = PICTURES[2]
    draw_picture(picture, tmp_path)
    source = (tmp_path / picture.file).read_bytes()
    rendition = make_rendition(source)
    assert (rendition.width, rendition.height) == picture.size
    assert not Image.open(io.BytesIO(source)).getexif()


def test_the_scores_name_files_that_exist(small_library: Path) -> None:
    rows = rows_of(small_library / "scores.csv")
    assert tuple(rows[0]) == SCORES_HEADER
    for row in rows:
        assert (small_library / row["file"]).is_file()
        assert 0 <= float(row["aesthetic_score"]) <= 10
        assert 0 < len(row["alt_text"]) <= 1000
        assert len(row["caption"]) <= 2200


def test_the_scores_show_a_tie_and_a_picture_without_a_score(small_library: Path) -> None:
    rows = rows_of(small_library / "scores.csv")
    scores = [row["aesthetic_score"] for row in rows]
    drawn = {path.name for path in small_library.glob("*.jpg")}
    assert len(drawn) == 12
    assert len(scores) - len(set(scores)) == 1
    assert len(drawn - {row["file"] for row in rows}) == 1
    assert 0 < sum(bool(row["caption"]) for row in rows) < len(rows)


def test_a_folder_of_ones_own_gets_a_score_for_every_readable_picture(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    (folder / "2026").mkdir(parents=True)
    dull, lively = Image.new("RGB", (400, 400), (40, 40, 40)), Image.new("RGB", (400, 400), (40, 40, 40))
    for place in range(0, 400, 20):
        ImageDraw.Draw(lively).rectangle((place, 0, place + 9, 399), (230, 120 + place // 4, 40))
    dull.save(folder / "dull.PNG")
    lively.save(folder / "2026" / "lively.jpg")
    lively.save(folder / ".hidden.jpg")
    (folder / "cut.jpg").write_bytes((folder / "2026" / "lively.jpg").read_bytes()[:300])
    (folder / "letter.txt").write_text("To whom it may concern")
    scores = tmp_path / "scores.csv"

    assert write_scores(folder, scores) == 2
    by_file = {row["file"]: float(row["aesthetic_score"]) for row in rows_of(scores)}
    assert by_file.keys() == {"dull.PNG", "2026/lively.jpg"}
    assert by_file["2026/lively.jpg"] > by_file["dull.PNG"]
    assert tuple(rows_of(scores)[0]) == SCORES_HEADER


def test_measuring_twice_gives_the_same_scores(small_library: Path, tmp_path: Path) -> None:
    assert write_scores(small_library, tmp_path / "first.csv") == 12
    write_scores(small_library, tmp_path / "second.csv")
    assert (tmp_path / "first.csv").read_bytes() == (tmp_path / "second.csv").read_bytes()
