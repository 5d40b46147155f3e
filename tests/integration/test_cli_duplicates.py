"""`fluffy-train photos duplicates` on a stack over real HTTP."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from adapters.s3 import S3Renditions
from domain.ids import PhotoId
from integration.test_cli_posting import A, B, C, add_photo, rows
from integration.test_cli_stack import PERSONA, CliStack, error_line

D = PhotoId("d" * 64)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        stack.add_persona()
        yield stack


def add_burst(stack: CliStack) -> None:
    """All four, by two bursts that turn out to be one: their photos name different ones."""
    for photo_id, score, caption in ((A, 5.0, None), (B, 9.0, "<b>The sea</b>"), (C, 7.0, None), (D, None, None)):
        add_photo(stack, photo_id, score, caption=caption)
    near_duplicates = stack.adapters.near_duplicates
    near_duplicates.join(PERSONA, A, B)
    near_duplicates.join(PERSONA, C, D)
    burst = near_duplicates.join(PERSONA, B, C)
    assert burst is not None
    near_duplicates.elect(PERSONA, burst)
    photos = [stack.adapters.library.get(PERSONA, one) for one in (A, C)]
    assert len({photo.burst for photo in photos if photo}) == 2


def test_bursts_that_were_joined_are_shown_as_one_best_first(stack: CliStack) -> None:
    add_burst(stack)
    result = stack.run("photos", "duplicates")
    assert result.exit_code == 0
    assert rows(result.stdout) == [
        ["1", "b" * 12, "best, in the queue", "9.00 by given", "<b>The sea</b>"],
        ["1", "c" * 12, "kept back", "7.00 by given"],
        ["1", "a" * 12, "kept back", "5.00 by given"],
        ["1", "d" * 12, "without a score", "none"],
    ]


def test_what_is_posted_is_told_and_json_is_json_alone(stack: CliStack) -> None:
    add_burst(stack)
    assert stack.run("post").exit_code == 0
    facts = json.loads(stack.run("photos", "duplicates", "--json").output)
    assert (facts["persona_id"], facts["html"], len(facts["bursts"])) == (PERSONA, None, 1)
    first, second, *_ = facts["bursts"][0]["photos"]
    assert (first["photo_id"], first["standing"], second["standing"]) == (B, "posted", "kept back")
    assert first["post_slot"] is not None


def test_without_lookalikes_it_says_so(stack: CliStack, tmp_path: Path) -> None:
    add_photo(stack, A, 5.0)
    assert stack.run("photos", "duplicates").stdout == "No photos of default look alike.\n"
    assert json.loads(stack.run("photos", "duplicates", "--json").output)["bursts"] == []
    assert stack.run("photos", "duplicates", "--html", str(tmp_path / "a.html")).exit_code == 0
    assert "nothing to show" in (tmp_path / "a.html").read_text()


def test_the_contact_sheet_has_the_pictures_side_by_side(stack: CliStack, tmp_path: Path) -> None:
    add_burst(stack)
    boto3.client("s3").delete_object(Bucket=stack.environment["PHOTOS_BUCKET"], Key=f"library/{PERSONA}/{A}.jpg")
    stack.adapters.renditions.put(f"library/{PERSONA}/{C}.jpg", b"no picture")
    path = tmp_path / "look alikes.html"
    path.write_text("an older one")
    result = stack.run("photos", "duplicates", "--html", str(path))
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"Bursts on {path}: 1." in result.stdout
    html = path.read_text()
    assert html.count("data:image/jpeg;base64,") == 2
    assert html.count("no picture") == 2
    for text in ("best, in the queue", "kept back", "score 9.00 by given", "&lt;b&gt;The sea&lt;/b&gt;", "b" * 12):
        assert text in html
    assert "<b>The sea" not in html
    assert os.listdir(tmp_path) == [path.name]
    facts = json.loads(stack.run("photos", "duplicates", "--html", str(path), "--json").output)
    assert facts["html"] == str(path)


def test_what_is_no_place_for_a_file_is_refused_before_any_work(
    stack: CliStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.delattr(S3Renditions, "read")
    for name, says in ((".", "is a directory"), ("none/a.html", "there is no folder"), ("pipe", "is no file but")):
        result = stack.run("photos", "duplicates", "--html", str(tmp_path / name))
        assert result.exit_code == 2
        assert says in " ".join(result.stderr.replace("│", " ").split())
    assert stack.run("photos", "duplicates", "--html").exit_code == 2


def test_a_sheet_that_cannot_be_written_is_one_line(
    stack: CliStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_burst(stack)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("cli.photos.write_sheet", refuse)
    line = error_line(stack.run("photos", "duplicates", "--html", str(tmp_path / "a.html")))
    assert line.endswith("a.html cannot be written: Permission denied.")
