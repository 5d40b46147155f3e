"""The Instagram emulator over real HTTP, held to the contract that our adapter is written against."""

import inspect
import io
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from local.instagram import ContainerBehaviour, EmulatorControl, EmulatorServer, Fault, StartingAccount
from local.instagram.access import appsecret_proof
from local.instagram.emulator import Emulator

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
USER, TOKEN = "17841400000000001", "IGAA-first-token"
OTHER, OTHER_TOKEN = "17841400000000002", "IGAA-other-token"
DAY = 24 * 60 * 60
TIMEOUT = 5
Driver = EmulatorServer | EmulatorControl


def jpeg(width: int = 400, height: int = 500, colour: str = "teal") -> bytes:
    canvas = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(canvas, "JPEG")
    return canvas.getvalue()


class PhotoHost:
    """Serves pictures as S3 would, and badly where a path says so."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {
            "/photo.jpg": (200, {"Content-Type": "image/jpeg"}, jpeg()),
            "/other.jpg": (200, {"Content-Type": "image/jpeg"}, jpeg(colour="navy")),
            "/wide.jpg": (200, {"Content-Type": "image/jpeg"}, jpeg(1000, 400)),
            "/png.jpg": (200, {"Content-Type": "image/jpeg"}, b"\x89PNG\r\n\x1a\n"),
            "/html.jpg": (200, {"Content-Type": "text/html"}, b"<html>"),
            "/moved.jpg": (302, {"Location": "/photo.jpg"}, b""),
            "/denied.jpg": (403, {"Content-Type": "application/xml"}, b"<Error/>"),
            "/huge.jpg": (200, {"Content-Type": "image/jpeg"}, bytes(8 * 1024 * 1024 + 1)),
            "/cut.jpg": (200, {"Content-Type": "image/jpeg", "Content-Length": "90000"}, jpeg()),
        }
        self.gate = threading.Event()
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/gated.jpg":
                    host.gate.wait(TIMEOUT)
                    path = "/photo.jpg"
                status, headers, body = host.answers[path]
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()


class Client:
    """The calls of the contract, one method each."""

    def __init__(self, base_url: str, ig_user_id: str = USER, token: str = TOKEN) -> None:
        self.base_url = base_url
        self.ig_user_id = ig_user_id
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **query: str) -> requests.Response:
        url = f"{self.base_url}/v26.0/{path}"
        return requests.get(url, params=query, headers=self.headers, timeout=TIMEOUT)

    def post(self, path: str, **body: str) -> requests.Response:
        url = f"{self.base_url}/v26.0/{self.ig_user_id}/{path}"
        return requests.post(url, data=body, headers=self.headers, timeout=TIMEOUT)

    def create(self, image_url: str, **body: str) -> requests.Response:
        return self.post("media", image_url=image_url, **body)

    def publish(self, container_id: str) -> requests.Response:
        return self.post("media_publish", creation_id=container_id)

    def status(self, container_id: str) -> dict[str, Any]:
        answer = self.get(container_id, fields="status_code,status,id")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def recent(self, **query: str) -> dict[str, Any]:
        answer = self.get(f"{self.ig_user_id}/media", **query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def photos() -> Iterator[PhotoHost]:
    host = PhotoHost()
    yield host
    host.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    accounts = [StartingAccount(USER, TOKEN, username="fluffy.train"), StartingAccount(OTHER, OTHER_TOKEN)]
    with EmulatorServer(accounts=accounts, frozen_at=NOON) as server:
        yield server


@pytest.fixture
def emulator(server: EmulatorServer) -> EmulatorServer:
    server.reset()
    return server


@pytest.fixture(params=["in process", "control API"])
def driver(emulator: EmulatorServer, request: pytest.FixtureRequest) -> Driver:
    return emulator if request.param == "in process" else EmulatorControl(emulator.url)


@pytest.fixture
def client(emulator: EmulatorServer) -> Client:
    return Client(emulator.instagram_url)


@pytest.fixture
def finished(emulator: EmulatorServer, client: Client, photos: PhotoHost) -> Callable[..., str]:
    """Return a function that makes a container and lets it finish."""

    def make(photo: str = "/photo.jpg", **body: str) -> str:
        answer = client.create(photos.url + photo, **body)
        assert answer.status_code == 200, answer.text
        emulator.advance(1)
        return str(answer.json()["id"])

    return make


def numbers(answer: requests.Response) -> tuple[int, int, int | None]:
    error = answer.json()["error"]
    assert {"message", "type", "code", "fbtrace_id"} <= error.keys()
    return answer.status_code, error["code"], error.get("error_subcode")


# Containers


def test_a_container_becomes_a_live_post(client: Client, emulator: EmulatorServer, photos: PhotoHost) -> None:
    created = client.create(photos.url + "/photo.jpg?X-Amz-Signature=a&b", caption="Blue hour #sea", alt_text="A sea")
    assert created.json().keys() == {"id"}
    container_id = created.json()["id"]
    assert re.fullmatch(r"\d{17}", container_id)
    assert client.status(container_id)["status_code"] == "IN_PROGRESS"
    emulator.advance(1)
    status = client.status(container_id)
    assert status["status_code"] == "FINISHED"
    assert status["status"].startswith("Finished:")
    published = client.publish(container_id)
    assert published.json().keys() == {"id"}
    assert client.status(container_id)["status_code"] == "PUBLISHED"
    (post,) = emulator.live_posts(USER)
    assert (post.media_id, post.caption, post.alt_text) == (published.json()["id"], "Blue hour #sea", "A sea")
    (container,) = emulator.containers(USER)
    assert container.media_ids == (post.media_id,)
    assert post.container_id == container_id


def test_a_json_body_works_as_a_form_does(emulator: EmulatorServer, client: Client, photos: PhotoHost) -> None:
    url = f"{client.base_url}/v26.0/{USER}/media"
    body = {"image_url": photos.url + "/photo.jpg", "caption": "Über #alles"}
    assert requests.post(url, json=body, headers=client.headers, timeout=TIMEOUT).status_code == 200
    assert emulator.containers(USER)[0].caption == "Über #alles"


@pytest.mark.parametrize(
    ("photo", "expected"),
    [
        ("/moved.jpg", (400, 9004, 2207052)),
        ("/denied.jpg", (400, 9004, 2207052)),
        ("/html.jpg", (400, 9004, 2207052)),
        ("/cut.jpg", (400, 9004, 2207052)),
        ("/ünicode.jpg", (400, 9004, 2207052)),
        ("/huge.jpg", (400, 36000, 2207004)),
        ("/png.jpg", (400, 36001, 2207005)),
        ("/wide.jpg", (400, 36003, 2207009)),
    ],
)
def test_a_picture_that_cannot_be_posted_is_refused(
    client: Client, emulator: EmulatorServer, photos: PhotoHost, photo: str, expected: tuple[int, int, int]
) -> None:
    assert numbers(client.create(photos.url + photo)) == expected
    assert not emulator.containers(USER)


def test_a_photo_host_that_is_down_is_a_failed_fetch(client: Client) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/photo.jpg"
        assert numbers(client.create(url)) == (400, 9004, 2207052)


def test_a_photo_host_that_hangs_is_a_timeout(client: Client, emulator: EmulatorServer, photos: PhotoHost) -> None:
    emulator.configure(fetch_seconds=0.05)
    assert numbers(client.create(photos.url + "/gated.jpg")) == (400, -2, 2207003)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"caption": "x" * 2201}, (400, 36004, 2207010)),
        ({"caption": "@you " * 21}, (400, 100, 2207040)),
        ({"alt_text": "x" * 1001}, (400, 100, None)),
        ({"media_type": "IMAGE"}, (400, 100, 2207023)),
        ({"image_url": ""}, (400, 100, None)),
    ],
)
def test_a_bad_parameter_is_refused(
    client: Client, photos: PhotoHost, body: dict[str, str], expected: tuple[int, int, int | None]
) -> None:
    assert numbers(client.post("media", **{"image_url": photos.url + "/photo.jpg", **body})) == expected


def test_containers_are_limited_per_day(client: Client, emulator: EmulatorServer, photos: PhotoHost) -> None:
    emulator.configure(container_quota=2)
    assert [client.create(photos.url + "/photo.jpg").status_code for _ in range(3)] == [200, 200, 403]
    emulator.advance(DAY)
    assert client.create(photos.url + "/photo.jpg").status_code == 200


def test_other_calls_go_on_while_an_image_is_fetched(
    client: Client, emulator: EmulatorServer, photos: PhotoHost
) -> None:
    photos.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.create, photos.url + "/gated.jpg")
        assert client.get("me", fields="username").status_code == 200
        assert not slow.done()
        photos.gate.set()
        assert slow.result().status_code == 200


def test_processing_can_be_counted_in_polls(
    client: Client, emulator: EmulatorServer, finished: Callable[..., str]
) -> None:
    emulator.configure(processing_polls=2)
    container_id = finished()
    codes = [client.status(container_id)["status_code"] for _ in range(3)]
    assert codes == ["IN_PROGRESS", "IN_PROGRESS", "FINISHED"]


def test_a_container_expires_after_24_hours(
    client: Client, emulator: EmulatorServer, finished: Callable[..., str]
) -> None:
    container_id = finished()
    emulator.advance(DAY)
    assert client.status(container_id)["status_code"] == "EXPIRED"
    assert numbers(client.publish(container_id)) == (400, 24, 2207008)


@pytest.mark.parametrize(
    ("behaviour", "code", "refusal"),
    [
        ("stick", "IN_PROGRESS", (400, 9007, 2207027)),
        ("expire", "EXPIRED", (400, 24, 2207008)),
        ("fail", "ERROR", (400, 9007, 2207027)),
    ],
)
def test_a_container_can_be_told_to_misbehave(
    driver: Driver, client: Client, finished: Callable[..., str], behaviour: Any, code: str, refusal: tuple[int, ...]
) -> None:
    driver.order_container_behaviour(ContainerBehaviour(behaviour, subcode=2207053))
    container_id, next_one = finished(), finished()
    driver.advance(3600)
    status = client.status(container_id)
    assert status["status_code"] == code
    assert ("2207053" in status["status"]) == (code == "ERROR")
    assert numbers(client.publish(container_id)) == refusal
    assert client.status(next_one)["status_code"] == "FINISHED"


# Publishing


def test_publishing_before_it_is_finished_is_refused(
    client: Client, emulator: EmulatorServer, photos: PhotoHost
) -> None:
    container_id = client.create(photos.url + "/photo.jpg").json()["id"]
    answer = client.publish(container_id)
    assert numbers(answer) == (400, 9007, 2207027)
    assert answer.json()["error"]["message"] == "Media ID is not available"
    assert not emulator.live_posts(USER)


def test_a_second_publish_stacks_a_second_post(
    client: Client, emulator: EmulatorServer, finished: Callable[..., str]
) -> None:
    container_id = finished()
    ids = [client.publish(container_id).json()["id"] for _ in range(2)]
    assert [post.media_id for post in emulator.live_posts(USER)] == [ids[1], ids[0]]
    assert emulator.containers(USER)[0].media_ids == tuple(ids)


def test_a_second_publish_can_be_refused(driver: Driver, client: Client, finished: Callable[..., str]) -> None:
    driver.configure(second_publish="refuse")
    container_id = finished()
    assert client.publish(container_id).status_code == 200
    assert numbers(client.publish(container_id)) == (400, 24, 2207008)
    assert len(driver.live_posts(USER)) == 1


def test_simultaneous_publishes_each_make_a_post(
    client: Client, emulator: EmulatorServer, finished: Callable[..., str]
) -> None:
    container_id = finished()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.publish(container_id).json()["id"], range(8)))
    assert len(set(answers)) == 8 == len(emulator.live_posts(USER))


@pytest.mark.parametrize("creation_id", ["1", ""])
def test_an_unknown_container_cannot_be_published(client: Client, creation_id: str) -> None:
    assert numbers(client.publish(creation_id))[:2] == ((400, 24) if creation_id else (400, 100))


def test_a_container_of_another_account_cannot_be_seen_or_published(
    emulator: EmulatorServer, finished: Callable[..., str]
) -> None:
    container_id = finished()
    other = Client(emulator.instagram_url, OTHER, OTHER_TOKEN)
    assert numbers(other.publish(container_id)) == (400, 24, 2207008)
    assert numbers(other.get(container_id, fields="status_code")) == (400, 100, 33)


def test_the_quota_is_counted_over_24_hours_and_says_when_it_frees(
    client: Client, emulator: EmulatorServer, finished: Callable[..., str]
) -> None:
    emulator.add_account(USER, TOKEN, quota_total=1)
    limit = f"{USER}/content_publishing_limit"
    assert client.get(limit).json() == {"data": [{"quota_usage": 0}]}
    client.publish(finished())
    config = {"quota_total": 1, "quota_duration": 86400}
    assert client.get(limit, fields="config,quota_usage").json() == {"data": [{"config": config, "quota_usage": 1}]}
    emulator.advance(3600 - 1)
    refusal = client.publish(finished())
    assert numbers(refusal) == (403, 9, 2207042)
    (usage,) = json.loads(refusal.headers["X-Business-Use-Case-Usage"])[USER]
    assert usage["estimated_time_to_regain_access"] == 23 * 60
    emulator.advance(23 * 3600 - 1)
    assert client.publish(finished()).status_code == 200


# Reading


def test_recent_media_is_newest_first_and_pages_by_cursor(
    client: Client, emulator: EmulatorServer, finished: Callable[..., str]
) -> None:
    ids = [client.publish(finished(caption=f"Photo {number}")).json()["id"] for number in range(5)]
    fields = "id,caption,media_type,permalink,timestamp"
    first = client.recent(fields=fields, limit="2")
    assert [media["id"] for media in first["data"]] == [ids[4], ids[3]]
    assert first["data"][0] == {
        "id": ids[4],
        "caption": "Photo 4",
        "media_type": "IMAGE",
        "permalink": f"{emulator.url}/p/{emulator.live_posts(USER)[0].shortcode}/",
        "timestamp": "2026-11-22T12:00:05+0000",
    }
    assert TOKEN in first["paging"]["next"]
    second = requests.get(first["paging"]["next"], timeout=TIMEOUT).json()
    assert [media["id"] for media in second["data"]] == [ids[2], ids[1]]
    last = client.recent(fields="id", limit="2", after=second["paging"]["cursors"]["after"])
    assert [media["id"] for media in last["data"]] == [ids[0]]
    assert "next" not in last["paging"]
    assert client.recent(after=last["paging"]["cursors"]["after"]) == {"data": []}


def test_recent_media_can_lag_while_the_media_itself_can_be_read(
    driver: Driver, client: Client, finished: Callable[..., str]
) -> None:
    driver.configure(recent_media_lag_seconds=30)
    media_id = client.publish(finished()).json()["id"]
    assert client.recent()["data"] == []
    assert client.get(media_id, fields="id").status_code == 200
    driver.advance(30)
    assert client.recent()["data"] == [{"id": media_id}]


def test_one_media_has_a_permalink_and_a_caption_only_if_it_has_one(
    client: Client, finished: Callable[..., str]
) -> None:
    media_id = client.publish(finished()).json()["id"]
    media = client.get(media_id, fields="id,permalink,timestamp,media_type,caption").json()
    assert media.keys() == {"id", "permalink", "timestamp", "media_type"}
    assert requests.get(media["permalink"], timeout=TIMEOUT).status_code == 200


@pytest.mark.parametrize("path", ["me", f"{USER}/media", f"{USER}/content_publishing_limit", "{container}", "{media}"])
def test_an_unknown_field_is_refused(client: Client, finished: Callable[..., str], path: str) -> None:
    container_id = finished()
    media_id = client.publish(container_id).json()["id"]
    answer = client.get(path.format(container=container_id, media=media_id), fields="id,nonsense")
    assert numbers(answer) == (400, 100, None)


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "x"}, {"after": "x"}, {"after": "bWVkaWE6MQ=="}])
def test_bad_paging_is_refused(client: Client, query: dict[str, str]) -> None:
    assert numbers(client.get(f"{USER}/media", **query)) == (400, 100, None)


def test_me_is_flat_or_a_list_and_its_user_id_is_the_one_to_publish_with(driver: Driver, client: Client) -> None:
    asked = "user_id,username,account_type"
    flat = client.get("me", fields=asked).json()
    assert (flat["user_id"], flat["username"], flat["account_type"]) == (USER, "fluffy.train", "BUSINESS")
    assert flat["id"] != USER
    driver.configure(me_shape="data")
    assert client.get("me", fields=asked).json() == {"data": [flat]}
    assert client.get(USER, fields="username").json() == {"username": "fluffy.train", "id": USER}


def test_me_on_the_facebook_host_is_a_person(emulator: EmulatorServer) -> None:
    facebook = Client(emulator.facebook_url)
    assert facebook.get("me").json().keys() == {"id", "name"}
    assert numbers(facebook.get("me", fields="user_id")) == (400, 100, None)


# Who may call


def test_the_token_may_stand_in_header_query_or_body_and_the_record_says_where(
    emulator: EmulatorServer, photos: PhotoHost
) -> None:
    me, media = f"{emulator.instagram_url}/v26.0/me", f"{emulator.instagram_url}/v26.0/{USER}/media"
    body = {"access_token": TOKEN, "image_url": photos.url + "/photo.jpg"}
    assert requests.get(me, params={"access_token": TOKEN}, timeout=TIMEOUT).status_code == 200
    assert requests.post(media, data=body, timeout=TIMEOUT).status_code == 200
    assert Client(emulator.instagram_url).get("me").status_code == 200
    assert [call.token_in for call in emulator.calls()] == ["query", "body", "header"]


def test_no_record_holds_a_token(driver: Driver, emulator: EmulatorServer) -> None:
    url = f"{emulator.facebook_url}/v26.0/oauth/access_token"
    query = {"client_id": "1", "client_secret": "app-secret", "fb_exchange_token": TOKEN, "appsecret_proof": "proof"}
    requests.get(url, params=query, timeout=TIMEOUT)
    requests.get(f"{emulator.instagram_url}/v26.0/me", params={"access_token": TOKEN}, timeout=TIMEOUT)
    state = requests.get(f"{emulator.url}/_emulator/state", timeout=TIMEOUT).text
    told = repr(driver.calls()) + repr(driver.accounts()) + state
    assert not [secret for secret in (TOKEN, "app-secret", "'proof'") if secret in told]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_a_missing_or_wrong_token_is_refused(emulator: EmulatorServer, header: dict[str, str]) -> None:
    answer = requests.get(f"{emulator.instagram_url}/v26.0/me", headers=header, timeout=TIMEOUT)
    assert numbers(answer) == (400, 190, None)


def test_an_expired_token_says_so(driver: Driver, client: Client) -> None:
    driver.add_account(USER, TOKEN, token_age_seconds=0, token_lifetime_seconds=3600)
    assert client.get("me").status_code == 200
    driver.advance(3600)
    assert numbers(client.get("me")) == (400, 190, 463)


def test_a_token_works_only_on_the_host_of_its_login(emulator: EmulatorServer) -> None:
    emulator.add_account(USER, TOKEN, login="facebook")
    assert Client(emulator.facebook_url).get("me").status_code == 200
    assert numbers(Client(emulator.instagram_url).get("me")) == (400, 190, None)


def test_another_accounts_id_is_not_found(client: Client, photos: PhotoHost) -> None:
    client.ig_user_id = OTHER
    assert numbers(client.create(photos.url + "/photo.jpg")) == (400, 100, 33)
    assert numbers(client.get(f"{OTHER}/media")) == (400, 100, 33)
    assert numbers(client.get("17900000000000000", fields="id")) == (400, 100, 33)


@pytest.mark.parametrize("path", ["v1.0/me", "me", f"{USER}/media", "v26.0", "", "v26.0/me/accounts/1"])
def test_an_unknown_or_missing_version_is_refused(client: Client, path: str) -> None:
    answer = requests.get(f"{client.base_url}/{path}", headers=client.headers, timeout=TIMEOUT)
    assert numbers(answer) == (400, 2500, None)


def test_the_facebook_host_wants_the_app_secret_proved(driver: Driver, emulator: EmulatorServer) -> None:
    driver.add_account(USER, TOKEN, app_secret="app-secret")
    facebook = Client(emulator.facebook_url)
    assert numbers(facebook.get("me")) == (400, 100, None)
    assert numbers(facebook.get("me", appsecret_proof="00")) == (400, 100, None)
    assert facebook.get("me", appsecret_proof=appsecret_proof("app-secret", TOKEN)).status_code == 200
    assert Client(emulator.instagram_url).get("me").status_code == 200


def refresh(emulator: EmulatorServer, token: str = TOKEN) -> requests.Response:
    query = {"grant_type": "ig_refresh_token", "access_token": token}
    return requests.get(f"{emulator.instagram_url}/refresh_access_token", params=query, timeout=TIMEOUT)


def test_refreshing_gives_60_more_days_and_a_new_token(emulator: EmulatorServer) -> None:
    answer = refresh(emulator).json()
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 60 * DAY)
    assert answer["access_token"] != TOKEN
    assert Client(emulator.instagram_url, token=TOKEN).get("me").status_code == 200
    emulator.advance(59 * DAY)
    assert numbers(Client(emulator.instagram_url, token=TOKEN).get("me")) == (400, 190, 463)
    assert Client(emulator.instagram_url, token=answer["access_token"]).get("me").status_code == 200


def test_a_refresh_can_revoke_the_old_token(emulator: EmulatorServer) -> None:
    emulator.configure(refresh_revokes_old_token=True)
    assert refresh(emulator).status_code == 200
    assert numbers(Client(emulator.instagram_url).get("me")) == (400, 190, 463)


def test_a_token_is_refreshed_only_between_24_hours_and_its_end(emulator: EmulatorServer) -> None:
    emulator.add_account(USER, TOKEN, token_age_seconds=0)
    assert numbers(refresh(emulator)) == (400, 100, None)
    emulator.advance(DAY)
    assert refresh(emulator).status_code == 200
    emulator.advance(60 * DAY)
    assert numbers(refresh(emulator)) == (400, 190, 463)
    assert numbers(refresh(emulator, "wrong")) == (400, 190, None)


def test_facebook_exchanges_a_token_given_the_apps_secret(emulator: EmulatorServer) -> None:
    emulator.add_account(USER, TOKEN, login="facebook", app_id="99", app_secret="app-secret")
    url = f"{emulator.facebook_url}/v26.0/oauth/access_token"
    query = {
        "grant_type": "fb_exchange_token",
        "client_id": "99",
        "client_secret": "app-secret",
        "fb_exchange_token": TOKEN,
    }
    answer = requests.get(url, params=query, timeout=TIMEOUT).json()
    assert answer.keys() == {"access_token", "token_type", "expires_in"}
    for wrong in ({"client_id": "98"}, {"client_secret": "guess"}, {"client_id": ""}):
        assert numbers(requests.get(url, params={**query, **wrong}, timeout=TIMEOUT)) == (400, 101, None)


# Faults


def test_an_ordered_error_before_the_effect_leaves_nothing_behind(
    driver: Driver, client: Client, finished: Callable[..., str]
) -> None:
    container_id = finished()
    driver.order_fault(Fault.error("media_publish", 2, status=500, is_transient=True))
    answer = client.publish(container_id)
    assert numbers(answer) == (500, 2, None)
    assert answer.json()["error"]["is_transient"] is True
    assert not driver.live_posts(USER)
    assert client.publish(container_id).status_code == 200


def test_an_ordered_error_after_the_effect_hides_a_live_post(
    driver: Driver, client: Client, finished: Callable[..., str]
) -> None:
    container_id = finished()
    driver.order_fault(Fault.error("media_publish", 4, 2207051, when="after", is_transient=None))
    answer = client.publish(container_id)
    assert numbers(answer) == (400, 4, 2207051)
    assert "is_transient" not in answer.json()["error"]
    assert len(driver.live_posts(USER)) == 1
    assert client.status(container_id)["status_code"] == "PUBLISHED"


def test_a_throttled_answer_says_when_calls_are_allowed_again(driver: Driver, client: Client) -> None:
    driver.order_fault(Fault.error("me", 80002, status=403, regain_minutes=17))
    answer = client.get("me")
    assert numbers(answer) == (403, 80002, None)
    assert json.loads(answer.headers["X-App-Usage"])["call_count"] == 100
    (usage,) = json.loads(answer.headers["X-Business-Use-Case-Usage"])[USER]
    assert usage["type"] == "instagram"
    assert usage["estimated_time_to_regain_access"] == 17
    calm = json.loads(client.get("me").headers["X-Business-Use-Case-Usage"])[USER][0]
    assert calm["estimated_time_to_regain_access"] == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (Fault.reset, "ConnectionResetError"),
        (Fault.close, "RemoteDisconnected"),
        (lambda call, **aim: Fault.timeout(call, 0.01, **aim), "RemoteDisconnected"),
        (Fault.truncate, "IncompleteRead"),
    ],
    ids=["reset", "close", "timeout", "truncate"],
)
def test_an_answer_can_be_lost_before_or_after_the_effect(
    driver: Driver, client: Client, finished: Callable[..., str], fault: Callable[..., Fault], seen: str, when: str
) -> None:
    container_id = finished()
    driver.order_fault(fault("media_publish", when=when))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError), match=seen):
        client.publish(container_id)
    assert len(driver.live_posts(USER)) == (when == "after")
    (call,) = driver.calls("media_publish")
    assert call.fault is not None
    assert call.fault.endswith(when)


def test_a_call_that_hangs_outlasts_the_clients_patience_and_ends_with_the_server(photos: PhotoHost) -> None:
    with EmulatorServer(accounts=[StartingAccount(USER, TOKEN)]) as emulator:
        emulator.order_fault(Fault.timeout("me", 3600))
        url = f"{emulator.instagram_url}/v26.0/me"
        with pytest.raises(requests.ReadTimeout):
            requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=0.05)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=TIMEOUT)


def test_an_answer_can_drip(driver: Driver, client: Client, finished: Callable[..., str]) -> None:
    container_id = finished()
    driver.order_fault(Fault.slow("media_publish", 0.001, when="after"))
    driver.order_fault(Fault.slow("media_publish", 3600, when="after"))
    assert client.publish(container_id).json()["id"] == driver.live_posts(USER)[0].media_id
    url = f"{client.base_url}/v26.0/{USER}/media_publish"
    with pytest.raises(requests.ConnectionError, match="timed out"):
        requests.post(url, data={"creation_id": container_id}, headers=client.headers, timeout=0.05)
    assert len(driver.live_posts(USER)) == 2


@pytest.mark.parametrize(
    ("payload", "status", "headers"),
    [
        (b"", 500, []),
        (b"<html>Bad gateway</html>", 502, [("Content-Type", "text/html")]),
        (b'{"id": ', 200, [("Content-Type", "application/json")]),
        (b'{"id": "\xff\xfe"}', 200, [("Content-Type", "application/json")]),
        (b'{"id": "' + b"1" * 10_000_000 + b'"}', 200, [("Content-Type", "application/json")]),
        (b"{}", 200, [("Content-Type", "application/json")]),
        (b'{"id": 17920238422030506}', 200, [("Content-Type", "application/json"), ("X-Odd", "1")]),
    ],
    ids=["empty 500", "HTML", "cut JSON", "not UTF-8", "10 MB", "without id", "id is a number"],
)
def test_an_answer_can_be_any_bytes(
    driver: Driver, client: Client, payload: bytes, status: int, headers: list[tuple[str, str]]
) -> None:
    driver.order_fault(Fault.body("me", payload, status=status, headers=headers))
    answer = client.get("me")
    assert (answer.status_code, answer.content) == (status, payload)
    assert dict(headers).items() <= dict(answer.headers).items()


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("create_container", lambda client, _: client.create("http://127.0.0.1:1/x.jpg")),
        ("container_status", lambda client, ids: client.get(ids[0], fields="status_code")),
        ("media_publish", lambda client, ids: client.publish(ids[0])),
        ("recent_media", lambda client, _: client.get(f"{USER}/media")),
        ("get_media", lambda client, ids: client.get(ids[1])),
        ("quota", lambda client, _: client.get(f"{USER}/content_publishing_limit")),
        ("me", lambda client, _: client.get("me")),
        (
            "refresh",
            lambda client, _: requests.get(
                f"{client.base_url}/refresh_access_token",
                params={"grant_type": "ig_refresh_token", "access_token": TOKEN},
                timeout=TIMEOUT,
            ),
        ),
    ],
)
def test_every_call_can_fail_by_its_name_for_one_account(
    driver: Driver,
    client: Client,
    finished: Callable[..., str],
    name: Any,
    call: Callable[[Client, tuple[str, str]], requests.Response],
) -> None:
    container_id = finished()
    media_id = client.publish(container_id).json()["id"]
    driver.order_fault(Fault.error(name, 1, status=500, ig_user_id=OTHER))
    driver.order_fault(Fault.error(name, 2, status=503, ig_user_id=USER))
    assert numbers(call(client, (container_id, media_id))) == (503, 2, None)
    assert [fault.ig_user_id for fault in driver.pending_faults()] == [OTHER]
    assert driver.calls(name, USER)[-1].status == 503
    driver.clear_faults()
    assert not driver.pending_faults()


def test_random_faults_are_the_same_for_a_seed(driver: Driver, client: Client) -> None:
    choices = [(2.0, Fault.error("*", 1, status=500)), (1.0, Fault.body("me", b"", status=502))]

    def statuses() -> list[int]:
        driver.reset()
        driver.order_random_faults(7, 0.5, choices)
        return [client.get("me").status_code for _ in range(20)]

    first = statuses()
    assert set(first) == {200, 500, 502}
    assert statuses() == first


# Driving it


def test_a_reset_leaves_only_the_accounts_of_the_start(
    driver: Driver, client: Client, finished: Callable[..., str]
) -> None:
    client.publish(finished())
    driver.add_account("17841400000000003", "third")
    driver.order_fault(Fault.reset("*", times=None))
    driver.configure(second_publish="refuse")
    driver.advance(DAY)
    driver.reset()
    assert [account.ig_user_id for account in driver.accounts()] == [USER, OTHER]
    assert not driver.live_posts(USER) + driver.containers(USER) + driver.calls() + driver.pending_faults()
    assert driver.configure().second_publish == "stack"
    assert driver.now() == NOON


def test_an_account_that_is_added_again_keeps_its_posts_but_not_its_token(
    driver: Driver, client: Client, finished: Callable[..., str]
) -> None:
    client.publish(finished())
    driver.add_account(USER, "new-token", username="renamed")
    assert numbers(client.get("me")) == (400, 190, None)
    client.headers = {"Authorization": "Bearer new-token"}
    assert client.get("me", fields="username,media_count").json()["media_count"] == 1


def test_a_post_made_by_hand_is_live_without_a_container(driver: Driver, client: Client) -> None:
    post = driver.post_by_hand(USER, "Same words")
    assert driver.live_posts(USER) == (post,)
    assert post.container_id == ""
    assert client.recent(fields="caption")["data"] == [{"caption": "Same words", "id": post.media_id}]
    assert client.get(f"{USER}/content_publishing_limit").json() == {"data": [{"quota_usage": 0}]}


def test_a_picture_of_ones_own_is_posted_by_hand_and_shown(driver: Driver, client: Client) -> None:
    canvas = io.BytesIO()
    Image.new("RGB", (400, 500), "teal").save(canvas, "JPEG")
    post = driver.post_by_hand(USER, jpeg=canvas.getvalue())
    (shown,) = client.recent(fields="media_url,children{id,media_type}")["data"]
    assert requests.get(shown["media_url"], timeout=TIMEOUT).content == canvas.getvalue()
    assert shown["id"] == post.media_id
    with pytest.raises(ValueError, match="does not take the picture"):
        driver.post_by_hand(USER, jpeg=b"no picture")
    assert driver.live_posts(USER) == (post,)


def test_the_clock_can_be_frozen_and_moved(driver: Driver) -> None:
    assert driver.advance(90) == NOON + timedelta(seconds=90)
    later = NOON + timedelta(days=3)
    assert driver.freeze(later) == later == driver.now()


def test_both_ways_of_driving_see_the_same(
    emulator: EmulatorServer, client: Client, finished: Callable[..., str]
) -> None:
    client.publish(finished(caption="Once"))
    finished()
    control = EmulatorControl(emulator.url)
    assert control.live_posts(USER) == emulator.live_posts(USER)
    assert control.containers(USER) == emulator.containers(USER)
    assert control.calls() == emulator.calls()
    assert control.configure(processing_polls=3) == emulator.configure()


def test_the_control_client_has_every_operation_with_the_same_arguments() -> None:
    operations = {name: each for name, each in vars(Emulator).items() if inspect.isfunction(each) and name[0] != "_"}
    offered = {name: each for name, each in vars(EmulatorControl).items() if name in operations}
    assert {name: inspect.signature(each) for name, each in offered.items()} == {
        name: inspect.signature(each) for name, each in operations.items()
    }


def test_the_control_api_refuses_what_it_does_not_understand(emulator: EmulatorServer) -> None:
    control = EmulatorControl(emulator.url)
    with pytest.raises(ValueError, match="no such setting: nonsense"):
        control.configure(nonsense=1)
    with pytest.raises(ValueError, match="forward"):
        control.advance(-1)
    for path in ("accounts", "faults", "random-faults", "container-behaviours", "posts"):
        answer = requests.post(f"{emulator.url}/_emulator/{path}", json={"nonsense": 1}, timeout=TIMEOUT)
        assert answer.status_code == 400, path
        assert answer.json()["error"]


def test_it_runs_as_a_process_of_its_own(photos: PhotoHost) -> None:
    command = [sys.executable, "-m", "local.instagram", "--account", f"{USER}:{TOKEN}:app-secret:fluffy.train"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        control = EmulatorControl(process.stdout.readline().strip())
        client = Client(control.instagram_url)
        container_id = client.create(photos.url + "/photo.jpg").json()["id"]
        control.advance(1)
        assert client.publish(container_id).status_code == 200
        assert [account.username for account in control.accounts()] == ["fluffy.train"]
        assert len(control.live_posts(USER)) == 1
        process.terminate()
        said, complained = process.communicate(timeout=TIMEOUT)
    assert TOKEN not in said + complained
    assert not complained


# The pages


def page(emulator: EmulatorServer, path: str) -> str:
    answer = requests.get(emulator.url + path, timeout=TIMEOUT)
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    return answer.text


def test_the_feed_shows_what_is_live_newest_first(
    emulator: EmulatorServer, client: Client, finished: Callable[..., str]
) -> None:
    client.publish(finished(caption="First", alt_text='A "quoted" sea'))
    client.publish(finished("/other.jpg", caption="<script>alert(1)</script>"))
    html = page(emulator, f"/feed/{USER}")
    assert html.index("&lt;script&gt;") < html.index("First")
    assert "<script" not in html
    assert 'alt="A &#34;quoted&#34; sea"' in html
    assert "fluffy.train" in html
    assert "<strong>2</strong> posts" in html
    assert "posted twice" not in html
    for post in emulator.live_posts(USER):
        assert f'href="/p/{post.shortcode}/"' in html
        picture = requests.get(f"{emulator.url}/_emulator/media/{post.media_id}.jpg", timeout=TIMEOUT)
        assert picture.headers["Content-Type"] == "image/jpeg"
        assert Image.open(io.BytesIO(picture.content)).format == "JPEG"


def test_the_feed_marks_a_photo_that_was_posted_twice(
    emulator: EmulatorServer, client: Client, finished: Callable[..., str]
) -> None:
    container_id = finished()
    client.publish(container_id)
    client.publish(container_id)
    client.publish(finished("/other.jpg"))
    html = page(emulator, f"/feed/{USER}")
    assert html.count('<span class="badge">posted twice</span>') == 2
    assert "photo posted more than once" in html
    client.publish(finished("/photo.jpg", caption="Again, from a container of its own"))
    assert page(emulator, f"/feed/{USER}").count('<span class="badge">posted 3 times</span>') == 3


def test_a_permalink_shows_picture_caption_and_time(
    emulator: EmulatorServer, client: Client, finished: Callable[..., str]
) -> None:
    client.publish(finished(caption="Two\nlines", alt_text="A sea"))
    (post,) = emulator.live_posts(USER)
    html = page(emulator, f"/p/{post.shortcode}/")
    assert "Two\nlines" in html
    assert "A sea" in html
    assert "22 November 2026, 12:00:01 UTC" in html


def test_the_pages_load_nothing_from_elsewhere(emulator: EmulatorServer) -> None:
    post = emulator.post_by_hand(USER, "By hand")
    for path in ("/", f"/feed/{USER}", f"/feed/{OTHER}", f"/p/{post.shortcode}/"):
        assert not re.findall(r"(?:https?:)?//[\w.]+", page(emulator, path)), path


@pytest.mark.parametrize("path", ["/feed/1", "/p/none/", "/_emulator/media/1.jpg"])
def test_a_page_that_is_not_there_is_not_found(emulator: EmulatorServer, path: str) -> None:
    assert requests.get(emulator.url + path, timeout=TIMEOUT).status_code == 404
