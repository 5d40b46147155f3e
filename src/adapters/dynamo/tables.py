"""The tables as PynamoDB models, and their translation to and from the domain. They never leave this package."""

import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self, TypeVar, cast

from pynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.connection import Connection
from pynamodb.constants import STRING
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from domain import instants
from domain.faults import FaultRecord
from domain.ids import ContainerId, MediaId, PersonaId, PhotoId, RunId
from domain.personas import Fit, Login, Persona, Quota
from domain.photos import HeldBack, HeldBackFor, Photo, PhotoAnalysis
from domain.posts import Evidence, Lease, Post, PostStatus
from domain.slots import Slot

IN_FLIGHT_SHARDS = 8
"""The posts under way are spread over this many index keys, so that no partition takes all of them."""

# PynamoDB's defaults (15 s connect, 30 s read) outlive a Lambda. Four tries of these end within about 20 s.
CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 3
MOST_RETRIES = 3
MOST_CONNECTIONS = 32
"""As many as an import works on at once; they are opened when they are needed."""


class InstantAttribute(Attribute[datetime]):
    """An aware UTC time as text that sorts as the times do."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return instants.to_text(value)

    def deserialize(self, value: str) -> datetime:
        return instants.from_text(value)


class _Map(MapAttribute[str, Any]):
    @classmethod
    def of(cls, **values: Any) -> Self:
        return cls(**values)


class QuotaMap(_Map):
    left = NumberAttribute()
    read_at = InstantAttribute()


class PersonaItem(Model):
    class Meta:
        table_name = "personas"

    persona_id = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
    instagram_user_id = UnicodeAttribute()
    login = UnicodeAttribute()
    caption = UnicodeAttribute(null=True)
    minimum_score = NumberAttribute(null=True)
    fit = UnicodeAttribute(null=True)
    paused_reason = UnicodeAttribute(null=True)
    token_expires_at = InstantAttribute(null=True)
    quota = QuotaMap(null=True)  # type: ignore[no-untyped-call]
    token_refreshed_at = InstantAttribute(null=True)


class AnalysisMap(_Map):
    aesthetic_score = NumberAttribute()
    scorer = UnicodeAttribute()
    analysed_at = InstantAttribute()
    sharpness = NumberAttribute(null=True)
    exposure = NumberAttribute(null=True)


class HeldBackMap(_Map):
    reason = UnicodeAttribute()
    media_id = UnicodeAttribute(null=True)


class QueueIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """The photos that may be posted: both keys exist only while a photo is scored and has no post."""

    class Meta:
        index_name = "queue"
        projection = AllProjection()

    queued_for = UnicodeAttribute(hash_key=True)
    rank = UnicodeAttribute(range_key=True)


class PhotoItem(Model):
    class Meta:
        table_name = "photos"

    persona_id = UnicodeAttribute(hash_key=True)
    photo_id = UnicodeAttribute(range_key=True)
    object_key = UnicodeAttribute()
    width = NumberAttribute()
    height = NumberAttribute()
    imported_at = InstantAttribute()
    caption = UnicodeAttribute(null=True)
    alt_text = UnicodeAttribute(null=True)
    analysis = AnalysisMap(null=True)  # type: ignore[no-untyped-call]
    post_slot = UnicodeAttribute(null=True)
    perceptual_hashes: ListAttribute[Any] = ListAttribute(null=True)
    awaits_linking = BooleanAttribute(null=True)
    burst = UnicodeAttribute(null=True)
    held_back = HeldBackMap(null=True)  # type: ignore[no-untyped-call]
    queued_for = UnicodeAttribute(null=True)
    rank = UnicodeAttribute(null=True)
    queue = QueueIndex()


class LookalikesItem(Model):
    """Photos that stand together: in a bucket of hashes, as ``hash/photo``, or in a burst."""

    class Meta:
        table_name = "lookalikes"

    name = UnicodeAttribute(hash_key=True)
    photos = UnicodeSetAttribute(null=True)
    version = NumberAttribute(null=True)
    merged_into = UnicodeAttribute(null=True)


class FaultMap(_Map):
    kind = UnicodeAttribute()
    message = UnicodeAttribute()
    code = NumberAttribute(null=True)
    subcode = NumberAttribute(null=True)


class EvidenceMap(_Map):
    container_status = UnicodeAttribute()
    candidate_media: ListAttribute[Any] = ListAttribute()


class InFlightIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """The posts that want another look, oldest lease first in each shard."""

    class Meta:
        index_name = "in_flight"
        projection = KeysOnlyProjection()

    in_flight = UnicodeAttribute(hash_key=True)
    lease_until = InstantAttribute(range_key=True)


class PostItem(Model):
    class Meta:
        table_name = "posts"

    persona_id = UnicodeAttribute(hash_key=True)
    slot = UnicodeAttribute(range_key=True)
    photo_id = UnicodeAttribute()
    status = UnicodeAttribute()
    caption = UnicodeAttribute()
    lease_owner = UnicodeAttribute()
    lease_until = InstantAttribute()
    in_flight = UnicodeAttribute(null=True)
    container_id = UnicodeAttribute(null=True)
    publish_sent_at = InstantAttribute(null=True)
    publish_attempts = NumberAttribute()
    provider_post_id = UnicodeAttribute(null=True)
    permalink = UnicodeAttribute(null=True)
    posted_at = InstantAttribute(null=True)
    fault = FaultMap(null=True)  # type: ignore[no-untyped-call]
    evidence = EvidenceMap(null=True)  # type: ignore[no-untyped-call]
    retried_in = UnicodeAttribute(null=True)
    retry_of = UnicodeAttribute(null=True)
    created_at = InstantAttribute()
    updated_at = InstantAttribute()
    in_flight_index = InFlightIndex()


M = TypeVar("M", bound=Model)


def _bound(model: type[M], table_name: str, connection: Connection) -> type[M]:
    """``model`` on a table of this name. PynamoDB would open a client for each model: one serves all, at a third of
    the start-up.
    """
    meta = type("Meta", (cast("type", model.Meta),), {"table_name": table_name})
    make_class = cast("Callable[..., type[M]]", type(model))
    bound = make_class(model.__name__, (model,), {"Meta": meta, "__module__": model.__module__})
    table = bound._get_connection()
    connection.add_meta_table(table.get_meta_table())
    table.connection = connection
    return bound


@dataclass(frozen=True, slots=True)
class Tables:
    """The models of one stack, over one connection that opens at the first call."""

    personas: type[PersonaItem]
    photos: type[PhotoItem]
    posts: type[PostItem]
    lookalikes: type[LookalikesItem]
    connection: Connection

    @classmethod
    def named(cls, *, personas: str, photos: str, posts: str, lookalikes: str) -> "Tables":
        connection = Connection(
            connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
            read_timeout_seconds=READ_TIMEOUT_SECONDS,
            max_retry_attempts=MOST_RETRIES,
            max_pool_connections=MOST_CONNECTIONS,
        )
        return cls(
            _bound(PersonaItem, personas, connection),
            _bound(PhotoItem, photos, connection),
            _bound(PostItem, posts, connection),
            _bound(LookalikesItem, lookalikes, connection),
            connection,
        )


def in_flight_shard(persona_id: PersonaId) -> str:
    """The index key under which a persona's open posts stand: ``0`` to ``7``."""
    return str(zlib.crc32(persona_id.encode()) % IN_FLIGHT_SHARDS)


def persona_item(tables: Tables, persona: Persona) -> PersonaItem:
    return tables.personas(
        persona_id=persona.persona_id,
        name=persona.name,
        instagram_user_id=persona.instagram_user_id,
        login=persona.login.value,
        caption=persona.caption,
        minimum_score=persona.minimum_score,
        fit=persona.fit.value,
        paused_reason=persona.paused_reason,
        token_expires_at=persona.token_expires_at,
        quota=quota_map(persona.quota) if persona.quota else None,
        token_refreshed_at=persona.token_refreshed_at,
    )


def quota_map(quota: Quota) -> QuotaMap:
    return QuotaMap.of(left=quota.left, read_at=quota.read_at)


def persona_of(item: PersonaItem) -> Persona:
    return Persona(
        persona_id=PersonaId(item.persona_id),
        name=item.name,
        instagram_user_id=item.instagram_user_id,
        login=Login(item.login),
        caption=item.caption,
        minimum_score=float(item.minimum_score or 0.0),
        fit=Fit(item.fit) if item.fit else Fit.CROP,
        paused_reason=item.paused_reason,
        token_expires_at=item.token_expires_at,
        quota=Quota(int(item.quota.left), item.quota.read_at) if item.quota else None,
        token_refreshed_at=item.token_refreshed_at,
    )


def photo_item(tables: Tables, photo: Photo) -> PhotoItem:
    """The photo's item, in the queue where it is scored and nothing keeps it out."""
    is_queued = photo.rank is not None and photo.is_free
    return tables.photos(
        persona_id=photo.persona_id,
        photo_id=photo.photo_id,
        object_key=photo.object_key,
        width=photo.width,
        height=photo.height,
        imported_at=photo.imported_at,
        caption=photo.caption,
        alt_text=photo.alt_text,
        analysis=analysis_map(photo.analysis) if photo.analysis else None,
        post_slot=str(photo.post_slot) if photo.post_slot else None,
        perceptual_hashes=list(photo.perceptual_hashes) or None,
        awaits_linking=photo.awaits_linking or None,
        burst=photo.burst,
        held_back=held_back_map(photo.held_back) if photo.held_back else None,
        queued_for=photo.persona_id if is_queued else None,
        rank=photo.rank if is_queued else None,
    )


def held_back_map(why: HeldBack) -> HeldBackMap:
    return HeldBackMap.of(reason=why.reason.value, media_id=why.media_id)


def analysis_map(analysis: PhotoAnalysis) -> AnalysisMap:
    return AnalysisMap.of(
        aesthetic_score=analysis.aesthetic_score,
        scorer=analysis.scorer,
        analysed_at=analysis.analysed_at,
        sharpness=analysis.sharpness,
        exposure=analysis.exposure,
    )


def photo_of(item: PhotoItem) -> Photo:
    analysis = item.analysis
    return Photo(
        persona_id=PersonaId(item.persona_id),
        photo_id=PhotoId(item.photo_id),
        object_key=item.object_key,
        width=int(item.width),
        height=int(item.height),
        imported_at=item.imported_at,
        caption=item.caption,
        alt_text=item.alt_text,
        analysis=PhotoAnalysis(
            aesthetic_score=float(analysis.aesthetic_score),
            scorer=analysis.scorer,
            analysed_at=analysis.analysed_at,
            sharpness=analysis.sharpness,
            exposure=analysis.exposure,
        )
        if analysis
        else None,
        post_slot=Slot.parse(item.post_slot) if item.post_slot else None,
        perceptual_hashes=tuple(item.perceptual_hashes or ()),
        awaits_linking=bool(item.awaits_linking),
        burst=PhotoId(item.burst) if item.burst else None,
        held_back=HeldBack(
            HeldBackFor(item.held_back.reason),
            MediaId(item.held_back.media_id) if item.held_back.media_id else None,
        )
        if item.held_back
        else None,
    )


def post_item(tables: Tables, post: Post) -> PostItem:
    """The post's item, in the index of open posts while it wants another look."""
    return tables.posts(
        persona_id=post.persona_id,
        slot=str(post.slot),
        photo_id=post.photo_id,
        status=post.status.value,
        caption=post.caption,
        lease_owner=post.lease.owner,
        lease_until=post.lease.until,
        in_flight=in_flight_shard(post.persona_id) if post.wants_another_look else None,
        container_id=post.container_id,
        publish_sent_at=post.publish_sent_at,
        publish_attempts=post.publish_attempts,
        provider_post_id=post.provider_post_id,
        permalink=post.permalink,
        posted_at=post.posted_at,
        fault=FaultMap.of(**asdict(post.fault)) if post.fault else None,
        evidence=EvidenceMap.of(
            container_status=post.evidence.container_status, candidate_media=list(post.evidence.candidate_media)
        )
        if post.evidence
        else None,
        retried_in=str(post.retried_in) if post.retried_in else None,
        retry_of=str(post.retry_of) if post.retry_of else None,
        created_at=post.created_at,
        updated_at=post.updated_at,
    )


def post_of(item: PostItem) -> Post:
    return Post(
        persona_id=PersonaId(item.persona_id),
        slot=Slot.parse(item.slot),
        photo_id=PhotoId(item.photo_id),
        caption=item.caption,
        lease=Lease(RunId(item.lease_owner), item.lease_until),
        created_at=item.created_at,
        updated_at=item.updated_at,
        status=PostStatus(item.status),
        container_id=ContainerId(item.container_id) if item.container_id else None,
        publish_sent_at=item.publish_sent_at,
        publish_attempts=int(item.publish_attempts),
        provider_post_id=MediaId(item.provider_post_id) if item.provider_post_id else None,
        permalink=item.permalink,
        posted_at=item.posted_at,
        fault=FaultRecord(item.fault.kind, item.fault.message, _whole(item.fault.code), _whole(item.fault.subcode))
        if item.fault
        else None,
        evidence=Evidence(
            item.evidence.container_status, tuple(MediaId(media) for media in item.evidence.candidate_media)
        )
        if item.evidence
        else None,
        retried_in=Slot.parse(item.retried_in) if item.retried_in else None,
        retry_of=Slot.parse(item.retry_of) if item.retry_of else None,
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
