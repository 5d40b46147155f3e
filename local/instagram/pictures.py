"""Fetches the image of a container as Meta's servers do, and checks it against Instagram's limits."""

import hashlib
import io
import time
from dataclasses import dataclass, field

import requests
from PIL import Image

from local.instagram import errors

MAX_BYTES = 8 * 1024 * 1024
MIN_WIDTH, MAX_WIDTH = 320, 1440
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Picture:
    """A checked JPEG: the bytes to show, scaled to 320 to 1440 pixels wide, and the SHA-256 of those fetched."""

    jpeg: bytes = field(repr=False)
    sha256: str


def fetch_picture(url: str, seconds: float) -> Picture:
    """Fetch and check the image at `url`, within `seconds` of real time. Raises GraphError if it cannot be posted."""
    return check_picture(_download(url, seconds))


def check_picture(jpeg: bytes) -> Picture:
    """Check size (8 MiB), format (JPEG, not MPO) and ratio (4:5 to 1.91:1). Raises GraphError."""
    if len(jpeg) > MAX_BYTES:
        raise errors.picture_too_large(MAX_BYTES)
    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            if image.format != "JPEG":
                raise errors.picture_format()
            image.load()
            width, height = image.size
            if width * 5 < height * 4 or width * 100 > height * 191:
                raise errors.picture_ratio(width, height)
            return Picture(_scaled(image) or jpeg, hashlib.sha256(jpeg).hexdigest())
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise errors.picture_format() from error


def plain_picture(seed: str) -> Picture:
    """Return a plain square whose colour follows from `seed`, for a post made by hand."""
    red, green, blue = hashlib.sha256(seed.encode()).digest()[:3]
    canvas = io.BytesIO()
    Image.new("RGB", (MIN_WIDTH, MIN_WIDTH), (red, green, blue)).save(canvas, "JPEG")
    return check_picture(canvas.getvalue())


def _download(url: str, seconds: float) -> bytes:
    if not url.isascii():
        raise errors.fetch_failed()
    deadline = time.monotonic() + seconds
    body = bytearray()
    with requests.Session() as session:
        # No proxy and no .netrc: the address is fetched as it stands, without any sign-in.
        session.trust_env = False
        session.headers.update({"User-Agent": "facebookexternalhit/1.1", "Accept-Encoding": "identity"})
        try:
            with session.get(url, stream=True, allow_redirects=False, timeout=seconds) as answer:
                if answer.status_code != 200 or _media_type(answer) != "image/jpeg":
                    raise errors.fetch_failed()
                for chunk in answer.iter_content(CHUNK_BYTES):
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise errors.picture_too_large(MAX_BYTES)
                    if time.monotonic() > deadline:
                        raise errors.fetch_timed_out()
        except requests.Timeout as error:
            raise errors.fetch_timed_out() from error
        except (requests.RequestException, ValueError) as error:
            raise errors.fetch_failed() from error
    return bytes(body)


def _media_type(answer: requests.Response) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _scaled(image: Image.Image) -> bytes | None:
    width = min(max(image.width, MIN_WIDTH), MAX_WIDTH)
    if width == image.width:
        return None
    height = max(1, round(image.height * width / image.width))
    canvas = io.BytesIO()
    image.convert("RGB").resize((width, height)).save(canvas, "JPEG", quality=88)
    return canvas.getvalue()
