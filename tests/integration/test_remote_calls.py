"""What a post costs in remote calls, counted on the wires to AWS and to Instagram, from outside of the handler."""

from pathlib import Path

import pytest

from domain.personas import Login
from fakes.library import a_persona
from integration.conftest import Deliver
from integration.deployment import Deployment, name_of
from integration.test_post_next_best import POSTING, SCHEDULE, read

NINE_CALLS = ["persona", "queue", "claim", "token", "container", "status", "fence", "publish", "posted"]


@pytest.mark.parametrize("file", POSTING, ids=lambda file: file.stem)
def test_a_post_takes_nine_remote_calls_in_the_order_of_the_protocol(
    deployment: Deployment, deliver: Deliver, file: Path
) -> None:
    deployment.add_persona()
    for number in range(5):
        deployment.add_photo(f"photo {number}", float(number))
    assert deliver(read(file))["outcome"] == "posted"
    assert [name_of(request) for request in deployment.our_requests] == NINE_CALLS


def test_a_post_under_facebook_login_takes_no_more_remote_calls(deployment: Deployment, deliver: Deliver) -> None:
    deployment.add_persona(a_persona(login=Login.FACEBOOK))
    deployment.add_photo("best", 9.0)
    assert deliver(SCHEDULE)["outcome"] == "posted"
    assert [name_of(request) for request in deployment.our_requests] == NINE_CALLS


def test_each_further_poll_is_one_more_call_and_nothing_else(deployment: Deployment, deliver: Deliver) -> None:
    deployment.add_persona()
    deployment.add_photo("best", 9.0)
    deployment.emulator.configure(processing_polls=3)
    assert deliver(SCHEDULE)["outcome"] == "posted"
    names = [name_of(request) for request in deployment.our_requests]
    assert names.count("status") == 4
    assert [name for place, name in enumerate(names) if name != "status" or names.index(name) == place] == NINE_CALLS


def test_a_second_post_by_the_same_process_has_its_token_at_hand(deployment: Deployment, deliver: Deliver) -> None:
    deployment.add_persona()
    deployment.add_photo("best", 9.0)
    deployment.add_photo("good", 7.0)
    deliver(SCHEDULE)
    before = len(deployment.our_requests)
    assert deliver({"persona_id": "default", "time": "2036-01-05T09:00:00Z"})["outcome"] == "posted"
    names = [name_of(request) for request in deployment.our_requests[before:]]
    assert names == [name for name in NINE_CALLS if name != "token"]


def test_a_photo_that_is_lost_to_another_slot_costs_one_more_page_and_one_more_claim(
    deployment: Deployment, deliver: Deliver
) -> None:
    """The index lags behind: it still shows a photo that has a post."""
    deployment.add_persona()
    best = deployment.add_photo("best", 9.0)
    good = deployment.add_photo("good", 7.0)
    key = {"persona_id": {"S": "default"}, "photo_id": {"S": best.photo_id}}
    deployment.records.raw.update_item(
        TableName=deployment.records.names["PhotosTable"],
        Key=key,
        UpdateExpression="SET post_slot = :slot",
        ExpressionAttributeValues={":slot": {"S": "2036-01-01T08:00:00Z"}},
    )
    answer = deliver(SCHEDULE)
    assert answer["photo_id"] == good.photo_id
    names = [name_of(request) for request in deployment.our_requests]
    assert names[:4] == ["persona", "queue", "queue", "claim"]
    assert names[4:] == NINE_CALLS[3:]
