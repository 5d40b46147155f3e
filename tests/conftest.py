"""For the whole suite: how hard Hypothesis tries, the handlers on fakes, and the guard that lets no secret out.

The guard hears what the product logs (at DEBUG too, as a record and as each handler formats it), prints, returns from a
Lambda handler and raises from an adapter that knows a secret. A test in which it heard a secret fails, whatever the
test is about; what it hears between and after the tests fails the session.
"""

import functools
import importlib
import logging
import os
import pkgutil
import re
import traceback
from collections.abc import Callable, Generator
from typing import Any, Final, cast

import pytest
from hypothesis import HealthCheck, settings

import handlers
from adapters.meta import MetaAccounts, MetaPublisher
from adapters.s3 import S3Renditions
from adapters.s3_inbox import S3Inbox
from adapters.scoring import BedrockScorer
from adapters.ssm import SsmCredentials
from adapters.ssm_tokens import SsmTokenStore
from adapters.webhook import Webhook
from adapters.webhook_secret import SsmWebhookSecret
from domain.ports import Publisher
from domain.secret import Secret
from domain.token_ports import Accounts, TokenStore
from fakes.library import Engine
from fakes.records import FakeNearDuplicates
from handlers import wiring

# ---- Hypothesis: the same examples on every machine, and many more of them, at random, where that is asked for ----

_SOAK: Final = os.environ.get("HYPOTHESIS_PROFILE") == "soak"

for _name, _examples, _soak_examples in (("interleavings", 600, 30_000), ("fuzz", 150, 20_000)):
    settings.register_profile(
        _name,
        derandomize=not _SOAK,
        database=None,
        deadline=None,
        max_examples=_soak_examples if _SOAK else _examples,
        stateful_step_count=60 if _SOAK else 40,
        suppress_health_check=list(HealthCheck),
    )


# ---- The real handlers on the fakes ----


@pytest.fixture
def on_fakes(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Joins the real handlers to an engine's fakes, and to a publisher of one's own where one is given."""
    for name in wiring._NAMES:
        monkeypatch.setenv(name, "default" if name == "DEFAULT_PERSONA" else "unused")

    def join(engine: Engine, publisher: Publisher | None = None) -> None:
        stack = wiring.Stack(
            settings=wiring.Settings.of(os.environ),
            personas=engine.personas,
            library=engine.library,
            ledger=engine.ledger,
            near_duplicates=FakeNearDuplicates(engine.records),
            publisher=publisher or engine.publisher,
            renditions=cast("S3Renditions", engine.renditions),
            credentials=cast("SsmCredentials", None),
            tokens=cast("TokenStore", None),
            accounts=cast("Accounts", None),
            clock=engine.clock,
        )
        monkeypatch.setattr(wiring, "build", lambda _: stack)

    return join


# ---- No leaks ----

SHORTEST_SECRET: Final = 10
"""A shorter value, such as an example of Hypothesis, would be found in any text."""

SIGNATURES: Final = re.compile(
    r"appsecret_proof=(?!<redacted>)[^\s&'\"]"
    r"|signature=[^\s&'\"]"  # X-Amz-Signature, and that of the fakes' links
    r"|X-Amz-Security-Token=[^\s&'\"]"
    r"|(access_token|fb_exchange_token|client_secret)=(?!<redacted>)[^\s&'\"]"
    r"|Bearer [A-Za-z0-9._-]{6}"
    r"|\b(IGAA|IGLOCAL|EAA)[A-Za-z0-9-]{6}",
    re.IGNORECASE,
)
"""What a secret looks like in a URL or a header, and how the tokens of Instagram and of our tests begin."""


class LeakGuard:
    """Keeps what it heard until it is asked, and knows every secret that was ever wrapped in this process."""

    def __init__(self) -> None:
        self._heard: list[tuple[str, str]] = []
        self.secrets: set[str] = set()
        self.counts: dict[str, int] = {}
        """How often it heard each kind of thing: a guard that hears nothing finds nothing."""

    def learn(self, secret: str) -> None:
        if len(secret) >= SHORTEST_SECRET:
            self.secrets.add(secret)

    def hear(self, where: str, text: str) -> None:
        self._heard.append((where, text))
        self.counts[where] = self.counts.get(where, 0) + 1

    def leaks(self) -> list[str]:
        """Where a secret was heard since the last question, with the secret left out."""
        heard, self._heard = self._heard, []
        return [f"{where}: {shown}" for where, text in heard if (shown := self._found(text)) is not None]

    def _found(self, text: str) -> str | None:
        match = SIGNATURES.search(text)
        places = [text.index(secret) for secret in self.secrets if secret in text]
        if match is None and not places:
            return None
        place = min([*places, *([match.start()] if match else [])])
        return f"…{text[max(0, place - 200) : place]}[here]"


def everything_in(error: BaseException) -> str:
    """An exception and all those behind it, shown or not: text, arguments, attributes and tracebacks."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__]
    parts = ["".join(traceback.format_exception(error))]
    for one in seen:
        parts += [str(one), repr(one), repr(one.args), repr(vars(one))]
    return "\n".join(parts)


def _listen(guard: LeakGuard) -> None:
    """Put the guard's ear to everything, before any test module is imported. It stays there."""
    # Tests make the AWS calls of their own setting-up by the same libraries. That the product silences these itself is
    # for test_no_leaks.py to see.
    for name in wiring._TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger().setLevel(logging.DEBUG)
    _listen_to_logs(guard)
    for module in pkgutil.iter_modules(handlers.__path__, "handlers."):
        entry = importlib.import_module(module.name)
        if hasattr(entry, "logger"):
            entry.logger.setLevel(logging.DEBUG)
        if hasattr(entry, "handler"):
            entry.handler = _overheard(guard, f"{module.name}.handler", entry.handler, answers=True)  # type: ignore[attr-defined]
    for owner in (
        *(MetaPublisher, MetaAccounts, SsmCredentials, SsmTokenStore),
        *(S3Renditions, S3Inbox, BedrockScorer, Webhook, SsmWebhookSecret),
    ):
        for name, method in list(vars(owner).items()):
            if callable(method) and not name.startswith("_"):
                setattr(owner, name, _overheard(guard, f"{owner.__name__}.{name}", method, answers=False))
    wrap = Secret.__init__

    @functools.wraps(wrap)
    def wrap_and_learn(secret: Secret, value: str) -> None:
        wrap(secret, value)
        guard.learn(value)

    Secret.__init__ = wrap_and_learn  # type: ignore[method-assign,assignment]


def _listen_to_logs(guard: LeakGuard) -> None:
    handle, format_ = logging.Logger.handle, logging.Handler.format

    def handle_and_hear(logger: logging.Logger, record: logging.LogRecord) -> None:
        facts = {name: value for name, value in vars(record).items() if name != "exc_info"}
        error = record.exc_info[1] if record.exc_info else None
        behind = everything_in(error) if error is not None else ""
        guard.hear("log", f"{record.name}: {record.getMessage()} {facts!r} {behind}")
        handle(logger, record)

    def format_and_hear(handler: logging.Handler, record: logging.LogRecord) -> str:
        text = format_(handler, record)
        guard.hear("log line", text)
        return text

    logging.Logger.handle = handle_and_hear  # type: ignore[method-assign,assignment]
    logging.Handler.format = format_and_hear  # type: ignore[method-assign,assignment]


def _overheard(guard: LeakGuard, where: str, function: Callable[..., Any], *, answers: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            answer = function(*arguments, **named)
        except Exception as error:
            guard.hear(f"raised by {where}", everything_in(error))
            raise
        if answers:
            guard.hear(f"answer of {where}", repr(answer))
        return answer

    return call


class _GuardPlugin:
    """Asks the guard after each phase of each test, and once more at the end; for xdist, in each of its workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._late: list[str] = []
        self._printed: dict[str, int] = {}
        self.guard = LeakGuard()
        _listen(self.guard)

    @pytest.fixture
    def leak_guard(self) -> LeakGuard:
        return self.guard

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        # Each report has what was printed in the phases before it as well.
        for name, printed in report.sections[self._printed.get(item.nodeid, 0) :]:
            self.guard.hear(name, printed)
        self._printed[item.nodeid] = len(report.sections)
        leaks = self.guard.leaks()
        if leaks:
            report.sections.clear()
        if leaks and report.passed:
            report.outcome = "failed"
            report.longrepr = "\n".join(["A secret was let out:", *leaks])
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._late += self.guard.leaks()
        to_controller: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if to_controller is not None:
            to_controller["leaks"] = self._late
        elif self._late:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """xdist, in the controller: a worker has ended."""
        self._late += getattr(node, "workeroutput", {}).get("leaks", [])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for leak in self._late:
            terminalreporter.write_line(f"A secret was let out, outside of any test: {leak}", red=True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_GuardPlugin(config), "leak-guard")
