"""Personas, posts and photos as lines of JSON, and back: one object a line, with all that the record has.

The members are the attributes of the domain's own classes, found by their types, so that none can be forgotten.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, NewType, Union, get_args, get_origin, get_type_hints

from domain import instants
from domain.near_duplicates import distance
from domain.personas import Persona, parse_persona_id
from domain.photos import Photo
from domain.posts import Post
from domain.slots import Slot

VERSION: Final = 1

Record = Persona | Post | Photo

KINDS: Final[Mapping[str, type[Record]]] = {"persona": Persona, "post": Post, "photo": Photo}

_PHOTO_ID: Final = re.compile(r"[0-9a-f]{64}")
_LARGEST: Final = 2**53  # what every reader of JSON keeps exactly
_LEAST: Final = 1e-100  # DynamoDB keeps nothing below 1e-130
_LONGEST_LINE: Final = 100_000
"""Characters. A record has a hundredth of it; and what DynamoDB refuses would end the whole import."""


class BadLineError(Exception):
    """A line cannot be used. The text says which member is wrong, and how; it quotes no more than a few characters."""


def to_line(record: Record) -> str:
    """One line in ASCII, without its end: the same record always gives the same line."""
    (kind,) = (name for name, cls in KINDS.items() if isinstance(record, cls))
    return json.dumps({"kind": kind, "version": VERSION, **_told(type(record), record)})


def from_line(line: str) -> Record:
    """Raises BadLineError."""
    if len(line) > _LONGEST_LINE:
        raise BadLineError(f"it is longer than {_LONGEST_LINE} characters")
    try:
        members = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadLineError("it is no JSON") from None
    if not isinstance(members, dict):
        raise BadLineError("it is no JSON object")
    kind, version = members.pop("kind", None), members.pop("version", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise BadLineError(f"kind: it must be one of {', '.join(KINDS)}")
    if isinstance(version, bool) or version != VERSION:
        raise BadLineError(f"version: it must be {VERSION}; a later fluffy-train may have written it")
    record: Record = _read(KINDS[kind], members, "")
    _check(record)
    return record


def _no_number(_: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")


# ---- to JSON ----


def _told(kind: Any, value: Any) -> Any:
    """``value`` as JSON has it, in the one form that its type has."""
    kind = _plain(kind)
    if value is None:
        return None
    if isinstance(value, datetime):
        return instants.to_text(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Slot):
        return str(value)
    if get_origin(kind) is tuple:
        return [_told(get_args(kind)[0], one) for one in value]
    if isinstance(kind, type) and is_dataclass(kind):
        return {name: _told(hint, getattr(value, name)) for name, hint in _hints(kind).items()}
    return float(value) if kind is float else value


# ---- from JSON ----


def _read(kind: Any, value: Any, where: str) -> Any:
    if value is None and _is_optional(kind):
        return None
    kind = _plain(kind)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise BadLineError(f"{where}: it must be a list")
        return tuple(_read(get_args(kind)[0], one, f"{where}[{place}]") for place, one in enumerate(value))
    if kind in _READERS:
        try:
            return _READERS[kind](value)
        except (TypeError, ValueError, OverflowError) as error:
            raise BadLineError(f"{where}: {_brief(error)}") from None
    if isinstance(kind, type) and issubclass(kind, Enum):
        if not isinstance(value, str) or value not in {one.value for one in kind}:
            raise BadLineError(f"{where}: it must be one of {', '.join(one.value for one in kind)}")
        return kind(value)
    return _read_object(kind, value, where)


def _read_object(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise BadLineError(f"{where}: it must be an object")
    hints = _hints(kind)
    inside = f"{where}." if where else ""
    unknown = sorted(value.keys() - hints.keys())
    if unknown:
        raise BadLineError(f"{inside}{unknown[0][:40]}: there is no such member")
    missing = [one.name for one in fields(kind) if one.default is MISSING and one.name not in value]
    if missing:
        raise BadLineError(f"{inside}{missing[0]}: it is missing")
    read = {name: _read(hints[name], one, f"{inside}{name}") for name, one in value.items()}
    try:
        return kind(**read)
    except ValueError as error:
        raise BadLineError(f"{where or 'the record'}: {_brief(error)}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("it must be text")
    value.encode()  # half a character, which JSON can write and no table takes, raises ValueError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("it must be true or false")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST:
        raise TypeError("it must be a whole number")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("it must be a number")
    if value and not _LEAST <= abs(value) <= _LARGEST:
        raise ValueError("it is too small or too large a number")
    return float(value)


def _instant(value: Any) -> datetime:
    instant = instants.from_text(_text(value))
    # As fine as the tables keep it.
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000, tzinfo=UTC)


def _slot(value: Any) -> Slot:
    return Slot.parse(_text(value))


_READERS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    str: _text,
    bool: _flag,
    int: _whole,
    float: _number,
    datetime: _instant,
    Slot: _slot,
}


# ---- what the types do not say ----


def _check(record: Record) -> None:
    try:
        parse_persona_id(record.persona_id)
    except ValueError as error:
        raise BadLineError(f"persona_id: {_brief(error)}") from None
    if isinstance(record, Persona):
        return
    if _PHOTO_ID.fullmatch(record.photo_id) is None:
        raise BadLineError("photo_id: it must be 64 hexadecimal digits, the SHA-256 of the file")
    if isinstance(record, Photo):
        _check_photo(record)


def _check_photo(photo: Photo) -> None:
    if not photo.object_key:
        raise BadLineError("object_key: it is empty")
    if photo.width < 1 or photo.height < 1:
        raise BadLineError("width, height: they must be 1 or more")
    if photo.burst is not None and _PHOTO_ID.fullmatch(photo.burst) is None:
        raise BadLineError("burst: it must be the id of a photo")
    for one in photo.perceptual_hashes:
        try:
            distance(one, one)
        except ValueError:
            raise BadLineError("perceptual_hashes: one of them is no hash") from None


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


# ---- types ----


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}


def _is_optional(kind: Any) -> bool:
    return get_origin(kind) in {Union, UnionType} and NoneType in get_args(kind)


def _plain(kind: Any) -> Any:
    """The type without ``| None`` and without the name that tells one text from another."""
    if _is_optional(kind):
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
    while isinstance(kind, NewType):
        kind = kind.__supertype__
    return kind
