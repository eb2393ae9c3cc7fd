"""The figures so far as a table for a terminal, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from loadtests.live.figures import typical
from loadtests.stats.formatting import MISSING, format_number

_HEADINGS = ("requests", "cold", "p50, ms", "p95, ms", "errors", "USD/million")


def live_table(document: Mapping[str, Any]) -> Table:
    """One row per target of a `live_document`; "-" where it is too early to say.

    Latencies are those of warm requests; errors are with time-outs and dropped requests.
    """
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    drawn.add_column("so far", overflow="fold")
    for heading in _HEADINGS:
        drawn.add_column(heading, justify="right")
    for entry in document["targets"]:
        failures = entry["errors"] + entry["dropped"]
        usual = typical(entry)
        drawn.add_row(
            Text(entry["name"], "bold"),
            f"{entry['requests']:,}",
            f"{entry['cold']['n']:,}",
            _value(usual["p50_ms"]),
            _value(usual["p95_ms"]),
            Text(f"{failures:,}", "bold red" if failures else ""),
            _value(entry["cost_usd_per_million"]),
        )
    return drawn


def _value(estimate: Mapping[str, float] | None) -> str:
    return MISSING if estimate is None else format_number(estimate["value"])
