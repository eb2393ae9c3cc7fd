"""`tripoint tune` on deployed sizes: closed doors, forced cold starts, a cap that holds its first requests too."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from adapters.deployment.session import Session
from loadtests.cost.tariff import request_price
from loadtests.plan.targets import read_targets
from loadtests.prices.book import bundled_book
from loadtests.record.cold_state import classify_samples
from loadtests.record.store import open_store
from loadtests.run.preflight import REQUESTS
from tests.kits import deploy_rig

if TYPE_CHECKING:
    from tests.kits.deploy_rig import Rig

pytestmark = [pytest.mark.timeout(600)]
SIZES_MB = (512, 1769)
VARIANTS = "\n".join(f'[[variants]]\ncloud = "aws"\nmemory_mb = {size_mb}' for size_mb in SIZES_MB)
PROBES = 6
WITHIN_S = 300


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Two sizes of one function, each behind a door of its own."""
    with deploy_rig.open_rig("aws", tmp_path) as made:
        (tmp_path / "tripoint.toml").write_text(VARIANTS, encoding="utf-8")
        made.run("apply", "aws", "--yes")
        yield made


def tune(rig: Rig, *arguments: str) -> tuple[int, str, str]:
    """The exit status, the result, and what was said besides."""
    process = rig.user("tune", "--targets", "deployed", "--minutes", "0.8", *arguments)
    out, errors = process.communicate(timeout=WITHIN_S)
    return process.returncode, out, errors


@pytest.mark.clock
def test_deployed_sizes_are_swept_with_keys_and_forced_cold_starts_within_a_budget(rig: Rig) -> None:
    run = rig.folder / "run"
    status, out, said = tune(rig, "--budget", "1")
    assert (status, "add --yes" in said) == (2, True), "nobody agreed"
    assert "cost    at most 1," in said
    assert "budget  1.0 USD: the run ends before it could cost more" in said
    assert rig.door is not None
    assert rig.door.served == 0

    status, out, said = tune(rig, "--budget", "1", "--yes", "--quiet", "--json", "--out", str(run))
    assert status == 0, said
    sweep = json.loads(out)["sweep"]
    names = {f"aws on-demand-{size_mb}-x8664-c1" for size_mb in SIZES_MB}
    assert {each["name"]: each["left_out"] for each in sweep["settings"]} == dict.fromkeys(names)
    assert [each["scope"] for each in sweep["recommendations"]] == ["aws"]
    assert "of the budget went, at most, into the requests before the run" in sweep["notes"][0]
    with open_store(run) as store:
        samples, [spent] = classify_samples(store.samples()), store.events("spent")
    assert {sample.outcome for sample in samples} == {"ok"}
    for name in names:
        own = [sample for sample in samples if sample.target == name]
        forced = [sample for sample in own if sample.stratum == "forced"]
        assert len(forced) >= 6
        assert {sample.state for sample in forced} == {"cold"}
        size_mb = int(name.split("-")[2])
        assert {sample.report and sample.report.memory_mb for sample in own} == {size_mb}, "its own function's lines"
        assert len({sample.instance for sample in forced}) == len(forced), "a new instance in every round"
    door = rig.door
    assert door.refused == []
    assert door.served == len(samples) + 2 * REQUESTS
    retired = sum(sample.stratum == "forced" for sample in samples)
    assert door.retired == retired, "one more before the run found nothing running yet"
    before_usd = Decimal(sweep["notes"][0].split()[0])
    assert before_usd > 0
    assert spent.document["cap_usd"] == pytest.approx(float(1 - before_usd), abs=1e-6)
    assert len(rig.left()) >= 5, "what was deployed stays"
    assert_sizes_differ(rig)
    rig.run("destroy")
    assert rig.left() == []


@pytest.mark.clock  # a sweep is fitted to how fast its targets answer
def test_one_command_deploys_the_sizes_sweeps_them_and_removes_everything(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with deploy_rig.open_rig("aws", tmp_path) as rig:
        asked = ("--deploy", "aws", "--memory", "512,1769", "--minutes", "0.8", "--out", str(run))
        process = rig.user("tune", *asked, "--budget", "1", "--yes", "--json")
        out, said = process.communicate(timeout=WITHIN_S)
        assert process.returncode == 0, said
        assert rig.left() == []
    summary = json.loads(out)
    assert {each["memory_mb"] for each in summary["targets"]} == set(SIZES_MB)
    assert all(each["platform_billed"] == each["requests"] for each in summary["targets"]), said
    assert [each["scope"] for each in summary["sweep"]["recommendations"]] == ["aws"]
    assert not (tmp_path / ".tripoint" / "deployment.json").exists()


def assert_sizes_differ(rig: Rig) -> None:
    """Each function has the memory that its variant asked for, and its own address."""
    targets = read_targets(rig.folder / ".tripoint" / "targets.json")
    assert sorted(target.memory_mb for target in targets) == sorted(SIZES_MB)
    assert len({target.url for target in targets}) == 2
    assert sorted(rig.standin.sizes_mb.values()) == sorted(SIZES_MB)


def test_a_cap_that_the_first_requests_use_up_ends_the_sweep_before_its_run(rig: Rig) -> None:
    run = rig.folder / "run"
    [small, large] = sorted(read_targets(rig.folder / ".tripoint" / "targets.json"), key=lambda each: each.memory_mb)
    cap_usd = request_price(small, bundled_book()).highest_usd * Decimal("1.1")
    assert cap_usd < request_price(large, bundled_book()).highest_usd
    status, _, said = tune(rig, "--budget", f"{cap_usd:f}", "--yes", "--quiet", "--out", str(run))
    assert status != 0
    assert "give a larger --budget" in said
    assert "Traceback" not in said
    assert rig.door is not None
    assert rig.door.served <= REQUESTS, "the small size alone"
    assert not (run / "samples.sqlite").exists()
    with mock.patch.dict(os.environ, rig.variables):
        Session(folder=rig.folder / ".tripoint", say=lambda line: None).destroy()
    assert rig.left() == []
