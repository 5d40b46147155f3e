"""How this cloud says no."""


class RefusedError(Exception):
    """What AWS would refuse, too. The text says what is wrong; ``code`` is CloudFormation's, for its answer."""

    def __init__(self, text: str, code: str = "ValidationError") -> None:
        super().__init__(text)
        self.code = code
