"""Instants as text: aware UTC times in one fixed-width form that sorts as the times do."""

from datetime import UTC, datetime


def to_text(instant: datetime) -> str:
    """``2026-11-22T09:00:00.000Z``: milliseconds, rounded down. Raises ValueError for a time without a zone."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; give an aware time")
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """The aware UTC time that an ISO 8601 text with a zone names. Raises ValueError, saying what is wrong."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; end it in Z or in an offset such as +01:00")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is outside the calendar in UTC") from error
