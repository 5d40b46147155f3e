"""`fluffy-train next`, `post` and `history` on a stack over real HTTP."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from adapters.clock import SystemClock
from adapters.dynamo import DynamoPostLedger
from domain.curators_choice import DEFAULT_CAPTION
from domain.faults import Unresolved
from domain.ids import ContainerId, MediaId, PersonaId, PhotoId, RunId
from domain.photos import Photo, PhotoAnalysis
from domain.ports import Claim, RecordsUnavailableError
from domain.post_driver import PostDriver
from domain.posts import Evidence, Lease, Post
from domain.slots import Slot
from integration.test_cli_stack import PERSONA, USER, CliStack, error_line, jpeg
from local.instagram import Fault

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
A, B, C = (PhotoId(digit * 64) for digit in "abc")


@dataclass
class Clock:
    """The stack's clock: it stands still until it is moved."""

    now: datetime = field(default=NOON)

    def advance(self, minutes: int = 1) -> None:
        self.now += timedelta(minutes=minutes)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now)
    return clock


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        stack.add_persona()
        yield stack


def add_photo(
    stack: CliStack,
    photo_id: PhotoId,
    score: float | None,
    *,
    caption: str | None = None,
    minutes: int = 0,
    persona_id: str = PERSONA,
) -> None:
    key = f"library/{persona_id}/{photo_id}.jpg"
    stack.adapters.renditions.put(key, jpeg())
    analysis = None if score is None else PhotoAnalysis(score, "given", NOON)
    imported_at = NOON + timedelta(minutes=minutes)
    photo = Photo(PersonaId(persona_id), photo_id, key, 320, 320, imported_at, caption, analysis=analysis)
    stack.adapters.library.add(photo)


def pause(stack: CliStack, reason: str) -> None:
    boto3.client("dynamodb").update_item(
        TableName=stack.environment["PERSONAS_TABLE"],
        Key={"persona_id": {"S": PERSONA}},
        UpdateExpression="SET paused_reason = :reason",
        ExpressionAttributeValues={":reason": {"S": reason}},
    )


def rows(output: str) -> list[list[str]]:
    """A table's rows as lists of cells, without its header."""
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in output.splitlines()[1:]]


def facts_of(output: str) -> dict[str, str]:
    """The lines of an outcome: its headline, and each fact by its name."""
    headline, *lines = output.splitlines()
    return {"headline": headline} | {line[2:11].strip(): line[11:] for line in lines}


# ---- next ----


def test_next_shows_the_queue_best_first_with_reasons(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    add_photo(stack, B, 7.25, caption="The\nsea")
    add_photo(stack, C, 5.0, minutes=1)
    result = stack.run("next")
    assert result.exit_code == 0
    assert rows(result.stdout) == [
        ["1", "7.25", "b" * 12, "The sea", "the highest score in the queue"],
        ["2", "5", "a" * 12, DEFAULT_CAPTION, "the next highest score"],
        ["3", "5", "c" * 12, DEFAULT_CAPTION, "the same score as 2, imported later"],
    ]


def test_photos_of_one_score_and_time_are_told_apart_by_their_id(stack: CliStack) -> None:
    add_photo(stack, B, 5.0)
    add_photo(stack, A, 5.0)
    assert [row[2] for row in rows(stack.run("next").stdout)] == ["a" * 12, "b" * 12]
    assert rows(stack.run("next").stdout)[1][-1] == "the same score and time of import as 1, higher photo id"


def test_what_next_shows_first_is_what_post_posts(stack: CliStack) -> None:
    for photo_id, score in ((A, 5.0), (B, 7.0), (C, 6.0)):
        add_photo(stack, photo_id, score)
    first = json.loads(stack.run("next", "--json").stdout)["photos"][0]["photo_id"]
    assert json.loads(stack.run("post", "--json").stdout)["photo_id"] == first == B
    assert [row[2] for row in rows(stack.run("next").stdout)] == ["c" * 12, "a" * 12]


def test_next_shows_as_many_as_asked_for(stack: CliStack) -> None:
    for photo_id in (A, B, C):
        add_photo(stack, photo_id, 5.0)
    assert len(rows(stack.run("next", "-n", "2").stdout)) == 2
    assert stack.run("next", "-n", "0").exit_code == 2
    assert stack.run("next", "-n", "101").exit_code == 2


def test_next_honours_the_minimum_score(stack: CliStack) -> None:
    stack.add_persona("picky", "--minimum-score", "6")
    add_photo(stack, A, 5.0, persona_id="picky")
    result = stack.run("next", "--persona", "picky")
    assert result.exit_code == 0
    assert f"the best photo in the queue, {'a' * 12}, has 5, under the minimum score 6 of picky" in result.stdout
    add_photo(stack, B, 6.0, persona_id="picky")
    assert [row[2] for row in rows(stack.run("next", "--persona", "picky").stdout)] == ["b" * 12]


def test_an_empty_queue_says_how_to_fill_it(stack: CliStack) -> None:
    add_photo(stack, A, None)
    result = stack.run("next")
    assert result.exit_code == 0
    assert "Nothing to post: no scored photo of default is waiting" in result.stdout
    assert "fluffy-train photos import" in result.stdout


def test_next_says_when_the_persona_is_paused(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    pause(stack, "The token is dead.")
    result = stack.run("next")
    assert "default is paused, so nothing is posted: The token is dead." in result.stderr
    assert len(rows(result.stdout)) == 1


def test_next_says_when_instagram_would_refuse_a_caption(stack: CliStack) -> None:
    add_photo(stack, A, 5.0, caption="#a " * 31)
    assert "Instagram would refuse it: the caption has 31 hashtags" in stack.run("next").stdout


def test_next_as_json_is_json_alone(stack: CliStack) -> None:
    pause(stack, "The token is dead.")
    add_photo(stack, A, 5.0, caption="The\nsea 📷")
    result = stack.run("next", "--json")
    assert json.loads(result.output) == {
        "persona_id": "default",
        "paused_reason": "The token is dead.",
        "minimum_score": 0.0,
        "photos": [
            {
                "rank": 1,
                "photo_id": A,
                "aesthetic_score": 5.0,
                "scorer": "given",
                "caption": "The\nsea 📷",
                "caption_from": "photo",
                "alt_text": None,
                "object_key": f"library/default/{A}.jpg",
                "width": 320,
                "height": 320,
                "imported_at": "2026-11-22T12:00:00.000Z",
                "why": "the highest score in the queue",
                "problem": None,
            }
        ],
    }


@pytest.mark.parametrize("command", ["next", "post", "history"])
def test_a_persona_that_does_not_exist_is_one_line(stack: CliStack, command: str) -> None:
    assert "There is no persona nobody" in error_line(stack.run(command, "--persona", "nobody"))


# ---- post ----


def test_post_makes_the_best_photo_live_and_records_it(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    add_photo(stack, B, 7.0, caption="The sea")
    result = stack.run("post")
    assert result.exit_code == 0
    (live,) = stack.instagram.live_posts(USER)
    assert live.caption == "The sea"
    assert facts_of(result.stdout) == {
        "headline": "Posted.",
        "persona": "default",
        "slot": "2026-11-22T12:00:00Z",
        "photo": B,
        "media id": live.media_id,
    }
    (post,) = stack.adapters.ledger.history(PERSONA, limit=9)
    assert (post.photo_id, post.provider_post_id, post.slot) == (B, live.media_id, Slot(NOON))


def test_post_answers_in_json_as_the_function_does(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    answer = json.loads(stack.run("post", "--json").output)
    assert answer == {
        "outcome": "posted",
        "persona_id": "default",
        "slot": "2026-11-22T12:00:00Z",
        "photo_id": A,
        "provider_post_id": stack.instagram.live_posts(USER)[0].media_id,
    }


def test_post_is_quiet_unless_the_steps_are_asked_for(stack: CliStack, clock: Clock) -> None:
    add_photo(stack, A, 5.0)
    add_photo(stack, B, 5.0)
    assert stack.run("post").stderr == ""
    clock.advance()
    assert stack.run("post", "-v").stderr.startswith("Container created. container_id=")


def test_a_second_post_in_the_same_second_is_the_same_slot(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    add_photo(stack, B, 5.0)
    assert stack.run("post").exit_code == 0
    result = stack.run("post")
    assert (result.exit_code, facts_of(result.stdout)["headline"]) == (
        0,
        "This slot was done before; nothing was posted now.",
    )
    assert len(stack.instagram.live_posts(USER)) == 1


def test_nothing_to_post_is_no_failure(stack: CliStack) -> None:
    result = stack.run("post")
    assert result.exit_code == 0
    assert facts_of(result.stdout)["reason"] == "No unposted photos available to schedule."


def test_a_dry_run_says_what_would_be_posted_and_does_nothing(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    before = stack.instagram.calls()
    result = stack.run("post", "--dry-run")
    assert result.exit_code == 0
    facts = facts_of(result.stdout)
    assert facts["headline"] == "Dry run: nothing was posted or written."
    assert facts["reason"] == "It would be posted: score 5, the only photo in the queue."
    assert stack.instagram.calls() == before
    assert stack.adapters.ledger.history(PERSONA, limit=1) == []


def test_a_post_that_must_wait_is_status_1(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    stack.instagram.order_fault(Fault.error("create_container", 4, 2207051, times=None))
    stack.instagram.order_fault(Fault.error("create_container", 9, 2207042, times=None))
    result = stack.run("post")
    assert result.exit_code == 1
    assert facts_of(result.stdout)["headline"].startswith("Not posted")


def test_a_refused_photo_is_told_with_the_one_posted_in_its_place(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    add_photo(stack, B, 7.0)
    stack.instagram.order_fault(Fault.error("create_container", 36003, 2207009))
    result = stack.run("post", "--json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert (answer["outcome"], answer["slot"], answer["photo_id"]) == ("posted", "2026-11-22T12:00:00Z#2", A)
    assert [(one["outcome"], one["photo_id"]) for one in answer["earlier"]] == [("failed", B)]


def test_both_photos_of_a_slot_are_told_to_people_too(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    add_photo(stack, B, 7.0)
    stack.instagram.order_fault(Fault.error("create_container", 36003, 2207009))
    output = stack.run("post").stdout
    assert output.index("Not posted: refused") < output.index(B) < output.index("Posted.") < output.index(A)


def test_a_paused_persona_posts_nothing_and_says_how_to_resume(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    pause(stack, "The token is dead.")
    result = stack.run("post")
    assert result.exit_code == 1
    facts = facts_of(result.stdout)
    assert facts["headline"] == "Not posted: the persona is paused."
    assert "fluffy-train persona resume default" in facts["reason"]


def test_ctrl_c_while_posting_says_what_becomes_of_the_post(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    add_photo(stack, A, 5.0)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PostDriver, "drive", interrupt)
    result = stack.run("post")
    assert result.exit_code == 130
    assert "without posting anything twice" in result.stderr
    assert "posting" in stack.run("history").stdout


def test_records_that_cannot_be_reached_are_one_line(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    add_photo(stack, A, 5.0)

    def fail(*_: object) -> Claim:
        raise RecordsUnavailableError("DynamoDB did not claim a photo: ProvisionedThroughputExceededException")

    monkeypatch.setattr(DynamoPostLedger, "claim", fail)
    assert error_line(stack.run("post")).startswith("DynamoDB did not claim a photo")


# ---- history ----


def test_an_empty_history_says_so(stack: CliStack) -> None:
    assert stack.run("history").stdout == "Nothing was posted for default yet.\n"
    assert json.loads(stack.run("history", "--json").stdout) == []


def test_history_shows_posts_newest_first_with_their_permalinks(stack: CliStack, clock: Clock) -> None:
    for photo_id, score in ((A, 5.0), (B, 7.0)):
        add_photo(stack, photo_id, score)
    for _ in range(2):
        assert stack.run("post").exit_code == 0
        clock.advance()
    second, first = stack.instagram.live_posts(USER)
    lines = stack.run("history").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["2026-11-22T12:01:00Z", "posted", "photo", "a" * 12, "media", second.media_id],
        [permalinks(stack)[0]],
        ["2026-11-22T12:00:00Z", "posted", "photo", "b" * 12, "media", first.media_id],
        [permalinks(stack)[1]],
    ]


def permalinks(stack: CliStack) -> Sequence[str | None]:
    """What is on record, newest first."""
    return [post.permalink for post in stack.adapters.ledger.history(PERSONA, limit=9)]


def test_a_permalink_is_asked_for_once_and_kept(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    assert stack.run("post").exit_code == 0
    for _ in range(2):
        assert stack.run("history").exit_code == 0
    (permalink,) = permalinks(stack)
    assert permalink is not None
    assert len(stack.instagram.calls("get_media")) == 1


def test_history_does_without_permalinks_where_instagram_does_not_answer(stack: CliStack, clock: Clock) -> None:
    for photo_id in (A, B):
        add_photo(stack, photo_id, 5.0)
        assert stack.run("post").exit_code == 0
        clock.advance()
    stack.instagram.order_fault(Fault.close("get_media", times=None))
    result = stack.run("history")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 2
    assert "The missing permalinks are not to be had now" in result.stderr
    assert len(stack.instagram.calls("get_media")) == 1, "the others are left for another time"


def test_a_media_that_was_deleted_keeps_no_other_from_its_permalink(stack: CliStack, clock: Clock) -> None:
    for photo_id in (A, B):
        add_photo(stack, photo_id, 5.0)
        assert stack.run("post").exit_code == 0
        clock.advance()
    stack.instagram.order_fault(Fault.error("get_media", 100, 33))
    result = stack.run("history")
    assert result.exit_code == 0
    newest, oldest = permalinks(stack)
    assert newest is None
    assert oldest is not None
    media_id = stack.instagram.live_posts(USER)[0].media_id
    assert f"Instagram does not show media {media_id}" in result.stderr


def test_history_shows_a_permalink_that_could_not_be_kept(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    add_photo(stack, A, 5.0)
    assert stack.run("post").exit_code == 0

    def fail(*_: object) -> None:
        raise RecordsUnavailableError("DynamoDB did not note the permalink: gone")

    monkeypatch.setattr(DynamoPostLedger, "set_permalink", fail)
    result = stack.run("history")
    assert result.exit_code == 0
    assert "/p/" in result.stdout


def test_history_shows_what_went_wrong_in_words(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    stack.instagram.order_fault(Fault.error("create_container", 36003, 2207009))
    assert stack.run("post").exit_code == 1
    first, second = stack.run("history").stdout.splitlines()
    assert first.split()[:2] == ["2026-11-22T12:00:00Z", "failed"]
    assert second.strip().startswith("PhotoFault (code 36003, subcode 2207009): ")
    (told,) = json.loads(stack.run("history", "--json").stdout)
    assert (told["status"], told["fault"]["kind"], told["fault"]["code"]) == ("failed", "PhotoFault", 36003)
    assert told["fault"]["message"] in second


def test_history_shows_what_was_seen_of_an_unconfirmed_post(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    ledger = stack.adapters.ledger
    lease = Lease(RunId("run"), NOON + timedelta(minutes=4))
    post = Post(PERSONA, Slot(NOON), A, "One", lease, created_at=NOON, updated_at=NOON)
    assert ledger.claim(post) is Claim.WON
    fenced = post.as_fenced(ContainerId("178"), NOON)
    assert ledger.advance(post, fenced)
    evidence = Evidence("FINISHED", (MediaId("179"),))
    assert ledger.advance(fenced, fenced.as_unconfirmed(Unresolved("No answer.").record, evidence, NOON))
    output = stack.run("history").stdout
    assert "unconfirmed" in output
    assert "Unresolved: No answer." in output
    assert "seen: container FINISHED; media that may be it: 179" in output
    (told,) = json.loads(stack.run("history", "--json").stdout)
    assert told["evidence"] == {"container_status": "FINISHED", "candidate_media": ["179"]}


def test_history_shows_as_many_as_asked_for(stack: CliStack, clock: Clock) -> None:
    for photo_id in (A, B, C):
        add_photo(stack, photo_id, 5.0)
        assert stack.run("post").exit_code == 0
        clock.advance()
    assert len(json.loads(stack.run("history", "-n", "2", "--json").stdout)) == 2
    assert stack.run("history", "-n", "0").exit_code == 2


def test_each_command_ends_as_the_owner_runs_it(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    for words in (("next",), ("post", "--dry-run"), ("post",), ("history",), ("persona", "list")):
        done = stack.run_process(*words)
        assert (done.returncode, done.stderr) == (0, ""), words
