"""Alarms, dashboard and runbook say the same things: every alarm has its entry, every metric somebody writes."""

import ast
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cli.main import app
from template.expansion import PROJECT, Json, Stack, expand

EVERYTHING = expand(WebhookUrl="https://receiver.example/posts")
"""The stack with all that may be chosen: each of its alarms needs an entry."""
ALARMS = sorted(EVERYTHING.of_type("AWS::CloudWatch::Alarm"))
STACKS = [expand(), EVERYTHING]
RUNBOOK = (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8")

OF_AWS = {
    "AWS/Lambda": {"Duration", "Errors", "Invocations", "Throttles"},
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible"},
}
"""What AWS writes by itself. (Lambda developer guide, "Using CloudWatch metrics with Lambda"; SQS developer guide,
"Available CloudWatch metrics for Amazon SQS".)"""


# ---- the metrics ----


@cache
def written_metrics() -> frozenset[str]:
    """The names that the handlers write: constants given to ``add_metric``, and the values of tables of names."""
    names: set[str] = set()
    for path in (PROJECT / "src" / "handlers").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="add_metric"), args=[ast.Constant(value=str(name)), *_]):
                    names.add(name)
                case ast.AnnAssign(target=ast.Name(id=table), value=ast.Dict(values=values)) if table.endswith(
                    "METRIC_NAMES"
                ):
                    names |= {str(value.value) for value in values if isinstance(value, ast.Constant)}
                case _:
                    pass
    return frozenset(names)


def watched(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Namespace, metric and the value of its one dimension, of every alarm."""
    for alarm in stack.of_type("AWS::CloudWatch::Alarm").values():
        properties = alarm["Properties"]
        metrics = [one["MetricStat"]["Metric"] for one in properties.get("Metrics", ()) if "MetricStat" in one]
        for metric in metrics or [properties]:
            (dimension,) = metric["Dimensions"]
            yield metric["Namespace"], metric["MetricName"], dimension["Value"]


def shown(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """The same, of the dashboard. A row may leave out, by dots, what is as in the row before it."""
    for widget in widgets(stack):
        before: Sequence[str] = []
        for row in widget["properties"]["metrics"]:
            filled = [*before[: len(before) - len(row) + 1], *row[1:]] if row[0] == "..." else row
            before = [before[place] if word == "." else word for place, word in enumerate(filled)]
            namespace, metric, _, value = before
            yield namespace, metric, value


def widgets(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(stack.properties("Dashboard")["DashboardBody"])["widgets"]
    return found


def test_every_metric_that_is_watched_or_shown_is_written_by_us_or_by_aws(stack: Stack) -> None:
    for namespace, metric, value in [*watched(EVERYTHING), *shown(EVERYTHING), *shown(stack)]:
        known = written_metrics() if namespace == "FluffyTrain" else OF_AWS[namespace]
        assert metric in known, f"nobody writes {namespace} {metric}"
        functions = sorted(EVERYTHING.of_type("AWS::Lambda::Function"))
        expected = {"FluffyTrain": ["fluffy-train"], "AWS/Lambda": functions, "AWS/SQS": ["DeadLetters.QueueName"]}
        assert value in expected[namespace]


def test_the_search_for_written_metrics_finds_what_it_should() -> None:
    assert written_metrics() >= {"Posted", "Failed", "PhotosLeft", "UnresolvedForAnHour", "NoOutcome"}
    assert "Count" not in written_metrics()


@pytest.mark.parametrize("stack", STACKS, ids=["without webhook", "with webhook"])
def test_the_dashboard_shows_what_a_glance_should_tell(stack: Stack) -> None:
    told = {(namespace, metric) for namespace, metric, _ in shown(stack)}
    ours = {"Posted", "Failed", "Unconfirmed", "Unresolved", "Deferred", "PhotosLeft", "TokenDaysLeft"}
    aws = {("AWS/Lambda", "Duration"), ("AWS/Lambda", "Errors"), ("AWS/SQS", "ApproximateNumberOfMessagesVisible")}
    assert told >= {("FluffyTrain", metric) for metric in ours} | aws
    for metric in ("Duration", "Errors", "Throttles"):
        functions = sorted(stack.of_type("AWS::Lambda::Function"))
        assert sorted(value for _, name, value in shown(stack) if name == metric) == functions


@pytest.mark.parametrize("stack", STACKS, ids=["without webhook", "with webhook"])
def test_everything_with_an_alarm_of_its_own_is_on_the_dashboard(stack: Stack) -> None:
    not_a_curve = {("AWS/Lambda", "Invocations")}
    told = {(namespace, metric) for namespace, metric, _ in shown(stack)}
    assert {(namespace, metric) for namespace, metric, _ in watched(stack)} - not_a_curve <= told


def test_no_widget_covers_another_and_all_are_as_cloudwatch_takes_them(stack: Stack) -> None:
    covered: set[tuple[int, int]] = set()
    for widget in widgets(stack):
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & covered
        assert max(x for x, _ in cells) < 24, "the grid is 24 columns wide"
        covered |= cells
        assert widget["type"] == "metric"
        assert widget["properties"]["region"] == "us-east-1"
        assert widget["properties"]["period"] % 60 == 0


# ---- the runbook ----


def entries() -> dict[str, str]:
    """The runbook's entries on alarms, by the alarm."""
    parts = re.split(r"^## (.+)$", RUNBOOK, flags=re.MULTILINE)[1:]
    titles, texts = parts[::2], parts[1::2]
    assert len(titles) == len(set(titles)), "two entries of one name have one anchor"
    return {title: text for title, text in zip(titles, texts, strict=True) if title.endswith("Alarm")}


def test_the_runbook_has_an_entry_for_every_alarm_and_no_other() -> None:
    assert sorted(entries()) == ALARMS


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_names_its_entry(alarm: str) -> None:
    """GitHub makes an anchor of a title by lower case; the mail shows the text as it is."""
    description = EVERYTHING.properties(alarm)["AlarmDescription"]
    assert description.endswith(f" Runbook: docs/runbook.md#{alarm.lower()}")


@pytest.mark.parametrize("alarm", sorted(entries()))
def test_an_entry_says_what_it_means_what_to_look_at_and_what_mends_it(alarm: str) -> None:
    entry = entries()[alarm]
    for part in ("**Means.**", "**Look at.**", "**Mend.**"):
        assert entry.count(part) == 1, f"{alarm} lacks {part}"
    assert "`" in entry.partition("**Look at.**")[2], "a command to look with"


def test_the_alarms_entries_stand_before_all_else() -> None:
    """Who comes from an alarm shall not have to look for it among the ways to upgrade and to delete."""
    entries_part, _, rest = RUNBOOK.partition("\n# Upgrade and exit\n")
    assert rest, "the heading is there"
    assert re.findall(r"^## (\w+Alarm)$", rest, flags=re.MULTILINE) == []
    assert "\n\n\n" not in entries_part


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_names_a_command_that_mends(alarm: str) -> None:
    """Who reads the mail alone knows what to type: a command that its entry names as well, under Mend."""
    told = {name_of(line) for line in commands(EVERYTHING.properties(alarm)["AlarmDescription"])}
    mends = {name_of(line) for line in commands(entries()[alarm].partition("**Mend.**")[2])}
    assert told & mends, f"the alarm names {sorted(told)}, the entry {sorted(mends)}"


def test_a_command_is_known_by_its_words_without_what_it_is_given() -> None:
    assert name_of("fluffy-train persona resume PERSONA") == "fluffy-train persona resume"
    assert name_of("fluffy-train retry 2026-11-22T09:00:00Z") == "fluffy-train retry"
    assert name_of("aws events enable-rule --name RULE") == "aws events enable-rule"


def test_the_runbooks_list_leads_to_every_entry() -> None:
    table = RUNBOOK.partition("\n## ")[0]
    assert sorted(re.findall(r"\[(\w+)\]\(#\w+\)", table)) == sorted(entries())


def test_no_link_within_the_runbook_leads_nowhere() -> None:
    anchors = {title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", RUNBOOK, flags=re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK)) <= anchors


# ---- what is told to be typed ----

OURS, AWSS = "fluffy-train", ("aws", "sam")


def commands(text: str) -> list[str]:
    """What stands in backquotes, inline or in blocks, and begins with the name of a command."""
    blocks = [line for block in re.findall(r"```.*?\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    inline = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    found = [" ".join(one.split()).partition("#")[0].strip() for one in (*blocks, *inline)]
    return [one for one in found if one.split(" ")[0] in (OURS, *AWSS)]


def quoted(text: str) -> list[str]:
    """Those of them that are ours."""
    return [one for one in commands(text) if one.startswith(f"{OURS} ")]


def name_of(line: str) -> str:
    """The command alone: the words before the first option, placeholder or value."""
    return " ".join(takewhile(lambda word: re.fullmatch(r"[a-z][a-z-]*", word), line.split()))


def what_is_wrong_with(line: str) -> str | None:
    """Why the command tree does not take ``line``; None where it does.

    Its options must exist and have their values, its arguments must be there and be no more than there are, and a
    placeholder must be called as the command's own help calls it. A command that is named alone is a mention.
    """
    command: Json = get_command(app)
    words = shlex.split(line)[1:]
    if words[:1] == ["--stack"]:  # which all of them take
        words = words[2:]
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return f"{command.name} has no command {words[0]}" if words else f"{command.name} is a group"
        command = command.commands[words.pop(0)]
    if not words:
        return None
    context = command.make_context(command.name, [], resilient_parsing=True)
    context.resilient_parsing = False
    try:
        given, left, _ = command.make_parser(context).parse_args(words)
    except Exception as error:  # noqa: BLE001 - Typer's own copy of click has the class
        return f"{command.name}: {error}"
    if left:
        return f"{command.name} takes no {' '.join(left)}"
    for parameter in command.params:
        value = given.get(parameter.name)
        if value is None and parameter.required:
            return f"{command.name} lacks {parameter.metavar or parameter.name}"
        if isinstance(value, str) and value.isupper() and value != (parameter.metavar or "").strip("[]…"):
            return f"{command.name} calls it {parameter.metavar}, not {value}"
    return None


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("fluffy-train persona resume PERSONA", None),
        ("fluffy-train persona schedule anna --cron '0 9 * * ? *' --timezone Europe/Berlin", None),
        ("fluffy-train history", None),
        ("fluffy-train resolve POST --posted MEDIA_ID", None),
        ("fluffy-train photos rejected", None),
        ("fluffy-train --stack NEW persona set-token PERSONA", None),
        ("fluffy-train persona", "is a group"),
        ("fluffy-train retry SLOT --persona PERSONA", "calls it POST, not SLOT"),
        ("fluffy-train retry --persona PERSONA", "lacks POST"),
        ("fluffy-train post POST", "takes no POST"),
        ("fluffy-train resolve POST --posted", "requires an argument"),
        ("fluffy-train persona exile PERSONA", "no command exile"),
        ("fluffy-train history --sideways", "No such option: --sideways"),
    ],
)
def test_a_command_is_looked_up_in_the_command_tree(line: str, wrong: str | None) -> None:
    found = what_is_wrong_with(line)
    assert (wrong is None) == (found is None), found
    assert (wrong or "") in (found or "")


def test_the_search_finds_commands_inline_and_in_blocks() -> None:
    text = "Give `fluffy-train\nhistory`, or:\n```\nfluffy-train next   # and why\n```\nand not `aws sns`."
    assert sorted(quoted(text)) == ["fluffy-train history", "fluffy-train next"]
    assert "aws sns" in commands(text)


@pytest.mark.parametrize("alarm", ALARMS)
def test_a_command_in_an_alarms_text_exists(alarm: str) -> None:
    for line in quoted(EVERYTHING.properties(alarm)["AlarmDescription"]):
        assert what_is_wrong_with(line) is None, line


DOCS = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("line", sorted(set(quoted(RUNBOOK))))
def test_a_command_in_the_runbook_exists(line: str) -> None:
    assert what_is_wrong_with(line) is None


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_a_command_in_any_other_page_exists(path: Path) -> None:
    lines = [line for line in quoted(path.read_text(encoding="utf-8")) if not line.endswith(" --help")]
    assert [wrong for line in lines if (wrong := what_is_wrong_with(line)) is not None] == []


# ---- what it costs ----


def test_the_docs_say_how_many_metrics_the_alarms_watch() -> None:
    """CloudWatch charges for each metric that an alarm looks at; its free tier has ten."""
    readme, scale = (
        (PROJECT / path).read_text(encoding="utf-8") for path in (Path("README.md"), Path("docs", "scale.md"))
    )
    without, with_webhook = (len(list(watched(one))) for one in STACKS)
    assert f"The alarms watch {without} metrics, of which" in readme
    assert f"so {(without - 10) * 10} cents" in readme
    assert f"alarms on {without} metrics" in scale
    assert f"{with_webhook - without} more with a webhook" in readme
