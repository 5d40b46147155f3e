"""The composition root: the only place that reads the environment and joins adapters to use cases.

Imported at once is what a run needs before its claim. All else is imported where it is built, at its first use:
these imports are most of a cold start (docs/cold-start.md; tests/unit/test_cold_start.py holds it).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import botocore.session

from adapters.clock import SystemClock
from adapters.dynamo import (
    DynamoPersonaDirectory,
    DynamoPhotoLibrary,
    DynamoPostLedger,
    Tables,
)
from domain.ids import PersonaId, RunId
from domain.near_duplicates import DEFAULT_DISTANCE, FEWEST_BITS, MOST_BITS
from domain.personas import parse_persona_id
from domain.ports import (
    Clock,
    NearDuplicates,
    PersonaDirectory,
    PhotoLibrary,
    PostLedger,
    Publisher,
    RunLog,
)
from domain.post_next_best import PostNextBest
from domain.runs import Run
from handlers.late import late

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.session import Session

    from adapters import s3, ssm
    from adapters.meta import CredentialSource, GraphHosts
    from adapters.webhook import Webhook
    from adapters.webhook_secret import SsmWebhookSecret
    from domain.archive_ports import RecordArchive
    from domain.post_driver import PostDriver
    from domain.reconcile import Reconcile
    from domain.refresh_tokens import RefreshTokens
    from domain.remove_persona import RemovePersona, Schedules
    from domain.resolve_post import ResolvePost
    from domain.retry_post import RetryPost
    from domain.take_stock import TakeStock
    from domain.token_ports import Accounts, TokenStore

_NAMES: Final = (
    "PERSONAS_TABLE",
    "PHOTOS_TABLE",
    "POSTS_TABLE",
    "LOOKALIKES_TABLE",
    "PHOTOS_BUCKET",
    "TOKEN_PREFIX",
    "DEFAULT_PERSONA",
    "GRAPH_VERSION",
    "INSTAGRAM_GRAPH_URL",
    "FACEBOOK_GRAPH_URL",
)

_MILLISECONDS_TO_END_A_POST: Final = 30_000
"""What ending a post takes at the most: DynamoDB alone is asked."""

SCORERS: Final = ("measured", "bedrock")

# These write whole requests and answers, tokens among them, when the root logger is set to DEBUG.
_TALKATIVE: Final = ("botocore", "boto3", "urllib3", "s3transfer", "pynamodb")

# It warns of a header that it cannot read, and quotes the request's address: a refresh has the token there.
_QUOTES_ADDRESSES: Final = "urllib3.connection"


class SettingsError(Exception):
    """The environment lacks something, or has something else than what is needed. The text names the variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the template tells the functions, by the same names in lower case."""

    personas_table: str
    photos_table: str
    posts_table: str
    lookalikes_table: str
    photos_bucket: str
    token_prefix: str
    default_persona: PersonaId
    graph_version: str
    instagram_graph_url: str
    facebook_graph_url: str
    scorer: str = SCORERS[0]
    bedrock_model_id: str = ""
    near_duplicate_bits: int = DEFAULT_DISTANCE
    webhook_url: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        """Raises SettingsError that names every variable that is missing."""
        missing = [name for name in _NAMES if not environment.get(name)]
        if missing:
            raise SettingsError(f"The environment lacks {', '.join(missing)}; template.yaml sets them.")
        values = {name.lower(): environment[name] for name in _NAMES}
        try:
            default_persona = parse_persona_id(values.pop("default_persona"))
        except ValueError as error:
            raise SettingsError(f"DEFAULT_PERSONA: {error}") from error
        scorer = environment.get("SCORER") or SCORERS[0]
        if scorer not in SCORERS:
            raise SettingsError(f"SCORER: it must be {' or '.join(SCORERS)}, not {scorer[:40]!r}.")
        return cls(
            default_persona=default_persona,
            scorer=scorer,
            bedrock_model_id=environment.get("BEDROCK_MODEL_ID", ""),
            near_duplicate_bits=_bits(environment.get("NEAR_DUPLICATE_BITS") or str(DEFAULT_DISTANCE)),
            webhook_url=environment.get("WEBHOOK_URL", ""),
            **values,
        )

    @property
    def graph_hosts(self) -> GraphHosts:
        from adapters.meta import GraphHosts

        return GraphHosts(self.instagram_graph_url, self.facebook_graph_url, self.graph_version)


def _bits(text: str) -> int:
    if not text.isdecimal() or not FEWEST_BITS <= int(text) <= MOST_BITS:
        raise SettingsError(f"NEAR_DUPLICATE_BITS: it must be {FEWEST_BITS} to {MOST_BITS}, not {text[:40]!r}.")
    return int(text)


@dataclass(frozen=True, slots=True)
class Stack:
    """The adapters of one stack, which the Lambda functions and the owner's commands share."""

    settings: Settings
    personas: PersonaDirectory
    library: PhotoLibrary
    ledger: PostLedger
    near_duplicates: NearDuplicates
    publisher: Publisher
    renditions: s3.S3Renditions
    credentials: ssm.SsmCredentials
    tokens: TokenStore
    accounts: Accounts
    clock: Clock

    def post_next_best(self, log: RunLog) -> PostNextBest:
        return PostNextBest(
            personas=self.personas,
            library=self.library,
            ledger=self.ledger,
            driver=late(lambda: self._driver(log)),
            clock=self.clock,
            log=log,
        )

    def reconcile(self, log: RunLog) -> Reconcile:
        from domain.reconcile import Reconcile

        return Reconcile(
            personas=self.personas, ledger=self.ledger, driver=self._driver(log), clock=self.clock, log=log
        )

    def take_stock(self, log: RunLog) -> TakeStock:
        from domain.take_stock import TakeStock

        return TakeStock(personas=self.personas, library=self.library, clock=self.clock, log=log)

    def remove_persona(self, schedules: Schedules, log: RunLog) -> RemovePersona:
        from domain.remove_persona import RemovePersona

        return RemovePersona(
            schedules=schedules,
            secrets=self.credentials,
            personas=self.personas,
            library=self.library,
            ledger=self.ledger,
            driver=self._driver(log),
            clock=self.clock,
            start_run=lambda: self.start_run(_MILLISECONDS_TO_END_A_POST),
        )

    def refresh_tokens(self, log: RunLog) -> RefreshTokens:
        from domain.refresh_tokens import RefreshTokens

        return RefreshTokens(
            personas=self.personas, tokens=self.tokens, accounts=self.accounts, clock=self.clock, log=log
        )

    def retry_post(self, log: RunLog) -> RetryPost:
        from domain.retry_post import RetryPost

        return RetryPost(library=self.library, ledger=self.ledger, driver=self._driver(log), clock=self.clock)

    def resolve_post(self) -> ResolvePost:
        from domain.resolve_post import ResolvePost

        return ResolvePost(ledger=self.ledger, publisher=self.publisher, clock=self.clock)

    def _driver(self, log: RunLog) -> PostDriver:
        from domain.post_driver import PostDriver
        from domain.quota import QuotaKeeper

        return PostDriver(
            ledger=self.ledger,
            library=self.library,
            publisher=self.publisher,
            renditions=self.renditions,
            quota=QuotaKeeper(self.personas, self.ledger, self.publisher, self.clock, log),
            clock=self.clock,
            log=log,
        )

    def start_run(self, milliseconds_left: int) -> Run:
        """A run of our own, with an id that no other run has ever had. Lambda ends it after ``milliseconds_left``."""
        return Run(RunId(uuid4().hex), self.clock.now() + timedelta(milliseconds=milliseconds_left))


def silence() -> None:
    """Keep the libraries from logging what they send."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(_QUOTES_ADDRESSES).setLevel(logging.CRITICAL)


@lru_cache(maxsize=1)
def build(settings: Settings) -> Stack:
    """The real adapters, built once for each process and without a call to anybody."""
    silence()
    tables = _tables(settings)
    session = late(botocore.session.get_session)
    credentials = late(lambda: _credentials(settings, session))
    return Stack(
        settings=settings,
        personas=DynamoPersonaDirectory(tables),
        library=DynamoPhotoLibrary(tables),
        ledger=DynamoPostLedger(tables),
        near_duplicates=late(lambda: _near_duplicates(tables)),
        publisher=late(lambda: _publisher(settings, credentials)),
        renditions=late(lambda: _renditions(settings, session)),
        credentials=credentials,
        tokens=late(lambda: _tokens(settings, session)),
        accounts=late(lambda: _accounts(settings)),
        clock=SystemClock(),
    )


def _near_duplicates(tables: Tables) -> NearDuplicates:
    from adapters.dynamo.near_duplicates import DynamoNearDuplicates

    return DynamoNearDuplicates(tables)


def _publisher(settings: Settings, credentials: CredentialSource) -> Publisher:
    from adapters.meta import MetaPublisher

    return MetaPublisher(settings.graph_hosts, credentials)


def _accounts(settings: Settings) -> Accounts:
    from adapters.meta import MetaAccounts

    return MetaAccounts(settings.graph_hosts)


def _renditions(settings: Settings, session: Session) -> s3.S3Renditions:
    from adapters import s3

    return s3.S3Renditions(_client(session, "s3", s3.CLIENT_CONFIG), settings.photos_bucket)


def _credentials(settings: Settings, session: Session) -> ssm.SsmCredentials:
    from adapters import ssm

    return ssm.SsmCredentials(_client(session, "ssm", ssm.CLIENT_CONFIG), settings.token_prefix)


def _tokens(settings: Settings, session: Session) -> TokenStore:
    from adapters import ssm
    from adapters.ssm_tokens import SsmTokenStore

    return SsmTokenStore(_client(session, "ssm", ssm.CLIENT_CONFIG), settings.token_prefix)


def _client(session: Session, service: str, config: Config) -> Any:
    """A client of botocore's, made without a call. boto3's is the same, and costs a cold start 50 ms more, for uploads
    in parts that no rendition and no token needs.
    """
    return session.create_client(service, config=config)


def _tables(settings: Settings) -> Tables:
    return Tables.named(
        personas=settings.personas_table,
        photos=settings.photos_table,
        posts=settings.posts_table,
        lookalikes=settings.lookalikes_table,
    )


def build_archive(settings: Settings) -> RecordArchive:
    """For the owner's commands alone: no function of Lambda's may read or write as much."""
    from adapters.dynamo.archive import DynamoRecordArchive

    return DynamoRecordArchive(_tables(settings))


@lru_cache(maxsize=1)
def build_webhook(settings: Settings) -> Webhook:
    """The way to the owner's receiver, built once for each process. Raises SettingsError."""
    from adapters.webhook import Webhook

    if not settings.webhook_url:
        raise SettingsError("There is no webhook: deploy the stack with the parameter WebhookUrl.")
    try:
        return Webhook(settings.webhook_url, build_webhook_secret(settings), SystemClock())
    except ValueError as error:
        raise SettingsError(f"WEBHOOK_URL: {error}.") from error


def build_webhook_secret(settings: Settings) -> SsmWebhookSecret:
    from adapters import ssm
    from adapters.webhook_secret import SsmWebhookSecret

    return SsmWebhookSecret(_client(botocore.session.get_session(), "ssm", ssm.CLIENT_CONFIG), settings.token_prefix)
