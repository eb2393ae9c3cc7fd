"""plan, apply, status, destroy and sweep from the command line, with the vendors' SDKs against stand-ins."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.bundle import cache, layout
from adapters.bundle.errors import BundleError
from adapters.deployment import provider
from adapters.deployment.function_spec import FunctionSpec
from adapters.deployment.naming import Deployment
from tests.kits import deploy_rig

if TYPE_CHECKING:
    from tests.kits.deploy_rig import Rig

WAYS = ("destroy", "sweep", "resume")
POINTS = os.environ.get("TRIPOINT_DEPLOY_POINTS", "1")  # of each cloud; "all": every one, a quarter of an hour
SEED = os.environ.get("TRIPOINT_DEPLOY_SEED", "1")
SOME = list(deploy_rig.CLOUDS) if POINTS == "all" else random.Random(SEED).sample(deploy_rig.CLOUDS, 1)

pytestmark = [pytest.mark.timeout(600)]


def with_bundle(name: str) -> str:
    """A cloud whose bundle is made before the clock of any test runs."""
    name = name.partition(" ")[0]
    deploy_rig.installed(name)
    try:
        provider.provider_of(name).steps(Deployment("tripoint", "zzzzzzzzz", "nobody"), [FunctionSpec(name)])
    except BundleError as error:
        pytest.skip(f"the bundle cannot be made here: {error}")
    return name


@pytest.fixture(scope="session", params=deploy_rig.CLOUDS)
def cloud(request: pytest.FixtureRequest) -> str:
    return with_bundle(request.param)


@pytest.fixture(params=SOME)
def some_rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """Of one cloud, or of every one: see POINTS."""
    with deploy_rig.rig(with_bundle(request.param), tmp_path) as made:
        yield made


@pytest.fixture
def rig(cloud: str, tmp_path: Path) -> Iterator[Rig]:
    with deploy_rig.rig(cloud, tmp_path) as made:
        yield made


def test_the_command_itself_plans_and_says_what_is_missing(cloud: str, tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS", "AZURE", "GOOGLE"))}
    environ |= {"HOME": str(tmp_path), "TRIPOINT_CACHE": str(cache.root()), "PYTHONPATH": str(layout.REPOSITORY)}
    environ |= {"AWS_EC2_METADATA_DISABLED": "true", "NO_GCE_CHECK": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "cli", "deploy", "plan", cloud],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("missing")]
    assert line.startswith(f"missing {cloud}: no ")
    assert not (tmp_path / ".tripoint").exists()


def test_what_is_applied_is_seen_measured_and_destroyed(rig: Rig) -> None:
    planned = rig.run("plan", rig.cloud)
    assert f"make    {rig.cloud}" in planned
    assert "at most" in planned
    assert rig.left() == []

    assert rig.cloud in rig.apply()
    assert rig.faults() == []
    assert rig.left() != []
    [target] = json.loads((rig.folder / ".tripoint" / "targets.json").read_text())["targets"]
    assert target["cloud"] == rig.cloud
    assert target["url"].startswith("https://")
    assert "cut off" not in rig.run("status")

    assert "nothing is left" in rig.run("destroy")
    assert rig.left() == []
    assert not (rig.folder / ".tripoint" / "deployment.json").exists()


def test_a_second_apply_changes_only_what_differs(rig: Rig) -> None:
    rig.apply()
    before, calls = rig.left(), len(rig.interruption.seen)
    again = rig.apply()
    assert "make " not in again
    assert "change " not in again
    assert rig.left() == before
    assert rig.interruption.seen[calls:] == [], "not one changing request"
    changed = rig.apply("--max-instances", "60")
    assert changed.count("change  ") == 1
    assert "make " not in changed
    rig.run("destroy")
    assert rig.left() == []


def test_variants_stand_side_by_side_and_one_can_be_taken_away(some_rig: Rig) -> None:
    rig = some_rig
    sizes = (512, 2048)
    listed = "".join(f'[[variants]]\ncloud = "{rig.cloud}"\nmemory_mb = {size}\n' for size in sizes)
    (rig.folder / "tripoint.toml").write_text(f'owner = "ana"\n{listed}')
    rig.run("apply", "--yes")
    targets = json.loads((rig.folder / ".tripoint" / "targets.json").read_text())["targets"]
    assert sorted(target["memory_mb"] for target in targets) == [512, 2048]
    both = len(rig.left())
    (rig.folder / "tripoint.toml").write_text(f'[[variants]]\ncloud = "{rig.cloud}"\nmemory_mb = 512\n')
    said = rig.run("apply", "--yes")
    assert "remove " in said
    assert 0 < len(rig.left()) < both
    rig.run("destroy")
    assert rig.left() == []


def test_what_was_removed_by_hand_is_made_again(some_rig: Rig) -> None:
    rig = some_rig
    rig.apply()
    provider_kinds = {"aws": "function", "gcp": "function", "azure": "app"}
    remove_by_hand(rig, provider_kinds[rig.cloud])
    said = rig.apply()
    assert f"make    {provider_kinds[rig.cloud]} " in said
    rig.run("destroy")
    assert rig.left() == []


def remove_by_hand(rig: Rig, kind: str) -> None:
    import os
    from unittest import mock

    from adapters.deployment import state

    recorded = state.read(rig.folder / ".tripoint")
    assert recorded is not None
    with mock.patch.dict(os.environ, rig.variables):
        for entry in recorded.entries.values():
            if entry.resource.kind == kind:
                provider.provider_of(rig.cloud).remove(entry.resource)


def test_sweep_takes_only_what_is_past_its_time(rig: Rig) -> None:
    rig.apply()
    shutil.rmtree(rig.folder / ".tripoint")
    assert "0 removed" in rig.run("sweep", rig.cloud)
    assert rig.left() != []
    assert "0 removed" in rig.run("sweep", rig.cloud, "--all", "--yes", "--project", "another")
    rig.run("sweep", rig.cloud, "--all", "--yes")
    assert rig.left() == []


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("deployed", deploy_rig.WAYS_TO_DEPLOY)
def test_killed_at_any_changing_request_it_can_be_cleaned_up(deployed: str, tmp_path: Path) -> None:
    """Before and after each of them, and then by each way; a few of these, or all: see POINTS."""
    cut_off(deployed, tmp_path)


@pytest.mark.timeout(3600)
def test_killed_while_a_google_function_gets_its_billing_it_can_be_cleaned_up(tmp_path: Path) -> None:
    cut_off("gcp", tmp_path, "--plan", "cloud-run-instance", "--reserved", "1", "--no-cpu-boost")


@pytest.mark.timeout(3600)
def test_killed_at_any_changing_request_of_a_rest_api_it_can_be_cleaned_up(tmp_path: Path) -> None:
    """As above, with the front that takes the most requests to make."""
    cut_off("aws", tmp_path, "--front", "rest-api")


def cut_off(deployed: str, tmp_path: Path, *asked: str) -> None:
    """At the chosen points of `apply` with the options `asked`."""
    cloud = with_bundle(deployed)
    with deploy_rig.rig(deployed, tmp_path / "whole") as whole:
        whole.apply(*asked)
        points = list(whole.interruption.seen)
        whole.run("destroy")
    assert len(points) >= 4
    every = [(at, when, way) for at in range(len(points)) for when in ("before", "after") for way in WAYS]
    drawn = random.Random(" ".join((SEED, deployed, *asked)))
    for at, when, way in every if POINTS == "all" else drawn.sample(every, int(POINTS)):
        with deploy_rig.rig(deployed, tmp_path / f"{way} {when} {at}", at=at + 1, after=when == "after") as rig:
            rig.extra = (*rig.extra, *asked)
            process = rig.start("apply", cloud, "--yes", *rig.extra)
            process.join(120)
            assert process.exitcode == -9, points[at]
            clean_up(rig, way)
            assert rig.left() == [], f"killed {when} {points[at]}, then {way}"
    print(f"{deployed} {' '.join(asked)}: {POINTS} of {len(every)} ways to be cut off, and nothing was left")


def clean_up(rig: Rig, way: str) -> None:
    if way == "sweep":
        shutil.rmtree(rig.folder / ".tripoint")
        rig.run("sweep", rig.cloud, "--all", "--yes")
        return
    if way == "resume":
        rig.apply()
        assert "cut off" not in rig.run("status")
        assert rig.faults() == []
        if rig.cloud == "gcp":  # what the functions API cannot set is set on the service all the same
            [container] = rig.standin.containers.values()
            whole_life = "cloud-run-instance" in rig.extra
            assert container == {"cpuIdle": not whole_life, "startupCpuBoost": not whole_life}
    rig.run("destroy")
