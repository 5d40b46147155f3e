"""The triggers as AWS fires them: at least once, repeated after a failure, and to the dead letters in the end."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from samtranslator.yaml_helper import yaml_parse

from local.soak.messages import Ended, Function, Task
from local.soak.settings import RECONCILE_EVERY, SoakSettings
from local.soak.simulation import Simulation
from local.soak.timetable import Delivery
from local.tables import TEMPLATE

LAMBDA_REPEATS: Final = (timedelta(minutes=1), timedelta(minutes=2))
"""After an asynchronous invocation that failed or was killed (AWS Lambda developer guide, asynchronous invocation)."""
EXPECTED_ERRORS: Final = frozenset({"RecordsUnavailableError"})
PRODUCT: Final = str(TEMPLATE.parent / "src")
OVERLAPPING: Final = 0.1


class Triggers:
    """Starts the functions, and keeps what each slot was told and what should not have been raised."""

    def __init__(self, soak: SoakSettings, simulation: Simulation) -> None:
        self._soak = soak
        self._simulation = simulation
        self._seconds = _timeouts()
        self.outcomes: defaultdict[tuple[str, datetime], Counter[str]] = defaultdict(Counter)
        self.met: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self.said: list[str] = []
        """Every answer and error, as text."""

    def deliver(self, delivery: Delivery, attempt: int = 0, redriven: int = 0) -> None:
        """Start PostNextBest for the delivery's slot, and repeat it as Lambda does when the run fails."""
        event = {"persona_id": delivery.persona_id, "time": f"{delivery.slot:%Y-%m-%dT%H:%M:%SZ}"}
        name = f"{self._soak.seed}/{delivery.name}/{redriven}/{attempt}"
        task = Task(name, "PostNextBest", event, delivery.seconds or self._seconds["PostNextBest"])

        def on_end(ended: Ended) -> None:
            self._hear(task.function, ended)
            if ended.answer is not None:
                self.outcomes[delivery.persona_id, delivery.slot][ended.answer["outcome"]] += 1
            elif attempt < len(LAMBDA_REPEATS):
                again = partial(self.deliver, delivery, attempt + 1, redriven)
                self._simulation.at(self._simulation.now + LAMBDA_REPEATS[attempt], again)
            else:
                self.met["event to the dead letters, sent again by the owner"] += 1
                dice = random.Random(name)  # noqa: S311 - reproducible, guards nothing
                again = partial(self.deliver, delivery, 0, redriven + 1)
                self._simulation.at(self._simulation.now + timedelta(hours=dice.uniform(0.2, 8)), again)

        self._simulation.invoke(task, on_end)

    def reconcile_until(self, is_over: Callable[[datetime], bool]) -> None:
        """Start Reconcile every 15 minutes until ``is_over``."""
        now = self._simulation.now
        if is_over(now):
            return
        dice = random.Random(f"{self._soak.seed}/overlap/{now}")  # noqa: S311 - reproducible, guards nothing
        self._reconcile(1)
        if dice.random() < OVERLAPPING:
            self.met["reconcilers overlap"] += 1
            later = timedelta(seconds=dice.choice((0, 0, 1, 20, 90)))
            self._simulation.at(now + later, partial(self._reconcile, 2))
        self._simulation.at(now + RECONCILE_EVERY, partial(self.reconcile_until, is_over))

    def _reconcile(self, number: int) -> None:
        name = f"{self._soak.seed}/reconcile/{self._simulation.now}/{number}"
        task = Task(name, "Reconcile", {}, self._seconds["Reconcile"])
        self._simulation.invoke(task, partial(self._hear, task.function))

    def _hear(self, function: str, ended: Ended) -> None:
        if ended.answer is not None:
            self.said.append(json.dumps(ended.answer))
            return
        self.said.append(ended.traceback)
        self.met[f"{function} run ended by {ended.error or 'death'}"] += 1
        if ended.error is not None and ended.error not in EXPECTED_ERRORS:
            self.unexpected.append(f"{function}: {_summary(ended.traceback)}")


def _summary(traceback: str) -> str:
    """The last place in the product, and the error itself."""
    lines = traceback.rstrip().splitlines()
    places = [line.strip() for line in lines if PRODUCT in line]
    return f"{lines[-1]} ({places[-1] if places else 'outside the product'})"


def _timeouts() -> dict[Function, float]:
    """What template.yaml gives each function, in seconds."""
    resources: Any = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Resources"]
    functions: tuple[Function, ...] = ("PostNextBest", "Reconcile")
    return {name: float(resources[name]["Properties"]["Timeout"]) for name in functions}
