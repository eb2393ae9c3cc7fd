from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtests.plan.targets import Target, TargetsError, read_targets, write_targets

AWS = Target("aws", "aws", "on-demand", "eu-west-1", 1024, "http://127.0.0.1:9/", control="http://127.0.0.1:8")
GCP = Target("gcp", "gcp", "request-based", "europe-west1", 512, "https://gcp.example/classify", concurrency=4)


def test_targets_that_were_written_are_read_back(tmp_path: Path) -> None:
    file = tmp_path / "targets.json"
    write_targets(file, [AWS, GCP])
    assert read_targets(file) == [AWS, GCP]


def test_toml_and_a_bare_json_list_are_read_too(tmp_path: Path) -> None:
    toml = tmp_path / "targets.toml"
    lines = [f"{name} = {json.dumps(value)}" for name, value in GCP.document().items()]
    toml.write_text("[[targets]]\n" + "\n".join(lines))
    bare = tmp_path / "targets.json"
    bare.write_text(json.dumps([GCP.document()]))
    assert read_targets(toml) == read_targets(bare) == [GCP]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "expected a JSON list of targets"),
        ("[]", "expected at least one target"),
        ("{}", "cannot be read: 'targets'"),
        ('[{"name": "a"}]', "target 'a' lacks cloud, plan, region, memory_mb, url"),
        (json.dumps([{**AWS.document(), "colour": 1}]), "has unknown colour"),
        (json.dumps([AWS.document(), AWS.document()]), "each with a name of its own"),
        (json.dumps([{**AWS.document(), "url": "ftp://x"}]), "must start with http:// or https://"),
        ("7", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "targets.json"
    file.write_text(text)
    with pytest.raises(TargetsError, match=message):
        read_targets(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetsError, match=r"nowhere\.json"):
        read_targets(tmp_path / "nowhere.json")
