"""`fluffy-train photos import` on a stack over real HTTP."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from typer.testing import Result

from adapters.clock import SystemClock
from adapters.dynamo import DynamoPhotoLibrary
from adapters.imaging.measures import SCORER
from adapters.s3 import S3Renditions
from adapters.scoring import MeasuredScorer
from cli import photo_folder
from domain.ids import PersonaId, PhotoId
from domain.photos import Photo
from domain.ports import RecordsUnavailableError, ScorerUnavailableError, UnscorablePictureError
from integration.test_cli_stack import PERSONA, CliStack, error_line, jpeg

COLOURS = ("red", "green", "blue", "yellow", "purple", "orange")


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        stack.add_persona()
        yield stack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def put(folder: Path, *names: str, scores: str | None = None) -> Mapping[str, PhotoId]:
    """Write a picture of its own under each name; the photo's id by the name."""
    ids = {}
    for name, colour in zip(names, COLOURS, strict=False):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(colour))
        ids[name] = id_of(path)
    if scores is not None:
        (folder / "scores.csv").write_text(scores)
    return ids


def id_of(path: Path) -> PhotoId:
    return PhotoId(hashlib.sha256(path.read_bytes()).hexdigest())


def import_(stack: CliStack, folder: Path, *options: str) -> Result:
    scores = ("--scores", str(folder / "scores.csv")) if (folder / "scores.csv").exists() else ()
    return stack.run("photos", "import", str(folder), "--persona", PERSONA, *scores, *options)


def photo(stack: CliStack, photo_id: PhotoId) -> Photo:
    found = stack.adapters.library.get(PERSONA, photo_id)
    assert found is not None
    return found


def queue(stack: CliStack) -> list[PhotoId]:
    return [one.photo_id for one in stack.adapters.library.best_first(PERSONA)]


def counts(result: Result) -> str:
    return result.stdout.splitlines()[0]


def left_out(result: Result) -> list[str]:
    start = "  left out: "
    return [line.removeprefix(start) for line in result.stdout.splitlines() if line.startswith(start)]


# ---- what is imported ----


def test_pictures_become_photos_with_renditions_scores_captions_and_alt_texts(stack: CliStack, folder: Path) -> None:
    ids = put(
        folder, "a.jpg", "b.jpg", scores='file,aesthetic_score,caption,alt_text\na.jpg,7.5,"One\ntwo",Red\nb.jpg,8,,\n'
    )
    result = import_(stack, folder)
    assert result.exit_code == 0
    assert result.stdout == "Photos: added 2, updated 0, unchanged 0; left out 0.\n"
    a = photo(stack, ids["a.jpg"])
    assert (a.caption, a.alt_text, a.width, a.height) == ("One\ntwo", "Red", 320, 320)
    assert a.analysis is not None
    assert (a.analysis.aesthetic_score, a.analysis.scorer) == (7.5, "given")
    assert a.object_key == f"library/{PERSONA}/{a.photo_id}.jpg"
    assert set(stack.objects()) == {photo(stack, one).object_key for one in ids.values()}
    assert queue(stack) == [ids["b.jpg"], ids["a.jpg"]]


def test_the_rendition_is_stored_before_the_record(
    stack: CliStack, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "a.jpg")

    def fail(*_: object) -> None:
        raise RecordsUnavailableError("DynamoDB did not add the photo: gone")

    monkeypatch.setattr(DynamoPhotoLibrary, "add", fail)
    result = import_(stack, folder)
    assert result.exit_code == 1
    assert "Error: DynamoDB did not add the photo: gone" in result.stderr
    assert "run the same command again" in result.stderr
    assert len(stack.objects()) == 1


def test_a_second_import_changes_nothing_and_uploads_nothing(
    stack: CliStack, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = put(folder, "a.jpg", "b.jpg", scores="file,aesthetic_score\na.jpg,7\nb.jpg,\n")
    assert import_(stack, folder).exit_code == 0
    before = [photo(stack, one) for one in ids.values()]
    monkeypatch.delattr(S3Renditions, "put")
    result = import_(stack, folder)
    assert (result.exit_code, counts(result)) == (0, "Photos: added 0, updated 0, unchanged 2; left out 0.")
    assert [photo(stack, one) for one in ids.values()] == before


def test_a_photo_under_another_name_is_the_same_photo(stack: CliStack, folder: Path) -> None:
    put(folder, "a.jpg")
    assert import_(stack, folder).exit_code == 0
    (folder / "a.jpg").rename(folder / "z.jpg")
    assert "added 0, updated 0, unchanged 1" in import_(stack, folder).stdout


def test_a_new_score_or_caption_brings_the_photo_up_to_date_and_an_empty_cell_takes_nothing_away(
    stack: CliStack, folder: Path
) -> None:
    ids = put(folder, "a.jpg", scores="file,aesthetic_score,caption\na.jpg,7,One\n")
    assert import_(stack, folder).exit_code == 0
    put(folder, "a.jpg", scores="file,aesthetic_score,caption\na.jpg,9,\n")
    result = import_(stack, folder)
    assert (result.exit_code, counts(result)) == (0, "Photos: added 0, updated 1, unchanged 0; left out 0.")
    a = photo(stack, ids["a.jpg"])
    assert a.analysis is not None
    assert (a.analysis.aesthetic_score, a.caption) == (9.0, "One")


def test_a_photo_without_a_score_of_its_owners_is_measured(stack: CliStack, folder: Path) -> None:
    ids = put(folder, "a.jpg", "b.jpg", scores="file,aesthetic_score\na.jpg,\n")
    result = import_(stack, folder)
    assert result.exit_code == 0
    assert "waiting" not in result.stdout
    analysis = photo(stack, ids["a.jpg"]).analysis
    assert analysis is not None
    assert analysis.scorer == SCORER
    assert set(queue(stack)) == set(ids.values())
    put(folder, "a.jpg", "b.jpg", scores="file,aesthetic_score\na.jpg,5\n")
    assert "updated 1" in import_(stack, folder).stdout
    analysis = photo(stack, ids["a.jpg"]).analysis
    assert analysis is not None
    assert (analysis.aesthetic_score, analysis.scorer) == (5.0, "given")


def test_a_picture_that_the_scorer_cannot_judge_waits_and_the_others_go_on(
    stack: CliStack, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = put(folder, "a.jpg", "b.jpg", "c.jpg", scores="file,aesthetic_score\na.jpg,7\nc.jpg,5\n")

    def refuse(*_: object) -> None:
        raise UnscorablePictureError("The model does not answer for this picture.")

    monkeypatch.setattr(MeasuredScorer, "score", refuse)
    result = import_(stack, folder)
    assert (result.exit_code, counts(result)) == (0, "Photos: added 3, updated 0, unchanged 0; left out 0.")
    assert "note: b.jpg waits, since the scorer cannot judge it" in result.stdout
    assert queue(stack) == [ids["a.jpg"], ids["c.jpg"]]


def test_a_scorer_that_is_away_is_one_line(stack: CliStack, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "a.jpg")

    def away(*_: object) -> None:
        raise ScorerUnavailableError("The scorer does not answer.")

    monkeypatch.setattr(MeasuredScorer, "score", away)
    result = import_(stack, folder)
    assert result.exit_code == 1
    assert "Error: The scorer does not answer." in result.stderr
    assert "run the same command again" in result.stderr


def test_a_photo_that_was_posted_does_not_come_back_by_a_new_score(stack: CliStack, folder: Path) -> None:
    ids = put(folder, "a.jpg", scores="file,aesthetic_score\na.jpg,5\n")
    assert import_(stack, folder).exit_code == 0
    assert stack.run("post").exit_code == 0
    put(folder, "a.jpg", scores="file,aesthetic_score\na.jpg,9\n")
    result = import_(stack, folder)
    assert "updated 1" in result.stdout
    assert "waiting" not in result.stdout
    assert queue(stack) == []
    assert photo(stack, ids["a.jpg"]).post_slot is not None


def test_a_rendition_that_the_bucket_has_lost_is_stored_again(stack: CliStack, folder: Path) -> None:
    ids = put(folder, "a.jpg")
    assert import_(stack, folder).exit_code == 0
    key = photo(stack, ids["a.jpg"]).object_key
    boto3.client("s3").delete_object(Bucket=stack.environment["PHOTOS_BUCKET"], Key=key)
    result = import_(stack, folder)
    assert (result.exit_code, counts(result)) == (0, "Photos: added 0, updated 1, unchanged 0; left out 0.")
    assert set(stack.objects()) == {key}


def test_two_files_of_the_same_bytes_are_one_photo(stack: CliStack, folder: Path) -> None:
    ids = put(folder, "a.jpg", scores="file,aesthetic_score\na.jpg,5\nb.jpg,5\n")
    (folder / "b.jpg").write_bytes((folder / "a.jpg").read_bytes())
    for expected in ("added 1, updated 0, unchanged 0", "added 0, updated 0, unchanged 1"):
        result = import_(stack, folder)
        assert result.exit_code == 0
        assert expected in result.stdout
        assert "b.jpg is the same picture as a.jpg" in result.stdout
    assert queue(stack) == [ids["a.jpg"]]


def test_of_two_rows_about_the_same_picture_the_first_counts(stack: CliStack, folder: Path) -> None:
    ids = put(folder, "a.jpg", scores="file,aesthetic_score\nb.jpg,9\na.jpg,5\n")
    (folder / "b.jpg").write_bytes((folder / "a.jpg").read_bytes())
    for _ in range(2):
        result = import_(stack, folder)
        assert result.exit_code == 1
        assert left_out(result) == [
            "line 2 (b.jpg): it says otherwise than line 3 (a.jpg) of the same picture; that one counts"
        ]
        analysis = photo(stack, ids["a.jpg"]).analysis
        assert analysis is not None
        assert analysis.aesthetic_score == 5.0


def test_a_twins_row_serves_where_the_first_file_has_none(stack: CliStack, folder: Path) -> None:
    ids = put(folder, "a.jpg", scores="file,aesthetic_score\nb.jpg,9\n")
    (folder / "b.jpg").write_bytes((folder / "a.jpg").read_bytes())
    result = import_(stack, folder)
    assert (result.exit_code, counts(result)) == (0, "Photos: added 1, updated 0, unchanged 0; left out 0.")
    assert "waiting" not in result.stdout
    assert queue(stack) == [ids["a.jpg"]]
    assert "added 0, updated 0, unchanged 1" in import_(stack, folder).stdout


def test_photos_of_one_score_are_queued_in_the_order_of_their_names(
    stack: CliStack, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("f.jpg", "b/a.jpg", "e.jpg", "a.jpg", "b.jpg", "c.jpg")
    rows = "".join(f"{name},5\n" for name in names)
    ids = put(folder, *names, scores=f"file,aesthetic_score\n{rows}")
    instant = datetime(2026, 11, 22, 9, tzinfo=UTC)
    monkeypatch.setattr(SystemClock, "now", lambda _: instant)  # a fast machine: many photos in one millisecond
    assert import_(stack, folder).exit_code == 0
    assert queue(stack) == [ids[name] for name in sorted(names)]
    assert photo(stack, ids["f.jpg"]).imported_at == instant + timedelta(milliseconds=5)


def test_sub_folders_are_imported_and_named_from_the_folder_on(stack: CliStack, folder: Path) -> None:
    ids = put(folder, "summer/sea/a.jpg", "b.jpg", scores="file,aesthetic_score\nsummer/sea/a.jpg,7\nsummer\\sea,1\n")
    result = import_(stack, folder)
    assert queue(stack)[0] == ids["summer/sea/a.jpg"]
    assert left_out(result) == ["line 3 (summer\\sea): there is no such file in the folder"]


def test_the_stacks_default_persona_is_meant_where_none_is_named(stack: CliStack, folder: Path) -> None:
    ids = put(folder, "a.jpg")
    assert stack.run("photos", "import", str(folder)).exit_code == 0
    assert photo(stack, ids["a.jpg"]).persona_id == PERSONA


def test_each_persona_has_a_library_of_its_own(stack: CliStack, folder: Path) -> None:
    stack.add_persona("second")
    ids = put(folder, "a.jpg")
    assert import_(stack, folder).exit_code == 0
    assert "added 1" in stack.run("photos", "import", str(folder), "--persona", "second").stdout
    assert stack.adapters.library.get(PersonaId("second"), ids["a.jpg"]) is not None
    assert len(stack.objects()) == 2


# ---- what is ignored ----


def test_hidden_files_litter_and_the_csv_itself_are_ignored(stack: CliStack, folder: Path) -> None:
    put(folder, "a.jpg", ".hidden.jpg", ".trash/b.jpg", scores="file,aesthetic_score\na.jpg,7\n")
    for name in ("Thumbs.db", "desktop.ini", "._a.jpg"):
        (folder / name).write_text("litter")
    result = import_(stack, folder)
    assert (result.exit_code, result.stdout) == (0, "Photos: added 1, updated 0, unchanged 0; left out 0.\n")


def test_a_csv_of_another_name_in_the_folder_is_ignored_too(stack: CliStack, folder: Path) -> None:
    put(folder, "a.jpg")
    (folder / "mine.csv").write_text("file,aesthetic_score\na.jpg,7\n")
    result = stack.run("photos", "import", str(folder), "--scores", str(folder / "mine.csv"))
    assert (result.exit_code, counts(result)) == (0, "Photos: added 1, updated 0, unchanged 0; left out 0.")


def test_a_scores_csv_that_is_not_named_is_pointed_out(stack: CliStack, folder: Path) -> None:
    put(folder, "a.jpg", scores="file,aesthetic_score\na.jpg,7\n")
    result = stack.run("photos", "import", str(folder))
    assert result.exit_code == 0
    assert "is not read: name it with --scores" in result.stderr


def test_a_link_that_leads_out_of_the_folder_is_ignored_with_a_notice(
    stack: CliStack, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "private").mkdir()
    put(tmp_path / "private", "secret.jpg")
    put(folder, "a.jpg")
    (folder / "file.jpg").symlink_to(tmp_path / "private" / "secret.jpg")
    (folder / "album").symlink_to(tmp_path / "private")
    result = import_(stack, folder)
    assert (result.exit_code, counts(result)) == (0, "Photos: added 1, updated 0, unchanged 0; left out 0.")
    assert "note: file.jpg is a link that leads out of the folder" in result.stdout
    assert "note: album is a link that leads out of the folder" in result.stdout


def test_a_link_within_the_folder_is_the_same_picture_and_a_loop_does_no_harm(stack: CliStack, folder: Path) -> None:
    put(folder, "a.jpg")
    (folder / "b.jpg").symlink_to("a.jpg")
    (folder / "loop").symlink_to(".")
    (folder / "around").symlink_to("around")
    result = import_(stack, folder)
    assert "added 1, updated 0, unchanged 0; left out 1" in result.stdout
    assert [line.split(":")[0] for line in left_out(result)] == ["around"]


def test_the_folder_itself_may_be_a_link(stack: CliStack, folder: Path, tmp_path: Path) -> None:
    put(folder, "a.jpg", scores="file,aesthetic_score\na.jpg,7\n")
    (tmp_path / "link").symlink_to(folder)
    result = import_(stack, tmp_path / "link")
    assert (result.exit_code, counts(result)) == (0, "Photos: added 1, updated 0, unchanged 0; left out 0.")


# ---- what is left out ----


def test_bad_rows_and_files_are_named_and_the_rest_goes_on(stack: CliStack, folder: Path) -> None:
    ids = put(
        folder,
        "a.jpg",
        "b.jpg",
        "c.jpg",
        scores=(
            "file,aesthetic_score,caption\na.jpg,7,One\nb.jpg,nan,Two\nnowhere.jpg,5,\na.jpg,8,\nc.jpg,6,three,four\n"
        ),
    )
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "cut.jpg").write_bytes(jpeg()[:300])
    (folder / "notes.txt").write_text("notes")
    (folder / "small.jpg").write_bytes(jpeg(width=100))
    result = import_(stack, folder)
    assert result.exit_code == 1
    assert counts(result) == "Photos: added 1, updated 0, unchanged 0; left out 8."
    assert [line.split(": ")[0] for line in left_out(result)] == [
        "line 3 (b.jpg)",
        "line 4 (nowhere.jpg)",
        "line 5 (a.jpg)",
        "line 6 (c.jpg)",
        "cut.jpg",
        "empty.jpg",
        "notes.txt",
        "small.jpg",
    ]
    assert queue(stack) == [ids["a.jpg"]]


def test_the_photo_of_a_bad_row_is_left_out_until_the_row_is_right(stack: CliStack, folder: Path) -> None:
    """Its caption would be missing when it is scored and posted."""
    ids = put(folder, "a.jpg", scores=f"file,aesthetic_score,caption\na.jpg,7,{'x' * 2201}\n")
    assert import_(stack, folder).exit_code == 1
    assert stack.adapters.library.get(PERSONA, ids["a.jpg"]) is None
    put(folder, "a.jpg", scores="file,aesthetic_score,caption\na.jpg,7,x\n")
    assert import_(stack, folder).exit_code == 0


def test_a_file_over_100_mb_is_refused_before_it_is_read(
    stack: CliStack, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "a.jpg", scores="file,aesthetic_score\na.jpg,7\nfilm.jpg,8\n")
    with (folder / "film.jpg").open("wb") as film:
        film.truncate(100_000_001)
    read = []
    reads = photo_folder.PhotoFile.read
    monkeypatch.setattr(photo_folder.PhotoFile, "read", lambda self: read.append(self.name) or reads(self))  # type: ignore[func-returns-value]
    result = import_(stack, folder)
    assert result.exit_code == 1
    assert [line.split(",")[0] for line in left_out(result)] == ["film.jpg: it has 100 MB"]
    assert read == ["a.jpg"]


def test_a_pipe_is_not_waited_for(stack: CliStack, folder: Path) -> None:
    put(folder, "a.jpg")
    os.mkfifo(folder / "pipe.jpg")
    result = import_(stack, folder)
    assert result.exit_code == 1
    assert left_out(result) == ["pipe.jpg: it is no file but a device, a pipe or the like"]


def test_a_file_that_may_not_be_read_is_named(stack: CliStack, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "a.jpg", "b.jpg")
    reads = photo_folder.PhotoFile.read

    def read(self: photo_folder.PhotoFile) -> bytes:
        if self.name == "a.jpg":
            raise PermissionError(13, "Permission denied")
        return reads(self)

    monkeypatch.setattr(photo_folder.PhotoFile, "read", read)
    result = import_(stack, folder)
    assert (result.exit_code, counts(result)) == (1, "Photos: added 1, updated 0, unchanged 0; left out 1.")
    assert left_out(result) == ["a.jpg: it cannot be read: Permission denied"]


def test_a_link_to_nowhere_is_named(stack: CliStack, folder: Path) -> None:
    put(folder, "a.jpg")
    (folder / "gone.jpg").symlink_to("deleted.jpg")
    assert left_out(import_(stack, folder)) == ["gone.jpg: it cannot be read: No such file or directory"]


def test_a_file_name_cannot_write_to_the_terminal(stack: CliStack, folder: Path) -> None:
    (folder / "a\x1b[2J\nleft out: b.txt").write_text("x")
    (folder / os.fsdecode(b"\xff.txt")).write_text("x")
    result = import_(stack, folder)
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
    assert len(left_out(result)) == 2


def test_a_csv_without_the_right_header_imports_nothing(stack: CliStack, folder: Path) -> None:
    put(folder, "a.jpg", scores="name,score\na.jpg,7\n")
    result = import_(stack, folder)
    assert result.exit_code == 2
    assert "must be `file,aesthetic_score`" in " ".join(result.stderr.replace("│", " ").split())
    assert stack.objects() == {}


# ---- wrong use, and interruptions ----


def test_the_persona_must_exist(stack: CliStack, folder: Path) -> None:
    put(folder, "a.jpg")
    line = error_line(stack.run("photos", "import", str(folder), "--persona", "nobody"))
    assert "There is no persona nobody" in line
    assert stack.objects() == {}


@pytest.mark.parametrize("what", ["missing folder", "file as folder", "missing csv", "folder as csv"])
def test_wrong_paths_are_wrong_use(stack: CliStack, folder: Path, what: str) -> None:
    put(folder, "a.jpg")
    words = {
        "missing folder": (str(folder / "nowhere"),),
        "file as folder": (str(folder / "a.jpg"),),
        "missing csv": (str(folder), "--scores", str(folder / "nowhere.csv")),
        "folder as csv": (str(folder), "--scores", str(folder)),
    }
    assert stack.run("photos", "import", *words[what]).exit_code == 2
    assert stack.objects() == {}


def test_an_empty_folder_is_said_to_be_empty(stack: CliStack, folder: Path) -> None:
    result = import_(stack, folder)
    assert result.exit_code == 0
    assert "There is no picture in" in result.stderr


def test_after_ctrl_c_what_is_done_stays_and_the_next_import_goes_on(
    stack: CliStack, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = put(folder, "a.jpg", "b.jpg", "c.jpg", scores="file,aesthetic_score\na.jpg,7\nb.jpg,8\nc.jpg,9\n")
    puts = S3Renditions.put

    def put_until_interrupted(self: S3Renditions, object_key: str, content: bytes) -> None:
        if ids["b.jpg"] in object_key:
            raise KeyboardInterrupt
        puts(self, object_key, content)

    with monkeypatch.context() as patched:
        patched.setattr(S3Renditions, "put", put_until_interrupted)
        result = import_(stack, folder)
    assert result.exit_code == 130
    assert "Interrupted. What is done stays done: run the same command again" in result.stderr
    assert ids["b.jpg"] not in queue(stack)
    assert import_(stack, folder).exit_code == 0
    assert queue(stack) == [ids["c.jpg"], ids["b.jpg"], ids["a.jpg"]]


def test_where_there_is_no_terminal_no_progress_is_shown(stack: CliStack, folder: Path) -> None:
    put(folder, "a.jpg")
    assert import_(stack, folder).stderr == ""


def test_a_bucket_that_is_gone_is_one_line(stack: CliStack, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "a.jpg")
    monkeypatch.setenv("PHOTOS_BUCKET", "nowhere-at-all")
    result = import_(stack, folder)
    assert result.exit_code == 1
    assert "PutObject: NoSuchBucket" in result.stderr
