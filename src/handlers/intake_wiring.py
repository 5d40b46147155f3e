"""The composition root of what takes photos in. Apart from ``wiring``, since posting has no imaging library."""

import boto3

from adapters import s3, scoring
from adapters.darkroom import ImagingDarkroom
from adapters.meta import CdnPictures, MetaAccountMedia
from adapters.s3_inbox import S3Inbox
from domain.adopt import AdoptAccount
from domain.ingest_photo import IngestPhoto
from domain.ports import PhotoScorer, RunLog
from domain.receive_file import ReceiveFile
from handlers.wiring import SettingsError, Stack


def receive_file(stack: Stack, log: RunLog) -> ReceiveFile:
    return ReceiveFile(inbox=inbox(stack), personas=stack.personas, ingest=ingest_photo(stack), log=log)


def adopt_account(stack: Stack) -> AdoptAccount:
    return AdoptAccount(
        media=MetaAccountMedia(stack.settings.graph_hosts, stack.credentials),
        pictures=CdnPictures(),
        eye=ImagingDarkroom(),
        library=stack.library,
        near_duplicates=stack.near_duplicates,
        ledger=stack.ledger,
        clock=stack.clock,
        distance=stack.settings.near_duplicate_bits,
    )


def inbox(stack: Stack) -> S3Inbox:
    return S3Inbox(boto3.client("s3", config=s3.CLIENT_CONFIG), stack.settings.photos_bucket)


def ingest_photo(stack: Stack) -> IngestPhoto:
    """Raises SettingsError as ``scorer`` does."""
    return IngestPhoto(
        library=stack.library,
        near_duplicates=stack.near_duplicates,
        renditions=stack.renditions,
        darkroom=ImagingDarkroom(),
        scorer=scorer(stack),
        clock=stack.clock,
        distance=stack.settings.near_duplicate_bits,
    )


def scorer(stack: Stack) -> PhotoScorer:
    """The scorer that the template chose. Raises SettingsError for bedrock without a model."""
    if stack.settings.scorer == "measured":
        return scoring.MeasuredScorer(stack.clock)
    if not stack.settings.bedrock_model_id:
        raise SettingsError("The environment lacks BEDROCK_MODEL_ID, which the scorer bedrock asks.")
    client = boto3.client("bedrock-runtime", config=scoring.CLIENT_CONFIG)
    return scoring.BedrockScorer(client, stack.settings.bedrock_model_id, stack.clock)
