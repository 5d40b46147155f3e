"""The run log for a person at a terminal: each step a line on standard error, where asked for."""

from cli.shown import err, plain

_STYLES = {"info": "dim", "warning": "yellow", "error": "red"}


class TerminalRunLog:
    """Implements ``domain.ports.RunLog``. Says nothing unless ``is_verbose``: the outcome tells what matters."""

    def __init__(self, *, is_verbose: bool) -> None:
        self._is_verbose = is_verbose

    def about(self, **facts: object) -> None:
        """The facts that stand on every line of a Lambda's log are at a terminal in the outcome."""

    def info(self, message: str, **facts: object) -> None:
        self._write("info", message, facts)

    def warning(self, message: str, **facts: object) -> None:
        self._write("warning", message, facts)

    def error(self, message: str, **facts: object) -> None:
        self._write("error", message, facts)

    def _write(self, level: str, message: str, facts: dict[str, object]) -> None:
        if self._is_verbose:
            told = " ".join(f"{name}={value}" for name, value in facts.items())
            err().print(plain(f"{message} {told}".rstrip()), style=_STYLES[level], soft_wrap=True)
