"""A run's folder, read and written: raw samples in, `summary.json` and `report.md` out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from loadtests.markdown import report
from loadtests.store import open_store
from loadtests.summary import Summary, summarise
from loadtests.targets import Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from loadtests.estimate import Estimate

SUMMARY_NAME = "summary.json"
REPORT_NAME = "report.md"


def summarise_run(folder: Path, *, costs: Mapping[str, Estimate] | None = None) -> Summary:
    """Summarise the run in `folder` from its raw samples. Raises StoreError when there is no run to read."""
    with open_store(folder) as store:
        header = store.header()
        targets = [Target.from_document(each) for each in header["targets"]]
        return summarise(header, targets, store.samples(), costs or {})


def write(folder: Path, summary: Summary) -> None:
    """Write `summary.json` and `report.md` into the run's folder."""
    document = json.dumps(summary.document(), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / SUMMARY_NAME).write_text(document + "\n", encoding="utf-8")
    (folder / REPORT_NAME).write_text(report(summary), encoding="utf-8")
