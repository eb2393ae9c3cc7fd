"""The tab on Locust's own page in a real Chromium, during a run that is started from that page."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loadtests.launch import free_port
from loadtests.live.locust_tab import COLUMNS, TITLE
from loadtests.plan.targets import write_targets
from loadtests.record.cold_state import classify_samples
from loadtests.record.store import open_store
from tests.kits.load import LOCUSTFILE, null_target, write_images

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.timeout(300)]
WITHIN_S = 60.0
POLL_MS = 2000  # the page asks for its statistics so often
FIRST_MS = 90_000  # the process behind the tab is the last one to get a busy processor
PLANS = {"aws": "on-demand", "gcp": "cloud-run-request", "azure": "flex-consumption"}
SCENARIO = """
[[phases]]
kind = "forced"
rounds = 6

[[phases]]
kind = "constant"
rate = 20
count = 90
warm_up = 10
"""


@contextmanager
def locust(folder: Path, *options: str) -> Iterator[str]:
    """Locust with its page and a target in each cloud, as a user starts it; gives the page's address."""
    images, port = write_images(folder / "images"), free_port()
    (folder / "load.toml").write_text(SCENARIO, encoding="utf-8")
    with ExitStack() as running, (folder / "log").open("w", encoding="utf-8") as log:
        servers = [
            running.enter_context(null_target(cloud, "--delay-ms", "15", "--cold-ms", "60")) for cloud in PLANS
        ]
        targets = [replace(each, plan=PLANS[each.cloud], memory_mb=2048) for each in servers]
        write_targets(folder / "targets.json", targets)
        files = ["--targets", str(folder / "targets.json"), "--images", str(images), "--run-dir", str(folder / "run")]
        load = ["--scenario", str(folder / "load.toml"), "--web-host", "127.0.0.1", "--web-port", str(port)]
        command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *files, *load, *options]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            until_up(f"http://127.0.0.1:{port}/")
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            finally:
                process.kill()
                process.wait()


def until_up(address: str) -> None:
    end_s = time.monotonic() + WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end_s:
                raise
            time.sleep(0.1)


def until_workers(address: str, count: int) -> None:
    """Wait until so many workers are connected: those that come later stay out of a run."""
    end_s = time.monotonic() + WITHIN_S
    while fetch(f"{address}worker-count")["worker_count"] < count:
        assert time.monotonic() < end_s, "the workers did not connect"
        time.sleep(0.1)


def fetch(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=20) as answer:
        return json.load(answer)


def table(page: Page) -> list[dict[str, str]]:
    """The rows that are drawn, by the columns' headings."""
    headings = page.locator("table thead th").all_inner_texts()
    cells = [row.locator("td").all_inner_texts() for row in page.locator("table tbody tr").all()]
    return [dict(zip(headings, row, strict=True)) for row in cells]


def watch_run(page: Page) -> list[list[dict[str, str]]]:
    """Start the run from the page and look at the tab until the run is over; what was drawn, again and again."""
    page.wait_for_timeout(1.2 * POLL_MS)  # Locust keeps an answer for so long: sooner, the page would read "ready"
    page.get_by_role("button", name="Start").click()
    page.get_by_role("tab", name=TITLE).click()
    page.locator("table tbody tr").first.wait_for(timeout=FIRST_MS)
    seen = []
    end_s = time.monotonic() + WITHIN_S
    while fetch(f"{page.url.partition('?')[0]}stats/requests")["state"] != "stopped":
        assert time.monotonic() < end_s, "the run did not end"
        seen.append(table(page))
        page.wait_for_timeout(500)
    page.wait_for_timeout(1.2 * POLL_MS)
    if page.get_by_text("stopping").count():  # Locust's page asks no more once it has seen this state
        page.reload()
        page.get_by_role("tab", name=TITLE).click()
        page.locator("table tbody tr").first.wait_for(timeout=FIRST_MS)
    return [*seen, table(page)]


@pytest.mark.parametrize(("processes", "scheme"), [(1, "light"), (2, "dark")])
def test_the_tab_fills_during_a_run_that_is_started_from_the_page(
    tmp_path: Path, visit: Visitor, processes: int, scheme: str
) -> None:
    several = ["--processes", str(processes)] if processes > 1 else []
    with locust(tmp_path, *several) as address:
        if several:
            until_workers(address, processes)
        found = visit(address, viewport={"width": 1700, "height": 700}, color_scheme=scheme)
        drawn = watch_run(found.page)
        found.screenshot(f"locust-tab-{scheme}")
        live = fetch(f"{address}tripoint/live")
        assert found.errors == []
        assert [each for each in found.network() if not each.startswith(address)] == []
        assert is_dark(found.page) == (scheme == "dark")
        assert barriers(found.page) == []
    assert list(drawn[-1][0]) == list(COLUMNS.values())
    assert [row["Target"].split()[0] for row in drawn[-1]] == sorted(PLANS)
    assert len({look[0]["Requests"] for look in drawn if look}) > 1, "the figures did not change during the run"
    with open_store(tmp_path / "run") as store:
        samples = classify_samples(store.samples())
    for row, entry in zip(drawn[-1], sorted(live["targets"], key=lambda each: str(each["name"])), strict=True):
        own = [each for each in samples if each.target == entry["name"]]
        cold = sum(each.state == "cold" for each in own)
        assert int(row["Requests"]) == entry["requests"] == len(own)
        assert int(row["Instances"]) == len({each.instance for each in own if each.instance})
        assert int(row["Cold starts"].split()[0]) == entry["cold"]["n"] == cold
        assert (row["Errors"], row["Dropped"]) == ("0", "0")
        assert "[" in row["Warm p50, ms [95 %]"]
        assert float(row["USD per million"]) > 0


def barriers(page: Page) -> list[str]:
    """What axe calls serious or critical about the table; the page around it is Locust's."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    found = axe.Axe().run(page, context="table").response["violations"]
    return [f"{each['id']}: {each['help']}" for each in found if each["impact"] in ("serious", "critical")]


def is_dark(page: Page) -> bool:
    """Whether the table's text is bright on a dark page."""
    styles = "cell => [getComputedStyle(cell).color, getComputedStyle(document.body).backgroundColor]"
    ink, ground = (brightness(colour) for colour in page.locator("table tbody td").first.evaluate(styles))
    assert abs(ink - ground) > 120, "the text can be read"
    return ink > ground


def brightness(colour: str) -> float:
    """Of `rgb(…)` or `rgba(…)`, 0..255."""
    return sum(float(each) for each in colour.partition("(")[2].rstrip(")").split(",")[:3]) / 3
