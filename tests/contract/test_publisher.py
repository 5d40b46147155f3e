"""The contract of Publisher, from the container to the permalink: on the fake, and over HTTP under both logins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from contract.accounts import a_persona_of, a_publisher, open_account
from domain.faults import Unresolved
from domain.ids import ContainerId
from domain.personas import Login, Persona
from domain.ports import ContainerStatus, Publisher
from fakes.clock import FakeClock
from fakes.instagram import FakePublisher
from local.instagram import ContainerBehaviour, EmulatorServer, Fault

SOON = timedelta(seconds=10)
NOW = datetime(2026, 11, 22, 9, 0, 3, tzinfo=UTC)


@dataclass(frozen=True)
class Instagram:
    """One implementation, and what a test can make it do."""

    publisher: Publisher
    persona: Persona
    image_url: str
    advance: Callable[[timedelta], object]
    prepare_for_one_poll: Callable[[], object]
    expire: Callable[[ContainerId], object]
    lose_the_answer_to_publish: Callable[[], object]
    lose_the_publish_request: Callable[[], object]

    def create(self, caption: str = "A caption", alt_text: str | None = None) -> ContainerId:
        return self.publisher.create_container(self.persona, self.image_url, caption, alt_text, within=SOON)

    def status(self, container_id: ContainerId) -> ContainerStatus:
        return self.publisher.container_status(self.persona, container_id, within=SOON)

    def publish(self, container_id: ContainerId) -> str:
        return self.publisher.publish(self.persona, container_id, within=SOON)


def _the_fake() -> Instagram:
    clock = FakeClock(NOW)
    fake = FakePublisher(clock)

    def expire(container_id: ContainerId) -> None:
        fake.containers[container_id].status = ContainerStatus.EXPIRED

    return Instagram(
        publisher=fake,
        persona=a_persona_of(Login.INSTAGRAM),
        image_url="https://bucket.example/photo.jpg",
        advance=clock.advance,
        prepare_for_one_poll=lambda: fake.statuses.append(ContainerStatus.IN_PROGRESS),
        expire=expire,
        lose_the_answer_to_publish=lambda: fake.fail("publish", Unresolved("No answer."), after_effect=True),
        lose_the_publish_request=lambda: fake.fail("publish", Unresolved("No answer.")),
    )


def _the_emulator(emulator: EmulatorServer, login: Login, image_url: str) -> Instagram:
    open_account(emulator, login)
    emulator.freeze(NOW)
    return Instagram(
        publisher=a_publisher(emulator.instagram_url, emulator.facebook_url, login),
        persona=a_persona_of(login),
        image_url=image_url,
        advance=lambda duration: emulator.advance(duration.total_seconds()),
        prepare_for_one_poll=lambda: emulator.configure(processing_polls=1),
        expire=lambda _: emulator.advance(24 * 60 * 60),
        lose_the_answer_to_publish=lambda: emulator.order_fault(Fault.reset("media_publish", when="after")),
        lose_the_publish_request=lambda: emulator.order_fault(Fault.reset("media_publish")),
    )


@pytest.fixture(params=["fake", "Instagram Login", "Facebook Login"])
def instagram(request: pytest.FixtureRequest, aws_environment: None) -> Instagram:
    if request.param == "fake":
        return _the_fake()
    login = Login.FACEBOOK if request.param == "Facebook Login" else Login.INSTAGRAM
    return _the_emulator(request.getfixturevalue("emulator"), login, request.getfixturevalue("photo_url"))


def test_a_container_goes_from_finished_to_published(instagram: Instagram) -> None:
    container_id = instagram.create()
    assert instagram.status(container_id) is ContainerStatus.FINISHED
    instagram.publish(container_id)
    assert instagram.status(container_id) is ContainerStatus.PUBLISHED


def test_a_container_may_be_in_progress_first(instagram: Instagram) -> None:
    instagram.prepare_for_one_poll()
    container_id = instagram.create()
    assert instagram.status(container_id) is ContainerStatus.IN_PROGRESS
    assert instagram.status(container_id) is ContainerStatus.FINISHED


def test_a_container_that_is_not_published_in_time_expires(instagram: Instagram) -> None:
    container_id = instagram.create()
    instagram.expire(container_id)
    assert instagram.status(container_id) is ContainerStatus.EXPIRED


def test_nothing_is_live_before_it_is_published(instagram: Instagram) -> None:
    container_id = instagram.create()
    instagram.status(container_id)
    assert list(instagram.publisher.recent_media(instagram.persona, within=SOON)) == []


@pytest.mark.parametrize("caption", ["A caption", "Mörning at the lake 📷\n\n#sun & rain + 100% = “”", "", "a" * 2200])
def test_a_published_photo_is_among_the_recent_media_with_its_caption(instagram: Instagram, caption: str) -> None:
    media_id = instagram.publish(instagram.create(caption))
    (recent,) = instagram.publisher.recent_media(instagram.persona, within=SOON)
    assert (recent.media_id, recent.caption, recent.media_type) == (media_id, caption, "IMAGE")
    assert recent.published_at == NOW
    assert recent.published_at.tzinfo is not None


def test_recent_media_come_newest_first(instagram: Instagram) -> None:
    published = []
    for number in range(3):
        published.append(instagram.publish(instagram.create(f"Number {number}")))
        instagram.advance(timedelta(minutes=1))
    recent = instagram.publisher.recent_media(instagram.persona, within=SOON)
    assert [media.media_id for media in recent] == published[::-1]
    assert [media.published_at for media in recent] == [NOW + timedelta(minutes=number) for number in (2, 1, 0)]


def test_a_live_media_has_one_permalink(instagram: Instagram) -> None:
    media_id = instagram.publish(instagram.create())
    (recent,) = instagram.publisher.recent_media(instagram.persona, within=SOON)
    permalink = instagram.publisher.permalink(instagram.persona, recent.media_id, within=SOON)
    assert recent.media_id == media_id
    assert permalink == recent.permalink
    assert permalink.startswith("http")


def test_containers_and_media_have_ids_of_their_own(instagram: Instagram) -> None:
    containers = [instagram.create() for _ in range(3)]
    media = [instagram.publish(container_id) for container_id in containers]
    assert len({*containers, *media}) == 6
    assert all(isinstance(each, str) for each in (*containers, *media))


def test_a_publish_whose_answer_is_lost_may_have_taken_effect(instagram: Instagram) -> None:
    container_id = instagram.create()
    instagram.lose_the_answer_to_publish()
    with pytest.raises(Unresolved):
        instagram.publish(container_id)
    assert instagram.status(container_id) is ContainerStatus.PUBLISHED
    assert len(instagram.publisher.recent_media(instagram.persona, within=SOON)) == 1


def test_a_publish_request_that_is_lost_leaves_the_container_as_it_is(instagram: Instagram) -> None:
    container_id = instagram.create()
    instagram.lose_the_publish_request()
    with pytest.raises(Unresolved):
        instagram.publish(container_id)
    assert instagram.status(container_id) is ContainerStatus.FINISHED
    assert list(instagram.publisher.recent_media(instagram.persona, within=SOON)) == []


@pytest.mark.parametrize("alt_text", ["A lake at sunrise.", None])
@pytest.mark.parametrize("login", list(Login))
def test_caption_alt_text_and_image_reach_instagram(
    emulator: EmulatorServer, photo_url: str, login: Login, alt_text: str | None, aws_environment: None
) -> None:
    instagram = _the_emulator(emulator, login, f"{photo_url}?X-Amz-Signature=abc&x=%2F")
    instagram.create("Rain & sun #1", alt_text)
    (container,) = emulator.containers(instagram.persona.instagram_user_id)
    assert (container.caption, container.alt_text) == ("Rain & sun #1", alt_text or "")
    assert container.image_url == f"{photo_url}?X-Amz-Signature=abc&x=%2F"
    (call,) = emulator.calls("create_container")
    assert ("alt_text" in call.parameters) is (alt_text is not None)
    assert "media_type" not in call.parameters


def test_a_container_that_fails_raises_what_its_status_names(
    emulator: EmulatorServer, photo_url: str, aws_environment: None
) -> None:
    instagram = _the_emulator(emulator, Login.INSTAGRAM, photo_url)
    emulator.order_container_behaviour(ContainerBehaviour("fail"))
    container_id = instagram.create()
    with pytest.raises(Exception, match="2207026"):
        instagram.status(container_id)
