"""`python -m loadtests.expected.make DATA`: write each cloud's `published.toml` from published measurements.

DATA is a folder with `lambda_perf_python_2026.csv` (maxday/lambda-perf) and `cold_start_end_to_end_2021.csv`
(mikhailshilkov/mikhailio-hugo). Only quantiles are kept, with source, year and number of measurements.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adapters import contract
from loadtests.expected.published import FILE_NAME

QUANTILES = (0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99)
PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14")
WARM_BELOW_S = 0.15  # faster answers of the Azure and Google series were warm
_PERF = "maxday/lambda-perf"
_SHILKOV = "mikhailio-hugo"
_STELLAR = "STeLLAR, IISWC 2021"
_PLANS = {"aws": "on-demand", "gcp": "cloud-run-request", "azure": "consumption"}
_GEN1 = "1st gen functions, not Cloud Run's"
_HEAD = (
    "# An empty Python function on this cloud, as others measured and published it: quantiles of the times in ms.\n"
    "# Made by `python -m loadtests.expected.make`; what it means is in docs/expected.md.\n"
)

# Medians without raw data, from the paper (docs/STeLLAR_IISWC21.pdf of its repository); propagation is taken out.
STELLAR_MS = {"aws": {"cold": 448, "warm": 18}, "gcp": {"cold": 870, "warm": 17}, "azure": {"cold": 1401, "warm": 25}}


def main() -> None:
    """Write the files."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        raise SystemExit("usage: python -m loadtests.expected.make DATA, the folder of the published measurements")
    for cloud, text in texts(Path(sys.argv[1])).items():
        path = contract.load(cloud).folder / FILE_NAME
        path.write_text(text, encoding="utf-8")
        print(f"{text.count('[[series]]')} series in {path}")


def texts(data: Path) -> dict[str, str]:
    """The content of the file of each cloud."""
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    found["aws"].extend(init_tables(data / "lambda_perf_python_2026.csv"))
    for cloud, table in cold_tables(data / "cold_start_end_to_end_2021.csv"):
        found[cloud].append(table)
    for cloud, medians in STELLAR_MS.items():
        found[cloud].extend(_median_table(cloud, what, ms) for what, ms in medians.items())
    found["azure"].append(_flex_table())
    return {
        cloud: _HEAD + "".join(f"\n[[series]]\n{_toml(table)}" for table in tables) for cloud, tables in found.items()
    }


def init_tables(path: Path) -> Iterator[dict[str, Any]]:
    """Lambda's Init Duration by Python version, package and architecture; the memory size does not matter."""
    values: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["runtime"] in PYTHONS:
                key = (row["runtime"], row["package"], row["architecture"])
                values[key].extend(map(float, row["init_ms"].split()))
    for (runtime, package, architecture), ms in sorted(values.items()):
        yield {
            "what": "init",
            "plan": _PLANS["aws"],
            "about": "Init Duration of an empty function, daily, 128 to 1,024 MB",
            "python": runtime.removeprefix("python"),
            "package": package,
            "architecture": architecture,
            **_measured(2026, _PERF, "Apache-2.0", ms),
        }


def cold_tables(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Cold starts of a small Python function, seen by a client in the same region."""
    values: defaultdict[str, list[float]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            seconds = float(row["cold_start_s"])
            if row["series"] == "python" and (row["cloud"] == "aws" or seconds >= WARM_BELOW_S):
                values[row["cloud"]].append(seconds * 1000)
    for cloud, ms in values.items():
        yield (
            cloud,
            {
                "what": "cold",
                "plan": _PLANS[cloud],
                "about": "cold start of an empty function, end to end",
                **_caveat(cloud),
                **_measured(2021, _SHILKOV, "MIT", ms),
            },
        )


def _measured(year: int, source: str, licence: str, ms: Sequence[float]) -> dict[str, Any]:
    return {
        "year": year,
        "n": len(ms),
        "source": source,
        "licence": licence,
        "quantiles": list(QUANTILES),
        "ms": [round(float(each), 1) for each in np.quantile(ms, QUANTILES)],
    }


def _median_table(cloud: str, what: str, ms: int) -> dict[str, Any]:
    return {
        "what": what,
        "plan": _PLANS[cloud],
        "about": f"{what} request to an empty function, median",
        **_caveat(cloud),
        "year": 2021,
        "source": _STELLAR,
        "licence": "a figure of a paper",
        "quantiles": [0.5],
        "ms": [ms],
    }


def _flex_table() -> dict[str, Any]:
    return {
        "what": "cold",
        "plan": "flex-consumption",
        "about": "first answer after full idleness; 3,156 ms after a restart",
        "year": 2026,
        "n": 1,
        "source": "yeongseon/azure-functions-practical-guide",
        "licence": "MIT",
        "quantiles": [0.5],
        "ms": [30485],
    }


def _caveat(cloud: str) -> dict[str, str]:
    return {"caveat": _GEN1} if cloud == "gcp" else {}


def _toml(table: Mapping[str, Any]) -> str:
    """A flat table; JSON writes strings, numbers and lists as TOML does."""
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in table.items())


if __name__ == "__main__":
    main()
