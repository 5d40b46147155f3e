"""A run log that remembers its lines."""


class FakeRunLog:
    def __init__(self) -> None:
        self.facts: dict[str, object] = {}
        self.lines: list[tuple[str, str, dict[str, object]]] = []

    def about(self, **facts: object) -> None:
        self.facts.update(facts)

    def info(self, message: str, **facts: object) -> None:
        self._write("info", message, facts)

    def warning(self, message: str, **facts: object) -> None:
        self._write("warning", message, facts)

    def error(self, message: str, **facts: object) -> None:
        self._write("error", message, facts)

    def messages(self, level: str) -> list[str]:
        return [message for of_level, message, _ in self.lines if of_level == level]

    def _write(self, level: str, message: str, facts: dict[str, object]) -> None:
        self.lines.append((level, message, {**self.facts, **facts}))
