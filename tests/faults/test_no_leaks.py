"""No token, app secret or signature in anything logged at DEBUG, returned, printed or raised, however a run ends.

These runs provoke every kind of end, and the guard of ``conftest.py`` listens, as it does to the rest of the suite.
Here the guard itself is shown to bite, too.
"""

import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
import pytest

from contract.servers import a_jpeg, aws_environment, emulator, moto_url, running_emulator
from domain.ids import PersonaId
from domain.personas import Login, Persona
from domain.ports import RecordsUnavailableError
from domain.post_next_best import UnknownPersonaError
from fakes.clock import FakeClock
from fakes.library import a_photo
from handlers import post_next_best, reconcile, refresh_tokens, wiring
from local.environment import REGION
from local.instagram import ContainerBehaviour, EmulatorServer, Fault
from local.lambda_context import LambdaContext
from local.tables import create_tables

__all__ = ["aws_environment", "emulator", "moto_url", "running_emulator"]

ROOT: Final = Path(__file__).parents[2]
ACCOUNT: Final = "17841400000000001"
TOKEN: Final = "IGAA-no-leaks-Wn3kZ8"
APP_SECRET: Final = "no-leaks-app-secret-5e1c"
NOBODY: Final = "http://127.0.0.1:9"
"""Nothing listens on the discard port."""


@dataclass
class Stage:
    """The real handlers over moto and the emulator, with one persona and two photos."""

    instagram: EmulatorServer
    patch: pytest.MonkeyPatch
    login: Login
    prefix: str

    def set_token(self, token: str) -> None:
        self.put_parameter("access-token", token)

    def put_parameter(self, name: str, value: str) -> None:
        boto3.client("ssm").put_parameter(
            Name=f"{self.prefix}/default/{name}", Value=value, Type="SecureString", Overwrite=True
        )

    def run(self, event: object = None) -> list[Any]:
        """PostNextBest, and two reconcilers, the last a day later; what each answered."""
        wiring.build.cache_clear()
        built = wiring.build(wiring.Settings.of(os.environ))
        clock = FakeClock(datetime.now(UTC))
        self.patch.setattr(wiring, "build", lambda _: replace(built, clock=clock))
        answers = [post_next_best.handler({} if event is None else event, LambdaContext())]
        for hours in (1, 25):
            clock.advance(timedelta(hours=hours))
            answers.append(reconcile.handler({}, LambdaContext()))
        return answers

    def refresh(self) -> str:
        """RefreshTokens, a day after the token was stored; what became of it."""
        wiring.build.cache_clear()
        built = wiring.build(wiring.Settings.of(os.environ))
        clock = FakeClock(datetime.now(UTC) + timedelta(hours=25))
        self.patch.setattr(wiring, "build", lambda _: replace(built, clock=clock))
        (token,) = refresh_tokens.handler({}, LambdaContext("RefreshTokens", 300))["tokens"]
        return str(token["outcome"])


@pytest.fixture
def everything_at_debug() -> Iterator[Callable[[], None]]:
    """Turns every logger there is to what its root says, which is DEBUG: the product must silence by itself."""
    levels = {
        name: logger.level
        for name, logger in logging.Logger.manager.loggerDict.items()
        if isinstance(logger, logging.Logger) and name != "werkzeug"
    }

    def turn_up() -> None:
        assert logging.getLogger().level == logging.DEBUG
        for name in levels:
            logging.getLogger(name).setLevel(logging.NOTSET)

    yield turn_up
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture(params=list(Login), ids=lambda login: f"{login.value} login")
def stage(
    request: pytest.FixtureRequest,
    moto_url: str,
    emulator: EmulatorServer,
    aws_environment: None,
    monkeypatch: pytest.MonkeyPatch,
    everything_at_debug: Callable[[], None],
) -> Stage:
    ours = uuid4().hex[:8]
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    settings = {
        "AWS_ENDPOINT_URL": moto_url,
        "PHOTOS_BUCKET": f"photos-{ours}",
        "TOKEN_PREFIX": f"/{ours}",
        "DEFAULT_PERSONA": "default",
        "GRAPH_VERSION": "v26.0",
        "INSTAGRAM_GRAPH_URL": emulator.instagram_url,
        "FACEBOOK_GRAPH_URL": emulator.facebook_url,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for logical_id, name in create_tables(boto3.client("dynamodb"), prefix=f"{ours}-").items():
        monkeypatch.setenv(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", logical_id).upper(), name)
    boto3.client("s3").create_bucket(Bucket=f"photos-{ours}", CreateBucketConfiguration={"LocationConstraint": REGION})
    stage = Stage(emulator, monkeypatch, request.param, f"/{ours}")
    emulator.add_account(ACCOUNT, TOKEN, app_secret=APP_SECRET)
    stage.set_token(TOKEN)
    stage.put_parameter("app-secret", APP_SECRET)
    wiring.build.cache_clear()
    built = wiring.build(wiring.Settings.of(os.environ))
    built.personas.add(Persona(PersonaId("default"), "Default", ACCOUNT, login=stage.login))
    for name, score in (("best", 9.0), ("second", 8.0)):
        photo = a_photo(name, score=score)
        built.renditions.put(photo.object_key, a_jpeg())
        built.library.add(photo)
    everything_at_debug()
    return stage


def _order(*faults: Fault) -> Callable[[Stage], None]:
    def arrange(stage: Stage) -> None:
        for fault in faults:
            stage.instagram.order_fault(fault)

    return arrange


def _environment(**settings: str) -> Callable[[Stage], None]:
    def arrange(stage: Stage) -> None:
        for name, value in settings.items():
            stage.patch.setenv(name, value)

    return arrange


def _nobody_listens(stage: Stage) -> None:
    stage.patch.setenv("INSTAGRAM_GRAPH_URL", f"{NOBODY}/instagram")
    stage.patch.setenv("FACEBOOK_GRAPH_URL", f"{NOBODY}/facebook")


def _cannot_tell_whether_the_photo_is_there(stage: Stage) -> None:
    stage.patch.setenv("AWS_ENDPOINT_URL_S3", NOBODY)


def _refuses_the_next_token(stage: Stage) -> None:
    stage.instagram.add_account(ACCOUNT, "IGAA-no-leaks-other")


def _breaks_the_container(stage: Stage) -> None:
    stage.instagram.order_container_behaviour(ContainerBehaviour("fail"))


_ECHO: Final = f'{{"error": {{"message": "access_token={TOKEN}", "type": "{TOKEN}", "code": 190}}}}'.encode()
_TO_ANOTHER: Final = (("Location", f"https://elsewhere.example/?access_token={TOKEN}"),)

ENDS: Final[dict[str, tuple[Callable[[Stage], None], str]]] = {
    "all is well": (lambda _: None, "posted"),
    "the answer is lost": (_order(Fault.reset("media_publish", when="after")), "posted"),
    "half an answer": (_order(Fault.truncate("media_publish", when="after")), "posted"),
    "the request is lost": (_order(Fault.close("media_publish")), "unresolved"),
    "blocked as spam": (_order(Fault.error("media_publish", 4, 2207051)), "unresolved"),
    "nothing can be read": (
        _order(Fault.reset("media_publish"), Fault.reset("container_status", skip=1, times=None)),
        "unresolved",
    ),
    "the token has expired": (_order(Fault.error("create_container", 190, 463)), "failed"),
    "the token is another's": (_refuses_the_next_token, "failed"),
    "the token is sent back": (_order(Fault.body("create_container", _ECHO, status=400)), "failed"),
    "a redirect": (_order(Fault.body("media_publish", b"", status=302, headers=_TO_ANOTHER)), "unresolved"),
    "a bad redirect": (
        _order(Fault.body("create_container", b"", status=302, headers=(("Location", f"http://[{TOKEN}"),))),
        "posted",
    ),
    "the photo is refused": (_order(Fault.error("create_container", 36003, 2207009)), "posted"),
    "the container breaks": (_breaks_the_container, "posted"),
    "throttled": (_order(Fault.error("create_container", 4, status=403)), "deferred"),
    "a broken server": (_order(Fault.body("create_container", b"", status=500, times=None)), "deferred"),
    "nobody listens": (_nobody_listens, "deferred"),
    "the image is not fetched": (_order(Fault.error("create_container", 9004, 2207052, times=None)), "deferred"),
    "nor can the bucket be asked": (_cannot_tell_whether_the_photo_is_there, "deferred"),
    "no token": (lambda stage: stage.patch.setenv("TOKEN_PREFIX", "/elsewhere"), "failed"),
    "a token of two lines": (lambda stage: stage.set_token(f"{TOKEN}\nX: 1"), "failed"),
    "a token that is no ASCII": (lambda stage: stage.set_token(f"{TOKEN}ü"), "failed"),
    "SSM is away": (_environment(AWS_ENDPOINT_URL_SSM=NOBODY), "deferred"),
}


@pytest.mark.parametrize("end", ENDS)
def test_no_run_lets_a_secret_out(stage: Stage, leak_guard: Any, end: str) -> None:
    arrange, outcome = ENDS[end]
    quiet = logging.getLogger("botocore").level
    logging.getLogger("botocore").setLevel(logging.WARNING)
    arrange(stage)
    logging.getLogger("botocore").setLevel(quiet)
    # In some ends the token is never wrapped as a secret, and so would not be looked for.
    leak_guard.learn(TOKEN)
    before = dict(leak_guard.counts)
    answers = stage.run()
    assert answers[0]["outcome"] == outcome
    heard = {where for where, times in leak_guard.counts.items() if times > before.get(where, 0)}
    assert heard >= {"log", "log line", "answer of handlers.post_next_best.handler"}
    assert leak_guard.leaks() == []


@pytest.mark.parametrize(
    ("arrange", "event", "error"),
    [
        (_environment(AWS_ENDPOINT_URL_DYNAMODB=NOBODY), None, RecordsUnavailableError),
        (_environment(PHOTOS_TABLE="another"), None, RecordsUnavailableError),
        (lambda _: None, {"persona_id": "nobody"}, UnknownPersonaError),
    ],
)
def test_no_run_that_raises_lets_a_secret_out(
    stage: Stage, leak_guard: Any, arrange: Callable[[Stage], None], event: object, error: type[Exception]
) -> None:
    arrange(stage)
    with pytest.raises(error):
        stage.run(event)
    assert leak_guard.leaks() == []


REFRESHES: Final[dict[str, tuple[Callable[[Stage], None], str]]] = {
    "all is well": (lambda _: None, "refreshed"),
    "the answer is lost": (_order(Fault.reset("refresh", when="after")), "failed"),
    "the token is sent back": (_order(Fault.body("refresh", _ECHO, status=400)), "failed"),
    "the token is sent back and dead": (
        _order(Fault.body("refresh", _ECHO, status=400), Fault.body("me", _ECHO, status=400)),
        "dead",
    ),
    "a redirect": (_order(Fault.body("refresh", b"", status=302, headers=_TO_ANOTHER)), "failed"),
    "a bad redirect": (
        _order(Fault.body("refresh", b"", status=302, headers=(("Location", f"http://[{TOKEN}"),))),
        "failed",
    ),
    "the new token is refused": (_order(Fault.error("me", 190, 463)), "failed"),
    "the new token cannot be verified": (_order(Fault.reset("me")), "refreshed"),
    "the token is another's": (_refuses_the_next_token, "dead"),
    "nobody listens": (_nobody_listens, "failed"),
    "no token": (lambda stage: stage.patch.setenv("TOKEN_PREFIX", "/elsewhere"), "dead"),
    "a token of two lines": (lambda stage: stage.set_token(f"{TOKEN}\nX: 1"), "dead"),
    "SSM is away": (_environment(AWS_ENDPOINT_URL_SSM=NOBODY), "failed"),
}


@pytest.mark.parametrize("end", REFRESHES)
def test_no_refresh_lets_a_secret_out(stage: Stage, leak_guard: Any, end: str) -> None:
    arrange, outcome = REFRESHES[end]
    quiet = logging.getLogger("botocore").level
    logging.getLogger("botocore").setLevel(logging.WARNING)
    stage.put_parameter("app-id", "1234567890")
    arrange(stage)
    logging.getLogger("botocore").setLevel(quiet)
    leak_guard.learn(TOKEN)
    before = dict(leak_guard.counts)
    assert stage.refresh() == outcome
    heard = {where for where, times in leak_guard.counts.items() if times > before.get(where, 0)}
    assert heard >= {"log", "log line", "answer of handlers.refresh_tokens.handler"}
    assert leak_guard.leaks() == []


def test_the_libraries_would_let_the_token_out(stage: Stage, leak_guard: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the product silences is worth silencing: otherwise these tests would see nothing."""
    for name in wiring._TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET)
        # Not on to pytest's own log, in which the guard would find it again.
        monkeypatch.setattr(logging.getLogger(name), "propagate", False)
    boto3.client("ssm").get_parameter(Name=f"{stage.prefix}/default/access-token", WithDecryption=True)
    assert leak_guard.leaks() != []


# ---- the guard bites ----

PROBE: Final = """
from domain.secret import Secret
from fakes.library import Engine, a_photo
from handlers import post_next_best
from local.lambda_context import LambdaContext

Secret("a-secret-of-no-known-form")

def test_a_run(on_fakes):
    on_fakes(Engine(a_photo()))
    try:
        post_next_best.handler({"persona_id": "default", "time": "2026-11-22T09:00:00Z"}, LambdaContext())
    except RuntimeError:
        pass
"""
LEAKS: Final = {
    "none": ("", ""),
    "at DEBUG": ("tell(report, log, metrics)", "logger.debug('a-secret-of-no-known-form')"),
    "among a line's facts": ("tell(report, log, metrics)", "logger.info('m', extra={'x': 'Bearer EAAabcdefgh'})"),
    "in a logged traceback": (
        "tell(report, log, metrics)",
        "logger.error('m', exc_info=RuntimeError('?appsecret_proof=abc'))",
    ),
    "printed": ("tell(report, log, metrics)", "print('https://b.example/?X-Amz-Signature=abc')"),
    "answered": ("tell(report, log, metrics)", "{'reason': 'a-secret-of-no-known-form'}"),
    "raised": ("tell(report, log, metrics)", "exec('raise RuntimeError(\"IGAAabcdefgh\")')"),
    "behind what is raised": (
        "tell(report, log, metrics)",
        "exec('try:\\n raise OSError(\"access_token=abc\")\\nexcept OSError:\\n raise RuntimeError() from None')",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So much of the tree as a run on the fakes needs."""
    root = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("src", "local", "tests/fakes"):
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / name, root / name)
    (root / "tests" / "test_probe.py").write_text(PROBE)
    return root


@pytest.mark.parametrize(("leak", "processes"), [*((leak, 0) for leak in LEAKS), ("none", 2), ("answered", 2)])
def test_a_leak_in_a_handler_fails_the_suite(copy: Path, leak: str, processes: int) -> None:
    right, wrong = LEAKS[leak]
    handler = copy / "src" / "handlers" / "post_next_best.py"
    text = (ROOT / "src" / "handlers" / "post_next_best.py").read_text()
    assert leak == "none" or text.count(right) == 1
    handler.write_text(text.replace(right, wrong) if right else text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(processes), "tests"],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (0 if leak == "none" else 1), done.stdout
    assert ("A secret was let out" in done.stdout) == (leak != "none"), done.stdout
    assert "a-secret-of-no-known-form" not in done.stdout
