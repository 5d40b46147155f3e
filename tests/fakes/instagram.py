"""Instagram in memory, at the level of the Publisher port: containers, live posts, and faults in the order given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from domain.faults import Fault
from domain.ids import ContainerId, MediaId
from domain.personas import Persona
from domain.ports import Clock, ContainerStatus, RecentMedia


@dataclass
class FakeContainer:
    image_url: str
    caption: str
    alt_text: str | None
    status: ContainerStatus = ContainerStatus.FINISHED


@dataclass
class Order:
    """The next call of ``method`` raises ``fault``, before its effect or after it."""

    method: str
    fault: Fault
    after_effect: bool = False


@dataclass
class FakePublisher:
    """Publishes a container as often as it is told to, as the worst Instagram would."""

    clock: Clock
    containers: dict[ContainerId, FakeContainer] = field(default_factory=dict)
    live: list[RecentMedia] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    before_call: Callable[[str], None] = lambda _: None
    statuses: list[ContainerStatus] = field(default_factory=list)
    """Told, one for each status call, before the container's real one."""
    left: int = 50
    """What is left of the quota; publishing does not look at it."""
    _numbers: "count[int]" = field(default_factory=lambda: count(17_900_000_000_000_001))

    def fail(self, method: str, fault: Fault, *, times: int = 1, after_effect: bool = False) -> None:
        self.orders += [Order(method, fault, after_effect)] * times

    def create_container(
        self, persona: Persona, image_url: str, caption: str, alt_text: str | None, *, within: timedelta
    ) -> ContainerId:
        order = self._begin("create_container", within)
        container_id = ContainerId(str(next(self._numbers)))
        self.containers[container_id] = FakeContainer(image_url, caption, alt_text)
        _raise(order)
        return container_id

    def container_status(self, persona: Persona, container_id: ContainerId, *, within: timedelta) -> ContainerStatus:
        _raise(self._begin("container_status", within))
        return self.statuses.pop(0) if self.statuses else self.containers[container_id].status

    def publish(self, persona: Persona, container_id: ContainerId, *, within: timedelta) -> MediaId:
        order = self._begin("publish", within)
        container = self.containers[container_id]
        container.status = ContainerStatus.PUBLISHED
        media_id = MediaId(str(next(self._numbers)))
        permalink = f"https://www.instagram.com/p/{media_id}/"
        self.live.insert(0, RecentMedia(media_id, container.caption, "IMAGE", self.clock.now(), permalink))
        _raise(order)
        return media_id

    def recent_media(self, persona: Persona, *, within: timedelta) -> Sequence[RecentMedia]:
        _raise(self._begin("recent_media", within))
        return list(self.live)

    def quota_left(self, persona: Persona, *, within: timedelta) -> int:
        _raise(self._begin("quota_left", within))
        return self.left

    def permalink(self, persona: Persona, media_id: MediaId, *, within: timedelta) -> str:
        _raise(self._begin("permalink", within))
        return f"https://www.instagram.com/p/{media_id}/"

    def _begin(self, method: str, within: timedelta) -> Order | None:
        """The order for this call. One that comes before the effect is raised here."""
        if within <= timedelta(0):
            raise ValueError(f"{method} was given no time")
        self.before_call(method)
        self.calls.append(method)
        order = next((order for order in self.orders if order.method == method), None)
        if order is None:
            return None
        self.orders.remove(order)
        if not order.after_effect:
            raise order.fault
        return order


def _raise(order: Order | None) -> None:
    if order is not None:
        raise order.fault


@dataclass
class FakeRenditions:
    missing: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def link(self, object_key: str) -> str:
        return f"https://bucket.example/{object_key}?signature=secret"

    def exists(self, object_key: str) -> bool:
        self.asked.append(object_key)
        return object_key not in self.missing
