"""The owner's commands on a stack over real HTTP: status, queue, history, retry, resolve, pause and skip."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from domain.faults import Unresolved
from domain.ids import ContainerId, MediaId, PhotoId, RunId
from domain.ports import Claim
from domain.posts import Evidence, Lease, Post, PostStatus
from domain.slots import Slot
from domain.take_stock import ENOUGH
from domain.tokens import FEWEST_DAYS, how_to_mend
from integration.test_cli_posting import NOON, A, B, Clock, add_photo, clock, facts_of, pause
from integration.test_cli_schedules import scheduled
from integration.test_cli_stack import PERSONA, TOKEN, USER, CliStack, error_line
from local.instagram import Fault

__all__ = ["clock"]

NAME = f"{PERSONA}/2026-11-22T12:00:00Z"
RUN_EVERY_DAY = {"ScheduleExpression": "cron(0 9 * * ? *)", "State": "ENABLED"}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        stack.add_persona()
        yield stack


def refused(stack: CliStack, clock: Clock) -> None:
    """The post of noon, whose photo Instagram refused."""
    add_photo(stack, A, 5.0)
    stack.instagram.order_fault(Fault.error("create_container", 36003, 2207009))
    assert stack.run("post").exit_code == 1
    clock.advance()


def unconfirmed(stack: CliStack, clock: Clock, *, hours: float = 25) -> Post:
    """The post of noon, of which nobody knows whether it is live, so long after its publish request."""
    add_photo(stack, A, 5.0)
    ledger = stack.adapters.ledger
    lease = Lease(RunId("run"), NOON + timedelta(minutes=4))
    post = Post(PERSONA, Slot(NOON), A, "One", lease, created_at=NOON, updated_at=NOON)
    assert ledger.claim(post) is Claim.WON
    fenced = post.as_fenced(ContainerId("178"), NOON)
    assert ledger.advance(post, fenced)
    seen = fenced.as_unconfirmed(Unresolved("No answer.").record, Evidence("FINISHED", (MediaId("179"),)), NOON)
    assert ledger.advance(fenced, seen)
    clock.advance(int(60 * hours))
    return seen


def standing(stack: CliStack) -> Post:
    post = stack.adapters.ledger.get(PERSONA, Slot(NOON))
    assert post is not None
    return post


def fill(stack: CliStack, photos: int, *, first: int = 0) -> None:
    """So many photos in the queue, best first."""
    for number in range(first, first + photos):
        add_photo(stack, PhotoId(f"{number:064x}"), 9.0 - number / 100)


def expires(stack: CliStack, at: datetime) -> None:
    """The token of the one persona, by its record."""
    persona = stack.adapters.personas.get(PERSONA)
    assert persona is not None
    assert stack.adapters.personas.note_token(persona, refreshed_at=NOON, expires_at=at)


# ---- how a post is named ----


@pytest.mark.parametrize("name", ["2026-11-22T12:00:00Z", NAME, "2026-11-22T13:00:00+01:00"])
def test_a_post_is_named_as_history_prints_it(stack: CliStack, clock: Clock, name: str) -> None:
    refused(stack, clock)
    assert stack.run("retry", name).exit_code == 0


def test_a_post_that_does_not_exist_says_which_are_near(stack: CliStack, clock: Clock) -> None:
    assert error_line(stack.run("retry", NAME)).endswith("Nothing was posted for default yet.")
    refused(stack, clock)
    line = error_line(stack.run("retry", "2026-11-22T12:01:00Z"))
    assert line == ("There is no post default/2026-11-22T12:01:00Z. Near it: 2026-11-22T12:00:00Z (failed).")


@pytest.mark.parametrize("words", [("yesterday",), ("UPPER/2026-11-22T12:00:00Z",), (NAME, "--persona", "another")])
def test_wrong_use_says_what_right_use_is(stack: CliStack, words: tuple[str, ...]) -> None:
    result = stack.run("retry", *words)
    assert result.exit_code == 2
    assert "Invalid value" in result.stderr


# ---- retry ----


def test_a_retry_posts_the_photo_and_history_tells_of_both(stack: CliStack, clock: Clock) -> None:
    refused(stack, clock)
    result = stack.run("retry", NAME)
    assert result.exit_code == 0
    facts = facts_of(result.stdout)
    assert (facts["headline"], facts["slot"], facts["photo"]) == ("Posted.", "2026-11-22T12:01:00Z", A)
    assert len(stack.instagram.live_posts(USER)) == 1
    told = stack.run("history").stdout
    assert "retried in 2026-11-22T12:01:00Z" in told
    assert "the retry of 2026-11-22T12:00:00Z" in told
    newest, first = json.loads(stack.run("history", "--json").stdout)
    assert (newest["retry_of"], first["retried_in"]) == (first["slot"], newest["slot"])


def test_a_retry_run_twice_posts_once(stack: CliStack, clock: Clock) -> None:
    refused(stack, clock)
    assert json.loads(stack.run("retry", NAME, "--json").stdout)["outcome"] == "posted"
    clock.advance()
    assert "was retried already, as default/2026-11-22T12:01:00Z" in error_line(stack.run("retry", NAME))
    assert len(stack.instagram.live_posts(USER)) == 1


def test_a_retry_that_fails_again_is_status_1(stack: CliStack, clock: Clock) -> None:
    refused(stack, clock)
    add_photo(stack, B, 4.0)
    stack.instagram.order_fault(Fault.error("create_container", 36003, 2207009))
    result = stack.run("retry", NAME)
    assert result.exit_code == 1
    assert facts_of(result.stdout)["headline"].startswith("Not posted: refused")
    assert not stack.instagram.live_posts(USER), "no other photo is posted in its place"


def test_a_post_that_is_not_failed_is_not_retried(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    assert stack.run("post").exit_code == 0
    assert "there is nothing to retry" in error_line(stack.run("retry", NAME))


def test_a_post_that_waits_for_the_quota_says_until_when_and_why(stack: CliStack, clock: Clock) -> None:
    refused(stack, clock)
    stack.instagram.add_account(USER, TOKEN, quota_total=1)
    add_photo(stack, B, 4.0)
    assert stack.run("post").exit_code == 0
    stack.instagram.order_fault(Fault.error("media_publish", 9, 2207042))
    clock.advance()
    result = stack.run("retry", NAME)
    assert result.exit_code == 1
    facts = facts_of(result.stdout)
    assert facts["headline"].startswith("Not posted yet: it waits")
    again = facts["slot"]
    assert facts["next try"].startswith("from 2026-11-22 13:02 UTC on")
    words = "put off; tried again by itself from 2026-11-22 13:02 UTC on, given up at 2026-11-23 11:02 UTC. Why: "
    assert f"    {again}: {words}" in stack.run("status").stdout
    (one,) = json.loads(stack.run("status", "--json").stdout)["personas"]
    (waiting,) = one["open"]
    assert (waiting["status"], waiting["waits_until"]) == ("posting", "2026-11-22T13:02:00.000Z")
    assert "quota is used up" in waiting["waits_for"]
    assert words in stack.run("history").stdout
    newest = json.loads(stack.run("history", "--json").stdout)[0]
    assert (newest["slot"], newest["waits_until"]) == (again, "2026-11-22T13:02:00.000Z")
    assert words in error_line(stack.run("retry", again))
    assert words in error_line(stack.run("resolve", again))


# ---- the posts of a persona that was removed ----


def removed(stack: CliStack) -> None:
    reason = stack.adapters.personas.pause(PERSONA, "It is removed.")
    assert reason is not None
    assert stack.adapters.personas.remove(PERSONA, paused_for=reason)


def test_the_history_of_a_removed_persona_stays_to_be_seen(stack: CliStack, clock: Clock, tmp_path: Path) -> None:
    refused(stack, clock)
    removed(stack)
    result = stack.run("history")
    assert result.exit_code == 0
    assert "2026-11-22T12:00:00Z" in result.stdout
    assert result.stderr == "The persona default was removed; its history stays.\n"
    (post,) = json.loads(stack.run("history", "--json").stdout)
    assert post["status"] == "failed"
    page = tmp_path / "history.html"
    assert stack.run("history", "--html", str(page)).exit_code == 0
    assert "The posts of default" in page.read_text()
    assert "There is no persona nobody" in error_line(stack.run("history", "--persona", "nobody"))


def test_an_unconfirmed_post_of_a_removed_persona_is_settled_by_the_ledger_alone(stack: CliStack, clock: Clock) -> None:
    unconfirmed(stack, clock)
    removed(stack)
    result = stack.run("resolve", NAME)
    assert result.exit_code == 0
    assert "seen: container FINISHED; media that may be it: 179" in result.stdout
    assert "Its container now: cannot be read: The persona was removed" in result.stdout
    assert f"`fluffy-train resolve {NAME} --not-posted`" in result.stdout
    assert stack.run("resolve", NAME, "--not-posted", "--yes").exit_code == 0
    assert standing(stack).status is PostStatus.FAILED


def test_the_owners_word_that_a_removed_personas_post_is_live_is_taken(stack: CliStack, clock: Clock) -> None:
    unconfirmed(stack, clock)
    removed(stack)
    result = stack.run("resolve", NAME, "--posted", "17920238422030506", "--yes")
    assert result.exit_code == 0
    assert "since the persona was removed: your word counts." in result.stderr
    assert (standing(stack).status, standing(stack).provider_post_id) == (PostStatus.POSTED, "17920238422030506")


def test_a_retry_makes_no_persona_and_says_how_to_add_it_again(stack: CliStack, clock: Clock) -> None:
    refused(stack, clock)
    removed(stack)
    before = standing(stack)
    line = error_line(stack.run("retry", NAME))
    assert "The persona default was removed" in line
    assert "`fluffy-train persona add default`" in line
    assert (standing(stack), stack.adapters.personas.all()) == (before, [])
    stack.add_persona()
    assert stack.run("retry", NAME).exit_code == 0
    assert len(stack.instagram.live_posts(USER)) == 1


def test_a_persona_with_an_unconfirmed_post_is_removed_once_its_owner_has_settled_that(
    stack: CliStack, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduled(stack, monkeypatch)
    unconfirmed(stack, clock)
    line = error_line(stack.run("persona", "remove", PERSONA, "--yes"))
    assert "it is not removed yet" in line
    assert f"`fluffy-train resolve {NAME}`" in line
    assert stack.adapters.personas.get(PERSONA) is not None
    assert list(stack.parameters()) == [f"{PERSONA}/access-token"]
    assert stack.run("resolve", NAME, "--not-posted", "--yes").exit_code == 0
    assert stack.run("persona", "remove", PERSONA, "--yes").exit_code == 0
    assert stack.adapters.personas.get(PERSONA) is None


# ---- resolve ----


def test_resolve_shows_what_can_be_seen_and_writes_nothing(stack: CliStack, clock: Clock) -> None:
    post = unconfirmed(stack, clock)
    result = stack.run("resolve", NAME)
    assert result.exit_code == 0
    assert "seen: container FINISHED; media that may be it: 179" in result.stdout
    assert "Its container now: cannot be read now" in result.stdout
    assert f"fluffy-train resolve {NAME} --not-posted" in result.stdout
    assert standing(stack) == post
    told = json.loads(stack.run("resolve", NAME, "--json").stdout)
    assert (told["post"]["status"], told["seen_now"]["candidate_media"]) == ("unconfirmed", [])


def test_resolve_shows_the_media_that_may_be_it(stack: CliStack, clock: Clock) -> None:
    stack.instagram.freeze(clock.now)
    add_photo(stack, A, 5.0, caption="The sea")
    assert stack.run("post").exit_code == 0
    (live,) = stack.instagram.live_posts(USER)
    post = standing(stack)
    boto3.client("dynamodb").update_item(
        TableName=stack.environment["POSTS_TABLE"],
        Key={"persona_id": {"S": PERSONA}, "slot": {"S": str(post.slot)}},
        UpdateExpression="SET #status = :status REMOVE provider_post_id, permalink",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": "unconfirmed"}},
    )
    clock.advance(25 * 60)
    (candidate,) = json.loads(stack.run("resolve", NAME, "--json").stdout)["seen_now"]["candidate_media"]
    assert candidate["media_id"] == live.media_id
    refusal = stack.run("resolve", NAME, "--not-posted", "--yes")
    assert refusal.exit_code == 1
    assert "Its container says PUBLISHED" in refusal.stderr
    result = stack.run("resolve", NAME, "--posted", live.media_id, "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (standing(stack).status, standing(stack).permalink) == (PostStatus.POSTED, candidate["permalink"])


def test_a_post_that_is_not_live_fails_and_can_be_retried(stack: CliStack, clock: Clock) -> None:
    unconfirmed(stack, clock)
    result = stack.run("resolve", NAME, "--not-posted", "--yes")
    assert result.exit_code == 0
    assert standing(stack).status is PostStatus.FAILED
    assert f"`fluffy-train retry {NAME}`" in result.stdout
    again = stack.run("resolve", NAME, "--not-posted", "--yes", "--json")
    assert json.loads(again.stdout)["was_before"] is True
    assert stack.run("retry", NAME).exit_code == 0
    assert len(stack.instagram.live_posts(USER)) == 1


def test_a_media_that_instagram_does_not_show_is_recorded_with_a_warning(stack: CliStack, clock: Clock) -> None:
    unconfirmed(stack, clock)
    result = stack.run("resolve", NAME, "--posted", "17920238422030506", "--yes")
    assert result.exit_code == 0
    assert "Instagram does not show media 17920238422030506" in result.stderr
    assert result.stderr.endswith("Your word counts.\n")
    assert standing(stack).provider_post_id == "17920238422030506"


def test_a_post_is_not_said_to_be_absent_before_a_day_is_over(stack: CliStack, clock: Clock) -> None:
    post = unconfirmed(stack, clock, hours=23.9)
    result = stack.run("resolve", NAME, "--not-posted", "--yes")
    assert result.exit_code == 1
    assert "It may become live until 2026-11-23 12:00 UTC" in result.stderr
    assert standing(stack) == post


def test_a_media_that_instagram_does_not_show_is_told_before_the_question(stack: CliStack, clock: Clock) -> None:
    post = unconfirmed(stack, clock)
    result = stack.run("resolve", NAME, "--posted", "17920238422030506")
    assert result.exit_code == 2, "nobody is there to be asked"
    told = result.stderr
    assert told.index("Instagram does not show media 17920238422030506") < told.index("add --yes")
    assert standing(stack) == post


def test_a_caption_of_many_lines_is_shown_in_one(stack: CliStack, clock: Clock) -> None:
    unconfirmed(stack, clock)
    boto3.client("dynamodb").update_item(
        TableName=stack.environment["POSTS_TABLE"],
        Key={"persona_id": {"S": PERSONA}, "slot": {"S": str(Slot(NOON))}},
        UpdateExpression="SET caption = :caption",
        ExpressionAttributeValues={":caption": {"S": "The sea.\n\n#coast"}},
    )
    assert "Its caption: The sea. #coast\n" in stack.run("resolve", NAME).stdout


@pytest.mark.parametrize("word", [("--not-posted",), ("--posted", "17920238422030506")])
def test_nothing_is_written_where_nobody_can_be_asked(stack: CliStack, clock: Clock, word: tuple[str, ...]) -> None:
    post = unconfirmed(stack, clock)
    for options in ((), ("--json",)):
        result = stack.run("resolve", NAME, *word, *options, stdin="y\n")
        assert result.exit_code == 2
        assert "--yes" in result.stderr
    assert standing(stack) == post


def test_both_words_at_once_and_an_address_are_wrong_use(stack: CliStack) -> None:
    assert stack.run("resolve", NAME, "--posted", "17920238422030506", "--not-posted").exit_code == 2
    assert stack.run("resolve", NAME, "--posted", "https://www.instagram.com/p/abc/").exit_code == 2


def test_what_is_not_unconfirmed_is_not_resolved(stack: CliStack, clock: Clock) -> None:
    refused(stack, clock)
    for words in ((), ("--not-posted", "--yes"), ("--posted", "17920238422030506", "--yes")):
        assert "is failed, and so not live" in error_line(stack.run("resolve", NAME, *words))


# ---- pause and resume ----


def test_a_paused_persona_posts_nothing_until_it_is_resumed(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    assert stack.run("pause", PERSONA, "--reason", "A holiday.").exit_code == 0
    assert facts_of(stack.run("post").stdout)["headline"] == "Not posted: the persona is paused."
    assert "It was paused for: A holiday." in stack.run("resume", PERSONA).stdout
    assert stack.run("post").exit_code == 0
    assert "is not paused" in stack.run("resume", PERSONA).stdout


def test_a_pause_by_hand_keeps_the_reason_that_there_is(stack: CliStack) -> None:
    pause(stack, "The token is dead.")
    result = stack.run("pause", PERSONA)
    assert result.exit_code == 0
    assert "keeps that reason: The token is dead." in result.stderr
    assert json.loads(stack.run("pause", PERSONA, "--json").stdout)["paused_reason"] == "The token is dead."
    assert json.loads(stack.run("resume", PERSONA, "--json").stdout)["was_paused_for"] == "The token is dead."


def test_a_pause_that_comes_while_another_is_lifted_stays(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    pause(stack, "A holiday.")
    personas = stack.adapters.personas
    resume = type(personas).resume

    def meanwhile(self: Any, *arguments: Any, **named: Any) -> bool:
        pause(stack, "The token is dead.")
        return resume(self, *arguments, **named)

    monkeypatch.setattr(type(personas), "resume", meanwhile)
    for words in (("resume", PERSONA), ("persona", "resume", PERSONA)):
        pause(stack, "A holiday.")
        assert "was paused anew at this moment: The token is dead." in error_line(stack.run(*words))


def test_both_commands_that_resume_tell_the_same_in_json(stack: CliStack) -> None:
    for words in (("resume", PERSONA), ("persona", "resume", PERSONA)):
        pause(stack, "A holiday.")
        told = json.loads(stack.run(*words, "--json").stdout)
        assert told == {"persona_id": PERSONA, "paused_reason": None, "was_paused_for": "A holiday."}


# ---- skip ----


def test_a_skipped_photo_is_out_of_the_queue_until_it_is_unskipped(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    add_photo(stack, B, 4.0)
    for _ in range(2):
        assert stack.run("photos", "skip", A[:6]).stdout == f"{A[:12]}: skipped\n"
    assert [one["photo_id"] for one in json.loads(stack.run("queue", "--json").stdout)["photos"]] == [B]
    for _ in range(2):
        assert stack.run("photos", "unskip", A[:12]).stdout == f"{A[:12]}: in the queue\n"
    assert [one["photo_id"] for one in json.loads(stack.run("queue", "--json").stdout)["photos"]] == [A, B]


def test_of_photos_that_look_alike_the_next_best_takes_the_place(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    add_photo(stack, B, 4.0)
    near = stack.adapters.near_duplicates
    burst = near.join(PERSONA, B, A)
    assert burst is not None
    near.elect(PERSONA, burst)
    (shown,) = json.loads(stack.run("queue", "--json").stdout)["photos"]
    assert (shown["photo_id"], shown["lookalikes"], shown["runner_up"]) == (A, 2, None)
    assert stack.run("photos", "skip", A).exit_code == 0
    (shown,) = json.loads(stack.run("queue", "--json").stdout)["photos"]
    assert shown["photo_id"] == B
    assert stack.run("photos", "unskip", A).stdout == f"{A[:12]}: in the queue\n"
    (shown,) = json.loads(stack.run("queue", "--json").stdout)["photos"]
    assert shown["photo_id"] == A


def test_a_photo_that_has_a_post_is_not_skipped(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    assert stack.run("post").exit_code == 0
    for command in ("skip", "unskip"):
        result = stack.run("photos", command, A)
        assert result.exit_code == 1
        assert "it has the post of 2026-11-22T12:00:00Z, which is posted" in result.stderr


def test_a_photo_must_be_named_well_enough(stack: CliStack) -> None:
    add_photo(stack, A, 5.0)
    add_photo(stack, type(A)("a" * 63 + "b"), 4.0)
    result = stack.run("photos", "skip", "aaaaaa", "bbbbbb", "--json")
    assert result.exit_code == 1
    told = [one["told"] for one in json.loads(result.stdout)]
    assert told[0] == "more than one photo's id begins so: give more digits of it"
    assert told[1].startswith("default has no photo whose id begins so")
    for name in ("aaaaa", "sunset", ""):
        assert stack.run("photos", "skip", name).exit_code == 2


# ---- queue and history as pages ----


def test_the_queue_is_shown_with_its_reasons(stack: CliStack) -> None:
    add_photo(stack, A, 5.0, caption="The sea")
    add_photo(stack, B, 4.0)
    result = stack.run("queue", "-n", "1")
    assert result.exit_code == 0
    (row,) = result.stdout.splitlines()[1:]
    assert row.split("  ")[0] == "1"
    for cell in ("5", "given", A[:12], "The sea", "photo", "the highest score in the queue"):
        assert cell in row
    first, second = json.loads(stack.run("queue", "--json").stdout)["photos"]
    assert (first["runner_up"], second["runner_up"], second["caption_from"]) == (B, None, "default")


def test_an_empty_queue_says_how_to_fill_it(stack: CliStack) -> None:
    assert "Nothing to post" in stack.run("queue").stdout


def test_the_queue_as_a_page_has_the_pictures(stack: CliStack, tmp_path: Path) -> None:
    add_photo(stack, A, 5.0, caption="<b>The sea</b>")
    add_photo(stack, B, 4.0)
    boto3.client("s3").delete_object(Bucket=stack.environment["PHOTOS_BUCKET"], Key=f"library/{PERSONA}/{B}.jpg")
    page = tmp_path / "queue.html"
    assert stack.run("queue", "--html", str(page)).stdout == f"The next 2 photos of default are in {page}.\n"
    text = page.read_text()
    assert text.count("data:image/jpeg;base64,") == 1
    assert text.count("no picture") == 1
    assert "&lt;b&gt;The sea&lt;/b&gt;" in text


def test_history_as_a_page_has_badges_and_permalinks(stack: CliStack, clock: Clock, tmp_path: Path) -> None:
    refused(stack, clock)
    add_photo(stack, B, 4.0)
    assert stack.run("post").exit_code == 0
    page = tmp_path / "history.html"
    assert stack.run("history", "--html", str(page)).exit_code == 0
    text = page.read_text()
    posted, failed = text.index(">posted<"), text.index(">failed<")
    assert posted < failed
    assert '<a href="http' in text[:failed]
    assert "PhotoFault (code 36003" in text


def test_a_page_that_cannot_be_written_is_one_line(stack: CliStack, tmp_path: Path) -> None:
    add_photo(stack, A, 5.0)
    for command in ("queue", "history"):
        assert "cannot be written" in error_line(stack.run(command, "--html", str(tmp_path / "none" / "a.html")))


# ---- status ----


@pytest.fixture
def rule(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"{stack.environment['PHOTOS_BUCKET']}-rule"
    boto3.client("events").put_rule(Name=name, **RUN_EVERY_DAY)
    monkeypatch.setenv("SCHEDULE_RULE", name)
    return name


def test_status_says_how_a_persona_stands(stack: CliStack, clock: Clock, rule: str) -> None:
    fill(stack, ENOUGH + 1)
    assert stack.run("post").exit_code == 0
    clock.advance(60 * 5)
    result = stack.run("status", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["default_persona"], told["dead_letters"], told["needs_you"]) == ("default", None, [])
    (one,) = told["personas"]
    assert one["last_post"]["slot"] == "2026-11-22T12:00:00Z"
    assert one["next_slot"] == "2026-11-23T09:00:00.000Z"
    assert (one["queued"], one["posts_per_day"], one["runway_days"]) == (ENOUGH, 1.0, ENOUGH)
    assert (one["open"], one["failed"]) == ([], [])
    lines = stack.run("status").stdout
    assert "default: posting" in lines
    assert "5 h ago" in lines
    assert f"{ENOUGH} in the queue, {ENOUGH} days at 1 post a day" in lines
    assert "failed     nothing in 7 days" in lines


def test_status_names_the_log_where_a_post_is_long_over_its_end(stack: CliStack, clock: Clock, rule: str) -> None:
    fill(stack, ENOUGH + 1)
    lease = Lease(RunId("run"), NOON + timedelta(minutes=4))
    photo = PhotoId(f"{0:064x}")
    post = Post(PERSONA, Slot(NOON), photo, "One", lease, created_at=NOON, updated_at=NOON)
    assert stack.adapters.ledger.claim(post) is Claim.WON
    clock.advance(60 * 23 + 59)
    assert stack.run("status").exit_code == 0, "Reconcile has an hour"
    clock.advance(2)
    (line,) = json.loads(stack.run("status", "--json").stdout)["needs_you"]
    assert line.startswith(f"{NAME} should have ended by now")
    assert "`aws logs tail /aws/lambda/STACK-Reconcile --since 1d`" in line


@pytest.mark.parametrize(
    ("left", "told"), [(timedelta(days=9, hours=20), "9 days left"), (timedelta(hours=5), "less than a day left")]
)
def test_status_counts_a_tokens_whole_days_as_the_list_does(
    stack: CliStack, clock: Clock, rule: str, left: timedelta, told: str
) -> None:
    expires(stack, clock.now + left)
    assert f"token      {told}\n" in stack.run("status").stdout
    assert told in stack.run("persona", "list").stdout


def test_status_is_1_when_something_needs_the_owner(stack: CliStack, clock: Clock, rule: str) -> None:
    unconfirmed(stack, clock)
    pause(stack, "The token is dead.")
    result = stack.run("status", "--json")
    assert result.exit_code == 1
    paused, open_post = json.loads(result.stdout)["needs_you"]
    assert "`fluffy-train persona resume default`" in paused
    assert f"`fluffy-train resolve {NAME}`" in open_post
    assert "! default is paused: The token is dead." in stack.run("status").stdout


@pytest.mark.parametrize("is_paused", [False, True])
@pytest.mark.parametrize(
    ("photos", "told"), [(ENOUGH, None), (ENOUGH - 1, "fewer than 14 photos, 13"), (0, "no photo")]
)
def test_status_tells_of_too_few_photos_by_the_alarms_number_and_as_it_only_of_who_posts(
    stack: CliStack, rule: str, photos: int, told: str | None, is_paused: bool
) -> None:
    fill(stack, photos)
    if is_paused:
        pause(stack, "A week without posts.")
    of_photos = [want for want in json.loads(stack.run("status", "--json").stdout)["needs_you"] if "photo" in want]
    if told is None or is_paused:
        assert of_photos == []
    else:
        (want,) = of_photos
        assert told in want
        assert "`fluffy-train photos import FOLDER --persona default`" in want


@pytest.mark.parametrize(("days", "is_told"), [(FEWEST_DAYS, False), (FEWEST_DAYS - 0.1, True)])
def test_status_tells_of_a_token_by_the_alarms_number(
    stack: CliStack, clock: Clock, days: float, is_told: bool
) -> None:
    fill(stack, ENOUGH)
    expires(stack, clock.now + timedelta(days=days))
    result = stack.run("status", "--json")
    assert result.exit_code == int(is_told)
    for want in json.loads(result.stdout)["needs_you"]:
        assert "expires in 9.9 days" in want
        assert "`fluffy-train persona set-token default`" in want


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_dead_token_has_three_steps(stack: CliStack, clock: Clock, is_paused: bool) -> None:
    fill(stack, ENOUGH)
    expires(stack, clock.now)
    if is_paused:
        pause(stack, "A week without posts.")
    *pauses, token = json.loads(stack.run("status", "--json").stdout)["needs_you"]
    assert pauses == (["default is paused: A week without posts."] if is_paused else [])
    assert_three_steps(token)


def test_a_dead_token_that_was_found_by_posting_has_three_steps_until_it_is_replaced(
    stack: CliStack, clock: Clock
) -> None:
    fill(stack, ENOUGH)
    stack.instagram.order_fault(Fault.error("create_container", 190))
    assert stack.run("post").exit_code == 1
    told = json.loads(stack.run("status", "--json").stdout)
    paused, token = told["needs_you"]
    assert paused.startswith("default is paused: ")
    assert_three_steps(token)
    slot = "2026-11-22T12:00:00Z"
    assert told["personas"][0]["failed"] == [{"slot": slot, "what": "its photo is free again", "needs_you": False}]
    assert f"failed     {slot} needs nothing: its photo is free again" in stack.run("status").stdout
    clock.advance()
    persona = stack.adapters.personas.get(PERSONA)
    assert persona is not None
    assert stack.adapters.personas.note_token(persona, refreshed_at=clock.now, expires_at=None)
    (paused,) = json.loads(stack.run("status", "--json").stdout)["needs_you"]
    assert paused.endswith("When that is mended: `fluffy-train persona resume default`.")


def test_the_steps_that_a_pause_names_itself_are_not_told_twice(stack: CliStack, clock: Clock) -> None:
    fill(stack, ENOUGH)
    persona = stack.adapters.personas.get(PERSONA)
    assert persona is not None
    reason = f"The token is dead. {how_to_mend(PERSONA)}"
    assert stack.adapters.personas.pause_for_token(persona, reason, dead_since=clock.now)
    (paused,) = json.loads(stack.run("status", "--json").stdout)["needs_you"]
    assert_three_steps(paused)


def assert_three_steps(want: str) -> None:
    new, hand_over, resume = (
        want.index(step)
        for step in ("Get a new token", "`fluffy-train persona set-token", "`fluffy-train persona resume")
    )
    assert new < hand_over < resume
    assert want.count("persona resume") == 1


def test_a_failed_post_that_posted_nothing_is_shown_until_it_is_retried(stack: CliStack, clock: Clock) -> None:
    refused(stack, clock)
    fill(stack, ENOUGH, first=1)
    result = stack.run("status")
    assert result.exit_code == 1
    assert "2026-11-22T12:00:00Z needs you: refused, and nothing was posted for it" in result.stdout
    assert f"! {NAME} was refused" in result.stdout
    assert f"`fluffy-train retry {NAME}`" in result.stdout
    assert stack.run("retry", NAME).exit_code == 0
    assert stack.run("status").exit_code == 0


def test_status_does_without_what_the_stack_does_not_tell(stack: CliStack) -> None:
    fill(stack, ENOUGH)
    result = stack.run("status")
    assert result.exit_code == 0
    assert "unknown: no schedule is known to post for it" in result.stdout


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"State": "DISABLED"}, "none: its schedule is switched off"),
        ({"ScheduleExpression": "rate(1 day)"}, "unknown: the expression 'rate(1 day)' tells no next start here"),
    ],
)
def test_status_lies_about_no_next_slot(stack: CliStack, rule: str, change: dict[str, str], told: str) -> None:
    boto3.client("events").put_rule(Name=rule, **RUN_EVERY_DAY | change)
    (one,) = json.loads(stack.run("status", "--json").stdout)["personas"]
    assert (one["next_slot"], one["next_slot_unknown"]) == (None, told)


def test_a_persona_with_a_schedule_of_its_own(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    group = stack.environment["PHOTOS_BUCKET"]
    monkeypatch.setenv("SCHEDULE_GROUP", group)
    stack.add_persona("anna")
    scheduler = boto3.client("scheduler")
    scheduler.create_schedule_group(Name=group)
    scheduler.create_schedule(
        Name="anna",
        GroupName=group,
        ScheduleExpression="cron(0 8,20 * * ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:lambda:eu-central-1:123456789012:function:a",
            "RoleArn": "arn:aws:iam::123456789012:role/a",
        },
    )
    (one,) = json.loads(stack.run("status", "--persona", "anna", "--json").stdout)["personas"]
    assert (one["next_slot"], one["posts_per_day"]) == ("2026-11-22T19:00:00.000Z", 2.0)
