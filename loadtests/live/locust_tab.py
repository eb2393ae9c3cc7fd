"""A tab on Locust's page with the targets side by side, and the same figures as JSON at `/tripoint/live`.

Made of what Locust offers for this (docs.locust.io, "Extending the Web UI", as of 2026-11-20): a tab and the columns
of its table among the page's template arguments, its rows in the answer that the page asks for every two seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from loadtests.live.figures import typical
from loadtests.stats.formatting import MISSING, format_number

if TYPE_CHECKING:
    from locust.env import Environment

KEY = "tripoint"
TITLE = "Clouds"
PATH = "/tripoint/live"
LOOK_WITHIN_S = 1.0
COLUMNS = {
    "name": "Target",
    "requests": "Requests",
    "rate": "Requests/s",
    "cold": "Cold starts",
    "instances": "Instances",
    "cold_ms": "Cold p50, ms [95 %]",
    "p50": "Warm p50, ms [95 %]",
    "p95": "Warm p95, ms [95 %]",
    "p99": "Warm p99, ms [95 %]",
    "errors": "Errors",
    "dropped": "Dropped",
    "late": "Sent late",
    "slip": "Worst slip, ms",
    "million": "USD per million",
    "usd": "USD so far",
}


def add_tab(environment: Environment, look: Callable[[], dict[str, Any]]) -> None:
    """Add the tab; `look` gives the figures of now, as `loadtests.live.feed.LiveFeed.look` does."""
    page = environment.web_ui
    if page is None or page.app is None:
        return
    columns = [{"key": key, "title": title} for key, title in COLUMNS.items()]
    page.template_args |= {
        "extended_tabs": [{"key": KEY, "title": TITLE}],
        "extended_tables": [{"key": KEY, "structure": columns}],
    }
    base = getattr(environment.parsed_options, "web_base_path", None) or ""
    routes = Blueprint(KEY, __name__, url_prefix=base or None)

    @routes.route(PATH)
    @page.auth_required_if_enabled  # type: ignore[untyped-decorator]
    def live() -> Response:
        return jsonify(look())

    def add_rows(response: Response) -> Response:
        if request.path == f"{base}/stats/requests" and response.is_json:
            statistics = json.loads(response.get_data())
            response.set_data(json.dumps({**statistics, "extended_stats": [{"key": KEY, "data": rows(look())}]}))
        return response

    page.app.register_blueprint(routes)
    page.app.after_request(add_rows)


def rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row for each target, and one for the problem with the figures where there is one."""
    notes = [{"name": f"Note: {document['problem']}"}] if "problem" in document else []
    return [row(entry) for entry in document["targets"]] + notes


def row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One target's cells; numbers stay numbers, so that the page can sort by them."""
    usual = typical(entry)
    return {
        "name": f"{entry['name']} ({entry['plan']}, {entry['memory_mb']} MB)",
        "requests": entry["requests"],
        "rate": round(entry["requests_per_s"], 1),
        "cold": cold_text(entry),
        "instances": entry["instances"],
        "cold_ms": "; ".join(f"{kind} {text(group, 'p50_ms')}" for kind, group in kinds(entry)) or MISSING,
        "p50": text(usual, "p50_ms"),
        "p95": text(usual, "p95_ms"),
        "p99": text(usual, "p99_ms"),
        "errors": entry["errors"],
        "dropped": entry["dropped"],
        "late": entry["late"],
        "slip": round(entry["slip_max_ms"], 1),
        "million": cost_text(entry["cost_usd_per_million"]),
        "usd": format_number(entry["cost_usd"]),
    }


def kinds(entry: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The kinds of cold starts that there were, with their figures."""
    return list(entry["cold"]["by_stratum"].items())


def cold_text(entry: Mapping[str, Any]) -> str:
    """`5 (3 forced, 2 burst)`."""
    parts = ", ".join(f"{group['n']} {kind}" for kind, group in kinds(entry))
    return f"{entry['cold']['n']} ({parts})" if parts else "0"


def cost_text(estimate: Mapping[str, float] | None) -> str:
    """Return the value of a cost without its interval."""
    return MISSING if estimate is None else format_number(estimate["value"])


def text(group: Mapping[str, Any], name: str) -> str:
    """`12.1 [10.4, 13.9]`, or why there is no figure yet: `(n=5, needs 72)`."""
    estimate = group[name]
    if estimate is None:
        return str(group["reasons"][name]).removeprefix("not estimable ")
    if estimate["lo"] is None:
        return format_number(estimate["value"])
    return f"{format_number(estimate['value'])} [{format_number(estimate['lo'])}, {format_number(estimate['hi'])}]"
