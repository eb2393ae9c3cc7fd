"""A load test in a process of its own: what it tells while it runs, and the port that its workers find it at."""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zmq

from loadtests import launch
from loadtests.record.cold_state import classify_samples
from loadtests.record.store import open_store
from tests.kits.load import null_target, write_images

SCENARIO = """
[[phases]]
kind = "constant"
rate = 20
count = 60
"""


def plan_in(folder: Path, targets: list[Any], **changes: Any) -> launch.RunRequest:
    images = write_images(folder / "images")
    (folder / "load.toml").write_text(SCENARIO, encoding="utf-8")
    scenario = str(folder / "load.toml")
    return replace(launch.RunRequest(folder / "run", targets, images, scenario=scenario), **changes)


def test_the_figures_so_far_end_with_those_of_the_whole_run(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    with null_target("aws") as aws, null_target("gcp") as gcp:
        plan = plan_in(tmp_path, [replace(aws, plan="on-demand"), gcp], workers=2)
        ended = launch.run(plan, on_live=told.append)
    assert ended == launch.RunOutcome(0)
    with open_store(tmp_path / "run") as store:
        samples = classify_samples(store.samples())
    seen = [sum(entry["requests"] for entry in each["targets"]) for each in told]
    assert seen == sorted(seen)
    assert len(set(seen)) > 2
    assert seen[-1] == len(samples)
    assert "problem" not in told[-1]
    for entry in told[-1]["targets"]:
        own = [each for each in samples if each.target == entry["name"]]
        assert entry["warm"]["n"] == sum(each.state == "warm" and each.stratum == "steady" for each in own)
        assert (entry["cost_usd_per_million"] is not None) == (entry["name"] == "aws")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port is only found free")
def test_the_port_of_the_workers_is_given_to_nobody_else_before_the_master_has_it() -> None:
    with launch.held_port() as port, ExitStack() as others:
        given = [others.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(500)]
        assert port not in {each.getsockname()[1] for each in given}
        with zmq.Context() as context, context.socket(zmq.ROUTER) as master:
            master.bind(f"tcp://127.0.0.1:{port}")  # as Locust does
