"""Arrival times of recorded traces, from CSV files.

Three shapes are read: a column of time stamps or of seconds (`timestamp`, `time`, `arrival`, `TIMESTAMP`), an end
time with a duration (`end_timestamp`, `duration`: the arrival is their difference), and counts per minute
(columns `1`, `2`, `3`…, one row per function, as in Azure's 2019 and 2021 data sets, or `minute,count`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Row = dict[str, str]

STAMPS = ("timestamp", "time", "arrival", "start_timestamp")


class TraceError(Exception):
    """The file holds no arrivals that we can read; the message says what was expected."""


def read_trace(path: Path) -> tuple[float, ...]:
    """Arrivals of the trace in order, in seconds after its first one."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            arrivals = reader_of(reader.fieldnames or [])
            times = sorted(arrivals({name.lower(): value for name, value in row.items()} for row in reader))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TraceError(f"trace {str(path)!r} cannot be read: {error}") from error
    if not times:
        raise TraceError(f"trace {str(path)!r} holds no arrival")
    return tuple(at_s - times[0] for at_s in times)


def reader_of(columns: Iterable[str]) -> Callable[[Iterable[Row]], list[float]]:
    """The function that reads rows with these columns. Raises ValueError for columns of no known shape."""
    names = [name.lower() for name in columns]
    if "end_timestamp" in names and "duration" in names:
        return lambda rows: [seconds(row["end_timestamp"]) - float(row["duration"]) for row in rows]
    for stamp in STAMPS:
        if stamp in names:
            return lambda rows: [seconds(row[stamp]) for row in rows]
    if "minute" in names and "count" in names:
        return lambda rows: spread_counts((int(row["minute"]), int(row["count"])) for row in rows)
    minutes = [name for name in names if name.isdigit()]
    if minutes:
        return lambda rows: spread_counts((int(name), int(row[name] or 0)) for row in rows for name in minutes)
    raise ValueError(
        f"columns {', '.join(names)}: expected one of {', '.join(STAMPS)}, or end_timestamp and duration, "
        "or minute and count, or counts in columns 1, 2, 3…"
    )


def seconds(text: str) -> float:
    """A time stamp as seconds: a number as it is, else ISO 8601 with up to any number of decimals."""
    try:
        return float(text)
    except ValueError:
        whole, _, decimals = text.partition(".")
        moment = datetime.fromisoformat(whole)
        # Times of one trace are only compared with each other: as UTC, so that no clock change is in between.
        return (
            moment.toordinal() * 86400.0 + moment.hour * 3600 + moment.minute * 60 + moment.second + decimal(decimals)
        )


def decimal(digits: str) -> float:
    """The digits after the point as a share of a second."""
    return float(f"0.{digits}") if digits else 0.0


def spread_counts(counts: Iterable[tuple[int, int]]) -> list[float]:
    """Arrivals evenly spread over their minute: a count does not tell where in it they were."""
    return [minute * 60 + 60 * place / count for minute, count in counts for place in range(count)]
