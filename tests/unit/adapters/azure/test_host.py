"""The host's decisions that need no worker process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from adapters.azure import instance
from adapters.azure.local.host import process_count
from adapters.azure.local.language_worker import app_settings
from adapters.contract import Environment, InstanceFailed, Process


async def refuse(command: Sequence[str], *, variables: Mapping[str, str], folder: Path) -> Process:
    raise OSError(11, "Resource temporarily unavailable")


def environment(bundle: Path, variables: Mapping[str, str]) -> Environment:
    return Environment(
        cloud="azure",
        function="classify",
        version="1",
        bundle=bundle,
        memory_mb=2048,
        cpu_share=1.0,
        concurrency=1,
        timeout_s=1.0,
        init_timeout_s=1.0,
        launch=refuse,
        variables=variables,
    )


def test_a_system_without_processes_left_is_told(tmp_path: Path) -> None:
    with pytest.raises(InstanceFailed, match=r"no worker process could be started.*Resource temporarily unavailable"):
        asyncio.run(instance.start(environment(tmp_path, {})))


def test_the_apps_own_settings_go_before_the_surrounding_ones(tmp_path: Path) -> None:
    surrounding = {"FUNCTIONS_WORKER_PROCESS_COUNT": "3", "PYTHON_THREADPOOL_THREAD_COUNT": "4", "HOME": "/home/me"}
    given = environment(tmp_path, {"FUNCTIONS_WORKER_PROCESS_COUNT": "2", "OWN": "1"})
    assert app_settings(given, surrounding) == {
        "FUNCTIONS_WORKER_PROCESS_COUNT": "2",
        "PYTHON_THREADPOOL_THREAD_COUNT": "4",
        "OWN": "1",
    }


def test_one_worker_process_unless_it_is_set() -> None:
    assert process_count({}) == 1
    assert process_count({"FUNCTIONS_WORKER_PROCESS_COUNT": "10"}) == 10
    with pytest.raises(InstanceFailed, match="'-1': expected 1 to 10"):
        process_count({"FUNCTIONS_WORKER_PROCESS_COUNT": "-1"})
