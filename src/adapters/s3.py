"""The renditions' bucket, by boto3."""

from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from domain.faults import Defer

LINK_LIFE: Final = timedelta(hours=2)
"""Meta has been seen to fetch an image minutes after the container was created."""

NOT_THERE: Final = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})

MOST_CONNECTIONS: Final = 32
"""As many as an import works on at once; they are opened when they are needed."""

CLIENT_CONFIG: Final = Config(
    max_pool_connections=MOST_CONNECTIONS,
    signature_version="s3v4",  # new regions take nothing else
    s3={"us_east_1_regional_endpoint": "regional", "addressing_style": "auto"},
    connect_timeout=2,
    read_timeout=5,
    retries={"total_max_attempts": 3, "mode": "standard"},
)


class S3Renditions:
    """Implements ``domain.intake_ports.RenditionStore``. ``client`` is a boto3 S3 client with ``CLIENT_CONFIG``."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        client.meta.events.register_first("before-endpoint-resolution.s3", _stay_in_the_region)

    def link(self, object_key: str) -> str:
        url: str = self._client.generate_presigned_url(
            "get_object",
            Params={"Bucket": self._bucket, "Key": object_key},
            ExpiresIn=int(LINK_LIFE.total_seconds()),
        )
        return url

    def exists(self, object_key: str) -> bool:
        try:
            self._client.head_object(Bucket=self._bucket, Key=object_key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in NOT_THERE:
                return False
            unknown = Defer("The bucket does not say whether it has the photo; look at its permissions.")
        except BotoCoreError:
            unknown = Defer("The bucket cannot be reached for the moment.")
        else:
            return True
        # Raised out here: botocore's exception holds the signed request.
        raise unknown

    def put(self, object_key: str, jpeg: bytes) -> None:
        """Store a rendition. The same key always holds the same picture, so that storing it twice does no harm."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=object_key, Body=jpeg, ContentType="image/jpeg")
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            refused = Defer(f"The bucket does not take the photo (PutObject: {code}); look at it and its permissions.")
        except BotoCoreError:
            refused = Defer("The bucket cannot be reached for the moment.")
        else:
            return
        # Raised out here: botocore's exception holds the signed request.
        raise refused

    def read(self, object_key: str) -> bytes | None:
        """A rendition as it is stored, or None where it is not there. Raises botocore's errors."""
        try:
            jpeg: bytes = self._client.get_object(Bucket=self._bucket, Key=object_key)["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in NOT_THERE:
                return None
            raise
        return jpeg


def _stay_in_the_region(context: MutableMapping[str, object], **_: object) -> None:
    """botocore presigns for S3's global address, which redirects to the bucket's region; Meta follows no redirect."""
    context["use_global_endpoint"] = False
