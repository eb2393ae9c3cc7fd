"""The report as people see it: opened from disk in Chromium, at a desk, on a phone, in the dark, on paper."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loadtests.report.build import PAGE_NAME, summarise_run, write_reports
from tests.kits.page import Load, target, three_clouds
from tests.paths import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.timeout(300)
PHONE = {"viewport": {"width": 375, "height": 800}}
NO_WIDER = "document.documentElement.scrollWidth <= innerWidth"
LONG = "a-target-whose-name-is-so-long-that-no-phone-can-hold-it-on-one-line-"


def reported(load: Load, folder: Path) -> Path:
    load.stored(folder)
    write_reports(folder, summarise_run(folder))
    return folder / PAGE_NAME


def sweep() -> Load:
    sizes = [("aws", 512), ("aws", 1769), ("gcp", 1024), ("gcp", 2048)]
    targets = [target(f"{cloud}-{size}", cloud, memory_mb=size) for cloud, size in sizes]
    load = Load(targets, header={"tune": "balanced", "tune_notes": "One note."})
    for place, each in enumerate(targets):
        load.cold(each.name, 8, around_ms=500 - 60 * place).warm(each.name, 100, around_ms=40 - 8 * place)
    return load


def poor() -> Load:
    """Too few of everything, and most of it wrong."""
    load = Load([target("aws"), target("azure"), target("gcp")])
    load.cold("aws", 2, around_ms=300).warm("aws", 4, around_ms=10).bad("azure", 20, "timeout")
    return load.bad("gcp", 5, "dropped").bad("gcp", 5, "failed")


def five() -> Load:
    clouds = ["aws", "azure", "gcp", "aws", "gcp"]
    load = Load([target(f"{LONG}{place}", cloud) for place, cloud in enumerate(clouds)])
    for each in load.targets:
        load.three_kinds(each.name, warm_ms=15, cold_ms=300, warm=90)
    return load


KINDS = {"three clouds": three_clouds, "sweep": sweep, "poor": poor, "five long names": five}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: reported(make(), tmp_path_factory.mktemp("run")) for kind, make in KINDS.items()}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report that a small comparison of the three local clouds leaves."""
    folder = tmp_path_factory.mktemp("real") / "run"
    command = [sys.executable, "-m", "cli", "compare", "--scenario", "smoke", "--quiet", "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / PAGE_NAME


def drawn(visit: Visitor, path: Path, **options: Any) -> Visit:
    """Open a page and wait for its charts; nothing may be wrong with it, and nothing asked of the network."""
    seen = visit(path.as_uri(), **options)
    until(seen.page, "document.documentElement.dataset.drawn")
    assert seen.errors == []
    assert seen.network() == []
    assert seen.page.evaluate("document.documentElement.dataset.drawn") == "yes"
    return seen


def faults(page: Page, *, charts: bool = False) -> list[str]:
    """What axe calls serious or critical, with everything unfolded; inside of `charts` too, which takes longer."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    context = None if charts else {"exclude": [[".chart svg.marks"]]}
    found = axe.Axe().run(page, context=context).response["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in grave]


def test_the_report_of_a_real_run_of_three_clouds_opens_without_a_word_or_a_request(
    visit: Visitor, real: Path
) -> None:
    seen = drawn(visit, real)
    assert seen.page.locator(".chart").count() == seen.page.locator(".chart svg.marks").count() >= 6
    assert seen.page.locator("#verdict .mark").count() == 3
    for name in ("aws", "azure", "gcp"):
        assert seen.page.locator("#result th", has_text=name).count() == 1
    assert faults(seen.page, charts=True) == []
    seen.screenshot("report-real-run")


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_of_any_kind_is_fit_for_a_desk_and_a_phone(
    visit: Visitor, pages: dict[str, Path], kind: str
) -> None:
    wide = drawn(visit, pages[kind])
    assert wide.page.evaluate(NO_WIDER)
    wide.screenshot(f"report-{kind.replace(' ', '-')}", full=kind in ("three clouds", "sweep"))
    assert faults(wide.page) == []
    narrow = drawn(visit, pages[kind], **PHONE)
    assert narrow.page.evaluate(NO_WIDER)
    narrow.screenshot(f"report-{kind.replace(' ', '-')}-phone", full=kind == "three clouds")


def until(page: Page, expression: str) -> None:
    """Wait for a condition. Playwright's own wait compiles it in the page, which the page's policy forbids."""
    for _ in range(300):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"not within 30 s: {expression}")


def test_the_slider_and_the_free_grants_change_what_a_month_costs(visit: Visitor, pages: dict[str, Path]) -> None:
    page = drawn(visit, pages["three clouds"]).page
    month = "document.querySelector('#chart-cost-at-volume .mark-text.role-mark').textContent"
    assert page.locator("#volume-words").inner_text() == "10 million"
    before = page.evaluate(month)
    page.locator("#volume").focus()
    page.keyboard.press("ArrowRight")
    until(page, f"{month} !== {before!r}")
    assert page.locator("#volume-words").inner_text() == "11.5 million"
    more = page.evaluate(month)
    page.get_by_label("Count the free grants").check()
    until(page, f"{month} !== {more!r}")
    breaks = page.locator("#chart-cost-volume .mark-symbol.role-mark path[stroke='white']")
    assert breaks.count() >= 1, "break-even points"
    page.locator("#volume").focus()
    page.keyboard.press("Home")
    until(page, f"{month}.startsWith('$0')")
    assert page.locator("#volume").get_attribute("aria-valuetext") == "1 thousand"


def test_the_legend_takes_targets_out_of_every_chart_and_back(visit: Visitor, pages: dict[str, Path]) -> None:
    page = drawn(visit, pages["three clouds"]).page
    curves = "document.querySelectorAll('#chart-warm-distribution .mark-line.role-mark path').length"
    assert page.evaluate(curves) == 3
    page.locator(".legend").get_by_label("azure").focus()
    page.keyboard.press("Space")
    until(page, f"{curves} === 2")
    until(page, "document.querySelectorAll('#chart-cost-at-volume .mark-text.role-mark text').length === 2")
    page.keyboard.press("Space")
    until(page, f"{curves} === 3")


def test_a_click_on_a_charts_own_legend_fades_the_others(visit: Visitor, pages: dict[str, Path]) -> None:
    page = drawn(visit, pages["three clouds"]).page
    page.locator("#chart-warm-distribution g.role-legend-label text", has_text="gcp").click()
    curves = "[...document.querySelectorAll('#chart-warm-distribution .mark-line.role-mark path')]"
    until(page, f"{curves}.filter((each) => Number(each.getAttribute('opacity')) < 0.5).length === 2")


def test_dark_is_the_systems_choice_and_the_button_changes_it(visit: Visitor, pages: dict[str, Path]) -> None:
    seen = drawn(visit, pages["three clouds"], color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = seen.page.evaluate(paper)
    assert dark == "rgb(21, 23, 27)"
    ink = "getComputedStyle(document.querySelector('#chart-warm-distribution .role-axis-label text')).fill"
    assert seen.page.evaluate(ink) == "rgb(165, 172, 184)", "charts follow"
    seen.screenshot("report-dark")
    assert faults(seen.page) == []
    seen.page.get_by_role("button", name="Light").click()
    assert seen.page.evaluate(paper) == "rgb(255, 255, 255)"
    assert seen.page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "false"


def test_paper_is_light_has_all_tables_unfolded_and_cuts_no_chart(visit: Visitor, pages: dict[str, Path]) -> None:
    seen = drawn(visit, pages["three clouds"], color_scheme="dark")
    path = ROOT / "build" / "screenshots" / "report.pdf"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = seen.page.pdf(path=path, format="A4")
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") >= 4
    seen.page.set_viewport_size({"width": 690, "height": 1000})  # A4 less its margins
    seen.page.emulate_media(media="print")
    seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert seen.page.locator("details.data:not([open])").count() == 0
    assert seen.page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper')") == "#ffffff"
    assert not seen.page.locator("nav").is_visible()
    sizes = seen.page.evaluate(
        "[...document.querySelectorAll('.chart svg.marks')].map((each) => each.getBoundingClientRect().right)"
    )
    assert sizes
    assert max(sizes) <= 691
    seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert seen.page.locator("details.data[open]").count() == 0


@pytest.mark.parametrize(("words", "suffix", "begins"), [("SVG", "svg", b"<svg"), ("PNG", "png", b"\x89PNG")])
def test_a_chart_can_be_saved(
    visit: Visitor, pages: dict[str, Path], tmp_path: Path, words: str, suffix: str, begins: bytes
) -> None:
    seen = drawn(visit, pages["three clouds"], accept_downloads=True)
    seen.page.locator("#chart-warm-distribution summary").click()
    with seen.page.expect_download() as download:
        seen.page.locator("#chart-warm-distribution a", has_text=words).click()
    assert download.value.suggested_filename == f"tripoint-warm-distribution.{suffix}"
    download.value.save_as(tmp_path / "chart")
    assert (tmp_path / "chart").read_bytes().startswith(begins)
    assert seen.errors == []


def test_the_keyboard_reaches_everything_that_can_be_used(visit: Visitor, pages: dict[str, Path]) -> None:
    page = drawn(visit, pages["three clouds"]).page
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.id || document.activeElement.className || document.activeElement.tagName"
            )
        )
    assert {"skip", "theme", "wide", "volume", "grants", "INPUT", "SUMMARY"} <= reached
