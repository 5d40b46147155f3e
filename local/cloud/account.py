"""The account that the cloud deploys into: moto's services, spoken to as any client of AWS speaks to them."""

from functools import cache
from typing import Any, Final

import boto3

ACCOUNT_ID: Final = "123456789012"  # moto's


class Account:
    """``url`` is where moto's server listens."""

    def __init__(self, url: str, region: str) -> None:
        self.url, self.region = url, region
        self._session = boto3.session.Session("local", "local", region_name=region)
        self.client = cache(self._client)
        # What moto takes, and does not tell again:
        self.packages: dict[str, tuple[str, str]] = {}
        """By a function's or a layer version's ARN, the bucket and key of its package."""
        self.buckets_on_eventbridge: set[str] = set()

    def _client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self.url)

    def arn(self, service: str, name: str) -> str:
        return f"arn:aws:{service}:{self.region}:{ACCOUNT_ID}:{name}"
