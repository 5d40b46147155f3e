"""DynamoDB by PynamoDB: personas, photos and their queue, photos that look alike, and the ledger of posts.

Here is what a post needs. Photos that look alike and the archive have modules of their own, for those who need them.
"""

from adapters.dynamo.persona_directory import DynamoPersonaDirectory
from adapters.dynamo.photo_library import DynamoPhotoLibrary
from adapters.dynamo.post_ledger import DynamoPostLedger
from adapters.dynamo.tables import Tables

__all__ = [
    "DynamoPersonaDirectory",
    "DynamoPhotoLibrary",
    "DynamoPostLedger",
    "Tables",
]
