"""`fluffy-train persona schedule | unschedule | remove` on EventBridge Scheduler, as moto plays it, over real HTTP."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.persona_schedules import EventBridgeSchedules, PersonaSchedule, ScheduleTarget
from domain.ids import PersonaId
from fakes.library import a_photo
from fakes.run_log import FakeRunLog
from handlers import events
from integration.test_cli_stack import PERSONA, CliStack, CloudFormation, cloudformation, error_line

__all__ = ["cloudformation"]

ACCOUNT = "arn:aws:{}:eu-central-1:123456789012:{}"
TARGET = ScheduleTarget(
    group="",
    role_arn="arn:aws:iam::123456789012:role/ScheduleRole",
    function_arn=ACCOUNT.format("lambda", "function:PostNextBest"),
    dead_letters_arn=ACCOUNT.format("sqs", "DeadLetters"),
)
DAILY = ("persona", "schedule", "anna", "--cron", "0 9 * * ? *", "--timezone", "Europe/Berlin")


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        stack.environment = {**stack.environment, **scheduled(stack, monkeypatch)}
        yield stack


def scheduled(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """Give the stack a group for schedules. What the environment has for it."""
    group = f"{stack.environment['PHOTOS_BUCKET']}-ScheduleGroup"
    boto3.client("scheduler").create_schedule_group(Name=group)
    names = {
        "SCHEDULE_GROUP": group,
        "SCHEDULE_ROLE_ARN": TARGET.role_arn,
        "POST_NEXT_BEST_ARN": TARGET.function_arn,
        "DEAD_LETTERS_ARN": TARGET.dead_letters_arn,
    }
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    return names


def schedules(stack: CliStack) -> Mapping[str, Any]:
    """The group's schedules as AWS tells them, by name."""
    client, group = boto3.client("scheduler"), stack.environment["SCHEDULE_GROUP"]
    names = [one["Name"] for one in client.list_schedules(GroupName=group)["Schedules"]]
    return {name: client.get_schedule(GroupName=group, Name=name) for name in names}


# ---- schedule ----


def test_a_schedule_starts_the_function_for_the_persona_with_retries_and_the_dead_letter_queue(stack: CliStack) -> None:
    stack.add_persona("anna")
    result = stack.run(*DAILY, "--window", "15")
    assert result.exit_code == 0
    (schedule,) = schedules(stack).values()
    assert {name: schedule[name] for name in ("Name", "ScheduleExpression", "ScheduleExpressionTimezone", "State")} == {
        "Name": "anna",
        "ScheduleExpression": "cron(0 9 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "State": "ENABLED",
    }
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert schedule["ActionAfterCompletion"] == "NONE"
    assert schedule["Target"] == {
        "Arn": TARGET.function_arn,
        "RoleArn": TARGET.role_arn,
        "Input": '{"persona_id": "anna", "time": "<aws.scheduler.scheduled-time>"}',
        "RetryPolicy": {"MaximumEventAgeInSeconds": 21600, "MaximumRetryAttempts": 185},
        "DeadLetterConfig": {"Arn": TARGET.dead_letters_arn},
    }


def test_the_handler_takes_what_the_schedule_sends(stack: CliStack) -> None:
    stack.add_persona("anna")
    stack.run(*DAILY)
    text = schedules(stack)["anna"]["Target"]["Input"]
    event = json.loads(text.replace("<aws.scheduler.scheduled-time>", "2036-01-02T08:00:00Z"))
    request = events.parse(event, PERSONA, stack.adapters.clock.now())
    assert (request.persona_id, str(request.slot)) == ("anna", "2036-01-02T08:00:00Z")
    sample = json.loads((Path(__file__).parents[2] / "events" / "scheduler.json").read_text(encoding="utf-8"))
    assert event.keys() == sample.keys()


def test_scheduling_again_changes_the_one_schedule_whole(stack: CliStack) -> None:
    stack.add_persona("anna")
    assert "Scheduled anna" in stack.run(*DAILY, "--window", "15").stdout
    result = stack.run("persona", "schedule", "anna", "--cron", "cron(30 18 ? * FRI *)")
    assert "Changed the schedule of anna: cron(30 18 ? * FRI *) in UTC." in result.stdout
    (schedule,) = schedules(stack).values()
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == ("cron(30 18 ? * FRI *)", "UTC")
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 21600


def test_the_next_three_starts_of_a_daily_schedule_are_shown_by_the_personas_clock(stack: CliStack) -> None:
    stack.add_persona("anna")
    lines = [line for line in stack.run(*DAILY).stdout.splitlines() if "next:" in line]
    assert len(lines) == 3
    for line in lines:
        assert "09:00 CE" in line
        assert "T08:00:00Z" in line or "T07:00:00Z" in line
    assert "next:" not in stack.run("persona", "schedule", "anna", "--cron", "0/10 9 * * ? *").stdout


def test_the_default_persona_is_said_to_be_posted_for_twice(stack: CliStack) -> None:
    stack.add_persona()
    assert "both do now" in stack.run("persona", "schedule", "default", "--cron", "0 9 * * ? *").stderr
    stack.add_persona("anna")
    assert stack.run(*DAILY).stderr == ""


def test_a_paused_persona_is_pointed_out(stack: CliStack) -> None:
    stack.add_persona("anna")
    stack.adapters.personas.pause(PersonaId("anna"), "A holiday.")
    assert "anna is paused, so nothing is posted yet: A holiday." in stack.run(*DAILY).stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--cron", "0 9 * * *"), "it has six fields"),
        (("--cron", "rate(1 day)"), "it has six fields"),
        (("--cron", "0 9 * * ? *", "--timezone", "Berlin"), "there is no such time zone"),
        (("--cron", "0 9 * * ? *", "--window", "241"), "240"),
        (("--cron", "0 9 * * ? *", "--window", "-1"), "equal to 0"),
    ],
)
def test_what_no_schedule_can_be_is_wrong_use_and_makes_none(
    stack: CliStack, options: tuple[str, ...], said: str
) -> None:
    stack.add_persona("anna")
    result = stack.run("persona", "schedule", "anna", *options)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert schedules(stack) == {}


def test_nobody_is_scheduled_who_is_no_persona(stack: CliStack) -> None:
    assert "There is no persona anna" in error_line(stack.run(*DAILY))
    assert schedules(stack) == {}


class Refusing:
    """A Scheduler that refuses some calls, each by a code, before they take effect."""

    def __init__(self, codes: Mapping[str, str]) -> None:
        self.codes, self.calls = dict(codes), list[str]()

    def __getattr__(self, name: str) -> Any:
        def call(**_: object) -> dict[str, str]:
            self.calls.append(name)
            code = self.codes.pop(name, None)
            if code is not None:
                error = {"Code": code, "Message": "Invalid Schedule\nExpression."}
                raise ClientError({"Error": error}, name)
            return {}

        return call


ANNA = PersonaSchedule(PersonaId("anna"), "61 9 * * ? *", "Europe/Berlin")
GONE, THERE = "ResourceNotFoundException", "ConflictException"


def put(codes: Mapping[str, str]) -> tuple[Refusing, Any]:
    client = Refusing(codes)
    try:
        return client, EventBridgeSchedules(client, TARGET).put(ANNA)
    except Exception as error:  # noqa: BLE001 - the error is the answer
        return client, error


def test_what_the_scheduler_does_not_take_is_said_in_its_words_and_in_ours() -> None:
    client, error = put({"update_schedule": "ValidationException"})
    assert "cron(61 9 * * ? *) in Europe/Berlin; nothing was changed" in str(error)
    assert "Invalid Schedule Expression." in str(error)
    assert client.calls == ["update_schedule"]


def test_a_schedule_that_appears_at_the_same_moment_is_changed() -> None:
    client, is_new = put({"update_schedule": GONE, "create_schedule": THERE})
    assert is_new is False
    assert client.calls == ["update_schedule", "create_schedule", "update_schedule"]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_any_other_refusal_is_told_as_all_others_are(code: str) -> None:
    _, error = put({"update_schedule": code})
    assert isinstance(error, ClientError)


def test_a_group_that_is_gone_is_said_to_be(stack: CliStack) -> None:
    client = Refusing({"update_schedule": GONE, "create_schedule": GONE})
    with pytest.raises(Exception, match=r"schedule group .* is not there: deploy the stack again"):
        EventBridgeSchedules(client, TARGET).put(ANNA)


def test_a_hundred_personas_are_scheduled_at_once_and_each_has_one(stack: CliStack) -> None:
    target = ScheduleTarget.of(stack.environment)
    ours = EventBridgeSchedules(boto3.client("scheduler"), target)
    wanted = [PersonaSchedule(PersonaId(f"p{number % 50}"), "0 9 * * ? *", "UTC") for number in range(100)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ours.put, wanted))
    assert len(schedules(stack)) == 50


# ---- which stack ----


def test_the_group_and_its_role_are_found_among_the_stacks_outputs(
    stack: CliStack, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_persona("anna")
    outputs = {
        "ScheduleGroup": "SCHEDULE_GROUP",
        "ScheduleRoleArn": "SCHEDULE_ROLE_ARN",
        "PostNextBestArn": "POST_NEXT_BEST_ARN",
        "DeadLettersArn": "DEAD_LETTERS_ARN",
    }
    for output, name in outputs.items():
        cloudformation.stacks["fluffy-train"][output] = stack.environment[name]
        monkeypatch.delenv(name)
    asked = cloudformation.asked
    assert stack.run(*DAILY).exit_code == 0
    assert cloudformation.asked == asked + 1
    assert list(schedules(stack)) == ["anna"]


@pytest.mark.parametrize("words", [DAILY, ("persona", "unschedule", "anna"), ("persona", "remove", "anna", "--yes")])
def test_a_stack_without_a_group_says_so_before_anything_is_changed(
    stack: CliStack, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    stack.add_persona("anna")
    monkeypatch.delenv("SCHEDULE_GROUP")
    line = error_line(stack.run(*words))
    assert "lacks SCHEDULE_GROUP" in line
    assert stack.adapters.personas.get(PersonaId("anna")) is not None


# ---- unschedule ----


def test_a_schedule_is_taken_away_and_taking_it_away_twice_is_no_error(stack: CliStack) -> None:
    stack.add_persona("anna")
    stack.run(*DAILY)
    assert "has no schedule of its own any more" in stack.run("persona", "unschedule", "anna").stdout
    assert schedules(stack) == {}
    again = stack.run("persona", "unschedule", "anna")
    assert (again.exit_code, "nothing was changed" in again.stdout) == (0, True)
    assert "rule still starts for default" in stack.run("persona", "unschedule", "default").stderr


# ---- remove ----


def test_a_persona_is_removed_and_its_neighbours_stay(stack: CliStack) -> None:
    for persona_id in ("anna", "annabel"):
        stack.add_persona(persona_id)
        stack.run("persona", "schedule", persona_id, "--cron", "0 9 * * ? *")
        for name in ("one", "two"):
            stack.adapters.library.add(a_photo(name, persona_id=PersonaId(persona_id)))
    result = stack.run("persona", "remove", "anna", "--yes")
    assert (result.exit_code, "anna is removed; 2 photos left its queue" in result.stdout) == (0, True)
    assert [persona.persona_id for persona in stack.adapters.personas.all()] == ["annabel"]
    assert list(stack.parameters()) == ["annabel/access-token"]
    assert list(schedules(stack)) == ["annabel"]
    assert list(stack.adapters.library.best_first(PersonaId("anna"))) == []
    assert len(list(stack.adapters.library.every(PersonaId("anna")))) == 2
    assert len(list(stack.adapters.library.best_first(PersonaId("annabel")))) == 2
    assert stack.run("persona", "remove", "anna", "--yes").exit_code == 0


def test_a_removal_is_asked_for_first(stack: CliStack) -> None:
    stack.add_persona("anna")
    result = stack.run("persona", "remove", "anna", stdin="n\n")
    assert result.exit_code == 1
    assert "Nothing was changed" in result.stderr
    persona = stack.adapters.personas.get(PersonaId("anna"))
    assert persona is not None
    assert persona.paused_reason is None
    assert stack.run("persona", "remove", "anna", stdin="y\n").exit_code == 0
    assert stack.adapters.personas.get(PersonaId("anna")) is None


def test_a_removal_that_nobody_answers_says_how_it_is_given_without_a_question(stack: CliStack) -> None:
    stack.add_persona("anna")
    result = stack.run("persona", "remove", "anna", stdin="")
    assert (result.exit_code, "add --yes" in result.stderr) == (1, True)
    assert stack.adapters.personas.get(PersonaId("anna")) is not None


def test_a_mistyped_persona_is_not_said_to_be_removed(stack: CliStack) -> None:
    stack.add_persona("anna")
    for named in ("ana", "ana"):
        result = stack.run("persona", "remove", named, "--yes")
        assert (result.exit_code, "There is no persona ana" in result.stdout) == (0, True)
        assert "is removed" not in result.stdout


def test_two_who_remove_it_at_once_come_to_the_same_end(stack: CliStack) -> None:
    stack.add_persona("anna")
    remove = stack.adapters.remove_persona(
        EventBridgeSchedules(boto3.client("scheduler"), ScheduleTarget.of(stack.environment)), FakeRunLog()
    )
    with ThreadPoolExecutor(4) as pool:
        assert all(removal.done for removal in pool.map(remove, [PersonaId("anna")] * 4))
    assert stack.parameters() == {}
    assert list(stack.adapters.personas.all()) == []


def test_removing_the_default_persona_says_that_the_rule_goes_on(stack: CliStack) -> None:
    stack.add_persona()
    assert "another DefaultPersona" in stack.run("persona", "remove", "default", "--yes").stderr
