"""`fluffy-train photos rejected` on a stack over real HTTP."""

import json
from collections.abc import Iterator

import boto3
import pytest

from adapters.imaging import Rejection
from adapters.s3_inbox import S3Inbox
from cli import rejected
from cli.rejected import WHAT_TO_DO, size_in_words
from domain.intake_ports import Arrived
from handlers import intake_wiring
from integration.test_cli_stack import CliStack, error_line


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        yield stack


def put_aside(stack: CliStack, name: str, kind: str, reason: str, body: bytes = b"x" * 1234) -> None:
    """As the function does it that takes uploads in."""
    put(stack, f"incoming/{name}", body)
    intake_wiring.inbox(stack.adapters).put_aside(
        Arrived(f"incoming/{name}", len(body), None, {}), f"rejected/{name}", kind, reason
    )


def put(stack: CliStack, key: str, body: bytes = b"x") -> None:
    boto3.client("s3").put_object(Bucket=stack.environment["PHOTOS_BUCKET"], Key=key, Body=body)


def test_each_file_is_listed_with_its_size_its_kind_and_what_to_do(stack: CliStack) -> None:
    put_aside(stack, "default/trip/a b.jpg", "damaged", "It ends too early. Export it anew.")
    put_aside(stack, "default/film.mov", "not-an-image", "It is no picture.", body=b"y" * 2_500_000)
    put(stack, "rejected/default/")  # the console's mark of a folder
    result = stack.run("photos", "rejected", "--persona", "default")
    assert result.exit_code == 0
    header, *lines = [
        [cell.strip() for cell in line.split("  ") if cell.strip()] for line in result.stdout.splitlines()
    ]
    assert header == ["File", "Size", "Why", "What to do"]
    assert lines == [
        ["rejected/default/film.mov", "2.5 MB", "not-an-image", "It is no picture."],
        ["rejected/default/trip/a b.jpg", "1 kB", "damaged", "It ends too early. Export it anew."],
    ]


def test_as_json_it_is_json_alone_and_says_where_to_upload_it_again(stack: CliStack) -> None:
    put_aside(stack, "default/a.jpg", "too-narrow", "It has 100 px of width.")
    result = stack.run("photos", "rejected", "--json")
    assert json.loads(result.output) == [
        {
            "object_key": "rejected/default/a.jpg",
            "size": 1234,
            "kind": "too-narrow",
            "what_to_do": "It has 100 px of width.",
            "upload_to": "incoming/default/a.jpg",
        }
    ]


def test_without_a_persona_the_files_of_unknown_personas_are_listed_too(stack: CliStack) -> None:
    put_aside(stack, "default/a.jpg", "damaged", "Export it anew.")
    put_aside(stack, "My Photos/b.jpg", "unknown-persona", "The folder under incoming/ names the persona.")

    def keys(*options: str) -> list[str]:
        return [one["object_key"] for one in json.loads(stack.run("photos", "rejected", "--json", *options).output)]

    assert keys() == ["rejected/My Photos/b.jpg", "rejected/default/a.jpg"]
    assert keys("--persona", "default") == ["rejected/default/a.jpg"]
    assert keys("--persona", "defaul") == []


def test_where_there_is_none_it_says_so(stack: CliStack) -> None:
    put(stack, "library/default/a.jpg")
    assert stack.run("photos", "rejected").stdout == "No uploaded file was rejected.\n"
    assert "rejected for default." in stack.run("photos", "rejected", "--persona", "default").stdout
    assert json.loads(stack.run("photos", "rejected", "--json").output) == []


def test_a_file_without_tags_has_a_text_all_the_same(stack: CliStack) -> None:
    put(stack, "rejected/default/a.jpg")
    put_aside(stack, "default/b.jpg", "too-large", "")
    first, second = json.loads(stack.run("photos", "rejected", "--json").output)
    assert first["kind"] is None
    assert "upload it again" in first["what_to_do"]
    assert second["what_to_do"] == WHAT_TO_DO["too-large"]


@pytest.mark.parametrize("kind", [*Rejection, "unknown-persona", "bad-metadata"])
def test_every_kind_has_a_text(kind: str) -> None:
    assert WHAT_TO_DO[kind].endswith(".")


def test_a_file_that_is_deleted_meanwhile_is_passed_over(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    put_aside(stack, "default/a.jpg", "damaged", "Export it anew.")
    listed = S3Inbox.rejected
    monkeypatch.setattr(
        S3Inbox, "rejected", lambda inbox, prefix: [("rejected/default/gone.jpg", 1), *listed(inbox, prefix)]
    )
    (one,) = json.loads(stack.run("photos", "rejected", "--json").output)
    assert one["object_key"] == "rejected/default/a.jpg"


def test_more_files_than_are_asked_for_at_once_come_in_order(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejected, "AT_ONCE", 2)
    for number in range(11):
        put(stack, f"rejected/default/{number:02}.jpg")
    found = json.loads(stack.run("photos", "rejected", "--json").output)
    assert [one["object_key"] for one in found] == [f"rejected/default/{number:02}.jpg" for number in range(11)]


def test_a_bucket_that_is_gone_is_one_line(stack: CliStack) -> None:
    boto3.client("s3").delete_bucket(Bucket=stack.environment["PHOTOS_BUCKET"])
    assert "NoSuchBucket" in error_line(stack.run("photos", "rejected"))


@pytest.mark.parametrize(("size", "words"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (3_400_000, "3.4 MB")])
def test_sizes_are_told_in_words(size: int, words: str) -> None:
    assert size_in_words(size) == words
