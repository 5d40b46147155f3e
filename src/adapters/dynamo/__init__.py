"""DynamoDB by PynamoDB: personas, photos and their queue, photos that look alike, and the ledger of posts."""

from adapters.dynamo.archive import DynamoRecordArchive
from adapters.dynamo.near_duplicates import DynamoNearDuplicates
from adapters.dynamo.persona_directory import DynamoPersonaDirectory
from adapters.dynamo.photo_library import DynamoPhotoLibrary
from adapters.dynamo.post_ledger import DynamoPostLedger
from adapters.dynamo.tables import Tables

__all__ = [
    "DynamoNearDuplicates",
    "DynamoPersonaDirectory",
    "DynamoPhotoLibrary",
    "DynamoPostLedger",
    "DynamoRecordArchive",
    "Tables",
]
