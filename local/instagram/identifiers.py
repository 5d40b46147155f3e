"""Ids as Instagram gives them: long strings of digits, and the short code of a permalink."""

import itertools

SHORTCODE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# Far from a multiple of ten, so that neighbouring ids do not look like a counter.
STRIDE = 104_729_317


class IdSequence:
    """Unique 17-digit ids, the same in every run. Not thread-safe: its owner holds the lock."""

    def __init__(self, first: int) -> None:
        self._ids = itertools.count(first, STRIDE)

    def next(self) -> str:
        return str(next(self._ids))


def container_ids() -> IdSequence:
    return IdSequence(17_889_455_560_051_444)


def media_ids() -> IdSequence:
    return IdSequence(17_920_238_422_030_506)


def shortcode(media_id: str) -> str:
    """Return the id written in base 64, as in https://www.instagram.com/p/<shortcode>/."""
    number, letters = int(media_id), ""
    while number:
        number, digit = divmod(number, 64)
        letters = SHORTCODE_ALPHABET[digit] + letters
    return letters
