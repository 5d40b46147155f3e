"""The contact sheet: what anybody wrote stays text, pictures stay small, and a long sheet takes no more memory."""

import base64
import io
import tracemalloc
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from adapters.imaging import UnusableImageError
from cli.contact_sheet import Card, Group, Sheet, html_of, thumbnail, write_sheet

PIXEL = b"\xff\xd8 a thumbnail \xff\xd9"

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title></head><body onload=alert(1)>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "<!-- ",
    "]]><svg/onload=alert(1)>",
    "{title} %s ${1} {0}",
    "line\nbreak\x00\x1b[2J\ud800",
    "\u202eevil",
]


class Page(HTMLParser):
    """What a browser makes of it: elements with their attributes, and the text between them."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.others: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    unknown_decl = handle_pi = handle_comment

    @property
    def shape(self) -> list[tuple[str, frozenset[str]]]:
        return [(tag, frozenset(attributes)) for tag, attributes in self.elements]

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [attributes[name] for each, attributes in self.elements if each == tag and name in attributes]


def page(sheet: Sheet) -> Page:
    return Page("".join(html_of(sheet)))


def a_sheet(text: str, link: str | None = "https://www.instagram.com/p/1/", jpeg: bytes | None = PIXEL) -> Sheet:
    """A sheet that has the text wherever one can be."""
    return Sheet(text, text, [Group(text, text, [Card(jpeg, text, [text, text], link, text)])])


PLAIN = page(a_sheet("plain"))


def a_jpeg(width: int, height: int) -> bytes:
    canvas = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(canvas, "JPEG")
    return canvas.getvalue()


# ---- Text stays text ----


@pytest.mark.parametrize("text", NASTY)
def test_nothing_that_anybody_wrote_becomes_markup(text: str) -> None:
    shown = page(a_sheet(text))
    assert shown.shape == PLAIN.shape
    assert shown.others == []
    assert all("script" not in tag for tag, _ in shown.elements)


@given(st.text(st.sampled_from("<>&\"'=/ \n`{}%ab;#x0") | st.characters(), min_size=1, max_size=40))
def test_any_text_leaves_the_page_as_it_is(text: str) -> None:
    # A badge or note of nothing is left out, and so is not the same page.
    shown = page(a_sheet(f"x{text}"))
    assert shown.shape == PLAIN.shape
    assert shown.others == []


def test_a_caption_is_shown_as_it_was_written_in_one_line() -> None:
    shown = page(a_sheet('Tom & "Jerry" <3\nat 5 o\'clock'))
    assert shown.texts.count('Tom & "Jerry" <3 at 5 o\'clock') == 9


def test_what_no_file_can_hold_or_would_move_a_terminal_is_replaced() -> None:
    markup = "".join(html_of(a_sheet("a\x00b\ud800c\x1b")))
    assert "a\ufffdb\ufffdc\ufffd" in markup
    markup.encode("utf-8")


# ---- Links ----


@pytest.mark.parametrize(
    "link",
    [
        "https://www.instagram.com/p/C1/",
        "http://127.0.0.1:8080/p/1?a=1&amp=%22#x",
        "HTTPS://instagram.com/p/1/",
        """https://instagram.com/"onclick="alert(1)'><b>""",
    ],
)
def test_an_address_on_the_web_is_linked_as_it_is_and_learns_nothing_of_the_sheet(link: str) -> None:
    shown = page(a_sheet("x", link))
    assert shown.shape == PLAIN.shape
    assert shown.attributes("a", "href") == [link]
    assert shown.attributes("a", "rel") == ["noopener noreferrer"]


@pytest.mark.parametrize(
    "link",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "//instagram.com/p/1",
        "/p/1",
        "https:",
        "https:///p/1",
        "https://[::1",
        "https://instagram.com/a b",
        "https://instagram.com/\nx",
        "https://ınstagram.com/p/1",
    ],
)
def test_anything_else_is_not_linked_and_its_card_is_shown(link: str | None) -> None:
    shown = page(a_sheet("the card", link))
    assert shown.attributes("a", "href") == []
    assert "the card" in shown.texts


@given(st.text(max_size=30) | st.text(max_size=30).map(lambda text: f"https://host/{text}"))
def test_whatever_a_link_is_only_an_address_on_the_web_is_linked(link: str) -> None:
    shown = page(a_sheet("x", link))
    assert all(str(href).lower().startswith(("http://", "https://")) for href in shown.attributes("a", "href"))
    assert set(shown.shape) <= set(PLAIN.shape)


# ---- The page ----


def test_the_page_needs_nothing_beside_it_and_asks_nobody() -> None:
    markup = "".join(html_of(a_sheet("x", link=None)))
    assert "http:" not in markup
    assert "https:" not in markup
    assert "url(" not in markup
    assert "@import" not in markup
    shown = Page(markup)
    assert {tag for tag, _ in shown.elements}.isdisjoint({"script", "link", "iframe", "object", "form", "base"})
    assert all(str(source).startswith("data:image/jpeg;base64,") for source in shown.attributes("img", "src"))
    assert any("default-src 'none'" in str(content) for content in shown.attributes("meta", "content"))


def test_the_page_suits_a_phone_and_the_dark() -> None:
    markup = "".join(html_of(a_sheet("x")))
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in markup
    assert "@media (prefers-color-scheme: dark)" in markup
    assert "object-fit: contain" in markup, "a picture keeps its ratio"


def test_the_thumbnail_is_in_the_page_itself() -> None:
    (source,) = page(a_sheet("x")).attributes("img", "src")
    assert base64.b64decode(str(source).partition(",")[2]) == PIXEL


def test_a_picture_whose_file_is_missing_leaves_a_place_that_says_so() -> None:
    shown = page(a_sheet("x", jpeg=None))
    assert shown.attributes("img", "src") == []
    assert "no picture" in shown.texts


def test_groups_and_cards_come_in_their_order() -> None:
    groups = [Group(name, None, [Card(None, f"{name}{number}") for number in range(2)]) for name in "ba"]
    texts = [text for text in page(Sheet("s", "t", groups)).texts if text in {"a", "a0", "a1", "b", "b0", "b1"}]
    assert texts == ["b", "b0", "b1", "a", "a0", "a1"]


def test_a_sheet_of_nothing_says_so() -> None:
    assert "There is nothing to show." in page(Sheet("s", "t", [])).texts


# ---- Memory, and the file ----


def test_a_card_is_asked_for_when_it_is_written() -> None:
    asked: list[int] = []

    def cards() -> Iterator[Card]:
        for number in range(3):
            asked.append(number)
            yield Card(None, str(number))

    pieces = html_of(Sheet("s", "t", [Group("g", None, cards())]))
    while "<li>" not in next(pieces):
        pass
    assert asked == [0]


def test_a_sheet_of_thousands_takes_no_more_memory_than_a_few_cards(tmp_path: Path) -> None:
    cards = (Card(bytes(20_000), f"photo {number}") for number in range(2_000))
    tracemalloc.start()
    write_sheet(Sheet("s", "t", [Group("g", None, cards)]), tmp_path / "sheet.html")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "sheet.html").stat().st_size > 50_000_000
    assert peak < 1_000_000


def test_a_sheet_that_breaks_off_leaves_the_one_before(tmp_path: Path) -> None:
    def cards() -> Iterator[Card]:
        yield Card(None, "one")
        raise OSError("the bucket went away")

    path = tmp_path / "sheet.html"
    write_sheet(a_sheet("before"), path)
    with pytest.raises(OSError, match="the bucket"):
        write_sheet(Sheet("s", "t", [Group("g", None, cards())]), path)
    assert "before" in path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]


# ---- Thumbnails ----


@pytest.mark.parametrize(
    ("size", "small"),
    [((1440, 1800), (256, 320)), ((1440, 754), (320, 168)), ((320, 320), (320, 320)), ((90, 60), (90, 60))],
)
def test_a_thumbnail_keeps_the_ratio_and_is_never_enlarged(size: tuple[int, int], small: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(thumbnail(a_jpeg(*size)))) as picture:
        assert (picture.format, picture.size) == ("JPEG", small)


def test_a_thumbnail_is_as_small_as_asked_for() -> None:
    with Image.open(io.BytesIO(thumbnail(a_jpeg(1000, 1000), px=64))) as picture:
        assert picture.size == (64, 64)


def test_a_thumbnail_is_upright_and_bare() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° to see it upright
    canvas = io.BytesIO()
    Image.new("RGB", (800, 400), "teal").save(canvas, "JPEG", exif=exif, comment=b"Anna")
    with Image.open(io.BytesIO(thumbnail(canvas.getvalue()))) as picture:
        assert picture.size == (160, 320)
        assert {"exif", "comment"} & picture.info.keys() == set()


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_thumbnail_of_any_jpeg_is_in_rgb(mode: str) -> None:
    canvas = io.BytesIO()
    Image.new(mode, (400, 400)).save(canvas, "JPEG")
    with Image.open(io.BytesIO(thumbnail(canvas.getvalue()))) as picture:
        assert picture.mode == "RGB"


@pytest.mark.parametrize("jpeg", [b"", b"no picture", a_jpeg(600, 600)[:700]])
def test_what_is_no_jpeg_has_no_thumbnail(jpeg: bytes) -> None:
    with pytest.raises(UnusableImageError, match="Import it again"):
        thumbnail(jpeg)
