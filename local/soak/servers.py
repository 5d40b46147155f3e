"""DynamoDB Local and moto (S3, SSM), for one soak or for several in a row."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from moto.server import ThreadedMotoServer

from local.dynamodb_local import DynamoDbLocal
from local.soak.world import Servers


@contextmanager
def servers() -> Iterator[Servers]:
    """Raises ``local.dynamodb_local.NotThereError``."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with DynamoDbLocal() as dynamodb:
        aws = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        aws.start()
        try:
            yield Servers(dynamodb, f"http://127.0.0.1:{aws.get_host_and_port()[1]}")
        finally:
            aws.stop()
