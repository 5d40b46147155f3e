"""Everything that the emulated platform remembers, with the lock that guards it."""

import dataclasses
import threading
from datetime import timedelta

from local.instagram import errors, identifiers
from local.instagram.activity import AccountActivity
from local.instagram.calls import Call, CallName, redacted
from local.instagram.clock import EmulatorClock
from local.instagram.faults import BehaviourPlan, Fault, FaultPlan
from local.instagram.graph_request import GraphRequest
from local.instagram.pictures import Picture
from local.instagram.records import AccessToken, Account, Container, LivePost
from local.instagram.settings import EmulatorSettings


class EmulatorState:
    """The platform's memory. Hold `lock` around every use; it may be taken again by its holder."""

    def __init__(self, settings: EmulatorSettings, clock: EmulatorClock) -> None:
        self.lock = threading.RLock()
        self.settings = settings
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        self.activity: dict[str, AccountActivity] = {}
        self.tokens: dict[str, AccessToken] = {}
        self.containers: dict[str, Container] = {}
        self.posts: dict[str, LivePost] = {}
        self.timelines: dict[str, list[LivePost]] = {}
        self.pictures: dict[str, bytes] = {}
        self.calls: list[Call] = []
        self.faults = FaultPlan()
        self.behaviours = BehaviourPlan()
        self._container_ids = identifiers.container_ids()
        self._media_ids = identifiers.media_ids()

    def add_account(self, account: Account, token: AccessToken) -> None:
        """Add an account, or give a known one new facts and a new token: its posts stay, its old tokens die."""
        for old in [old for old in self.tokens.values() if old.ig_user_id == account.ig_user_id]:
            del self.tokens[old.value]
        self.accounts[account.ig_user_id] = account
        self.activity.setdefault(account.ig_user_id, AccountActivity())
        self.tokens[token.value] = token

    def owner_of(self, node_id: str) -> str | None:
        """Return the account that this id names or belongs to."""
        if node_id in self.accounts:
            return node_id
        node = self.containers.get(node_id) or self.posts.get(node_id)
        return node.ig_user_id if node else None

    def record_call(self, name: CallName, graph: GraphRequest, ig_user_id: str | None) -> int:
        """Remember a call that begins and return its number, from 1."""
        now, number = self.clock.now(), len(self.calls) + 1
        parameters = redacted(graph.parameters)
        self.calls.append(Call(number, now, name, graph.method, graph.path, parameters, graph.token_in, ig_user_id))
        if ig_user_id in self.activity:
            self.activity[ig_user_id].calls.add(now)
        return number

    def finish_call(self, number: int, status: int, fault: Fault | None) -> None:
        """Note what the call was answered: no status where the fault left no answer."""
        answered = fault is None or fault.kind not in ("reset", "close", "timeout")
        self.calls[number - 1] = dataclasses.replace(
            self.calls[number - 1],
            status=status if answered else None,
            fault=f"{fault.kind} {fault.when}" if fault else None,
        )

    def add_container(
        self, ig_user_id: str, image_url: str, caption: str, alt_text: str, picture: Picture
    ) -> Container:
        """Remember a new container, with the behaviour that was ordered for it, if any."""
        now = self.clock.now()
        ordered = self.behaviours.take(ig_user_id)
        container = Container(
            container_id=self._container_ids.next(),
            ig_user_id=ig_user_id,
            image_url=image_url,
            caption=caption,
            alt_text=alt_text,
            picture_sha256=picture.sha256,
            created_at=now,
            ready_at=now + timedelta(seconds=self.settings.processing_seconds),
            polls_left=self.settings.processing_polls,
        )
        if ordered is not None:
            container = dataclasses.replace(container, forced=ordered.behaviour, failure_subcode=ordered.subcode)
        self.containers[container.container_id] = container
        self.pictures[picture.sha256] = picture.jpeg
        self.activity[ig_user_id].containers.add(now)
        return container

    def poll_container(self, container: Container) -> None:
        """Count one status read, for processing that is measured in polls."""
        if container.polls_left:
            polled = dataclasses.replace(container, polls_left=container.polls_left - 1)
            self.containers[container.container_id] = polled

    def publish(self, container: Container) -> LivePost:
        """Make a live post of the container, whatever its state."""
        post = self._add_post(
            container.ig_user_id,
            container.container_id,
            container.caption,
            container.alt_text,
            container.picture_sha256,
        )
        published = dataclasses.replace(container, media_ids=(*container.media_ids, post.media_id))
        self.containers[container.container_id] = published
        self.activity[container.ig_user_id].publishes.add(post.posted_at)
        return post

    def post_by_hand(self, ig_user_id: str, caption: str, picture: Picture) -> LivePost:
        """Make a live post without a container, as the owner does in the app. It uses up no API quota."""
        self.pictures[picture.sha256] = picture.jpeg
        return self._add_post(ig_user_id, "", caption, "", picture.sha256)

    def posts_of(self, ig_user_id: str) -> list[LivePost]:
        """Return the account's live posts, newest first."""
        return self.timelines.get(ig_user_id, [])[::-1]

    def minutes_until_publish(self, account: Account) -> int | None:
        """Return None while the account may publish, else the minutes until it may."""
        now, publishes = self.clock.now(), self.activity[account.ig_user_id].publishes
        return publishes.minutes_until_free(now) if publishes.count(now) >= self.quota_of(account) else None

    def quota_of(self, account: Account) -> int:
        """Return the publishes that the account has in rolling 24 hours."""
        return self.settings.quota_total if account.quota_total is None else account.quota_total

    def check_container_allowance(self, ig_user_id: str) -> None:
        """Raise GraphError when the account has made all the containers of its last 24 hours."""
        now, containers = self.clock.now(), self.activity[ig_user_id].containers
        if containers.count(now) >= self.settings.container_quota:
            raise errors.too_many_containers(containers.minutes_until_free(now))

    def _add_post(self, ig_user_id: str, container_id: str, caption: str, alt_text: str, sha256: str) -> LivePost:
        media_id = self._media_ids.next()
        post = LivePost(
            media_id=media_id,
            ig_user_id=ig_user_id,
            shortcode=identifiers.shortcode(media_id),
            container_id=container_id,
            caption=caption,
            alt_text=alt_text,
            picture_sha256=sha256,
            posted_at=self.clock.now(),
        )
        self.posts[media_id] = post
        self.timelines.setdefault(ig_user_id, []).append(post)
        return post
