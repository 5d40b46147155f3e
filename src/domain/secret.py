"""A value that must never be shown: it prints as stars wherever it is logged, formatted or raised."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """Holds a token or an app secret. Only ``reveal`` gives it out, at the place where a request is signed."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        return self._value

    def __str__(self) -> str:
        return "***"
