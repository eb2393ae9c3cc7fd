from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.plan.payloads import read_payloads
from loadtests.plan.targets import Target
from loadtests.run.probe import ProbeError, probe
from loadtests.run.resources import RunResources
from tests.kits.load import write_images


def test_a_target_that_is_not_there_is_named_with_its_address_and_error(tmp_path: Path) -> None:
    gone = Target("gcp", "gcp", "none", "local", 128, "http://127.0.0.1:1/")
    payloads = read_payloads(write_images(tmp_path / "images"))
    expected = r"target 'gcp' at http://127\.0\.0\.1:1/ gave failed \(connection_refused"
    with pytest.raises(ProbeError, match=expected):
        probe([gone], payloads, timeout_s=5, probed=lambda *_: None, origin_s=0.0, resources=RunResources())
