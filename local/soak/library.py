"""The soak's photos: small, each unlike any other, so that its picture alone tells which one is live."""

import hashlib
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from PIL import Image

from adapters.dynamo.tables import Tables, photo_item
from domain.ids import PersonaId, PhotoId
from domain.photos import Photo, PhotoAnalysis
from local.soak.settings import BEGINS_AT

PIXELS: Final = 320  # Instagram's least
WITHOUT_FILE: Final = 0.015


@dataclass(frozen=True, slots=True)
class SoakPhoto:
    """``photo_id`` is the SHA-256 of the file that Instagram fetches, too."""

    photo: Photo
    jpeg: bytes
    has_file: bool


def photos(seed: int, persona_id: str, count: int, *, captions: bool) -> Iterator[SoakPhoto]:
    """The persona's photos. Without captions of their own they all say what the persona says."""
    dice = random.Random(f"{seed}/photos/{persona_id}")  # noqa: S311 - reproducible, guards nothing
    for number in range(count):
        jpeg = _jpeg(dice, f"{seed}/{persona_id}/{number}")
        photo_id = PhotoId(hashlib.sha256(jpeg).hexdigest())
        photo = Photo(
            PersonaId(persona_id),
            photo_id,
            f"library/{persona_id}/{photo_id}.jpg",
            PIXELS,
            PIXELS,
            BEGINS_AT - timedelta(days=1, seconds=number % 7),
            caption=f"Number {number} of {persona_id}, seen @night  #soak" if captions else None,
            analysis=PhotoAnalysis(dice.randrange(100) / 10, "soak-1", BEGINS_AT),
        )
        yield SoakPhoto(photo, jpeg, dice.random() >= WITHOUT_FILE)


def store(tables: Tables, s3: Any, bucket: str, shelf: Iterator[SoakPhoto]) -> None:
    """Put the records in the queue and the files in the bucket, as an import leaves them."""
    with tables.photos.batch_write() as batch:
        for one in shelf:
            batch.save(photo_item(tables, one.photo))
            if one.has_file:
                s3.put_object(Bucket=bucket, Key=one.photo.object_key, Body=one.jpeg, ContentType="image/jpeg")


def _jpeg(dice: random.Random, name: str) -> bytes:
    colour = dice.randrange(256), dice.randrange(256), dice.randrange(256)
    canvas = io.BytesIO()
    Image.new("RGB", (PIXELS, PIXELS), colour).save(canvas, "JPEG", quality=30, comment=name.encode())
    return canvas.getvalue()
