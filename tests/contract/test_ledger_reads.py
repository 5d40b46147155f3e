"""The contract of PostLedger's reads, and which posts stand in the index of what is open."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.implementations import DynamoImplementation, Records
from contract.scenes import (
    A_MINUTE_LATER,
    CONTAINER,
    FAULT,
    LEASE_OVER,
    OTHER_LEASE,
    claimed,
    ended,
    fenced,
    furnish,
    moved,
    reopened,
)
from domain.faults import FaultRecord
from domain.ids import MediaId, PersonaId
from domain.ports import Claim, RecordsUnavailableError
from domain.posts import Evidence, Post
from domain.slots import Slot
from fakes.library import DEFAULT, NINE, a_persona, a_photo, a_photo_id, a_post

OTHER = PersonaId("other")


def record(records: Records, *slots: Slot, persona_id: PersonaId = DEFAULT) -> list[Post]:
    """A post for each of ``slots``, in the order given."""
    records.personas.add(a_persona(persona_id=persona_id))
    posts = []
    for slot in slots:
        name = f"photo of {slot}"
        records.library.add(a_photo(name, persona_id=persona_id))
        posts.append(a_post(persona_id=persona_id, slot=slot, photo_id=a_photo_id(name)))
        assert records.ledger.claim(posts[-1]) is Claim.WON
    return posts


def at(minutes: int, attempt: int = 1) -> Slot:
    return Slot(NINE.start + timedelta(minutes=minutes), attempt)


# ---- one slot ----


def test_a_slot_without_a_post_has_none(records: Records) -> None:
    record(records, at(-1), at(1), at(0, 2))
    assert records.ledger.get(DEFAULT, NINE) is None


def test_exactly_the_post_of_the_slot_is_read(records: Records) -> None:
    first, second, _ = record(records, at(0), at(0, 2), at(1))
    assert records.ledger.get(DEFAULT, at(0)) == first
    assert records.ledger.get(DEFAULT, at(0, 2)) == second
    assert records.ledger.get(OTHER, at(0)) is None


# ---- the latest attempt ----


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_the_latest_is_the_last_attempt_of_the_moment(records: Records, attempts: int) -> None:
    slots = [at(0, number) for number in range(1, attempts + 1)]
    posts = record(records, *slots, at(-1), at(1), Slot(NINE.start + timedelta(seconds=1)))
    assert records.ledger.latest(DEFAULT, NINE) == posts[attempts - 1]


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_the_latest_is_found_by_any_attempt_of_the_moment(records: Records, attempt: int) -> None:
    posts = record(records, at(0), at(0, 2))
    assert records.ledger.latest(DEFAULT, at(0, attempt)) == posts[1]


def test_a_moment_without_a_post_has_no_latest(records: Records) -> None:
    record(records, at(-1), at(-1, 3), at(1), Slot(NINE.start - timedelta(seconds=1), 3))
    record(records, at(0), persona_id=OTHER)
    assert records.ledger.latest(DEFAULT, NINE) is None


# ---- history ----


def test_the_history_comes_newest_slot_first(records: Records) -> None:
    slots = [at(0), at(60 * 24), at(0, 2), at(-1), at(0, 3), at(60 * 24 * 365)]
    posts = record(records, *slots)
    expected = sorted(posts, key=lambda post: post.slot, reverse=True)
    assert list(records.ledger.history(DEFAULT, limit=10)) == expected
    assert [str(post.slot)[-2:] for post in expected] == ["0Z", "0Z", "#3", "#2", "0Z", "0Z"]


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_history_is_as_long_as_it_is_asked_for(records: Records, limit: int) -> None:
    posts = record(records, *(at(number) for number in range(4)))
    assert list(records.ledger.history(DEFAULT, limit=limit)) == posts[::-1][:limit]


def test_the_history_is_one_personas(records: Records) -> None:
    record(records, at(0))
    (theirs,) = record(records, at(1), persona_id=OTHER)
    assert list(records.ledger.history(OTHER, limit=10)) == [theirs]
    assert list(records.ledger.history(PersonaId("nobody"), limit=10)) == []


# ---- open posts ----


def leave_open(records: Records, slot: Slot, lease_until: datetime, persona_id: PersonaId = DEFAULT) -> Post:
    """A post whose run ended without an end."""
    (post,) = record(records, slot, persona_id=persona_id)
    return moved(records, post, replace(post, lease=replace(post.lease, until=lease_until)))


def test_open_posts_whose_lease_is_over_come_oldest_lease_first(records: Records) -> None:
    minutes = [5, 1, 9, 3, 8, 2]
    for place, ended_at in enumerate(minutes):
        persona_id = PersonaId(f"persona-{place % 4}")
        leave_open(records, at(place), A_MINUTE_LATER + timedelta(minutes=ended_at), persona_id)
    expected = [
        (PersonaId(f"persona-{place % 4}"), at(place)) for place in sorted(range(len(minutes)), key=minutes.__getitem__)
    ]
    assert list(records.ledger.open_posts(A_MINUTE_LATER + timedelta(hours=1))) == expected


def test_a_post_whose_lease_is_not_over_is_not_told(records: Records) -> None:
    leave_open(records, at(0), A_MINUTE_LATER)
    leave_open(records, at(1), A_MINUTE_LATER + timedelta(minutes=1))
    for moment, slots in (
        (A_MINUTE_LATER, []),
        (A_MINUTE_LATER + timedelta(milliseconds=1), [at(0)]),
        (A_MINUTE_LATER + timedelta(minutes=1, milliseconds=1), [at(0), at(1)]),
    ):
        assert [slot for _, slot in records.ledger.open_posts(moment)] == slots


def test_all_open_posts_are_told_however_many(records: Records) -> None:
    for number in range(27):
        leave_open(records, at(number), A_MINUTE_LATER + timedelta(seconds=number))
    told = [slot for _, slot in records.ledger.open_posts(A_MINUTE_LATER + timedelta(hours=1))]
    assert told == [at(number) for number in range(27)]


def test_ended_posts_are_not_told_and_one_that_lacks_its_media_id_is(records: Records) -> None:
    for place, end in enumerate(("posted", "failed", "unconfirmed", "live")):
        (post,) = record(records, at(place))
        after = post.as_posted(None, A_MINUTE_LATER) if end == "live" else ended(post)[end]
        moved(records, post, after)
    told = list(records.ledger.open_posts(A_MINUTE_LATER + timedelta(days=1)))
    assert told == [(DEFAULT, at(3))]
    live = records.ledger.get(DEFAULT, at(3))
    assert live is not None
    records.ledger.complete(live.as_unidentified(Evidence("PUBLISHED"), A_MINUTE_LATER))
    assert list(records.ledger.open_posts(A_MINUTE_LATER + timedelta(days=1))) == []


def test_a_post_that_was_taken_over_is_not_told_until_that_lease_is_over_too(records: Records) -> None:
    claimed(records)
    records.ledger.take_over(DEFAULT, NINE, OTHER_LEASE, LEASE_OVER)
    assert list(records.ledger.open_posts(OTHER_LEASE.until)) == []
    assert list(records.ledger.open_posts(OTHER_LEASE.until + timedelta(seconds=1))) == [(DEFAULT, NINE)]


def test_open_posts_are_read_by_the_shards_of_the_index_and_filter_nothing(dynamo: DynamoImplementation) -> None:
    told = dynamo.ledger.open_posts(A_MINUTE_LATER)
    assert dynamo.asked == []
    assert list(told) == []
    assert [asked.parameters["IndexName"] for asked in dynamo.asked] == ["in_flight"] * 8
    assert not any("FilterExpression" in asked.parameters for asked in dynamo.asked)


# ---- the posts of a time ----


def test_the_posts_of_slots_from_the_start_on_are_told_newest_first(records: Records) -> None:
    for post in record(records, at(-1), at(-1, 3), at(0), at(1), at(1, 2)):
        moved(records, post, post.as_posted(MediaId(f"media of {post.slot}"), A_MINUTE_LATER))
    told = records.ledger.posts_since(DEFAULT, NINE.start)
    assert [post.slot for post in told] == [at(1, 2), at(1), at(0)]
    assert [post.provider_post_id for post in told] == [f"media of {post.slot}" for post in told]


def test_the_start_counts_by_the_second_and_in_utc(records: Records) -> None:
    record(records, at(0))
    in_india = datetime.fromisoformat("2026-11-22T14:30:00.900+05:30")
    assert in_india.astimezone(UTC).replace(microsecond=0) == NINE.start
    assert [post.slot for post in records.ledger.posts_since(DEFAULT, in_india)] == [at(0)]
    assert list(records.ledger.posts_since(DEFAULT, in_india + timedelta(seconds=1))) == []


def test_other_personas_posts_are_not_told(records: Records) -> None:
    record(records, at(0), persona_id=OTHER)
    assert list(records.ledger.posts_since(DEFAULT, NINE.start)) == []


# ---- how they are read ----


def test_every_read_of_a_post_is_consistent(dynamo: DynamoImplementation) -> None:
    dynamo.ledger.get(DEFAULT, NINE)
    dynamo.ledger.latest(DEFAULT, NINE)
    dynamo.ledger.posts_since(DEFAULT, NINE.start)
    assert [asked.operation for asked in dynamo.asked] == ["GetItem", "Query", "Query"]
    assert all(asked.parameters["ConsistentRead"] is True for asked in dynamo.asked)
    assert not any("FilterExpression" in asked.parameters for asked in dynamo.asked)


def test_the_latest_attempt_is_one_query_of_one_post(dynamo: DynamoImplementation) -> None:
    record(dynamo, at(0), at(0, 2), at(0, 3))
    dynamo.asked.clear()
    dynamo.ledger.latest(DEFAULT, NINE)
    (asked,) = dynamo.asked
    assert asked.parameters["Limit"] == 1


def test_a_damaged_post_is_records_unavailable(dynamo: DynamoImplementation) -> None:
    record(dynamo, at(0))
    item = dynamo.item("PostsTable", str(NINE))
    dynamo.raw.put_item(TableName=dynamo.names["PostsTable"], Item=item | {"status": {"S": "lost"}})
    with pytest.raises(RecordsUnavailableError):
        dynamo.ledger.get(DEFAULT, NINE)
    with pytest.raises(RecordsUnavailableError):
        dynamo.ledger.latest(DEFAULT, NINE)


# ---- the index of what is open ----


def _open(dynamo: DynamoImplementation) -> list[str]:
    """The slots that the index shows, over all its shards."""
    found = []
    for shard in range(8):
        answer = dynamo.raw.query(
            TableName=dynamo.names["PostsTable"],
            IndexName="in_flight",
            KeyConditionExpression="in_flight = :shard",
            ExpressionAttributeValues={":shard": {"S": str(shard)}},
        )
        found += [item["slot"]["S"] for item in answer["Items"]]
    return found


def test_a_claimed_post_is_open(dynamo: DynamoImplementation) -> None:
    claimed(dynamo)
    assert _open(dynamo) == [str(NINE)]


def test_a_post_stays_open_until_its_end_is_known(dynamo: DynamoImplementation) -> None:
    post = fenced(dynamo)
    assert _open(dynamo) == [str(NINE)]
    post = moved(dynamo, post, reopened(post))
    assert _open(dynamo) == [str(NINE)]
    post = moved(dynamo, post, post.as_fenced(CONTAINER, A_MINUTE_LATER))
    post = moved(dynamo, post, post.as_unresolved(FaultRecord("Unresolved", "No answer."), A_MINUTE_LATER))
    assert _open(dynamo) == [str(NINE)]


@pytest.mark.parametrize("end", ["posted", "failed", "unconfirmed"])
def test_a_post_that_has_ended_is_not_open(dynamo: DynamoImplementation, end: str) -> None:
    post = fenced(dynamo)
    moved(dynamo, post, ended(post)[end])
    assert _open(dynamo) == []
    assert "in_flight" not in dynamo.item("PostsTable", str(NINE))


def test_a_settled_post_is_not_open_and_the_slots_next_post_is(dynamo: DynamoImplementation) -> None:
    post = claimed(dynamo, "first", "second")
    following = replace(post, slot=at(0, 2), photo_id=a_photo_id("second"))
    dynamo.ledger.settle(post, post.as_failed(FAULT, A_MINUTE_LATER), goes_on_with=following)
    assert _open(dynamo) == [str(at(0, 2))]


def test_a_live_post_whose_media_is_not_known_is_open(dynamo: DynamoImplementation) -> None:
    post = fenced(dynamo)
    moved(dynamo, post, post.as_posted(None, A_MINUTE_LATER))
    assert _open(dynamo) == [str(NINE)]


def test_a_post_that_was_refused_before_it_was_sent_is_not_open(dynamo: DynamoImplementation) -> None:
    furnish(dynamo)
    dynamo.ledger.claim(a_post().as_failed(FAULT, A_MINUTE_LATER))
    dynamo.ledger.refuse(a_post(slot=at(1)).as_failed(FAULT, A_MINUTE_LATER), pause="A pause.")
    assert _open(dynamo) == []


def test_a_persona_has_one_shard_and_many_personas_have_eight(dynamo: DynamoImplementation) -> None:
    for number in range(12):
        record(dynamo, at(0), at(1), persona_id=PersonaId(f"persona-{number}"))
    shards: dict[str, set[str]] = {}
    for item in dynamo.items("PostsTable"):
        shards.setdefault(item["persona_id"]["S"], set()).add(item["in_flight"]["S"])
    assert all(len(of_persona) == 1 for of_persona in shards.values())
    assert set().union(*shards.values()) == {str(shard) for shard in range(8)}
