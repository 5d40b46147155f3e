"""Which stack the commands work on, and what they say when it cannot be reached. Here is also the stack of the other
tests of the commands: AWS by moto and Instagram by our emulator, over real HTTP, fresh for each test.
"""

import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from uuid import uuid4
from xml.sax.saxutils import escape

import boto3
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image
from typer import rich_utils
from typer.testing import CliRunner, Result

from adapters.clock import SystemClock
from cli.main import app
from cli.settings import find
from domain.ids import PersonaId
from handlers import wiring
from local.environment import REGION, isolated
from local.instagram import EmulatorServer, EmulatorSettings
from local.tables import create_tables

ROOT = Path(__file__).parents[2]
USER, TOKEN = "17841400000000001", "IGAA-the-only-token"
PERSONA = PersonaId("default")
COLOURS = frozenset({"CLICOLOR_FORCE", "FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS", "TTY_COMPATIBLE"})


@cache
def moto_address() -> str:
    """Moto's server, one for this process; each test has its own tables, bucket and token prefix in it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    return f"http://127.0.0.1:{server.get_host_and_port()[1]}"


def jpeg(colour: str = "teal", width: int = 320) -> bytes:
    canvas = io.BytesIO()
    Image.new("RGB", (width, width), colour).save(canvas, "JPEG")
    return canvas.getvalue()


class CliStack:
    """A stack without personas, and the commands on it, run in this process or in one of their own."""

    def __init__(self, instagram: EmulatorServer, environment: Mapping[str, str]) -> None:
        self.instagram = instagram
        self.environment = environment

    @classmethod
    @contextmanager
    def up(cls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Self]:
        name = f"t{uuid4().hex[:8]}"
        with EmulatorServer(EmulatorSettings(processing_seconds=0)) as instagram:
            instagram.add_account(USER, TOKEN)
            places = {
                "PERSONAS_TABLE": f"{name}PersonasTable",
                "PHOTOS_TABLE": f"{name}PhotosTable",
                "POSTS_TABLE": f"{name}PostsTable",
                "LOOKALIKES_TABLE": f"{name}LookalikesTable",
                "PHOTOS_BUCKET": name,
                "TOKEN_PREFIX": f"/{name}",
                "DEFAULT_PERSONA": PERSONA,
                "GRAPH_VERSION": "v26.0",
                "INSTAGRAM_GRAPH_URL": instagram.instagram_url,
                "FACEBOOK_GRAPH_URL": instagram.facebook_url,
            }
            environment = plain(isolated({**aws_environment(), **places}))
            use(monkeypatch, environment)
            # The driver waits a second before it first asks for a container's status.
            monkeypatch.setattr(SystemClock, "sleep", lambda *_: None)
            create_tables(boto3.client("dynamodb"), prefix=name)
            boto3.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
            wiring.build.cache_clear()
            yield cls(instagram, environment)
            wiring.build.cache_clear()

    @property
    def adapters(self) -> wiring.Stack:
        return wiring.build(wiring.Settings.of(self.environment))

    def run(self, *words: str, stdin: str | bytes = "") -> Result:
        """Run a command in this process. An exception that it lets through fails the test."""
        result = CliRunner().invoke(app, words, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def run_process(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as the owner does, in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "cli", *words],
            cwd=ROOT,
            env=dict(self.environment),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def add_persona(self, persona_id: str = PERSONA, *options: str) -> None:
        words = ("persona", "add", persona_id, "--instagram-user-id", USER, *options)
        assert self.run(*words, stdin=TOKEN).exit_code == 0

    def objects(self) -> dict[str, Any]:
        """The bucket's files: when each was written, by its key."""
        listed = boto3.client("s3").list_objects_v2(Bucket=self.environment["PHOTOS_BUCKET"])
        return {entry["Key"]: entry["LastModified"] for entry in listed.get("Contents", ())}

    def parameters(self) -> dict[str, tuple[str, str]]:
        """What SSM has for this stack: type and value, by the name after the prefix."""
        prefix = self.environment["TOKEN_PREFIX"]
        found = boto3.client("ssm").get_parameters_by_path(Path=prefix, Recursive=True, WithDecryption=True)
        return {one["Name"].removeprefix(f"{prefix}/"): (one["Type"], one["Value"]) for one in found["Parameters"]}


def aws_environment() -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    return {**keys, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": moto_address()}


def plain(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` without what makes rich write colours where there is no terminal."""
    return {name: value for name, value in environment.items() if name not in COLOURS}


def use(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    """Have this environment, and no other. What Typer read of the old one when it was imported is forgotten."""
    for name in os.environ.keys() - environment.keys():
        monkeypatch.delenv(name)
    monkeypatch.setattr(rich_utils, "FORCE_TERMINAL", None)
    monkeypatch.setattr(rich_utils, "MAX_WIDTH", None)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def error_line(result: Result) -> str:
    """The command's one line of complaint: it failed with status 1, and printed nothing else."""
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line.removeprefix("Error: ")


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[CliStack]:
    with CliStack.up(monkeypatch) as stack:
        yield stack


# ---- which stack ----

OUTPUTS = {
    "PersonasTableName": "PERSONAS_TABLE",
    "PhotosTableName": "PHOTOS_TABLE",
    "PostsTableName": "POSTS_TABLE",
    "LookalikesTableName": "LOOKALIKES_TABLE",
    "PhotosBucketName": "PHOTOS_BUCKET",
    "TokenPrefix": "TOKEN_PREFIX",
    "DefaultPersona": "DEFAULT_PERSONA",
    "GraphVersion": "GRAPH_VERSION",
}


class CloudFormation:
    """Answers DescribeStacks, which moto cannot without a dozen packages more."""

    def __init__(self) -> None:
        self.stacks: dict[str, dict[str, str]] = {}
        self.refusal: tuple[int, str] | None = None
        self.asked = 0
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, answer = served.answer(body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, body: str) -> tuple[int, bytes]:
        self.asked += 1
        name = dict(pair.split("=", 1) for pair in body.split("&"))["StackName"]
        if self.refusal is not None or name not in self.stacks:
            status, code = self.refusal or (400, "ValidationError")
            error = f"<Type>Sender</Type><Code>{code}</Code><Message>Stack with id {name}: {code}</Message>"
            return status, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode()
        outputs = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{escape(value)}</OutputValue></member>"
            for key, value in self.stacks[name].items()
        )
        facts = f"<StackName>{name}</StackName><StackStatus>CREATE_COMPLETE</StackStatus>"
        member = f"<member>{facts}<Outputs>{outputs}</Outputs></member>"
        answer = f"<DescribeStacksResult><Stacks>{member}</Stacks></DescribeStacksResult>"
        return 200, f"<DescribeStacksResponse>{answer}</DescribeStacksResponse>".encode()


@pytest.fixture
def cloudformation(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudFormation]:
    """The stack `fluffy-train`, deployed: found by its outputs, while the environment says nothing of it."""
    served = CloudFormation()
    served.stacks["fluffy-train"] = {key: stack.environment[name] for key, name in OUTPUTS.items()}
    threading.Thread(target=served.server.serve_forever, args=(0.05,), daemon=True).start()
    for name in OUTPUTS.values():
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", served.url)
    yield served
    served.server.shutdown()
    served.server.server_close()


def test_the_environment_of_the_functions_wins_and_nobody_is_asked(
    stack: CliStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", "http://127.0.0.1:1")
    assert stack.run("persona", "list").exit_code == 0


def test_a_stack_named_beside_the_environment_is_said_not_to_be_used(stack: CliStack) -> None:
    result = stack.run("--stack", "other", "persona", "list", "--json")
    assert (result.exit_code, result.stdout) == (0, "[]\n")
    assert "--stack other is not used" in result.stderr


def test_else_the_outputs_of_the_default_stack_are_read(stack: CliStack, cloudformation: CloudFormation) -> None:
    stack.add_persona()
    assert [persona.persona_id for persona in stack.adapters.personas.all()] == [PERSONA]
    assert cloudformation.asked == 1


@pytest.mark.parametrize("by", ["option", "environment"])
def test_the_stack_is_named_by_option_or_variable(
    stack: CliStack, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    cloudformation.stacks["mine"] = cloudformation.stacks.pop("fluffy-train")
    options = ("--stack", "mine") if by == "option" else ()
    monkeypatch.setenv("FLUFFY_TRAIN_STACK", "mine" if by == "environment" else "not-this-one")
    assert stack.run(*options, "persona", "list").exit_code == 0


def test_the_graph_addresses_default_to_instagrams_and_can_be_redirected(cloudformation: CloudFormation) -> None:
    address = {"AWS_ENDPOINT_URL_CLOUDFORMATION": cloudformation.url}
    found = find(None, address).settings
    assert found.instagram_graph_url == "https://graph.instagram.com"
    assert found.facebook_graph_url == "https://graph.facebook.com"
    redirected = find(None, {**address, "INSTAGRAM_GRAPH_URL": "http://127.0.0.1:1"}).settings
    assert redirected.instagram_graph_url == "http://127.0.0.1:1"
    assert redirected.facebook_graph_url == "https://graph.facebook.com"


def test_a_single_place_in_the_environment_never_mixes_two_stacks(
    stack: CliStack, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOS_TABLE", "somebody-elses")
    line = error_line(stack.run("next"))
    missing = "PERSONAS_TABLE, POSTS_TABLE, LOOKALIKES_TABLE, PHOTOS_BUCKET, TOKEN_PREFIX"
    assert f"has PHOTOS_TABLE, but lacks {missing}" in line
    assert cloudformation.asked == 0


def test_a_stack_that_does_not_exist_is_named_with_its_region(stack: CliStack, cloudformation: CloudFormation) -> None:
    line = error_line(stack.run("--stack", "elsewhere", "next"))
    assert f"There is no stack elsewhere in {REGION}" in line
    assert "sam deploy" in line
    assert "--stack" in line


def test_a_stack_that_lacks_an_output_says_which(stack: CliStack, cloudformation: CloudFormation) -> None:
    del cloudformation.stacks["fluffy-train"]["TokenPrefix"]
    line = error_line(stack.run("next"))
    assert "has no output TokenPrefix" in line
    assert "deploy it again" in line


def test_a_name_that_no_stack_can_have_is_refused_without_asking(
    stack: CliStack, cloudformation: CloudFormation
) -> None:
    assert "letters, digits and hyphens" in error_line(stack.run("--stack", "my stack", "next"))
    assert cloudformation.asked == 0


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (403, "AccessDenied", "may not do DescribeStacks"),
        (403, "ExpiredToken", "sign in again"),
        (403, "InvalidClientTokenId", "does not know these credentials"),
        (400, "Throttling", "AWS refused DescribeStacks (Throttling)"),
    ],
)
def test_a_refusal_by_aws_says_what_to_do(
    stack: CliStack, cloudformation: CloudFormation, status: int, code: str, advice: str
) -> None:
    cloudformation.refusal = status, code
    assert advice in error_line(stack.run("next"))


def test_without_credentials_the_way_to_get_some_is_told(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "There are no AWS credentials: sign in" in error_line(stack.run("persona", "list"))


def test_without_a_region_the_variable_to_set_is_told(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "set AWS_DEFAULT_REGION" in error_line(stack.run("next"))


def test_a_profile_that_does_not_exist_is_said_so(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    wiring.build.cache_clear()
    boto3.DEFAULT_SESSION = None
    assert "no such AWS profile" in error_line(stack.run("next"))


def test_an_address_where_nobody_answers_is_one_line(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert "AWS cannot be reached" in error_line(stack.run("next"))


def test_an_address_that_is_not_aws_is_one_line(
    stack: CliStack, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", stack.instagram.url)
    assert "What answered is not AWS" in error_line(stack.run("next"))


def test_tables_that_are_not_there_are_one_line(stack: CliStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAS_TABLE", "nowhere")
    assert "The stack's tables or its bucket are not there" in error_line(stack.run("next"))


# ---- the command itself ----


def test_without_a_command_the_help_is_shown(stack: CliStack) -> None:
    result = stack.run()
    assert result.exit_code == 2
    for command in ("persona", "photos", "next", "post", "history", "--stack"):
        assert command in result.output


@pytest.mark.parametrize(
    "words",
    [
        ("persona", "add"),
        ("persona", "list"),
        ("persona", "check"),
        ("persona", "set-token"),
        ("persona", "set-caption"),
        ("persona", "resume"),
        ("photos", "import"),
        ("next",),
        ("post",),
        ("history",),
    ],
)
def test_each_command_has_its_help_without_any_stack(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, plain(isolated({})))
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0
    assert "Usage: fluffy-train" in result.stdout.replace("root", "fluffy-train")


def test_a_mistyped_command_suggests_the_right_one(stack: CliStack) -> None:
    result = stack.run("histroy")
    assert result.exit_code == 2
    assert "Did you mean 'history'" in result.stderr


def test_the_traceback_of_a_defect_shows_no_variable(stack: CliStack) -> None:
    defect = (
        "import adapters.ssm, cli.main\n"
        "def store_token(self, persona_id, token):\n"
        "    revealed = token.reveal()\n"
        "    raise RuntimeError('a defect')\n"
        "adapters.ssm.SsmCredentials.store_token = store_token\n"
        "cli.main.run()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", defect, "persona", "add", "default", "--instagram-user-id", USER],
        cwd=ROOT,
        env={**stack.environment, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        input=TOKEN,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "RuntimeError" in done.stderr
    assert TOKEN not in done.stdout + done.stderr
