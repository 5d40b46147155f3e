"""What a record of the posts' stream says: how the post stands now, and what it was before."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.dynamo.tables import PostItem, post_of
from domain.posts import Post, PostStatus


class UnreadableChangeError(Exception):
    """It is no record of the posts' stream, or one that cannot be understood. The text names what is wrong."""


@dataclass(frozen=True, slots=True)
class Change:
    """``before`` is None for a post that was not there."""

    before: PostStatus | None
    post: Post


def change_of(record: object) -> Change | None:
    """The change that a record of the stream tells of, with both of its images; None for a post that was deleted.

    Raises UnreadableChangeError.
    """
    images = record.get("dynamodb") if isinstance(record, Mapping) else None
    if not isinstance(record, Mapping) or not isinstance(images, Mapping):
        raise UnreadableChangeError("it is no record of a DynamoDB stream")
    if record.get("eventName") == "REMOVE":
        return None
    new, old = images.get("NewImage"), images.get("OldImage")
    if not isinstance(new, Mapping):
        raise UnreadableChangeError("it has no NewImage; the stream must give both images")
    try:
        post = post_of(PostItem.from_raw_data(dict(new)))
        before = PostStatus(old["status"]["S"]) if isinstance(old, Mapping) else None
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise UnreadableChangeError(f"its post is damaged ({type(error).__name__})") from error
    return Change(before, post)
