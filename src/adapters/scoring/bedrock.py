"""Scores a photo by a multimodal model on Amazon Bedrock, through the Converse API."""

import re
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from adapters.imaging import UnusableImageError
from adapters.imaging.thumbnails import thumbnail
from adapters.scoring.rubric import AGAIN, QUESTION, SYSTEM, TOOL_CONFIG, VERSION, score_in
from domain.photos import PhotoAnalysis
from domain.ports import Clock, ScorerUnavailableError, UnscorablePictureError

CLIENT_CONFIG: Final = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 3, "mode": "standard"})
"""A rating takes a model a few seconds. All attempts of both questions end within 2.5 minutes."""

MOST_PX: Final = 1092
"""The longer side of what is sent. Models scale larger pictures down to about this (Anthropic, "Vision"), or charge
more tokens for them (Amazon Nova, "Image understanding"); and Converse takes no picture above 3.75 MB.
"""

MOST_TOKENS: Final = 512
"""Of an answer: the ratings are some 60, and Amazon Nova thinks aloud before it calls a tool."""

_REFUSALS: Final = ("content_filtered", "guardrail_intervened")

# The model's own slip, such as a call of the tool that is no JSON.
_NO_ANSWER: Final = "ModelErrorException"

# What botocore raises on an answer that is none of Bedrock's, found by giving it any JSON there is.
_UNREADABLE: Final = (AttributeError, RecursionError, ResponseParserError, TypeError, ValueError)

_CODE: Final = re.compile(r"[A-Za-z]{1,60}")
_BUSY_STATUS: Final = (408, 429)


class BedrockScorer:
    """Implements ``domain.ports.PhotoScorer``. ``client`` is a boto3 bedrock-runtime client with ``CLIENT_CONFIG``.

    The model, or inference profile, ``model_id`` must take pictures and a tool that it has to call (``toolChoice``), as
    those of Amazon Nova and Anthropic do. There is no fallback to JSON in a text: a model without tools is told so.

    Only the pixels are sent, as a small copy; neither caption nor name nor metadata. ``sharpness`` and ``exposure`` of
    the analysis stay None: they are measures, and a model's opinion is none.
    """

    def __init__(self, client: Any, model_id: str, clock: Clock) -> None:
        self._client = client
        self._model_id = model_id
        self._clock = clock

    @property
    def name(self) -> str:
        return f"bedrock:{self._model_id}/{VERSION}"

    def score(self, jpeg: bytes) -> PhotoAnalysis:
        picture = _as_sent(jpeg)
        for question in (QUESTION, f"{QUESTION} {AGAIN}"):
            score = score_in(self._ask(picture, question))
            if score is not None:
                return PhotoAnalysis(score, self.name, self._clock.now())
        raise UnscorablePictureError(
            f"The model {self._model_id} answered twice with something that is no rating. If it does so for every "
            "photo, set BedrockModelId to another one."
        )

    def _ask(self, picture: bytes, question: str) -> object:
        """What the model answers, which may be anything. Raises ScorerUnavailableError where asking again is no use."""
        try:
            answer = self._client.converse(
                modelId=self._model_id,
                system=[{"text": SYSTEM}],
                messages=[
                    {
                        "role": "user",
                        "content": [
                            {"image": {"format": "jpeg", "source": {"bytes": picture}}},
                            {"text": question},
                        ],
                    }
                ],
                inferenceConfig={"temperature": 0, "maxTokens": MOST_TOKENS},
                toolConfig=TOOL_CONFIG,
            )
        except ClientError as error:
            code = _code_of(error)
            if code == _NO_ANSWER:
                return None
            unavailable = self._unavailable(code, error.response.get("ResponseMetadata", {}).get("HTTPStatusCode"))
        except ParamValidationError:
            unavailable = self._unavailable("ValidationException", None)
        except BotoCoreError as error:
            unavailable = ScorerUnavailableError(
                f"Bedrock gave no answer ({type(error).__name__}). The photo can be scored later; if this lasts, look "
                "at the network and at the credentials."
            )
        except _UNREADABLE:
            return None
        else:
            if answer.get("stopReason") not in _REFUSALS:
                return answer
            unavailable = UnscorablePictureError(
                f"The model {self._model_id} refuses to judge this picture. Give it a score yourself."
            )
        # Raised out here: the SDK's exception holds the signed request.
        raise unavailable

    def _unavailable(self, code: str, status: object) -> ScorerUnavailableError:
        """What to do about an error answer. Its own text is not quoted: it names roles and accounts."""
        match code:
            case "AccessDeniedException":
                what = (
                    f"Bedrock does not let this account or role use the model {self._model_id}. The role needs "
                    "bedrock:InvokeModel for it; the model's page in the Bedrock console, under Model catalog, says "
                    "what else its provider asks for."
                )
            case "ResourceNotFoundException" | "ValidationException":
                what = (
                    f"Bedrock does not take the model {self._model_id} in this region, or the model does not take "
                    "pictures and tools. Set BedrockModelId to one that the Bedrock console lists here; many are had "
                    "through an inference profile only, such as eu.amazon.nova-lite-v1:0."
                )
            case _ if status in _BUSY_STATUS or (isinstance(status, int) and status >= 500):
                what = (
                    f"Bedrock is busy, or down ({code}). The photo can be scored later; if this lasts, look at the "
                    "account's quotas for the model."
                )
            case _:
                what = f"Bedrock refused the request ({code}). Look at the role's credentials and permissions."
        return ScorerUnavailableError(what)


def _as_sent(jpeg: bytes) -> bytes:
    try:
        return thumbnail(jpeg, most_px=MOST_PX)
    except UnusableImageError as error:
        raise UnscorablePictureError(f"The photo cannot be sent to the model. {error.reason}") from None


def _code_of(error: ClientError) -> str:
    code = error.response.get("Error", {}).get("Code")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "an error without a name"
