"""The contract of AccountMedia and LivePictures, on our emulator of Instagram and on servers that misbehave."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from adapters.darkroom import ImagingDarkroom
from adapters.meta import CdnPictures, Credentials, GraphHosts, MetaAccountMedia, account_media
from contract.accounts import APP_SECRET, PROOF, TOKEN, VERSION, KnownCredentials, a_persona_of, open_account
from contract.servers import a_jpeg
from contract.test_secrets import chained
from domain.account_media import LiveMedia, PictureUnavailableError
from domain.faults import AccountFault, Defer, Fault, Retry
from domain.ids import MediaId
from domain.intake_ports import UnusablePhotoError
from domain.personas import Login
from domain.secret import Secret
from local.instagram import EmulatorServer
from local.instagram import Fault as Order

pytestmark = pytest.mark.usefixtures("aws_environment")

SOON = timedelta(seconds=10)
PERSONA = a_persona_of(Login.INSTAGRAM)
USER = PERSONA.instagram_user_id
SIGNATURE = "?oh=the-signature-that-nobody-may-see"


def the_media(emulator: EmulatorServer, login: Login = Login.INSTAGRAM) -> MetaAccountMedia:
    app_secret = Secret(APP_SECRET) if login is Login.FACEBOOK else None
    hosts = GraphHosts(emulator.instagram_url, emulator.facebook_url, VERSION)
    return MetaAccountMedia(hosts, KnownCredentials(Credentials(Secret(TOKEN), app_secret)))


@pytest.fixture
def media(emulator: EmulatorServer) -> MetaAccountMedia:
    open_account(emulator, Login.INSTAGRAM)
    return the_media(emulator)


# ---- the list ----


def test_an_account_without_media_has_one_empty_page(media: MetaAccountMedia) -> None:
    page = media.page(PERSONA, None, within=SOON)
    assert (page.media, page.after) == ([], None)


@pytest.mark.parametrize("login", Login)
def test_all_media_come_page_by_page_newest_first(emulator: EmulatorServer, login: Login) -> None:
    open_account(emulator, login)
    posts = [emulator.post_by_hand(USER) for _ in range(53)][::-1]
    media, persona = the_media(emulator, login), a_persona_of(login)
    pages, after = [], None
    while True:
        page = media.page(persona, after, within=SOON)
        pages.append(page)
        after = page.after
        if after is None:
            break
    listed = [one for page in pages for one in page.media]
    assert [one.media_id for one in listed] == [post.media_id for post in posts]
    assert [len(page.media) for page in pages] == [25, 25, 3]
    assert {len(one.addresses) for one in listed} == {1}
    assert listed[0].permalink is not None
    assert listed[0].published_at is not None
    # As the publisher does: in the header, and the next page by its cursor, not by an address that has the token.
    assert {call.token_in for call in emulator.calls("recent_media")} == {"header"}


def test_the_picture_of_a_media_is_fetched_without_the_token(emulator: EmulatorServer, media: MetaAccountMedia) -> None:
    emulator.post_by_hand(USER, jpeg=a_jpeg("teal"))
    (one,) = media.page(PERSONA, None, within=SOON).media
    (address,) = one.addresses
    assert address is not None
    assert CdnPictures().fetch(address, within=SOON) == a_jpeg("teal")
    assert TOKEN not in address
    assert address not in repr(one)


def answered(emulator: EmulatorServer, *entries: object, paging: object = None) -> None:
    body = {"data": list(entries)} | ({"paging": paging} if paging is not None else {})
    emulator.order_fault(Order.body("recent_media", json.dumps(body).encode()))


def test_an_album_has_the_pictures_of_its_parts_and_films_are_counted(
    emulator: EmulatorServer, media: MetaAccountMedia
) -> None:
    answered(
        emulator,
        {
            "id": "1",
            "media_type": "CAROUSEL_ALBUM",
            "media_url": "https://cdn.example/cover.jpg",
            "children": {
                "data": [
                    {"id": "2", "media_type": "IMAGE", "media_url": "https://cdn.example/2.jpg"},
                    {"id": "3", "media_type": "VIDEO", "media_url": "https://cdn.example/3.mp4"},
                    {"id": "4", "media_type": "IMAGE"},
                ]
            },
        },
        {"id": "5", "media_type": "VIDEO", "media_url": "https://cdn.example/5.mp4"},
        {"id": "6", "media_url": "https://cdn.example/6.jpg"},
        {"id": "7", "media_type": "CAROUSEL_ALBUM"},
    )
    assert media.page(PERSONA, None, within=SOON).media == [
        LiveMedia(MediaId("1"), ("https://cdn.example/2.jpg", None), others=1),
        LiveMedia(MediaId("5"), (), others=1),
        LiveMedia(MediaId("6"), ("https://cdn.example/6.jpg",)),
        LiveMedia(MediaId("7"), (None,)),
    ]


def test_the_emulator_takes_the_expansion_and_no_unknown_field_in_it(
    emulator: EmulatorServer, media: MetaAccountMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    media.page(PERSONA, None, within=SOON)
    emulator.post_by_hand(USER)
    monkeypatch.setattr(account_media, "_FIELDS", "id,children{id,nonsense}")
    with pytest.raises(Fault):
        media.page(PERSONA, None, within=SOON)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "1",
        [],
        {},
        {"id": 1},
        {"id": "../me"},
    ],
)
def test_an_entry_that_is_none_does_not_cost_the_others(
    emulator: EmulatorServer, media: MetaAccountMedia, entry: object
) -> None:
    answered(emulator, entry, {"id": "1", "media_url": "https://cdn.example/1.jpg"}, entry)
    assert [one.media_id for one in media.page(PERSONA, None, within=SOON).media] == ["1"]


@pytest.mark.parametrize("address", [None, 7, "", "x" * 5000, ["https://cdn.example/"], {"url": "x"}])
def test_a_picture_whose_address_is_none_has_none(
    emulator: EmulatorServer, media: MetaAccountMedia, address: object
) -> None:
    answered(emulator, {"id": "1", "media_url": address, "timestamp": "soon", "permalink": "javascript:x"})
    assert media.page(PERSONA, None, within=SOON).media == [LiveMedia(MediaId("1"), (None,))]


@pytest.mark.parametrize("paging", [None, {}, {"cursors": {"after": "x"}}, [], "x", {"next": ""}])
def test_without_a_next_page_the_list_ends(emulator: EmulatorServer, media: MetaAccountMedia, paging: object) -> None:
    answered(emulator, {"id": "1"}, paging=paging)
    assert media.page(PERSONA, None, within=SOON).after is None


@pytest.mark.parametrize("cursors", [None, {}, {"after": 7}, {"after": ""}, {"after": "x" * 2000}])
def test_a_next_page_without_its_cursor_is_not_followed_by_its_address(
    emulator: EmulatorServer, media: MetaAccountMedia, cursors: object
) -> None:
    answered(emulator, {"id": "1"}, paging={"cursors": cursors, "next": f"https://x.example/?access_token={TOKEN}"})
    with pytest.raises(Retry) as raised:
        media.page(PERSONA, None, within=SOON)
    assert TOKEN not in str(raised.value)


FAULTS: dict[str, tuple[Callable[[], Order], type[Fault]]] = {
    "the token has expired": (lambda: Order.error("recent_media", 190, 463), AccountFault),
    "a permission is missing": (lambda: Order.error("recent_media", 10), AccountFault),
    "throttled": (lambda: Order.error("recent_media", 4), Defer),
    "down": (lambda: Order.error("recent_media", 2, status=500), Retry),
    "an outage that blames the account": (lambda: Order.error("recent_media", 190, status=503), Retry),
    "HTML": (
        lambda: Order.body("recent_media", b"<html>", status=502, headers=[("Content-Type", "text/html")]),
        Retry,
    ),
    "HTML that says 200": (
        lambda: Order.body("recent_media", b"<html>", headers=[("Content-Type", "text/html")]),
        Retry,
    ),
    "no list": (lambda: Order.body("recent_media", b'{"data":{}}'), Retry),
    "10 MB": (lambda: Order.body("recent_media", b'{"data":"' + b"x" * 10_000_000 + b'"}'), Retry),
    "reset": (lambda: Order.reset("recent_media"), Retry),
    "moved": (
        lambda: Order.body("recent_media", b"{}", status=302, headers=[("Location", "http://127.0.0.1:1/")]),
        Retry,
    ),
}


@pytest.mark.parametrize(("order", "expected"), FAULTS.values(), ids=FAULTS)
def test_what_goes_wrong_is_the_publishers_fault_without_a_secret(
    emulator: EmulatorServer, order: Callable[[], Order], expected: type[Fault]
) -> None:
    for login in Login:
        open_account(emulator, login)
        emulator.order_fault(order())
        with pytest.raises(Fault) as raised:
            the_media(emulator, login).page(a_persona_of(login), None, within=SOON)
        assert type(raised.value) is expected
        for error in chained(raised.value):
            assert not [secret for secret in (TOKEN, APP_SECRET, PROOF) if secret in f"{error!r} {vars(error)}"]


# ---- the pictures ----


class Cdn:
    """Answers every request as it is told, and remembers with which headers it was asked."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 200, {"Content-Type": "image/jpeg"}, a_jpeg()
        self.asked: list[dict[str, str]] = []
        self.length: int | None = None
        cdn = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                cdn.asked.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(cdn.status)
                for name, value in cdn.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(cdn.length or len(cdn.body)))
                self.end_headers()
                self.wfile.write(cdn.body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/1.jpg{SIGNATURE}"


@pytest.fixture
def cdn() -> Iterator[Cdn]:
    cdn = Cdn()
    threading.Thread(target=cdn.server.serve_forever, args=(0.02,), daemon=True).start()
    yield cdn
    cdn.server.shutdown()
    cdn.server.server_close()


def refusal(address: str, within: timedelta = SOON) -> Exception:
    """What fetching this raises, nothing of which quotes the address."""
    with pytest.raises((Retry, PictureUnavailableError)) as raised:
        CdnPictures().fetch(address, within=within)
    for error in chained(raised.value):
        assert SIGNATURE not in f"{error!r} {vars(error)}"
    return raised.value


def test_nothing_of_ours_is_sent_along(cdn: Cdn, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w", encoding="ascii") as file:
        file.write("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", netrc)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    cdn.headers["Set-Cookie"] = "who=me"
    pictures = CdnPictures()
    assert pictures.fetch(cdn.address, within=SOON) == a_jpeg()
    assert {"authorization", "proxy-authorization"}.isdisjoint(cdn.asked[0])
    assert cdn.asked[0]["accept-encoding"] == "identity"


def test_a_redirect_is_not_followed_wherever_it_leads(cdn: Cdn) -> None:
    for target in ("http://127.0.0.1:1/", "file:///etc/passwd", cdn.address):
        cdn.status, cdn.headers, cdn.asked = 302, {"Location": target}, []
        assert isinstance(refusal(cdn.address), PictureUnavailableError)
        assert len(cdn.asked) == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, PictureUnavailableError), (403, PictureUnavailableError), (204, PictureUnavailableError)]
    + [(status, Retry) for status in (408, 429, 500, 503)],
)
def test_a_picture_that_is_not_there_is_told_from_one_that_may_come(
    cdn: Cdn, status: int, expected: type[Exception]
) -> None:
    cdn.status = status
    if status == 204:
        cdn.body = b""
    assert type(refusal(cdn.address)) is expected


def test_a_huge_picture_is_not_read_to_its_end(cdn: Cdn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_media, "LARGEST_PICTURE", 1_000_000)
    cdn.body = b"x" * 1_000_000
    assert len(CdnPictures().fetch(cdn.address, within=SOON)) == 1_000_000
    cdn.length = 10**12
    cdn.body = b"x" * 1_100_000
    assert isinstance(refusal(cdn.address), PictureUnavailableError)


def test_a_picture_that_breaks_off_or_does_not_come_may_come_later(cdn: Cdn) -> None:
    cdn.length = len(cdn.body) + 1000
    cdn.headers["Connection"] = "close"
    assert isinstance(refusal(cdn.address, timedelta(seconds=1)), Retry)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/{SIGNATURE}"
        assert isinstance(refusal(address, timedelta(seconds=1)), Retry)
    assert isinstance(refusal(address), Retry)  # nobody listens any more


def test_an_answer_that_drips_ends_in_time() -> None:
    over = threading.Event()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def drip() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-")
                for _ in range(300):  # 15 seconds, should nobody hang up
                    if over.wait(0.05):
                        break
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        begun = time.monotonic()
        try:
            failure = refusal(f"http://127.0.0.1:{server.getsockname()[1]}/{SIGNATURE}", timedelta(seconds=1))
        finally:
            over.set()
            thread.join()
    assert isinstance(failure, Retry)
    assert time.monotonic() - begun < 8


@pytest.mark.parametrize(
    "address",
    [
        "http://cdn.example/1.jpg",
        "http://10.0.0.1/1.jpg",
        "http://127.0.0.1.example/1.jpg",
        "ftp://127.0.0.1/1.jpg",
        "file:///etc/passwd",
        "data:image/jpeg;base64,AAAA",
        "/1.jpg",
        "",
        "https://",
        "https://me:secret@cdn.example/1.jpg",
        "https://[::1/1.jpg",
        "https://cdn.exämple/1.jpg",
    ],
)
def test_only_https_is_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_media, "ends_within", pytest.fail)
    assert isinstance(refusal(f"{address}{SIGNATURE}"), PictureUnavailableError)


@pytest.mark.parametrize(
    "address", ["https://cdn.example:x/", "https://" + "a" * 300 + ".example/", "https://.example/"]
)
def test_an_address_that_is_none_is_no_crash(address: str) -> None:
    refusal(f"{address}{SIGNATURE}")


@pytest.mark.parametrize("body", [b"", b"<html>", a_jpeg()[:200], b"GIF89a"], ids=["empty", "HTML", "cut off", "GIF"])
def test_what_is_no_picture_is_told_by_the_eye(cdn: Cdn, body: bytes) -> None:
    cdn.body = body
    source = CdnPictures().fetch(cdn.address, within=SOON)
    with pytest.raises(UnusablePhotoError):
        ImagingDarkroom().perceptual_hash(source)
