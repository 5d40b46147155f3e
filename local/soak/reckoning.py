"""The reckoning: what is live, by the emulator's own memory, against what the records say. It reads raw items."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer

from local.instagram import LivePost
from local.soak.triggers import Triggers
from local.soak.world import SECRET, World

Item = Mapping[str, Any]

GONE_ON_WITHOUT_A_POST: Final = frozenset({"nothing_to_post", "paused", "too_late"})
BACK_IN_THE_QUEUE: Final = frozenset({"AccountFault", "DeadlineMissed"})
SECRETS: Final = re.compile(rf"{SECRET}\w*|X-Amz-Signature=\w+|appsecret_proof=\w+|Bearer [^*\s]\S*")
LEASE_LOST: Final = "The lease is lost: another run has taken this post over."


@dataclass
class Reckoning:
    """``broken`` has, for each promise, what broke it; a kept promise has an empty list."""

    broken: dict[str, list[str]]
    outcomes: Counter[str]
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        return not any(self.broken.values())


class Truth:
    """What followers see of what was published for the owner, by picture and by container."""

    def __init__(self, world: World) -> None:
        self.live: dict[str, Sequence[LivePost]] = {
            persona: [post for post in world.emulator.live_posts(account) if not _is_by_hand(post)]
            for persona, account in world.personas.items()
        }

    def of_container(self, persona: str, container_id: str | None) -> Sequence[LivePost]:
        return [post for post in self.live[persona] if container_id and post.container_id == container_id]


def reckon(world: World, triggers: Triggers, slots: Iterable[tuple[str, datetime]], logs: Path) -> Reckoning:
    """Compare everything. Each list names the culprits."""
    truth = Truth(world)
    posts = _items(world, "PostsTable")
    photos = {(photo["persona_id"], photo["photo_id"]): photo for photo in _items(world, "PhotosTable")}
    secrets_seen = [*_secrets(triggers.said), *_secrets(map(repr, posts)), *_secrets(_lines(logs))]
    return Reckoning(
        {
            "photos live twice": list(_photos_live_twice(truth)),
            "slots with two live posts": list(_slots_with_two(truth, posts, photos)),
            "live posts that no record names": list(_unrecorded(truth, posts)),
            "failed on record, but live": list(_false_failures(truth, posts)),
            "posted on record, but not live": list(_false_posts(truth, posts)),
            "wrong media ids": list(_wrong_media(truth, posts)),
            "slots unaccounted for": list(_unaccounted(slots, posts, triggers)),
            "posts still open": [repr(post) for post in posts if post["status"] == "posting" or "in_flight" in post],
            "photos lost": list(_lost_photos(posts, photos)),
            "photos not given back": list(_kept_photos(posts, photos)),
            "unconfirmed without evidence": [
                _name(post) for post in posts if post["status"] == "unconfirmed" and not _has_evidence(post)
            ],
            "leases taken from a living run": [line for line in _lines(logs) if LEASE_LOST in line],
            "errors that no contract names": triggers.unexpected,
            "secrets in logs, answers, records": secrets_seen,
        },
        Counter(_outcomes(truth, posts, triggers, slots)),
    )


def _is_by_hand(post: LivePost) -> bool:
    return not post.container_id


def _photos_live_twice(truth: Truth) -> Iterator[str]:
    for persona, live in truth.live.items():
        for picture, count in Counter(post.picture_sha256 for post in live).items():
            if count > 1:
                yield f"{persona} photo {picture[:12]}: {count} times"


def _slots_with_two(truth: Truth, posts: Sequence[Item], photos: Mapping[tuple[str, str], Item]) -> Iterator[str]:
    named = {(post["persona_id"], post.get("container_id")): post["slot"] for post in posts}
    for persona, live in truth.live.items():
        slots: Counter[str] = Counter()
        for post in live:
            photo = photos.get((persona, post.picture_sha256), {})
            slot = named.get((persona, post.container_id)) or photo.get("post_slot", "no slot")
            slots[slot.partition("#")[0]] += 1
        yield from (f"{persona} {slot}: {count} live posts" for slot, count in slots.items() if count > 1)


def _unrecorded(truth: Truth, posts: Sequence[Item]) -> Iterator[str]:
    known = {
        (post["persona_id"], post.get("container_id")) for post in posts if post["status"] in ("posted", "unconfirmed")
    }
    for persona, live in truth.live.items():
        for post in live:
            if (persona, post.container_id) not in known:
                yield f"{persona} media {post.media_id} of photo {post.picture_sha256[:12]}, {post.posted_at}"


def _false_failures(truth: Truth, posts: Sequence[Item]) -> Iterator[str]:
    for post in posts:
        if post["status"] == "failed" and truth.of_container(post["persona_id"], post.get("container_id")):
            yield f"{_name(post)}: {post['fault']['message']}"


def _false_posts(truth: Truth, posts: Sequence[Item]) -> Iterator[str]:
    for post in posts:
        if post["status"] == "posted" and not truth.of_container(post["persona_id"], post.get("container_id")):
            yield f"{_name(post)} container {post.get('container_id')}"


def _wrong_media(truth: Truth, posts: Sequence[Item]) -> Iterator[str]:
    holders: defaultdict[str, list[str]] = defaultdict(list)
    for post in posts:
        media_id = post.get("provider_post_id")
        if media_id is None:
            continue
        holders[media_id].append(_name(post))
        right = [live.media_id for live in truth.of_container(post["persona_id"], post.get("container_id"))]
        if media_id not in right:
            yield f"{_name(post)} says {media_id}, and is {right}"
    yield from (f"{media_id} is recorded by {names}" for media_id, names in holders.items() if len(names) > 1)


def _unaccounted(slots: Iterable[tuple[str, datetime]], posts: Sequence[Item], triggers: Triggers) -> Iterator[str]:
    recorded = {(post["persona_id"], post["slot"]) for post in posts}
    for persona, slot in slots:
        if (persona, f"{slot:%Y-%m-%dT%H:%M:%SZ}") in recorded:
            continue
        if not GONE_ON_WITHOUT_A_POST & triggers.outcomes[persona, slot].keys():
            yield f"{persona} {slot}: {dict(triggers.outcomes[persona, slot])}"


def _lost_photos(posts: Sequence[Item], photos: Mapping[tuple[str, str], Item]) -> Iterator[str]:
    """In the queue, or with a post of its own; never both, never neither."""
    recorded = {(post["persona_id"], post["slot"]): post["photo_id"] for post in posts}
    for (persona, photo_id), photo in photos.items():
        queued = photo.get("queued_for") == persona and "rank" in photo
        slot = photo.get("post_slot")
        with_its_post = slot is not None and recorded.get((persona, slot)) == photo_id
        if queued == with_its_post or (queued and slot is not None):
            yield f"{persona} photo {photo_id[:12]}: slot {slot}, queued {queued}"


def _kept_photos(posts: Sequence[Item], photos: Mapping[tuple[str, str], Item]) -> Iterator[str]:
    for post in posts:
        gives_back = post["status"] == "failed" and post["fault"]["kind"] in BACK_IN_THE_QUEUE
        if gives_back and photos[post["persona_id"], post["photo_id"]].get("post_slot") == post["slot"]:
            yield f"{_name(post)} still has photo {post['photo_id'][:12]}"


def _outcomes(
    truth: Truth, posts: Sequence[Item], triggers: Triggers, slots: Iterable[tuple[str, datetime]]
) -> Iterator[str]:
    recorded = {(post["persona_id"], post["slot"]) for post in posts}
    for post in posts:
        is_live = bool(truth.of_container(post["persona_id"], post.get("container_id")))
        match post["status"]:
            case "posted":
                yield "posted" if "provider_post_id" in post else "posted, its media id unknown"
            case "unconfirmed":
                yield f"unconfirmed, and {'live' if is_live else 'not live'}"
            case "failed":
                yield f"failed: {post['fault']['kind']}"
            case other:
                yield other
    for persona, slot in slots:
        if (persona, f"{slot:%Y-%m-%dT%H:%M:%SZ}") not in recorded:
            told = sorted(GONE_ON_WITHOUT_A_POST & triggers.outcomes[persona, slot].keys())
            yield f"no post: {told[0] if told else 'no reason'}"


def _has_evidence(post: Item) -> bool:
    return bool(post.get("evidence", {}).get("container_status")) and "fault" in post


def _items(world: World, table: str) -> Sequence[Item]:
    read = TypeDeserializer().deserialize
    pages = world.dynamodb.get_paginator("scan").paginate(TableName=world.table_names[table], ConsistentRead=True)
    return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]


def _lines(logs: Path) -> Iterator[str]:
    for log in sorted(logs.glob("*.log")):
        with log.open(encoding="utf-8", errors="replace") as lines:
            yield from lines


def _secrets(texts: Iterable[str]) -> Iterator[str]:
    """Where one stands, without showing it."""
    for text in texts:
        if SECRETS.search(text):
            yield SECRETS.sub("<a secret>", text)[:600]


def _name(post: Item) -> str:
    return f"{post['persona_id']} {post['slot']}"
