"""The context object that Lambda hands to a handler, for runs without Lambda."""

import time
from dataclasses import dataclass, field


@dataclass
class LambdaContext:
    """As much of the context as the handlers and Powertools read. ``seconds`` is the function's timeout."""

    function_name: str = "PostNextBest"
    seconds: float = 180.0
    memory_limit_in_mb: int = 512
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"
    began_at: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.seconds - (time.monotonic() - self.began_at)) * 1000))
