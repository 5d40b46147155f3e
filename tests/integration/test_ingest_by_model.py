"""IngestPhoto with the scorer bedrock: the model's answer, over real HTTP, becomes the photo's score."""

import pytest

from contract.test_bedrock_wire import MODEL, RATED
from contract.wire import Wire
from handlers import wiring
from integration.conftest import Deliver
from integration.deployment import Deployment
from integration.pictures import a_shot
from integration.test_ingest_photo import by_eventbridge, key_of


def test_an_upload_without_a_score_is_judged_by_the_model(
    deployment: Deployment, take_in: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.add_persona()
    deployment.upload(key_of("a.jpg"), a_shot(1))
    with Wire() as bedrock:
        bedrock.answer("POST", 200, RATED)
        for name, value in {
            "SCORER": "bedrock",
            "BEDROCK_MODEL_ID": MODEL,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
        }.items():
            monkeypatch.setenv(name, value)
        wiring.build.cache_clear()
        (file,) = take_in(by_eventbridge(deployment, key_of("a.jpg")))["files"]
    assert file["reception"] == "added"
    (photo,) = deployment.photos()
    assert photo.analysis is not None
    assert photo.analysis.aesthetic_score == 7.0
