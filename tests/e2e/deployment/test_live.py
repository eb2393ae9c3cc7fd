"""The life cycle against real accounts: it costs a few cents, and runs only when asked for.

TRIPOINT_LIVE=aws,gcp pytest -m live tests/e2e/deployment/test_live.py
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters import contract
from adapters.deployment import provider
from adapters.deployment.deployed_targets import DeployedTargets
from adapters.deployment.function_spec import FunctionSpec
from adapters.deployment.session import Session, missing

pytestmark = [pytest.mark.live, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("deployed", [*contract.clouds(), "aws image"])
def test_a_real_account_is_as_clean_after_as_it_was_before(
    deployed: str, tmp_path: Path, sample_image: bytes
) -> None:
    cloud, _, form = deployed.partition(" ")
    if cloud not in os.environ.get("TRIPOINT_LIVE", "").split(","):
        pytest.skip(f"needs a real account: set TRIPOINT_LIVE={cloud} and the vendor's credentials")
    lacking = missing([cloud])
    assert not lacking, lacking
    session = Session(folder=tmp_path / ".tripoint", life=timedelta(hours=1))
    variant = FunctionSpec(cloud, format=form or "zip")
    with session.deployed([variant]) as [endpoint]:
        closed = urllib.request.Request(endpoint.url, data=sample_image, headers={"content-type": "image/jpeg"})
        with pytest.raises(urllib.error.HTTPError, match=r"401|403"):
            urllib.request.urlopen(closed, timeout=120)
        added = (
            DeployedTargets(session)
            .request_auth()[cloud]
            .headers("POST", endpoint.url, sample_image, datetime.now(UTC))
        )
        headers = {"content-type": "image/jpeg", **added}
        opened = urllib.request.Request(endpoint.url, data=sample_image, headers=headers)
        with urllib.request.urlopen(opened, timeout=120) as answer:
            document = json.load(answer)
        assert len(document["predictions"]) == 5
        assert all(change.action == "keep" for change in session.plan([variant]))
    assert provider.provider_of(cloud).find(session.project, {variant.place, "global"}) == []
