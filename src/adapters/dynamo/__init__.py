"""DynamoDB by PynamoDB: the personas, the photos and their queue, and the ledger of posts."""

from adapters.dynamo.persona_directory import DynamoPersonaDirectory
from adapters.dynamo.photo_library import DynamoPhotoLibrary
from adapters.dynamo.post_ledger import DynamoPostLedger
from adapters.dynamo.tables import Tables

__all__ = ["DynamoPersonaDirectory", "DynamoPhotoLibrary", "DynamoPostLedger", "Tables"]
