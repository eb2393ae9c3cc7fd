"""Azure's package in a real blob service: Azurite, written and read by what `deploy` put into the app's settings."""

from __future__ import annotations

import io
import json
import os
import urllib.request
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from adapters.azure.deploy import Azure
from adapters.deployment.deployed_targets import DeployedTargets
from adapters.deployment.errors import DeployError
from adapters.deployment.function_spec import FunctionSpec
from adapters.deployment.session import Session
from tests.kits import deploy_rig
from tests.standins import blobs
from tests.standins.azure import STORAGE_KEY

if TYPE_CHECKING:
    from tests.kits.deploy_rig import Rig

pytestmark = [pytest.mark.timeout(300)]


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Rig]:
    lacking = blobs.missing()
    if lacking:
        pytest.skip(lacking)
    store = blobs.Blobs()
    try:
        with deploy_rig.open_rig("azure", tmp_path) as made, mock.patch.dict(os.environ, made.variables):
            made.standin.blobs = store
            yield made
    finally:
        store.close_all()


def session(rig: Rig) -> Session:
    return Session(folder=rig.folder / ".tripoint", say=lambda line: None)


def test_the_function_runs_from_the_package_that_its_own_settings_lead_to(azure: Rig, sample_image: bytes) -> None:
    [endpoint] = session(azure).apply([FunctionSpec("azure")])
    assert (azure.faults(), azure.standin.packages) == ([], {}), "nothing but the blob holds the package"
    assert len(azure.standin.blobs.accounts) == 1
    package = zipfile.ZipFile(io.BytesIO(azure.standin.deployed()))
    assert {"function_app.py", "host.json", "requirements.txt"} <= set(package.namelist())
    headers = (
        DeployedTargets(session(azure))
        .request_auth()["azure"]
        .headers("POST", endpoint.url, sample_image, datetime.now(UTC))
    )
    request = urllib.request.Request(
        endpoint.url, data=sample_image, headers={"content-type": "image/jpeg", **headers}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert len(json.load(answer)["predictions"]) == 5
    session(azure).destroy()
    assert (azure.left(), azure.standin.blobs.accounts) == ([], {})


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("core.windows.net/package", "core.windows.net/another", "The specified container does not exist"),
        (f"AccountKey={STORAGE_KEY}", "AccountKey=b3RoZXI=", "Server failed to authenticate the request"),
    ],
    ids=["container", "key"],
)
def test_a_wrong_container_or_key_in_the_settings_would_be_found_out(
    azure: Rig, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str, said: str
) -> None:
    whole = Azure._site

    def spoiled(*given: Any) -> dict[str, Any]:
        text = json.dumps(whole(*given))
        assert right in text
        return dict(json.loads(text.replace(right, wrong)))

    monkeypatch.setattr(Azure, "_site", spoiled)
    with pytest.raises(DeployError, match=f"answered 500 to its package: .*{said}"):
        session(azure).apply([FunctionSpec("azure")])
    session(azure).destroy()
    assert (azure.left(), azure.standin.blobs.accounts) == ([], {})
