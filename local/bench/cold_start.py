"""What a cold start of the poster costs, on Lambda's real runtime interface, beside what one would write without it.

Every start is a new interpreter, and the contenders take turns, so that a busy machine is busy for all of them. Our
first answer is that there is nothing to post: until then it has read the persona and asked the queue and the ledger,
where the rivals read one record. What a whole post costs stands below: S3, SSM and Instagram are imported after its
claim.
"""

import io
import json
import logging
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import boto3
from moto.server import ThreadedMotoServer
from PIL import Image
from rich.console import Console
from rich.table import Table

from adapters.dynamo import DynamoPersonaDirectory
from adapters.dynamo.tables import photo_item
from domain.ids import PersonaId, PhotoId
from domain.personas import Persona
from domain.photos import Photo, PhotoAnalysis
from local.bench.cold_packages import ROOT, SCRATCH, Package, build_ours, build_rivals
from local.dynamodb_local import DynamoDbLocal
from local.environment import ACCOUNT_ID, BUCKET, PERSONA, REGION, TABLES, TOKEN, Addresses, isolated, settings
from local.instagram import EmulatorServer, EmulatorSettings, StartingAccount
from local.runtime_emulator import Container, Function, Tools
from local.tables import create_tables, opened_tables

GOALS: Final = {"hello-compiled": 0.8, "hello": 0.45, "usual-trio": 0.25}
"""Our CPU time as a share of the rival's, at the most."""
LARGEST_PACKAGE: Final = 20_000_000  # bytes, unzipped
HIGHEST_PEAK: Final = 110_000_000  # bytes of memory, of a whole post

FIRST_SLOT: Final = datetime(2036, 1, 1, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Measured:
    """The starts of one contender: seconds to the answer, seconds of CPU, and the most bytes of memory."""

    package: Package
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: list[int] = field(default_factory=list)

    def start(self, tools: Tools, variables: Mapping[str, str], event: object, expected: str) -> None:
        """One fresh start. Raises RuntimeError where it answers something else."""
        function = Function("Contender", self.package.handler, self.package.folder, variables)
        with Container(tools, function, SCRATCH / "contender.log") as container:
            began = time.perf_counter()
            answer = container.invoke(event).json()
            self.seconds.append(time.perf_counter() - began)
            cost = container.cost()
        said = answer["outcome"] if isinstance(answer, dict) and "outcome" in answer else answer
        if said != expected:
            raise RuntimeError(f"{self.package.name} answered {said!r}, not {expected!r}")
        self.cpu.append(cost.cpu_seconds)
        self.peak.append(cost.peak_bytes)

    def cells(self) -> tuple[str, ...]:
        return (
            f"{statistics.median(self.seconds) * 1000:,.0f}",
            f"{statistics.median(self.cpu) * 1000:,.0f}",
            f"{min(self.cpu) * 1000:,.0f}",
            f"{max(self.peak) / 1e6:,.0f}",
            f"{self.package.size / 1e6:,.1f}",
        )


def bench_cold_start(rounds: int) -> bool:
    """Start each contender so often, print the table, and say whether the goals are met.

    Raises ``local.runtime_emulator.NotThereError``, ``local.dynamodb_local.NotThereError`` and SamError.
    """
    tools = Tools.found_in(ROOT)
    print("Building the packages by `sam build` ...")
    ours, rivals = Measured(build_ours()), {name: Measured(one) for name, one in build_rivals(tools).items()}
    whole = Measured(ours.package)
    event = json.loads((ROOT / "events" / "schedule.json").read_text(encoding="utf-8"))
    with ExitStack() as servers:
        empty, full = _stages(servers, rounds + 1)
        for number in range(rounds + 1):
            if number == 1:  # the first turn warms the disk's caches and the servers
                _forget([ours, whole, *rivals.values()])
            for name, rival in rivals.items():
                rival.start(tools, empty, event, {"empty": "empty", "usual-trio": "nothing_to_post"}.get(name, PERSONA))
            ours.start(tools, empty, event, "nothing_to_post")
            slot = FIRST_SLOT + timedelta(days=number)
            whole.start(tools, full, event | {"time": slot.strftime("%Y-%m-%dT%H:%M:%SZ")}, "posted")
    return _judge(ours, whole, rivals)


def _forget(contenders: Sequence[Measured]) -> None:
    for one in contenders:
        one.seconds.clear()
        one.cpu.clear()
        one.peak.clear()


def _judge(ours: Measured, whole: Measured, rivals: Mapping[str, Measured]) -> bool:
    shown = Table("", "first answer, ms", "CPU, ms", "fastest", "peak, MB", "package, MB", "ours / its CPU", "goal")
    missed = []
    for name, rival in rivals.items():
        ratio = statistics.median(ours.cpu) / statistics.median(rival.cpu)
        goal = GOALS.get(name)
        if goal is not None and ratio > goal:
            missed.append(f"{rival.package.name}: {ratio:.2f} and not {goal}")
        shown.add_row(rival.package.name, *rival.cells(), f"{ratio:.2f}", "" if goal is None else f"{goal}")
    shown.add_row(ours.package.name, *ours.cells(), "", "")
    shown.add_row("the same, a whole post", *whole.cells(), "", "")
    Console(width=140).print(shown)
    print(f"Medians of {len(ours.cpu)} fresh starts each, taken in turns; {os.cpu_count()} processors.")
    if ours.package.size > LARGEST_PACKAGE:
        missed.append(f"the package has {ours.package.size / 1e6:.1f} MB")
    if max(whole.peak) > HIGHEST_PEAK:
        missed.append(f"the peak was {max(whole.peak) / 1e6:.0f} MB")
    print(f"Goals: {'MISSED: ' + '; '.join(missed) if missed else 'met.'}")
    return not missed


def _stages(servers: ExitStack, posts: int) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The environments of two stacks: one with an empty queue, one whose library has ``posts`` photos."""
    dynamodb = servers.enter_context(DynamoDbLocal())
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it writes a line for each request
    aws = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    aws.start()
    servers.callback(aws.stop)
    account = StartingAccount(ACCOUNT_ID, TOKEN)
    instant = EmulatorSettings(processing_seconds=0)
    instagram = servers.enter_context(EmulatorServer(instant, accounts=[account]))
    addresses = Addresses(f"http://127.0.0.1:{aws.get_host_and_port()[1]}", instagram.url)
    common = {**settings(addresses), "AWS_ENDPOINT_URL_DYNAMODB": dynamodb}
    os.environ.update(isolated(common))
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    boto3.client("ssm").put_parameter(Name=f"/local/{PERSONA}/access-token", Value=TOKEN, Type="SecureString")
    return _stage(common, "Empty", 0), _stage(common, "Full", posts)


def _stage(common: Mapping[str, str], prefix: str, posts: int) -> Mapping[str, str]:
    names = create_tables(boto3.client("dynamodb"), prefix=prefix)
    tables = opened_tables(names)
    persona = Persona(PersonaId(PERSONA), PERSONA, ACCOUNT_ID, caption="A photo a day.")
    DynamoPersonaDirectory(tables).add(persona)
    jpeg = io.BytesIO()
    Image.new("RGB", (1080, 1080), "teal").save(jpeg, "JPEG")
    for number in range(posts):
        photo = _photo(persona, number)
        boto3.client("s3").put_object(
            Bucket=BUCKET, Key=photo.object_key, Body=jpeg.getvalue(), ContentType="image/jpeg"
        )
        photo_item(tables, photo).save()
    return {**common, **{variable: names[logical_id] for variable, logical_id in TABLES.items()}}


def _photo(persona: Persona, number: int) -> Photo:
    imported_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    photo_id = PhotoId(f"{number:064x}")
    key = f"library/{persona.persona_id}/{photo_id}.jpg"
    analysis = PhotoAnalysis(9.0, "bench-1", imported_at)
    return Photo(persona.persona_id, photo_id, key, 1080, 1080, imported_at, analysis=analysis)
