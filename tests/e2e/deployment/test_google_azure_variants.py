"""What is particular to Google Cloud and to Azure: settings, locks, failed builds, cold starts on demand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from adapters.deployment.deployed_targets import DeployedTargets
from adapters.deployment.errors import DeployError
from adapters.deployment.function_spec import FunctionSpec
from adapters.deployment.session import Session
from adapters.gcp.deployment.run_service import RunService
from tests.kits import deploy_rig

if TYPE_CHECKING:
    from tests.kits.deploy_rig import Rig

pytestmark = [pytest.mark.timeout(300)]


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
    variant = FunctionSpec(
        "gcp", memory_mb=512, concurrency=8, maximum_instances=5, reserved_instances=1, python="3.12"
    )
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


@pytest.mark.parametrize(
    ("asked", "cpu"),
    [
        ({"memory_mb": 1024}, None),
        ({"memory_mb": 1024, "concurrency": 8}, "1"),
        ({"memory_mb": 8192, "concurrency": 80}, None),
        ({"memory_mb": 300}, "0.333"),
        ({"memory_mb": 6000}, "2"),
        ({"memory_mb": 32768}, None),
        ({"memory_mb": 128, "plan": "cloud-run-instance", "reserved_instances": 1}, "1"),
    ],
)
def test_a_google_function_gets_the_cpu_that_google_asks_for_its_memory_and_its_billing(
    google: Rig, asked: dict[str, Any], cpu: str | None
) -> None:
    """The stand-in refuses what Cloud Run refuses; None is the functions' own default, which fits."""
    session(google).apply([FunctionSpec("gcp", **asked)])
    assert only_function(google)["serviceConfig"].get("availableCpu") == cpu
    assert google.faults() == []


def test_google_bills_by_the_instance_and_boosts_no_start_where_that_is_asked(google: Rig) -> None:
    held = FunctionSpec("gcp", plan="cloud-run-instance", reserved_instances=1)
    session(google).apply([held, FunctionSpec("gcp"), FunctionSpec("gcp", cpu_boost=False)])
    containers = {name.rpartition("/")[2].split("-", 2)[2]: each for name, each in google.standin.containers.items()}
    assert containers == {
        "run-instance-2048-c1": {"cpuIdle": False, "startupCpuBoost": True},
        "run-request-2048-c1": {"cpuIdle": True, "startupCpuBoost": True},
        "run-request-2048-c1-noboost": {"cpuIdle": True, "startupCpuBoost": False},
    }
    targets = json.loads((google.folder / ".tripoint" / "targets.json").read_text())["targets"]
    assert [each["name"] for each in targets] == [
        "gcp cloud-run-instance-2048-x8664-c1",
        "gcp cloud-run-request-2048-x8664-c1",
        "gcp cloud-run-request-2048-x8664-c1-noboost",
    ]
    assert [each["plan"] for each in targets] == ["cloud-run-instance", "cloud-run-request", "cloud-run-request"]
    DeployedTargets(session(google)).force_cold_start(targets[0]["name"])
    assert containers["run-instance-2048-c1"] == {"cpuIdle": False, "startupCpuBoost": True}, "a cold start keeps it"
    assert google.faults() == []


def test_what_google_does_by_default_is_not_done_again(google: Rig) -> None:
    google.standin.boost = True
    session(google).apply([FunctionSpec("gcp")])
    assert not [line for line in google.interruption.seen if line.startswith("PATCH")]
    session(google).apply([FunctionSpec("gcp", maximum_instances=30)])
    patched = [line.rpartition("/")[0] for line in google.interruption.seen if line.startswith("PATCH")]
    assert [line.rpartition("/")[2] for line in patched] == ["functions"], "the function, and no second revision"


def test_a_function_whose_billing_was_not_set_any_more_is_seen_as_not_made_and_repaired(
    google: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant = FunctionSpec("gcp", plan="cloud-run-instance", reserved_instances=1)
    with monkeypatch.context() as patched:
        patched.setattr(RunService, "set_resources", cut_off)
        with pytest.raises(KeyboardInterrupt):
            session(google).apply([variant])
    assert [each["cpuIdle"] for each in google.standin.containers.values()] == [True]
    assert [change.action for change in session(google).plan([variant])] == ["keep", "change"]
    assert session(google).endpoints() == [], "nothing is measured under a plan that it does not have"
    session(google).apply([variant])
    assert [each["cpuIdle"] for each in google.standin.containers.values()] == [False]
    assert [change.action for change in session(google).plan([variant])] == ["keep", "keep"]


def cut_off(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_google_function_is_reachable_from_where_it_is_asked_to_be(google: Rig) -> None:
    for ingress, held in (("internal", 2), ("internal-and-gclb", 3), ("all", 1)):
        session(google).apply([FunctionSpec("gcp", ingress=ingress)])
        assert only_function(google)["serviceConfig"]["ingressSettings"] == held
    said = google.run("plan", "gcp", "--ingress", "internal")
    assert "ingress internal: out of reach from here" in said
    assert "lets nobody in from the internet: measure it from inside its VPC network" in said


def test_a_google_functions_name_fits_its_service_and_stays_its_own(google: Rig) -> None:
    long: dict[str, Any] = {"plan": "cloud-run-instance", "reserved_instances": 1, "memory_mb": 16384}
    current = replace(session(google), project="abcdefghijkl")
    current.apply([FunctionSpec("gcp", **long, concurrency=1000 + at, cpu_boost=False) for at in (-1, 0)])
    names = [name.rpartition("/")[2] for name in google.standin.functions]
    assert len(set(names)) == 2
    assert max(map(len, names)) < 50
    current.destroy()
    assert google.left() == []


def test_a_google_function_is_open_to_all_only_when_asked(google: Rig) -> None:
    session(google).apply([FunctionSpec("gcp")])
    assert [each.get("bindings", []) for each in google.standin.policies.values()] == [[]]
    session(google).apply([FunctionSpec("gcp", access="public")])
    [policy] = google.standin.policies.values()
    assert policy["bindings"] == [{"role": "roles/run.invoker", "members": ["allUsers"]}]


def test_google_log_lines_come_oldest_first(google: Rig) -> None:
    session(google).apply([FunctionSpec("gcp")])
    google.standin.log = [
        {"timestamp": f"2026-11-20T00:00:0{index}Z", "textPayload": f"line {index}", "logName": "l"}
        for index in range(5)
    ]
    [(_, lines)] = session(google).logs(limit=2)
    assert [line.split(" ", 1)[1] for line in lines] == ["line 3", "line 4"]


def test_an_azure_app_is_as_asked_and_its_secret_stays_in_its_settings(azure: Rig) -> None:
    session(azure).apply([FunctionSpec("azure", memory_mb=512, plan="flex-always-ready", reserved_instances=2)])
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
    [endpoint] = current.apply([FunctionSpec("azure")])
    given = DeployedTargets(current).request_auth()["azure"]
    assert given.headers("POST", endpoint.url, b"", datetime.now(UTC)) == {"x-functions-key": KEY}
    assert KEY not in (azure.folder / ".tripoint" / "deployment.json").read_text()


def test_a_cold_start_is_forced_by_a_variable_that_nothing_reads(google: Rig, azure: Rig) -> None:
    session(google).apply([FunctionSpec("gcp")])
    before = only_function(google)["serviceConfig"]["environmentVariables"]
    DeployedTargets(session(google)).force_cold_start("gcp")
    after = only_function(google)["serviceConfig"]["environmentVariables"]
    assert set(after) - set(before) == {"TRIPOINT_GENERATION"}
    DeployedTargets(session(google)).force_cold_start("gcp")
    assert only_function(google)["serviceConfig"]["environmentVariables"] != after
    session(google).destroy()

    session(azure).apply([FunctionSpec("azure")])
    held = {each["name"]: each["value"] for each in only_site(azure)["properties"]["siteConfig"]["appSettings"]}
    DeployedTargets(session(azure)).force_cold_start("azure")
    now = {each["name"]: each["value"] for each in only_site(azure)["properties"]["siteConfig"]["appSettings"]}
    assert {name for name in now if now[name] != held.get(name)} == {"TRIPOINT_GENERATION"}
    assert set(held) <= set(now)
    assert google.faults() + azure.faults() == []


def test_a_failed_azure_build_is_told_and_can_be_destroyed(azure: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.standins.azure import Azure

    failed = (200, {"status": 3, "status_text": "pip could not find a wheel"})
    monkeypatch.setattr(Azure, "build_state", lambda self, app: failed)
    with pytest.raises(DeployError, match=r"the build of app .* failed: pip could not find a wheel"):
        session(azure).apply([FunctionSpec("azure")])
    assert azure.left() != []
    session(azure).destroy()
    assert azure.left() == []


def test_regions_are_kept_apart_in_groups_of_their_own(azure: Rig) -> None:
    session(azure).apply([FunctionSpec("azure", region="eastus"), FunctionSpec("azure", region="westeurope")])
    assert len(azure.standin.groups) == 2
    session(azure).apply([FunctionSpec("azure", region="eastus")])
    assert len(azure.standin.groups) == 1
    session(azure).destroy()
    assert azure.left() == []


@pytest.mark.parametrize(
    ("cloud", "wrong", "said"),
    [
        ("gcp", {"plan": "gen1"}, "plan 'gen1' is not made by `deploy`: use cloud-run-request or cloud-run-instance"),
        ("gcp", {"plan": "cloud-run-instance"}, "needs reserved_instances of 1 or more"),
        ("gcp", {"memory_mb": 64}, "64 MB is not offered: choose 128 to 32768 MB"),
        ("gcp", {"concurrency": 1001}, "concurrency is 1001: expected 1 to 1000"),
        ("gcp", {"ingress": "private"}, "ingress 'private': gcp has all, internal, internal-and-gclb"),
        ("azure", {"ingress": "internal"}, "ingress 'internal': azure has all"),
        ("azure", {"cpu_boost": False}, "cpu_boost is False: azure has no CPU boost; leave it out"),
        ("azure", {"reserved_instances": 1}, "have a plan and a price of their own: flex-always-ready"),
        ("azure", {"plan": "flex-always-ready"}, "have a plan and a price of their own: flex-always-ready"),
        ("azure", {"maximum_instances": 1001}, "maximum_instances is 1001: Flex Consumption takes 1000 at most"),
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
        session(rig).apply([FunctionSpec(cloud, **wrong)])
    assert rig.left() == []
