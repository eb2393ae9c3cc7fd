"""Export raw samples for other tools: CSV, JSON, Parquet."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import IO, Any, Literal, get_args

from adapters.platform_report import PlatformReport
from loadtests.record.sample import MEASURED, Sample

Format = Literal["csv", "json", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
DERIVED = ("latency_ms", "service_ms", "slip_ms")
WRITTEN = {f"platform_{each.name}": each for each in fields(PlatformReport)}  # by the platform, about the request
NAMES = (*MEASURED, *DERIVED, *WRITTEN)


class MissingExtra(RuntimeError):
    """An optional package is not installed; the message says how to get it."""


def row(sample: Sample) -> dict[str, Any]:
    """All fields of a sample, the durations that follow from them, and what its platform wrote about it."""
    measured = {name: getattr(sample, name) for name in (*MEASURED, *DERIVED)}
    return measured | {name: getattr(sample.report, each.name, None) for name, each in WRITTEN.items()}


def write_text(samples: Sequence[Sample], stream: IO[str], kind: Literal["csv", "json"]) -> None:
    """Write a header and one line per sample (an empty cell is "none"), or a JSON array with a sample per line."""
    if kind == "csv":
        writer = csv.DictWriter(stream, NAMES, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row(sample) for sample in samples)
        return
    stream.write("[")
    for index, sample in enumerate(samples):
        stream.write(",\n" if index else "\n")
        json.dump(row(sample), stream, ensure_ascii=False, allow_nan=False)
    stream.write("\n]\n")


def write_parquet(samples: Sequence[Sample], path: Path) -> None:
    """Write one Parquet file, a typed column per field. Raises MissingExtra without pyarrow."""
    try:
        pyarrow: Any = importlib.import_module("pyarrow")  # optional, and without type information
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtra(
            f"Parquet needs pyarrow ({error}): pip install 'tripoint[parquet]', or choose csv or json"
        ) from error
    schema = pyarrow.schema([(name, _arrow_type(pyarrow, name)) for name in NAMES])
    rows = [row(sample) for sample in samples]
    columns = {name: [each[name] for each in rows] for name in NAMES}
    parquet.write_table(pyarrow.table(columns, schema=schema), path)


def _arrow_type(pyarrow: Any, name: str) -> Any:
    """The column type of a field, from its annotation: also a column without a single value has one."""
    annotations = {each.name: str(each.type) for each in fields(Sample)}
    annotations |= {name: str(each.type) for name, each in WRITTEN.items()}
    kind = annotations.get(name, "float").split(" ", 1)[0]
    return {"int": pyarrow.int64(), "float": pyarrow.float64()}.get(kind, pyarrow.string())
