"""The Reconcile handler over moto and the emulator: what a deferred run left, and what is left to post."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from integration.conftest import Deliver
from integration.deployment import Deployment, Told, at
from local.instagram import Fault

EVENTS: Final = Path(__file__).parents[2] / "events"
SCHEDULE: Final[dict[str, Any]] = json.loads((EVENTS / "schedule.json").read_text())


@pytest.fixture
def deferred(deployment: Deployment, deliver: Deliver) -> Deployment:
    """A slot that waits since its container was refused for the moment, with a photo that Instagram does not take."""
    deployment.add_persona()
    deployment.add_photo("wide", 9.0, size=(1000, 300))
    deployment.emulator.order_fault(Fault.error("create_container", 4, status=403, regain_minutes=30))
    assert deliver(SCHEDULE)["outcome"] == "deferred"
    return deployment


def test_a_slot_that_waited_goes_on_with_the_next_photo_when_its_own_is_refused(
    deferred: Deployment, reconcile: Deliver, told: Callable[[], Told]
) -> None:
    good = deferred.add_photo("good", 7.0)
    told()
    answer = reconcile({}, by=at(minutes=31))
    assert [(post["outcome"], post.get("photo_id")) for post in answer["posts"]] == [("posted", good.photo_id)]
    assert deferred.is_live(good)
    assert told().counts == {"Failed": 1, "Posted": 1}
    assert reconcile({}, by=at(minutes=46)) == {"posts": [], "left_for_later": False}


def test_a_photo_whose_file_went_missing_meanwhile_fails(deferred: Deployment, reconcile: Deliver) -> None:
    (photo,) = deferred.photos()
    deferred.delete_rendition(photo)
    (post,) = reconcile({}, by=at(minutes=31))["posts"]
    assert post["outcome"] == "failed"
    assert photo.object_key in post["reason"]


def test_a_token_that_expired_meanwhile_pauses_the_persona(deferred: Deployment, reconcile: Deliver) -> None:
    deferred.emulator.advance(61 * 24 * 60 * 60)
    (post,) = reconcile({}, by=at(minutes=31))["posts"]
    persona = deferred.persona()
    assert persona is not None
    assert persona.paused_reason == post["reason"]
    assert len(deferred.queue()) == 1


def test_what_is_left_to_post_is_counted_from_the_tables(
    deployment: Deployment, reconcile: Deliver, told: Callable[[], Told]
) -> None:
    deployment.add_persona()
    for score in (7.0, 8.0):
        deployment.add_photo(f"of {score}", score)
    assert reconcile({**SCHEDULE, "time": "2036-01-01T06:07:00Z"})["posts"] == []
    assert told().counts["PhotosLeft"] == 2
