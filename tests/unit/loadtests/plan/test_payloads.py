"""A run over feature vectors: which files are sent, and which are refused before anything starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.measurement.local_targets import SAMPLES, samples_of
from core.settings import MODELS
from loadtests.plan.payloads import PayloadsError, check_payloads, payloads_digest, read_payloads

WINES = MODELS / "examples" / "wine-xgboost" / "samples"


def test_json_files_are_sent_as_they_are_where_there_is_no_image() -> None:
    found = read_payloads(WINES)
    assert [each.name for each in found] == [f"wine-{number:02}.json" for number in range(1, 13)]
    assert {each.content_type for each in found} == {"application/json"}
    assert found[0].body == (WINES / "wine-01.json").read_bytes()
    assert len(payloads_digest(found)) == 64


def test_json_files_beside_images_are_not_sent() -> None:
    assert (SAMPLES / "labels.json").is_file()
    assert {each.content_type for each in read_payloads(SAMPLES)} == {"image/jpeg"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is not JSON"),
        ("[1, 2]", "is no feature vector"),
        ('{"values": [1]}', 'write {"features": ...}, or take it out of the folder'),
    ],
)
def test_a_json_file_of_another_kind_is_told_by_name(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"features": [1]}))
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(PayloadsError, match=complaint) as raised:
        read_payloads(tmp_path)
    assert "b.json" in str(raised.value)


def test_an_empty_folder_is_told_with_both_kinds(tmp_path: Path) -> None:
    with pytest.raises(PayloadsError, match=r'\.jpg.*or with \.json files {"features": \.\.\.}'):
        read_payloads(tmp_path)


def test_a_models_own_samples_are_sent_unless_said_otherwise() -> None:
    assert samples_of(str(WINES.parent)) == WINES
    assert samples_of("clothes") == SAMPLES


def test_photographs_that_cannot_be_read_are_named_before_anything_is_sent(tmp_path: Path) -> None:
    good = next(iter(sorted(SAMPLES.glob("*.jpg"))))
    (tmp_path / "good.jpg").write_bytes(good.read_bytes())
    (tmp_path / "cut.jpg").write_bytes(good.read_bytes()[:200])
    (tmp_path / "text.png").write_text("not an image")
    with pytest.raises(PayloadsError, match=r"2 of 3 images cannot be read: cut\.jpg: .*text\.png: .*take them out"):
        check_payloads(read_payloads(tmp_path))
    (tmp_path / "cut.jpg").unlink()
    (tmp_path / "text.png").unlink()
    check_payloads(read_payloads(tmp_path))
    check_payloads(read_payloads(WINES))
