"""The one error of this package."""


class UnusableImageError(Exception):
    """This file can never be posted as it is; trying again does not help.

    `reason` is a sentence for the photo's owner: what is wrong, and what to do about it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
