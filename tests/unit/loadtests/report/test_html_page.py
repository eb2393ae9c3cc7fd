"""The page as one file: what it holds, in what order, that it asks for nothing, that its charts are true."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from loadtests.report.document import compose
from loadtests.report.html_page import render_html
from loadtests.report.sections.palette import short_names
from loadtests.stats.formatting import format_number
from tests.kits.page import Load, target, three_clouds

if TYPE_CHECKING:
    from loadtests.report.sections.context import ReportContext

HOSTILE = "</script><img src=x onerror=alert(1)>'\"&{{7*7}}"


class Outline(HTMLParser):
    """Headings, sections, addresses and scripts of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.charts = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.tags.append(tag)
        if tag == "section":
            self.sections.append(found.get("id") or str(found.get("class")))
        self.addresses += [str(found[name]) for name in ("src", "href", "action", "poster") if found.get(name)]
        self._inside = "charts" if found.get("id") == "charts" else tag

    def handle_data(self, data: str) -> None:
        if self._inside == "charts":
            self.charts += data
        elif self._inside not in ("script", "style"):
            self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def outline(document: str) -> Outline:
    found = Outline()
    found.feed(document)
    return found


def made(context: ReportContext) -> str:
    return render_html(compose(context))


@pytest.fixture(scope="module")
def context() -> ReportContext:
    load = three_clouds()
    return load.bad("gcp", 2, "timeout").bad("gcp", 1, "dropped").bad("azure", 1, "failed").context()


@pytest.fixture(scope="module")
def document(context: ReportContext) -> str:
    return made(context)


@pytest.fixture(scope="module")
def charts(document: str) -> dict[str, Any]:
    return dict(json.loads(outline(document).charts)["specs"])


def test_the_page_answers_in_the_order_of_the_questions(document: str) -> None:
    expected = ["limits", "verdict", "result", "warm", "cold", "time", "cost", "requests", "checks", "method"]
    assert outline(document).sections == [*expected, "repeat"]


def test_the_page_names_no_address_but_its_own_sections(document: str) -> None:
    addresses = outline(document).addresses
    assert addresses, "the navigation"
    assert all(each.startswith("#") for each in addresses)
    own = document.replace(document[document.index("<script>") : document.rindex("</script>")], "")
    assert not re.search(r"url\(|@import|<link|<iframe|<base ", own)


def test_the_policy_forbids_every_fetch_and_allows_these_scripts_alone(document: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', document)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].replace("&#39;", "'").split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert rules["script-src"].count("sha256-") == 2
    assert not {"connect-src", "font-src", "frame-src"} & set(rules), "they fall back to none"


def test_a_name_that_is_markup_stays_a_name() -> None:
    load = Load([target(HOSTILE, "aws"), target("gcp")], header={"command": f"tripoint compare {HOSTILE}"})
    load.three_kinds(HOSTILE, warm_ms=10, cold_ms=300, warm=80).three_kinds("gcp", warm_ms=12, cold_ms=200, warm=80)
    found = outline(made(load.bad(HOSTILE, 1, "failed").context()))
    assert "img" not in found.tags
    assert HOSTILE in "".join(found.text)
    assert "49" not in [each.strip() for each in found.text]
    rows = json.loads(found.charts)["specs"]["warm-distribution"]["datasets"]["rows"]
    assert {row["target"] for row in rows} == set(short_names([HOSTILE, "gcp"]))


def test_the_curve_of_a_target_is_its_empirical_distribution(context: ReportContext, charts: dict[str, Any]) -> None:
    rows = charts["warm-distribution"]["datasets"]["rows"]
    for name, lost in (("aws", 0), ("gcp", 3)):
        own = [row for row in rows if row["target"] == name]
        taken = sorted(
            float(each.latency_ms)
            for each in context.record.samples
            if each.target == name and each.stratum == "steady" and each.outcome == "ok" and each.latency_ms
        )
        assert [row["ms"] for row in own] == pytest.approx(taken, rel=1e-3)
        assert own[-1]["share"] == pytest.approx(len(taken) / (len(taken) + lost), abs=1e-4)


def test_percentiles_in_the_chart_are_those_of_the_summary(context: ReportContext, charts: dict[str, Any]) -> None:
    rows = {(row["target"], row["percentile"]): row for row in charts["warm-percentiles"]["datasets"]["rows"]}
    for part in context.summary.targets:
        estimate = part.warm.estimates["p95_ms"]
        row = rows[part.target.name, "p95"]
        assert (row["ms"], row["lo"], row["hi"]) == (estimate.value, estimate.lo, estimate.hi)
    assert ("aws", "p99.9") not in rows, "400 requests cannot carry it"


def test_each_kind_of_cold_start_has_charts_of_its_own(charts: dict[str, Any]) -> None:
    counts = {"forced": 10, "natural": 8, "burst": 7}
    for kind, count in counts.items():
        rows = charts[f"cold-{kind}"]["datasets"]["rows"]
        assert [row["target"] for row in rows].count("aws") == count
        assert f"waterfall-{kind}" in charts


def test_the_bars_of_a_waterfall_add_up_to_the_mean_latency(context: ReportContext, charts: dict[str, Any]) -> None:
    for kind in ("forced", "natural", "burst"):
        rows = [row for row in charts[f"waterfall-{kind}"]["datasets"]["rows"] if row["target"] == "azure"]
        taken = [each.latency_ms for each in context.record.samples if (each.target, each.stratum) == ("azure", kind)]
        assert max(row["to"] for row in rows) == pytest.approx(np.mean([each or 0 for each in taken]))
        assert all(row["to"] - row["from"] == pytest.approx(row["ms"]) for row in rows)


def test_every_request_is_a_point_over_time_where_there_are_few(
    context: ReportContext, charts: dict[str, Any]
) -> None:
    rows = charts["over-time"]["datasets"]["rows"]
    assert len(rows) == len(context.record.samples)
    assert sum(row["kind"] == "cold start" for row in rows) == 3 * 25
    assert sum(row["kind"] == "failed or unanswered" for row in rows) == 4


def test_what_went_wrong_and_the_table_of_figures_are_told(context: ReportContext, document: str) -> None:
    text = " ".join(outline(document).text)
    for part in context.summary.targets:
        value = part.warm.estimates["p95_ms"].value
        assert value is not None
        assert format_number(value) in text
    for words in ("timeout", "dropped", "Local run:", "tripoint compare --scenario quick", "aws.amazon.com"):
        assert words in text, words


def test_every_chart_says_in_words_what_it_shows(charts: dict[str, Any]) -> None:
    assert len(charts) == 12
    for name, spec in charts.items():
        assert len(spec["description"]) > 40, name
        assert spec["width"] == "container", name


def test_twenty_thousand_requests_make_a_page_under_five_megabytes_and_say_what_is_drawn() -> None:
    document = made(three_clouds(warm=6_667).context())
    assert len(document.encode()) < 5_000_000
    text = " ".join(outline(document).text)
    assert "of 20,076 requests are drawn" in text
    assert "drawn through even ranks" in text


def test_a_run_of_nothing_still_has_a_page_that_says_so() -> None:
    text = " ".join(outline(made(Load([target("aws"), target("gcp")]).context())).text)
    for words in (
        "No warm request was answered.",
        "No cold start was measured",
        "No request was sent.",
        "No cost is known",
    ):
        assert words in text, words


def test_a_run_in_which_nothing_was_answered_has_crosses_and_no_curve() -> None:
    document = made(Load([target("aws")]).bad("aws", 30, "timeout").bad("aws", 5, "dropped").context())
    specs = json.loads(outline(document).charts)["specs"]
    assert "warm-distribution" not in specs
    assert len(specs["over-time"]["datasets"]["rows"]) == 35


def test_five_targets_of_long_names_each_have_their_own_line() -> None:
    names = [
        f"{cloud}-a-very-long-name-of-a-target-number-{place}" for place, cloud in enumerate(["aws", "gcp"] * 3)
    ][:5]
    load = Load([target(name, name[:3]) for name in names])
    for name in names:
        load.three_kinds(name, warm_ms=15, cold_ms=300, warm=90)
    document = made(load.context())
    assert "5 targets on aws, gcp" in document
    spec = json.loads(outline(document).charts)["specs"]["warm-distribution"]
    lines = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "line")["encoding"]
    looks = set(zip(lines["color"]["scale"]["range"], map(str, lines["strokeDash"]["scale"]["range"]), strict=True))
    assert len(looks) == 5
