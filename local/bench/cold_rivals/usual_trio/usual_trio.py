"""Our own poster as Powertools' guides would have it: with the Tracer beside Logger and Metrics."""

from typing import Any

from aws_lambda_powertools import Tracer

from handlers import post_next_best

tracer = Tracer()


@tracer.capture_lambda_handler
def handler(event: Any, context: Any) -> Any:
    return post_next_best.handler(event, context)
