"""The world that a soak's runs meet: tables, bucket, tokens, accounts. Everything in it is this soak's own."""

import os
import random
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast
from unittest import mock

import boto3

from adapters.dynamo import DynamoPersonaDirectory, Tables
from domain.ids import PersonaId
from domain.personas import Login, Persona
from local.environment import REGION, Addresses, isolated, settings
from local.instagram import EmulatorServer
from local.instagram.faults import RandomFaults
from local.soak import library
from local.soak.instagram_faults import InstagramFaults
from local.soak.settings import BEGINS_AT, SLOT_EVERY, SoakSettings
from local.tables import create_tables, opened_tables

SECRET: Final = "SOAKSECRET"  # noqa: S105 - how a secret is known where it should not be
TOKEN_AGE: Final = timedelta(days=2)
PHOTOS_PER_SLOT: Final = 1.4
PHOTOS_PER_SLOT_OF_THE_POOREST: Final = 0.6
CAPTION: Final = "The same for all. @soak"
TIGHT_QUOTA: Final = 8
"""Publishes a day, for an account whose schedule has 24."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses that several soaks may share, one after the other."""

    dynamodb: str
    aws: str


@dataclass
class World:
    """One soak's personas and all that is theirs. ``table_names`` are by the template's logical ids."""

    soak: SoakSettings
    emulator: EmulatorServer
    faults: InstagramFaults
    environment: Mapping[str, str]
    table_names: Mapping[str, str]
    personas: Mapping[str, str]
    """The account's id by the persona's."""
    directory: DynamoPersonaDirectory
    dynamodb: Any
    ssm: Any
    tokens: list[str] = field(default_factory=list)
    """Every token and secret that was ever given out."""
    token_expires_at: dict[str, datetime] = field(default_factory=dict)

    def give_token(self, persona_id: str, now: datetime, life: timedelta) -> None:
        """A new token, and with it the end of the one before; in the account as in the parameter store."""
        token = f"IG{SECRET}{secrets.token_hex(16)}"
        self.tokens.append(token)
        self.token_expires_at[persona_id] = now + life
        number = list(self.personas).index(persona_id)
        app_secret = f"{SECRET}app{number}" if _login(number) is Login.FACEBOOK else None
        self.emulator.add_account(
            self.personas[persona_id],
            token,
            app_secret=app_secret,
            quota_total=TIGHT_QUOTA if number == 0 else None,
            token_age_seconds=TOKEN_AGE.total_seconds(),
            token_lifetime_seconds=(TOKEN_AGE + life).total_seconds(),
        )
        prefix = self.environment["TOKEN_PREFIX"]
        for name, value in {"access-token": token, "app-secret": app_secret}.items():
            if value:
                self.ssm.put_parameter(
                    Name=f"{prefix}/{persona_id}/{name}", Value=value, Type="SecureString", Overwrite=True
                )


@contextmanager
def world(soak: SoakSettings, servers: Servers) -> Iterator[World]:
    """Make it, with its library, and let the emulator serve until the end of the block."""
    personas = {f"persona-{number:02}": str(17841400000000001 + number) for number in range(soak.personas)}
    stack = f"soak-{soak.seed}-{secrets.token_hex(4)}"
    with EmulatorServer(frozen_at=BEGINS_AT) as emulator:
        environment = isolated(_environment(servers, emulator, stack))
        with mock.patch.dict(os.environ, environment, clear=True):
            dynamodb, s3, ssm = (boto3.client(service) for service in ("dynamodb", "s3", "ssm"))
            names = create_tables(dynamodb, prefix=f"{stack}-")
            tables = opened_tables(names)
            s3.create_bucket(Bucket=stack, CreateBucketConfiguration={"LocationConstraint": REGION})
            faults = InstagramFaults(soak.seed, soak.probability)
            one = World(
                soak, emulator, faults, environment, names, personas, DynamoPersonaDirectory(tables), dynamodb, ssm
            )
            _settle(one, tables, s3, stack)
            with emulator.state.lock:
                emulator.state.faults.order_random(cast("RandomFaults", faults))
            yield one


def _environment(servers: Servers, emulator: EmulatorServer, stack: str) -> dict[str, str]:
    tables = {name: f"{stack}-{name.title().replace('_', '')}" for name in ("PERSONAS_TABLE", "PHOTOS_TABLE")}
    return {
        **settings(Addresses(servers.aws, emulator.url)),
        **tables,
        "POSTS_TABLE": f"{stack}-PostsTable",
        "LOOKALIKES_TABLE": f"{stack}-LookalikesTable",
        "PHOTOS_BUCKET": stack,
        "TOKEN_PREFIX": f"/{stack}",
        "DEFAULT_PERSONA": "persona-00",
        "AWS_ENDPOINT_URL_DYNAMODB": servers.dynamodb,
        "POWERTOOLS_LOG_LEVEL": "DEBUG",
        "POWERTOOLS_METRICS_NAMESPACE": "FluffyTrain",
    }


def _settle(one: World, tables: Tables, s3: Any, bucket: str) -> None:
    span = one.soak.last_slot_at - BEGINS_AT
    for number, (persona_id, account) in enumerate(one.personas.items()):
        dice = random.Random(f"{one.soak.seed}/token/{persona_id}")  # noqa: S311 - reproducible, guards nothing
        one.directory.add(Persona(PersonaId(persona_id), persona_id, account, _login(number), caption=CAPTION))
        # Half of the tokens run out within the schedule.
        one.give_token(persona_id, BEGINS_AT, span * dice.uniform(0.1, 0.8) if number % 2 else timedelta(days=60))
        is_poorest = number == one.soak.personas - 1 and number > 0
        count = one.soak.slots_each * (PHOTOS_PER_SLOT_OF_THE_POOREST if is_poorest else PHOTOS_PER_SLOT)
        shelf = library.photos(one.soak.seed, persona_id, int(count) + 6, captions=number % 2 == 0)
        library.store(tables, s3, bucket, shelf)


def _login(number: int) -> Login:
    return Login.FACEBOOK if number % 4 == 3 else Login.INSTAGRAM


def slot_times(soak: SoakSettings, number: int) -> Iterator[datetime]:
    """The scheduled minutes of the persona of this number: hourly, on the hour or on the half."""
    for slot in range(soak.slots_each):
        yield BEGINS_AT + SLOT_EVERY * (slot + 1) + timedelta(minutes=30 * (number % 2))
