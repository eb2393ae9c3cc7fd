"""The tab on Locust's page: what Locust is told to draw, and the rows that it gets.

Locust itself patches the process that imports it, so a Flask application with the same addresses stands for its
page here; tests/e2e and tests/browser have the real one.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, jsonify

from loadtests.live.locust_tab import COLUMNS, KEY, add_tab, row, rows
from tests.kits.live import live


@pytest.fixture
def document() -> dict[str, Any]:
    return live(1500)


def page_with(document: dict[str, Any], **options: Any) -> Any:
    """A browser's end of a page with the tab, without a server."""
    app, base = Flask("page"), options.get("web_base_path", "")
    app.add_url_rule(f"{base}/stats/requests", "stats", lambda: jsonify({"stats": [], "state": "running"}))
    app.add_url_rule(f"{base}/exceptions", "exceptions", lambda: jsonify({"exceptions": []}))
    page = SimpleNamespace(app=app, template_args={"locustfile": "x"}, auth_required_if_enabled=lambda view: view)
    environment: Any = SimpleNamespace(web_ui=page, parsed_options=SimpleNamespace(**options))
    add_tab(environment, lambda: document)
    assert {"locustfile", "extended_tabs", "extended_tables"} == set(page.template_args)
    return app.test_client()


def test_the_figures_are_served_as_json(document: dict[str, Any]) -> None:
    assert page_with(document).get("/tripoint/live").json == document


def test_locusts_own_statistics_carry_the_rows_and_keep_what_they_had(document: dict[str, Any]) -> None:
    statistics = page_with(document).get("/stats/requests").json
    assert statistics["extended_stats"] == [{"key": KEY, "data": rows(document)}]
    assert (statistics["stats"], statistics["state"]) == ([], "running")


def test_below_another_path_it_works_the_same(document: dict[str, Any]) -> None:
    page = page_with(document, web_base_path="/load")
    assert page.get("/load/tripoint/live").json == document
    assert "extended_stats" in page.get("/load/stats/requests").json
    assert page.get("/tripoint/live").status_code == 404


def test_other_answers_are_left_alone(document: dict[str, Any]) -> None:
    assert "extended_stats" not in page_with(document).get("/exceptions").json


def test_every_column_of_the_table_has_its_cell(document: dict[str, Any]) -> None:
    for entry in document["targets"]:
        assert list(row(entry)) == list(COLUMNS)


def test_cells_say_what_the_figures_are_or_why_there_are_none(document: dict[str, Any]) -> None:
    cells = row(document["targets"][0])
    entry = document["targets"][0]
    assert cells["name"] == "aws (on-demand, 1024 MB)"
    assert cells["cold"].startswith(f"{entry['cold']['n']} (")
    assert " forced" in cells["cold"]
    median = entry["warm"]["p50_ms"]
    assert cells["p50"] == f"{median['value']:.1f} [{median['lo']:.1f}, {median['hi']:.1f}]"
    assert cells["p99"] == f"(n={entry['warm']['n'] + unanswered(entry)}, needs 368)"
    assert float(cells["million"]) == pytest.approx(entry["cost_usd_per_million"]["value"], rel=0.01)


def unanswered(entry: dict[str, Any]) -> int:
    """Requests that take the highest ranks: the estimate's own n, where there is one, counts them."""
    return int(entry["warm"]["p50_ms"]["n"] - entry["warm"]["n"])


def test_what_is_wrong_with_the_figures_is_a_row_of_its_own(document: dict[str, Any]) -> None:
    found = rows({**document, "problem": "the live figures ended"})
    assert [each["name"] for each in found] == [
        *(each["name"] for each in rows(document)),
        "Note: the live figures ended",
    ]


def test_nothing_is_added_where_there_is_no_page() -> None:
    environment: Any = SimpleNamespace(web_ui=None)
    add_tab(environment, lambda: {"targets": []})
