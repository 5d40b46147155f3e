"""`fluffy-train persona adopt` on a stack over real HTTP, from a picture that its owner posted by hand."""

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from PIL import Image, ImageDraw
from typer.testing import Result

from domain.adopt import AdoptAccount
from domain.ids import PhotoId
from domain.ingest_photo import Given
from domain.photos import HeldBackFor
from handlers import intake_wiring
from integration.test_cli_posting import A, add_photo
from integration.test_cli_stack import PERSONA, TOKEN, USER, CliStack, error_line
from local.instagram import Fault


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        stack.add_persona()
        yield stack


def picture(number: int) -> Image.Image:
    """Pictures that nobody would take for each other."""
    canvas = Image.linear_gradient("L").rotate(90 * number).resize((1200, 1200)).convert("RGB")
    draw = ImageDraw.Draw(canvas)
    for place in range(5):
        corner = (place * 211 * (number + 1) % 900, place * 397 * (number + 2) % 900)
        draw.ellipse((*corner, corner[0] + 260, corner[1] + 200), fill=("white", "black")[(place + number) % 2])
    return canvas


def as_jpeg(image: Image.Image, quality: int = 92) -> bytes:
    canvas = io.BytesIO()
    image.save(canvas, "JPEG", quality=quality)
    return canvas.getvalue()


def take_in(stack: CliStack, number: int, score: float) -> PhotoId:
    ingest = intake_wiring.ingest_photo(stack.adapters)
    persona = stack.adapters.personas.get(PERSONA)
    assert persona is not None
    return ingest(persona, as_jpeg(picture(number)), Given(score)).photo.photo_id


def post_by_hand(stack: CliStack, number: int) -> str:
    """The same picture as a phone sends it: smaller, and compressed anew."""
    jpeg = as_jpeg(picture(number).resize((700, 700)), quality=60)
    return stack.instagram.post_by_hand(USER, "By hand", jpeg).media_id


def queue(stack: CliStack) -> list[PhotoId]:
    return [one.photo_id for one in stack.adapters.library.best_first(PERSONA)]


def records(stack: CliStack) -> dict[str, Any]:
    """All items of all tables, as DynamoDB has them."""
    client = boto3.client("dynamodb")
    tables = [value for name, value in stack.environment.items() if name.endswith("_TABLE")]
    return {table: sorted(client.scan(TableName=table)["Items"], key=repr) for table in tables}


def facts(result: Result) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(result.stdout)
    return found


def test_what_was_posted_by_hand_is_not_posted_again(stack: CliStack) -> None:
    best, second = take_in(stack, 0, 9.0), take_in(stack, 1, 5.0)
    media_id = post_by_hand(stack, 0)
    assert queue(stack) == [best, second]
    before = records(stack)

    dry_run = stack.run("persona", "adopt", PERSONA, "--dry-run")
    assert (dry_run.exit_code, dry_run.stderr) == (0, "")
    assert "Would be taken out of the queue, as posted elsewhere: 1" in dry_run.stdout
    assert "Dry run: nothing was written." in dry_run.stdout
    assert records(stack) == before

    result = stack.run("persona", "adopt", PERSONA)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Looked at 1 pictures in 1 media of the account" in result.stdout
    assert "Taken out of the queue, as posted elsewhere: 1; before: 0." in result.stdout
    assert f"photo {best[:12]}" in result.stdout
    assert queue(stack) == [second]
    photo = stack.adapters.library.get(PERSONA, best)
    assert photo is not None
    assert photo.held_back is not None
    assert (photo.held_back.reason, photo.held_back.media_id) == (HeldBackFor.POSTED_ELSEWHERE, media_id)

    after = records(stack)
    again = facts(stack.run("persona", "adopt", PERSONA, "--json"))
    assert [one["finding"] for one in again["matches"]] == ["held_back_before"]
    assert records(stack) == after

    assert facts(stack.run("post", "--json"))["photo_id"] == second
    assert queue(stack) == []


def test_what_this_program_posted_is_passed_over_and_json_is_json_alone(stack: CliStack) -> None:
    ours = take_in(stack, 0, 9.0)
    assert stack.run("post").exit_code == 0
    (live,) = stack.instagram.live_posts(USER)
    by_hand = post_by_hand(stack, 1)
    result = stack.run("persona", "adopt", PERSONA, "--json")
    assert result.exit_code == 0
    assert json.loads(result.output) == {
        "persona_id": PERSONA,
        "dry_run": False,
        "media": 1,
        "pictures": 1,
        "own_posts": 1,
        "films": 0,
        "matches": [],
        "not_looked_at": [],
        "photos_without_hashes": 0,
        "stopped": None,
    }
    assert live.media_id != by_hand
    photo = stack.adapters.library.get(PERSONA, ours)
    assert photo is not None
    assert photo.held_back is None


def test_only_so_many_of_the_newest_media_are_looked_at(stack: CliStack) -> None:
    photo_id = take_in(stack, 0, 9.0)
    post_by_hand(stack, 0)
    post_by_hand(stack, 1)
    assert facts(stack.run("persona", "adopt", PERSONA, "--json", "--most", "1"))["matches"] == []
    assert queue(stack) == [photo_id]
    assert stack.run("persona", "adopt", PERSONA, "--most", "0").exit_code == 2


def test_a_photo_of_an_older_version_is_told_with_what_to_do(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    result = stack.run("persona", "adopt", PERSONA)
    assert result.exit_code == 0
    assert "1 photos of the library cannot be compared" in result.stderr
    assert "fluffy-train photos import" in result.stderr


def test_a_picture_that_cannot_be_had_is_named_and_the_others_go_on(stack: CliStack) -> None:
    photo_id = take_in(stack, 0, 9.0)
    media = {
        "id": "1",
        "permalink": "https://www.instagram.com/p/x/",
        "media_url": "http://cdn.example/1.jpg?oh=secret",
    }
    post = post_by_hand(stack, 0)
    address = f"{stack.instagram.url}/_emulator/media/{post}.jpg"
    body = {"data": [media, {"id": post, "media_type": "IMAGE", "media_url": address}]}
    stack.instagram.order_fault(Fault.body("recent_media", json.dumps(body).encode()))
    result = stack.run("persona", "adopt", PERSONA)
    assert result.exit_code == 1
    assert "not looked at: https://www.instagram.com/p/x/: Instagram told an address" in result.stdout
    assert "oh=secret" not in result.output
    assert photo_id not in queue(stack)


def test_an_expired_token_is_told_and_nothing_is_written(stack: CliStack) -> None:
    take_in(stack, 0, 9.0)
    before = records(stack)
    stack.instagram.order_fault(Fault.error("recent_media", 190, 463, message=f"Bearer {TOKEN} has expired"))
    line = error_line(stack.run("persona", "adopt", PERSONA))
    assert "token" in line
    assert TOKEN not in line
    stack.instagram.order_fault(Fault.error("recent_media", 190, 463))
    result = stack.run("persona", "adopt", PERSONA, "--json")
    assert result.exit_code == 1
    assert facts(result)["stopped"] in result.stderr
    assert records(stack) == before


def test_ctrl_c_says_what_was_done(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(stack, 0, 9.0)
    post_by_hand(stack, 0)
    whole = AdoptAccount.__call__

    def cut_off(work: AdoptAccount, *words: Any, **named: Any) -> None:
        whole(work, *words, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(AdoptAccount, "__call__", cut_off)
    result = stack.run("persona", "adopt", PERSONA)
    assert result.exit_code == 130
    assert "as posted elsewhere: 1" in result.stdout
    assert "Interrupted. What is done stays done" in result.stderr


def test_a_persona_or_a_table_that_is_not_there_is_one_line(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There is no persona nobody" in error_line(stack.run("persona", "adopt", "nobody"))
    monkeypatch.delenv("LOOKALIKES_TABLE")
    assert "lacks LOOKALIKES_TABLE" in error_line(stack.run("persona", "adopt", PERSONA))
