"""What Instagram does to a fifth of the calls: every way of failing that the emulator knows, by kind and weight.

`after` is ordered only with answers that leave the effect open. See the package's docstring for the two lies not told.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from local.instagram import Fault
from local.instagram.calls import CALL_NAMES, CallName

SILENCE: Final = 0.05  # real seconds, after which the connection ends; real time-outs are our own side's
DRIP: Final = 0.0005  # real seconds for each byte
JSON: Final = (("Content-Type", "application/json"),)

BEFORE_AND_AFTER: Final[tuple[Literal["before", "after"], ...]] = ("before", "after")


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of failing. ``name`` is what the table counts it under."""

    name: str
    weight: float
    fault: Fault


def _anywhere() -> Iterator[Kind]:
    for when in BEFORE_AND_AFTER:
        yield Kind(f"reset {when}", 3, Fault.reset("*", when=when))
        yield Kind(f"close {when}", 2, Fault.close("*", when=when))
        yield Kind(f"truncated answer, {when}", 2, Fault.truncate("*", when=when))
        yield Kind(f"silence, {when}", 1, Fault.timeout("*", SILENCE, when=when))
        yield Kind(f"slow answer, {when}", 0.5, Fault.slow("*", DRIP, when=when))
        yield Kind(f"500 with an empty body, {when}", 3, Fault.body("*", b"", status=500, when=when))
        yield Kind(f"code 2, {when}", 3, Fault.error("*", 2, status=500, is_transient=True, when=when))
    yield Kind("code 2 as HTTP 400, after", 2, Fault.error("*", 2, is_transient=True, when="after"))
    yield Kind("200 without an id, before", 1, Fault.body("*", b"{}"))
    yield Kind("200 without an id, after", 3, Fault.body("*", b'{"success":true}', when="after"))
    yield Kind("id of the wrong type", 1, Fault.body("*", b'{"id":17920238422030506,"data":7}', when="after"))
    yield Kind("invalid JSON", 2, Fault.body("*", b'{"id": "179', when="after"))
    yield Kind("not UTF-8", 2, Fault.body("*", b'{"id":"\xff\xfe"}', when="after"))
    yield Kind("larger than a megabyte", 0.5, Fault.body("*", b" " * 1_100_000, when="after"))
    yield Kind("bad gateway as HTML", 1, Fault.body("*", b"<html>", status=502, when="after"))


def _publishing() -> Iterator[Kind]:
    call: CallName = "media_publish"
    for when in BEFORE_AND_AFTER:
        yield Kind(f"4/2207051, {when}", 2, Fault.error(call, 4, 2207051, status=403, when=when))
        yield Kind(f"24/2207008 to the publish, {when}", 1, Fault.error(call, 24, 2207008, when=when))
    yield Kind("100/33 to the publish, after", 1, Fault.error(call, 100, 33, when="after"))
    yield Kind("-1/2207001 to the publish, after", 1, Fault.error(call, -1, 2207001, when="after"))
    yield Kind("unknown code to the publish, after", 1, Fault.error(call, 987_654, is_transient=None, when="after"))
    yield Kind("publish throttled", 4, Fault.error(call, 4, status=403, regain_minutes=30))
    yield Kind("publish throttled for hours", 1, Fault.error(call, 80002, status=400, regain_minutes=420))
    yield Kind("quota used up", 3, Fault.error(call, 9, 2207042, status=403, regain_minutes=60))
    yield Kind("published too early (9007)", 5, Fault.error(call, 9007, 2207027))
    yield Kind("photo refused at the publish", 1.5, Fault.error(call, 100, 2207036))
    yield Kind("token refused at the publish", 0.5, Fault.error(call, 190, 460, status=401))
    yield Kind("account restricted at the publish", 0.5, Fault.error(call, 25, 2207050))


def _preparing() -> Iterator[Kind]:
    call: CallName = "create_container"
    yield Kind("image not fetched", 6, Fault.error(call, 9004, 2207052))
    yield Kind("image download timed out", 2, Fault.error(call, -2, 2207003))
    yield Kind("container creation failed", 2, Fault.error(call, -1, 2207032))
    yield Kind("photo refused: ratio", 2, Fault.error(call, 36003, 2207009))
    yield Kind("photo refused: size", 1, Fault.error(call, 36000, 2207004))
    yield Kind("creation throttled", 3, Fault.error(call, 17, status=403, regain_minutes=45))
    yield Kind("permission lost", 0.4, Fault.error(call, 10, status=403))
    yield Kind("spam block at the creation", 0.4, Fault.error(call, 4, 2207051, status=403))


def _reading() -> Iterator[Kind]:
    status: CallName = "container_status"
    recent: CallName = "recent_media"
    yield Kind("container not readable (100/33)", 3, Fault.error(status, 100, 33))
    yield Kind("status throttled", 2, Fault.error(status, 32, status=403, regain_minutes=5))
    yield Kind("stale status: in progress", 3, _status("IN_PROGRESS"))
    yield Kind("stale status: finished", 3, _status("FINISHED"))
    yield Kind("stale status: expired", 0.7, _status("EXPIRED"))
    yield Kind("stale status: error", 0.7, _status("ERROR", "Error: Media upload has failed with error code 2207026"))
    yield Kind("unknown status", 1, _status("WAITING_FOR_GODOT"))
    yield Kind("token refused at the status", 0.2, Fault.error(status, 190, status=401))
    yield Kind("recent media without any", 4, Fault.body(recent, b'{"data":[]}'))
    yield Kind("recent media broken", 2, Fault.body(recent, b'{"data":{"id":[1]}}'))
    yield Kind("recent media with broken entries", 2, Fault.body(recent, b'{"data":[7,{"id":"1"},{"timestamp":1}]}'))


def _status(code: str, text: str = "") -> Fault:
    body = f'{{"status_code":"{code}","status":"{text}","id":"1"}}'
    return Fault.body("container_status", body.encode(), headers=JSON)


ALL_KINDS: Final = (*_publishing(), *_preparing(), *_reading(), *_anywhere())


class InstagramFaults:
    """Draws the fault of each call, and counts. Takes the place of the emulator's own ``RandomFaults``.

    Whether a call fails follows from the seed, the account, and its count of such calls. The first faults of each kind
    of call are dealt from a shuffled deck that has every one once, so that a short soak meets the rare ones too; later
    ones are drawn by weight. Not thread-safe: the emulator holds its lock.
    """

    def __init__(self, seed: int, probability: float) -> None:
        self._seed = seed
        self._probability = probability
        self._dealt: Counter[CallName] = Counter()
        self._decks = {name: self._deck(name) for name in CALL_NAMES}
        self.met: Counter[str] = Counter()

    def draw(self, call: CallName, ig_user_id: str | None, nth: int) -> Fault | None:
        """The fault of the ``nth`` call of this name and account, or None."""
        dice = random.Random(f"{self._seed}/{call}/{ig_user_id}/{nth}")  # noqa: S311 - reproducible, guards nothing
        if dice.random() >= self._probability:
            return None
        deck = self._decks[call]
        place = self._dealt[call]
        self._dealt[call] += 1
        kind = deck[place] if place < len(deck) else dice.choices(deck, [each.weight for each in deck])[0]
        self.met[kind.name] += 1
        return kind.fault

    def _deck(self, call: CallName) -> Sequence[Kind]:
        """Every kind that this call can meet, those of its own before those of all calls.

        Shuffled alike for every seed, and begun in the middle for every other: two seeds in a row meet all of them.
        """
        dice = random.Random(call)  # noqa: S311
        deck: list[Kind] = []
        for target in (call, "*"):
            kinds = [kind for kind in ALL_KINDS if kind.fault.call == target]
            dice.shuffle(kinds)
            begin = self._seed % 2 * (len(kinds) // 2)
            deck += kinds[begin:] + kinds[:begin]
        return deck
