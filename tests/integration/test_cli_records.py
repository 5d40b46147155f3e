"""`fluffy-train export` and `import-records` on a stack over real HTTP."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from adapters.dynamo.archive import DynamoRecordArchive
from domain.ports import RecordsUnavailableError
from domain.posts import PostStatus
from domain.record_lines import Record, to_line
from fakes.library import NINE, a_persona, a_photo, a_photo_id
from handlers import wiring
from integration.test_cli_schedules import scheduled
from integration.test_cli_stack import USER, CliStack, error_line, jpeg
from unit.test_import_records import FENCED, POSTED

LINES: list[Record] = [a_persona(), POSTED, a_photo(post_slot=NINE), a_photo("second")]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        yield stack


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "library.jsonl"
    file.write_text("".join(f"{to_line(record)}\n" for record in LINES))
    return file


def test_a_library_is_read_back_and_written_out_as_it_was(stack: CliStack, file: Path, tmp_path: Path) -> None:
    result = stack.run("import-records", str(file))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:3] == [
        "Personas: added 1, there already 0, there already and different 0.",
        "Posts: added 1, there already 0, there already and different 0.",
        "Photos: added 2, there already 0, there already and different 0.",
    ]
    assert "persona set-token" in result.stdout
    assert [photo.photo_id for photo in stack.adapters.library.best_first(a_persona().persona_id)] == [
        a_photo_id("second")
    ]
    again = tmp_path / "again.jsonl"
    assert stack.run("export", str(again)).exit_code == 0
    assert sorted(again.read_text().splitlines()) == sorted(file.read_text().splitlines())
    assert sorted(os.listdir(tmp_path)) == ["again.jsonl", "library.jsonl"]


def test_without_a_file_the_lines_go_to_the_output_and_nothing_else_does(stack: CliStack, file: Path) -> None:
    stack.run("import-records", str(file))
    result = stack.run("export")
    assert [json.loads(line)["kind"] for line in result.stdout.splitlines()] == ["persona", "post", "photo", "photo"]
    assert result.stderr == "Wrote 4 records of 1 personas.\n"


def test_no_token_is_exported(stack: CliStack) -> None:
    stack.add_persona()
    assert "token-" not in stack.run("export").stdout.replace("token_expires_at", "")
    assert all(value not in stack.run("export").output for _, value in stack.parameters().values())


def test_of_an_export_that_breaks_off_there_is_nothing(
    stack: CliStack, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.run("import-records", str(file))
    target = tmp_path / "out" / "library.jsonl"
    target.parent.mkdir()
    target.write_text("yesterday's\n")

    def fail(*_: object) -> None:
        raise RecordsUnavailableError("DynamoDB did not read the library: gone")

    monkeypatch.setattr(DynamoRecordArchive, "photos", fail)
    result = stack.run("export", str(target))
    assert error_line(result) == "DynamoDB did not read the library: gone"
    assert target.read_text() == "yesterday's\n"
    assert os.listdir(target.parent) == ["library.jsonl"]


def test_where_nothing_can_be_written_it_says_so(stack: CliStack, tmp_path: Path) -> None:
    assert "cannot be written: No such file or directory." in error_line(
        stack.run("export", str(tmp_path / "nowhere" / "library.jsonl"))
    )


def test_posts_under_way_are_told_of_at_both_ends(stack: CliStack, tmp_path: Path) -> None:
    stack.add_persona()
    wiring.build_archive(stack.adapters.settings).restore_post(FENCED)
    file = tmp_path / "library.jsonl"
    assert "1 posts were under way" in stack.run("export", str(file), "--persona", "default").stderr
    boto3.client("dynamodb").delete_item(
        TableName=stack.environment["POSTS_TABLE"],
        Key={"persona_id": {"S": "default"}, "slot": {"S": str(NINE)}},
    )
    result = stack.run("import-records", str(file))
    assert "now failed or unconfirmed: 1" in result.stdout
    post = stack.adapters.ledger.get(FENCED.persona_id, NINE)
    assert post is not None
    assert post.status is PostStatus.UNCONFIRMED


def test_bad_and_differing_lines_are_named_with_their_numbers(stack: CliStack, file: Path) -> None:
    stack.run("import-records", str(file))
    changed = [to_line(a_persona(caption="New")), "", "nonsense", "\ufeff\udcff", to_line(a_photo("third", width=0))]
    file.write_text("\n".join(changed), errors="surrogateescape")
    result = stack.run("import-records", str(file))
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if "line" in line] == [
        "  left as it is: line 1: the persona default",
        "  left out: line 3: it is no JSON",
        "  left out: line 4: it is no JSON",
        "  left out: line 5: width, height: they must be 1 or more",
    ]


def test_unposted_photos_without_their_files_are_left_out_where_that_is_asked_for(stack: CliStack, file: Path) -> None:
    with file.open("a") as lines:
        lines.write(f"{to_line(a_photo('third'))}\n")
    boto3.client("s3").put_object(
        Bucket=stack.environment["PHOTOS_BUCKET"], Key=a_photo("second").object_key, Body=b"jpeg"
    )
    result = stack.run("import-records", str(file), "--check-files")
    assert result.exit_code == 1
    assert f"line 5: its file {a_photo('third').object_key} is not in the bucket" in result.stdout
    assert "Photos: added 2" in result.stdout, "one that was posted keeps its picture out, with a file or without"


# ---- personas that were removed ----


def test_what_a_removed_persona_posted_is_not_posted_again_by_another_stack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, folder = tmp_path / "library.jsonl", tmp_path / "photos"
    folder.mkdir()
    (folder / "sea.jpg").write_bytes(jpeg("blue"))
    imports = ("photos", "import", str(folder), "--persona", "anna")
    with CliStack.up(monkeypatch) as old:
        scheduled(old, monkeypatch)
        old.add_persona()
        old.add_persona("anna")
        assert old.run(*imports).exit_code == 0
        assert old.run("post", "--persona", "anna").exit_code == 0
        assert len(old.instagram.live_posts(USER)) == 1
        assert old.run("persona", "remove", "anna", "--yes").exit_code == 0
        exported = old.run("export", str(file))
        assert exported.stderr == "Wrote 3 records of 1 personas, and of 1 that were removed.\n"
        alone = [json.loads(line)["kind"] for line in old.run("export", "--persona", "anna").stdout.splitlines()]
        assert alone == ["post", "photo"]
    with CliStack.up(monkeypatch) as new:
        result = new.run("import-records", str(file))
        assert result.exit_code == 0
        assert "Without a persona: anna." in result.stdout
        new.add_persona("anna")
        assert new.run(*imports).exit_code == 0
        assert "Nothing to post." in new.run("post", "--persona", "anna").stdout
        assert new.instagram.live_posts(USER) == ()
        (post,) = json.loads(new.run("history", "--persona", "anna", "--json").stdout)
        assert post["status"] == "posted"


def test_a_persona_that_never_was_is_not_exported(stack: CliStack, tmp_path: Path) -> None:
    line = error_line(stack.run("export", str(tmp_path / "library.jsonl"), "--persona", "nobody"))
    assert line.startswith("There is no persona nobody.")
    assert os.listdir(tmp_path) == []


def test_an_import_that_breaks_off_says_what_is_done(
    stack: CliStack, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RecordsUnavailableError("DynamoDB did not put the record back: gone")

    monkeypatch.setattr(DynamoRecordArchive, "restore_photo", fail)
    result = stack.run("import-records", str(file))
    assert result.exit_code == 1
    assert "Posts: added 1" in result.stdout
    assert "What is done stays done" in result.stderr
