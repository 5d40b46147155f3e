"""The pages that followers would see: the account's feed and each post, with duplicates marked."""

from collections import Counter
from dataclasses import dataclass

from flask import Blueprint, Response, abort, render_template, url_for

from local.instagram.emulator import Emulator
from local.instagram.records import Account, LivePost
from local.instagram.state import EmulatorState

# The pages load nothing from elsewhere; the browser holds them to it.
CONTENT_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class PostView:
    """A post as a template shows it. `copies` counts the live posts of the same picture."""

    post: LivePost
    copies: int

    @property
    def permalink(self) -> str:
        return url_for("feed.permalink", shortcode=self.post.shortcode)

    @property
    def picture_url(self) -> str:
        return url_for("feed.picture", media_id=self.post.media_id)

    @property
    def description(self) -> str:
        """Text in place of the picture, for who cannot see it."""
        return self.post.alt_text or "A photo without a description"

    @property
    def duplicate_badge(self) -> str:
        """Empty, or what no post may ever say."""
        return {1: "", 2: "posted twice"}.get(self.copies, f"posted {self.copies} times")


def feed_blueprint(emulator: Emulator) -> Blueprint:
    """Return the pages over `emulator`."""
    pages = FeedPages(emulator)
    blueprint = Blueprint("feed", __name__, template_folder="templates")
    blueprint.add_url_rule("/", "index", pages.index)
    blueprint.add_url_rule("/feed/<ig_user_id>", "feed", pages.feed)
    blueprint.add_url_rule("/p/<shortcode>/", "permalink", pages.permalink)
    blueprint.add_url_rule("/_emulator/media/<media_id>.jpg", "picture", pages.picture)
    return blueprint


class FeedPages:
    """One method per page."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def index(self) -> Response:
        """The accounts, each with its newest pictures."""
        state = self._emulator.state
        with state.lock:
            profiles = [(account, _views(state, account)) for account in state.accounts.values()]
        return _page("index.html", profiles=profiles)

    def feed(self, ig_user_id: str) -> Response:
        """The account's profile and its grid, newest first."""
        state = self._emulator.state
        with state.lock:
            account = state.accounts.get(ig_user_id) or abort(404)
            views = _views(state, account)
        return _page("feed.html", account=account, views=views)

    def permalink(self, shortcode: str) -> Response:
        """One post."""
        state = self._emulator.state
        with state.lock:
            post = next((post for post in state.posts.values() if post.shortcode == shortcode), None) or abort(404)
            account = state.accounts[post.ig_user_id]
            view = next(view for view in _views(state, account) if view.post is post)
        return _page("post.html", account=account, view=view)

    def picture(self, media_id: str) -> Response:
        """The picture of a post, as JPEG."""
        state = self._emulator.state
        with state.lock:
            post = state.posts.get(media_id) or abort(404)
            jpeg = state.pictures[post.picture_sha256]
        return Response(jpeg, content_type="image/jpeg")


def _views(state: EmulatorState, account: Account) -> list[PostView]:
    posts = state.posts_of(account.ig_user_id)
    copies = Counter(post.picture_sha256 for post in posts)
    return [PostView(post, copies[post.picture_sha256]) for post in posts]


def _page(template: str, **context: object) -> Response:
    return Response(
        render_template(template, **context),
        content_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"},
    )
