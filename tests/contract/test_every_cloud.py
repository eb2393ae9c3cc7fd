"""One suite over every discovered cloud and every recorded event, through the entry files in this process."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from adapters import contract
from tests.contract.recorded import Recorded, recorded_events

if TYPE_CHECKING:
    Replayed = Callable[[Recorded], contract.HttpAnswer]

EVENTS = recorded_events()
NEEDED = {"image_bytes", "json_url", "json_image", "health", "model", "unknown_path", "bad_json", "broken_image"}


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch, sample_image: bytes, image_url: str) -> Replayed:
    """Replays a recorded event with the sample image, which lies on a server of this process."""

    def replay(recorded: Recorded) -> contract.HttpAnswer:
        instances = contract.load(recorded.cloud).instances()
        return instances.replay(recorded.filled(image=sample_image, url=image_url))

    return replay


def predictions(recorded: Recorded, answer: contract.HttpAnswer) -> list[dict[str, Any]]:
    """The predictions of an answer, best first; a direct Lambda invocation answers a bare mapping."""
    document = json.loads(answer.body)
    if recorded.expect.get("bare"):
        pairs = sorted(document.items(), key=lambda pair: -pair[1])
        return [{"label": label, "score": score} for label, score in pairs]
    found: list[dict[str, Any]] = document["predictions"]
    return found


def test_every_cloud_has_recorded_every_kind_of_request() -> None:
    for cloud in contract.clouds():
        stems = " ".join(recorded.path.stem for recorded in EVENTS if recorded.cloud == cloud)
        missing = {kind for kind in NEEDED if kind not in stems}
        assert not missing, f"adapters/{cloud}/events has no event for {sorted(missing)}"


@pytest.mark.parametrize("recorded", EVENTS, ids=lambda recorded: recorded.name)
def test_a_recorded_event_gets_the_answer_it_expects(recorded: Recorded, replayed: Replayed) -> None:
    answer = replayed(recorded)
    document = json.loads(answer.body)
    assert answer.status == recorded.expect["status"], document
    if "code" in recorded.expect:
        assert document["error"]["code"] == recorded.expect["code"]


@pytest.mark.parametrize("recorded", EVENTS, ids=lambda recorded: recorded.name)
def test_every_event_names_the_vendor_page_it_follows(recorded: Recorded) -> None:
    source = json.loads(recorded.path.read_text(encoding="utf-8"))["source"]
    assert any(character.isdigit() for character in source), "the date it was read"
    assert len(source) > 20


def test_the_same_image_gives_byte_identical_predictions_on_every_cloud(replayed: Replayed) -> None:
    answers = {recorded.name: predictions(recorded, replayed(recorded)) for recorded in EVENTS if recorded.classifies}
    assert {name.split("/")[0] for name in answers} == set(contract.clouds())
    length = min(len(found) for found in answers.values())
    assert length >= 1
    texts = {json.dumps(found[:length]) for found in answers.values()}
    assert len(texts) == 1, answers


def test_the_same_bad_input_gives_the_same_error_document_on_every_cloud(replayed: Replayed) -> None:
    documents: dict[str, dict[str, bytes]] = defaultdict(dict)
    for recorded in EVENTS:
        if recorded.expect["status"] != 200:
            kind = next((kind for kind in sorted(NEEDED) if kind in recorded.path.stem), recorded.path.stem)
            documents[kind][recorded.name] = replayed(recorded).body
    assert documents
    for kind, found in documents.items():
        assert len(set(found.values())) == 1, (kind, found)


def test_http_answers_carry_timings_and_the_evidence_for_cold(replayed: Replayed) -> None:
    for recorded in EVENTS:
        if recorded.expect.get("bare"):
            continue
        headers = {name.lower(): value for name, value in replayed(recorded).headers}
        assert "number=" in headers["x-tripoint-instance"], recorded.name
        assert headers["content-type"].startswith("application/json"), recorded.name
        if recorded.classifies:
            assert "total;dur=" in headers["server-timing"], recorded.name
