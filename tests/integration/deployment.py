"""The stack as it is deployed, on servers of ours: environment and tables by template.yaml, and the real handler."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import boto3

from contract.implementations import DynamoImplementation
from contract.servers import a_jpeg
from contract.wire import Request, Wire
from domain.ids import PhotoId
from domain.personas import Persona
from domain.photos import Photo
from fakes.clock import START, FakeClock
from fakes.library import a_persona, a_photo
from local.environment import REGION
from local.instagram import EmulatorServer, LivePost
from template.expansion import expand

TOKEN: Final = "IGAA-the-token-that-nobody-may-see"
APP_SECRET: Final = "the-app-secret-that-nobody-may-see"


@cache
def variables_of_the_template(function: str = "PostNextBest") -> Mapping[str, str]:
    """The environment of a function. What a deployment makes is named by its logical id."""
    variables: Mapping[str, str] = expand().properties(function)["Environment"]["Variables"]
    return variables


@cache
def _client(service: str, url: str) -> Any:
    return boto3.client(service, endpoint_url=url)


@dataclass
class Told:
    """What a run printed: its log lines, and its metrics as CloudWatch reads them."""

    lines: Sequence[Mapping[str, Any]]
    metrics: Sequence[Mapping[str, Any]]
    text: str = field(repr=False)

    @classmethod
    def of(cls, printed: str) -> "Told":
        entries = [json.loads(line) for line in printed.splitlines() if line]
        metrics = [entry for entry in entries if "_aws" in entry]
        return cls([entry for entry in entries if "_aws" not in entry], metrics, printed)

    @property
    def counts(self) -> Mapping[str, float]:
        """Each metric's sum."""
        return {
            metric["Name"]: sum(entry[metric["Name"]])
            for entry in self.metrics
            for directive in entry["_aws"]["CloudWatchMetrics"]
            for metric in directive["Metrics"]
        }

    def at(self, level: str) -> Sequence[Mapping[str, Any]]:
        return [line for line in self.lines if line["level"] == level]


class Deployment:
    """One stack with one persona, an account of the emulator's, and as many photos as a test puts there."""

    def __init__(self, aws: Wire, moto_url: str, graph: Wire, emulator: EmulatorServer) -> None:
        self.aws, self.graph, self.emulator = aws, graph, emulator
        self.records = DynamoImplementation(moto_url)
        self._s3, self._ssm = _client("s3", moto_url), _client("ssm", moto_url)
        name = uuid4().hex
        self._bucket, self._prefix = f"photos-{name}", f"/{name}"
        self._s3.create_bucket(Bucket=self._bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        as_deployed = expand().properties("PhotosBucket")["VersioningConfiguration"]
        self._s3.put_bucket_versioning(Bucket=self._bucket, VersioningConfiguration=as_deployed)
        self.pictures: dict[str, bytes] = {}

    @property
    def bucket(self) -> str:
        return self._bucket

    @property
    def environment(self) -> dict[str, str]:
        return self.environment_of("PostNextBest")

    def environment_of(self, function: str) -> dict[str, str]:
        """As the template gives it, with the names that this deployment made, and the ways to our servers."""
        made = {**self.records.names, "PhotosBucket": self._bucket, "/fluffy-train": self._prefix}
        given = {name: made.get(value, value) for name, value in variables_of_the_template(function).items()}
        return given | {
            "AWS_ENDPOINT_URL": self.aws.url,
            "INSTAGRAM_GRAPH_URL": f"{self.graph.url}/instagram",
            "FACEBOOK_GRAPH_URL": f"{self.graph.url}/facebook",
        }

    # ---- what the owner did before ----

    def add_persona(self, persona: Persona | None = None) -> Persona:
        persona = persona or a_persona()
        assert self.records.personas.add(persona)
        app_secret = APP_SECRET if persona.login.value == "facebook" else None
        self.emulator.add_account(persona.instagram_user_id, TOKEN, login=persona.login.value, app_secret=app_secret)
        self.put_secret("access-token", TOKEN)
        if app_secret is not None:
            self.put_secret("app-secret", app_secret)
        return persona

    def put_secret(self, name: str, value: str, persona_id: str = "default") -> None:
        self._ssm.put_parameter(
            Name=f"{self._prefix}/{persona_id}/{name}", Value=value, Type="SecureString", Overwrite=True
        )

    def delete_token(self) -> None:
        self._ssm.delete_parameter(Name=f"{self._prefix}/default/access-token")

    def add_photo(self, name: str, score: float, *, size: tuple[int, int] = (400, 500), **facts: Any) -> Photo:
        """A photo in the queue, with its rendition in the bucket."""
        photo = a_photo(name, score=score, **facts)
        photo = replace(photo, object_key=f"library/{photo.persona_id}/{photo.photo_id}.jpg")
        colour = f"#{photo.photo_id[:6]}"
        self.pictures[photo.photo_id] = a_jpeg(colour, *size)
        self._s3.put_object(
            Bucket=self._bucket,
            Key=photo.object_key,
            Body=self.pictures[photo.photo_id],
            ContentType="image/jpeg",
        )
        self.records.library.add(photo)
        return photo

    def delete_rendition(self, photo: Photo) -> None:
        self._s3.delete_object(Bucket=self._bucket, Key=photo.object_key)

    def upload(self, object_key: str, content: bytes, metadata: Mapping[str, str] | None = None) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=object_key, Body=content, Metadata=dict(metadata or {}))

    def delete(self, object_key: str) -> None:
        self._s3.delete_object(Bucket=self._bucket, Key=object_key)

    def suspend_versions(self) -> None:
        self._s3.put_bucket_versioning(Bucket=self._bucket, VersioningConfiguration={"Status": "Suspended"})

    # ---- what came of it ----

    def objects(self, prefix: str = "") -> Sequence[str]:
        """The keys of the objects in the bucket, in their order."""
        answer = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
        return [entry["Key"] for entry in answer.get("Contents", ())]

    def content(self, object_key: str) -> bytes:
        content: bytes = self._s3.get_object(Bucket=self._bucket, Key=object_key)["Body"].read()
        return content

    def unfinished_uploads(self) -> Sequence[str]:
        """The keys of what is being uploaded, or copied, in parts."""
        answer = self._s3.list_multipart_uploads(Bucket=self._bucket)
        return [entry["Key"] for entry in answer.get("Uploads", ())]

    def tags(self, object_key: str) -> Mapping[str, str]:
        answer = self._s3.get_object_tagging(Bucket=self._bucket, Key=object_key)
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def queue(self) -> Sequence[PhotoId]:
        return [photo.photo_id for photo in self.records.library.best_first(a_persona().persona_id)]

    def photos(self) -> Sequence[Photo]:
        return list(self.records.library.every(a_persona().persona_id))

    def post(self, slot: str) -> Mapping[str, Any]:
        """A slot's record as DynamoDB has it, without the types of its texts and numbers."""
        return {name: next(iter(value.values())) for name, value in self.records.item("PostsTable", slot).items()}

    def photo(self, photo: Photo) -> Photo | None:
        return self.records.library.get(photo.persona_id, photo.photo_id)

    def persona(self) -> Persona | None:
        return self.records.personas.get(a_persona().persona_id)

    def live(self) -> Sequence[LivePost]:
        return self.emulator.live_posts(a_persona().instagram_user_id)

    def is_live(self, photo: Photo) -> bool:
        digest = sha256(self.pictures[photo.photo_id]).hexdigest()
        return any(post.picture_sha256 == digest for post in self.live())

    @property
    def our_requests(self) -> Sequence[Request]:
        """Every request that the handler made, to AWS and to Instagram. Instagram's own, for the image, is not ours."""
        return [
            request
            for request in self.aws.requests
            if not request.headers.get("User-Agent", "").startswith("facebookexternalhit")
        ]


def name_of(request: Request) -> str:
    """A remote call by the name that the issue gives it."""
    match request.name:
        case "DynamoDB GetItem" if str(request.body["TableName"]).endswith("PersonasTable"):
            return "persona"
        case "DynamoDB Query" if request.body.get("IndexName") == "queue":
            return "queue"
        case "DynamoDB TransactWriteItems":
            return "claim"
        case "SSM GetParameters":
            return "token"
        case "DynamoDB UpdateItem":
            names = set(request.body["ExpressionAttributeNames"].values())
            return "posted" if "provider_post_id" in names else "fence" if "publish_sent_at" in names else "update"
        case "POST" if request.path.partition("?")[0].endswith("/media"):
            return "container"
        case "POST" if request.path.partition("?")[0].endswith("/media_publish"):
            return "publish"
        case "GET" if "status_code" in request.path:
            return "status"
    return f"{request.name} {request.path}"


def at(minutes: float = 0) -> FakeClock:
    """A clock so long after ``START``."""
    return FakeClock(START + timedelta(minutes=minutes))
