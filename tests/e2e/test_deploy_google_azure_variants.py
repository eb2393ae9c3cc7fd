"""What is particular to Google Cloud and to Azure: settings, locks, failed builds, cold starts on demand."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from adapters.deployment.errors import DeployError
from adapters.deployment.session import Session
from adapters.deployment.variant import Variant
from tests.e2e import deploy_rig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.deploy_rig import Rig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Rig]:
    with deploy_rig.rig("gcp", tmp_path) as made, mock.patch.dict(os.environ, made.variables):
        yield made


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Rig]:
    with deploy_rig.rig("azure", tmp_path) as made, mock.patch.dict(os.environ, made.variables):
        yield made


def session(rig: Rig) -> Session:
    return Session(folder=rig.folder / ".tripoint", say=lambda line: None)


def only_function(rig: Rig) -> dict[str, Any]:
    [found] = rig.standin.functions.values()
    return dict(found)


def only_site(rig: Rig) -> dict[str, Any]:
    [found] = [each for key, each in rig.standin.resources.items() if key[1] == "sites"]
    return dict(found)


def test_a_google_function_is_as_asked(google: Rig) -> None:
    variant = Variant("gcp", memory_mb=512, concurrency=8, maximum_instances=5, reserved_instances=1, python="3.12")
    session(google).apply([variant])
    service, build = only_function(google)["serviceConfig"], only_function(google)["buildConfig"]
    assert (service["availableMemory"], service["availableCpu"]) == ("512Mi", "1"), "concurrency needs a whole vCPU"
    assert (service["maxInstanceCount"], service["minInstanceCount"]) == (5, 1)
    assert service["maxInstanceRequestConcurrency"] == 8
    assert service["environmentVariables"]["THREADS"] == "8"
    assert service["serviceAccountEmail"].startswith("tripoint-")
    assert (build["runtime"], build["entryPoint"]) == ("python312", "classify")
    assert only_function(google)["labels"]["tripoint-project"] == "tripoint"
    assert google.faults() == []


def test_a_google_function_is_open_to_all_only_when_asked(google: Rig) -> None:
    session(google).apply([Variant("gcp")])
    assert [each.get("bindings", []) for each in google.standin.policies.values()] == [[]]
    session(google).apply([Variant("gcp", access="public")])
    [policy] = google.standin.policies.values()
    assert policy["bindings"] == [{"role": "roles/run.invoker", "members": ["allUsers"]}]


def test_google_log_lines_come_oldest_first(google: Rig) -> None:
    session(google).apply([Variant("gcp")])
    google.standin.log = [
        {"timestamp": f"2026-11-20T00:00:0{index}Z", "textPayload": f"line {index}", "logName": "l"}
        for index in range(5)
    ]
    [(_, lines)] = session(google).logs(limit=2)
    assert [line.split(" ", 1)[1] for line in lines] == ["line 3", "line 4"]


def test_an_azure_app_is_as_asked_and_its_secret_stays_in_its_settings(azure: Rig) -> None:
    session(azure).apply([Variant("azure", memory_mb=512, plan="flex-always-ready", reserved_instances=2)])
    config = only_site(azure)["properties"]["functionAppConfig"]
    assert config["runtime"] == {"name": "python", "version": "3.13"}
    scale = config["scaleAndConcurrency"]
    assert scale["instanceMemoryMB"] == 512
    assert scale["alwaysReady"] == [{"name": "http", "instanceCount": 2}]
    assert scale["triggers"] == {"http": {"perInstanceConcurrency": 1}}
    assert only_site(azure)["properties"]["httpsOnly"] is True
    assert azure.faults() == []


def test_an_azure_function_key_is_asked_for_when_it_is_used(azure: Rig) -> None:
    from tests.standins.azure import KEY

    current = session(azure)
    [endpoint] = current.apply([Variant("azure")])
    given = current.passes()["azure"]
    assert given.headers("POST", endpoint.url, b"", datetime.now(UTC)) == {"x-functions-key": KEY}
    assert KEY not in (azure.folder / ".tripoint" / "deployment.json").read_text()


def test_a_cold_start_is_forced_by_a_variable_that_nothing_reads(google: Rig, azure: Rig) -> None:
    session(google).apply([Variant("gcp")])
    before = only_function(google)["serviceConfig"]["environmentVariables"]
    session(google).retire("gcp")
    after = only_function(google)["serviceConfig"]["environmentVariables"]
    assert set(after) - set(before) == {"TRIPOINT_GENERATION"}
    session(google).retire("gcp")
    assert only_function(google)["serviceConfig"]["environmentVariables"] != after
    session(google).destroy()

    session(azure).apply([Variant("azure")])
    held = {each["name"]: each["value"] for each in only_site(azure)["properties"]["siteConfig"]["appSettings"]}
    session(azure).retire("azure")
    now = {each["name"]: each["value"] for each in only_site(azure)["properties"]["siteConfig"]["appSettings"]}
    assert {name for name in now if now[name] != held.get(name)} == {"TRIPOINT_GENERATION"}
    assert set(held) <= set(now)
    assert google.faults() + azure.faults() == []


def test_a_failed_azure_build_is_told_and_can_be_destroyed(azure: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.standins.azure import Azure

    failed = (200, {"status": 3, "status_text": "pip could not find a wheel"})
    monkeypatch.setattr(Azure, "build_state", lambda self, app: failed)
    with pytest.raises(DeployError, match=r"the build of app .* failed: pip could not find a wheel"):
        session(azure).apply([Variant("azure")])
    assert azure.left() != []
    session(azure).destroy()
    assert azure.left() == []


def test_regions_are_kept_apart_in_groups_of_their_own(azure: Rig) -> None:
    session(azure).apply([Variant("azure", region="eastus"), Variant("azure", region="westeurope")])
    assert len(azure.standin.groups) == 2
    session(azure).apply([Variant("azure", region="eastus")])
    assert len(azure.standin.groups) == 1
    session(azure).destroy()
    assert azure.left() == []


@pytest.mark.parametrize(
    ("cloud", "wrong", "said"),
    [
        ("gcp", {"plan": "gen1"}, "plan 'gen1' is not made by `deploy`: use cloud-run-request"),
        ("gcp", {"image": "x"}, "functions are built from source: leave `image` out"),
        ("azure", {"plan": "premium"}, "is not made by `deploy`: use one of flex-consumption"),
        ("azure", {"access": "public"}, "access public is not offered"),
        ("azure", {"memory_mb": 1024}, "1024 MB is not offered: choose one of 512, 2048, 4096 MB"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is(
    tmp_path: Path, cloud: str, wrong: dict[str, Any], said: str
) -> None:
    with (
        deploy_rig.rig(cloud, tmp_path) as rig,
        mock.patch.dict(os.environ, rig.variables),
        pytest.raises((ValueError, RuntimeError), match=said),
    ):
        session(rig).apply([Variant(cloud, **wrong)])
    assert rig.left() == []
