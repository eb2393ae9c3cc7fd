"""Repeat whole comparisons: do verdicts come out again, and do intervals hold the long-run difference?

`python -m bench.replication null --repeats 40` compares three null servers whose instances and times differ by known
laws; two of them are the same. `local` repeats the comparison of the local clouds; `evaluate` reads runs made before.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.inputs import REPOSITORY
from loadtests.analysis.comparison import TargetComparison, compare_targets
from loadtests.analysis.diff import diff
from loadtests.plan.targets import Target, write_targets
from loadtests.record.run_data import RunData, read_run
from loadtests.selftest.null_server import null_server
from loadtests.stats.formatting import format_number

DELAY_MS = 20.0
MORE = 1.10  # how much slower the third server is
SPREADS = ("--spread-of-instances", "0.05", "--spread-of-stretches", "0.05", "--spread-of-requests", "0.1")
ROUNDS, PER_ROUND, RATE = 10, 42, 60.0
RUN_WITHIN_S = 600


@dataclass(frozen=True, slots=True)
class Pair:
    """What repeated runs said of the warm difference of two targets, in ms; `truth_ms` where it is known."""

    first: str
    second: str
    comparisons: Sequence[TargetComparison]
    truth_ms: float | None = None

    def row(self) -> str:
        """`| pair | runs | shown faster | not separable | intervals that hold … |`."""
        shifts = [each.shift for each in self.comparisons if each.shift is not None]
        shown = [each.shift.value for each in self.comparisons if each.separable and each.shift is not None]
        first, second = sum(value > 0 for value in shown), sum(value < 0 for value in shown)
        centre = float(np.mean([each.value for each in shifts])) if self.truth_ms is None else self.truth_ms
        held = sum(each.lo <= centre <= each.hi for each in shifts)
        what = "mean of the runs" if self.truth_ms is None else "truth"
        return (
            f"| {self.first}, {self.second} | {len(self.comparisons)} | {self.first} {first}, {self.second} {second} "
            f"| {len(self.comparisons) - len(shown)} | {held} of {len(shifts)} ({what} {format_number(centre)} ms) |"
        )


def main(arguments: list[str]) -> int:
    """Run or read the repeats, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.replication", description=__doc__)
    parser.add_argument("what", choices=["null", "local", "evaluate"])
    parser.add_argument("runs", nargs="*", type=Path, help="evaluate: folders of runs")
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--out", type=Path, help="where the runs are kept (default: nowhere)")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tripoint-replication-") as name:
        out = asked.out or Path(name)
        out.mkdir(parents=True, exist_ok=True)
        folders = list(asked.runs) if asked.what == "evaluate" else list(_repeat(asked.what, out, asked.repeats))
        records = [read_run(each) for each in folders]
    print(table(records))
    return 0


def _repeat(what: str, out: Path, repeats: int) -> Iterator[Path]:
    """Make the runs, one after the other, with a seed of its own each; say which is being made."""
    for number in range(1, repeats + 1):
        folder = out / f"{what}-{number}"
        print(f"run {number} of {repeats}", file=sys.stderr, flush=True)
        if what == "local":
            _compare(folder, "--seed", str(number))
        else:
            _compare_null(folder, number)
        yield folder


def _compare_null(folder: Path, number: int) -> None:
    delays = {"same-1": DELAY_MS, "same-2": DELAY_MS, "slower": DELAY_MS * MORE}
    with ExitStack() as running, tempfile.TemporaryDirectory() as work:
        targets = []
        for place, (name, delay_ms) in enumerate(delays.items()):
            seed = str(number * len(delays) + place)
            options = ("--delay-ms", str(delay_ms), "--cold-ms", "30", "--stretch-s", "1", "--seed", seed, *SPREADS)
            url = running.enter_context(null_server(*options))
            targets.append(Target(name, "null", "none", "local", 128, url, control=url))
        write_targets(Path(work) / "targets.json", targets)
        (Path(work) / "rounds.toml").write_text(_scenario(), encoding="utf-8")
        files = ["--targets", str(Path(work) / "targets.json"), "--scenario", str(Path(work) / "rounds.toml")]
        _compare(folder, "--seed", str(number), *files)


def _scenario() -> str:
    cold = '[[phases]]\nkind = "forced"\nrounds = 1\n'
    warm = f'[[phases]]\nkind = "constant"\nrate = {RATE}\ncount = {PER_ROUND}\nwarm_up = 2\n'
    return "\n".join([cold, warm] * ROUNDS)


def _compare(folder: Path, *options: str) -> None:
    command = [sys.executable, "-m", "cli", "compare", "--quiet", "--out", str(folder), *options]
    subprocess.run(command, cwd=REPOSITORY, check=True, timeout=RUN_WITHIN_S, stdout=subprocess.DEVNULL)


def table(records: Sequence[RunData]) -> str:
    """What the runs say of each pair of targets, and how many pairs of runs `tripoint diff` calls a regression."""
    lines = [
        "| pair, warm | runs | shown faster | not separable | 95 % intervals that hold |",
        "|---|---|---|---|---|",
    ]
    lines += [pair.row() for pair in pairs(records)]
    lines += ["", _diffs(records)]
    return "\n".join(lines)


def pairs(records: Sequence[RunData]) -> list[Pair]:
    """The warm comparisons of every run, by pair of targets."""
    found: dict[tuple[str, str], list[TargetComparison]] = {}
    for record in records:
        for each in compare_targets(record.columns, kind="warm", stratum="steady"):
            found.setdefault((each.first, each.second), []).append(each)
    return [Pair(first, second, each, _truth_ms(first, second)) for (first, second), each in found.items()]


def _truth_ms(first: str, second: str) -> float | None:
    """The long-run difference of two null servers; None for others."""
    known = {"same-1": DELAY_MS, "same-2": DELAY_MS, "slower": DELAY_MS * MORE}
    return known[second] - known[first] if first in known and second in known else None


def _diffs(records: Sequence[RunData]) -> str:
    """How many ordered pairs of the runs, which are of one version, are called a regression."""
    ordered = list(itertools.permutations(records, 2))
    called = sum(any(each.regression for each in diff([first], [second])) for first, second in ordered)
    ratios = [
        spread for record in zip(*(_medians(each) for each in records), strict=True) for spread in [_spread(record)]
    ]
    return (
        f"{called} of {len(ordered)} ordered pairs of runs are called a regression by `tripoint diff`. Medians "
        f"of one target differ between runs by a standard deviation of up to {max(ratios):.1%}."
    )


def _medians(record: RunData) -> list[float]:
    return [
        float(np.median(each.latency_ms[each.where(outcome="ok", stratum="steady", state="warm")]))
        for each in record.columns.values()
    ]


def _spread(medians: Sequence[float]) -> float:
    return float(np.std(np.log(medians), ddof=1)) if len(medians) > 1 else 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
