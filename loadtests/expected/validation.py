"""`python -m loadtests.expected.validation DATA`: try the estimate's parts where the truth is published.

Each published figure is left out in turn and predicted from the others: one Python version's initialisation from
another's by the ratio that was measured locally, a container image's from a zip package's, and the second half of
2026 from its first half. DATA is the folder of `lambda_perf_python_2026.csv`.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loadtests.expected.published import published, series_of

HALF = "2026-04-26"  # the first day of the second half of what was published of 2026
_QUANTILES = {"p50": 0.5, "p95": 0.95}


@dataclass(frozen=True, slots=True)
class Prediction:
    """One figure that was left out: what was predicted and what is published, in ms."""

    what: str
    predicted_ms: float
    true_ms: float

    @property
    def error(self) -> float:
        """The relative error."""
        return self.predicted_ms / self.true_ms - 1


def halves(path: Path) -> Iterator[Prediction]:
    """Predict each quantile of the second half of the year as that of the first half."""
    parts: defaultdict[tuple[str, str, str], tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = (row["runtime"], row["package"], row["architecture"])
            parts[key][row["day"] >= HALF].extend(map(float, row["init_ms"].split()))
    for key, (first, second) in sorted(parts.items()):
        for name, q in _QUANTILES.items():
            yield Prediction(f"{' '.join(key)} {name}", *(float(np.quantile(each, q)) for each in (first, second)))


def images_from_zips(architecture: str) -> Iterator[Prediction]:
    """Predict an image's initialisation from the zip's of the same Python, by what images add to the others."""
    every = published("aws")
    found = {
        package: {
            each.python: each
            for each in series_of(every, "init", "on-demand", package=package, architecture=architecture)
        }
        for package in ("zip", "image")
    }
    for python, image in found["image"].items():
        others = [each for each in found["image"] if each != python]
        for name, q in _QUANTILES.items():
            more = float(np.mean([found["image"][each].at(q) - found["zip"][each].at(q) for each in others]))
            yield Prediction(f"image {python} {architecture} {name}", found["zip"][python].at(q) + more, image.at(q))


def versions_from_versions(local_ms: Mapping[str, float], architecture: str = "x86_64") -> Iterator[Prediction]:
    """Predict each Python's initialisation from each other's, by the ratio of the local ones."""
    every = series_of(published("aws"), "init", "on-demand", package="zip", architecture=architecture)
    by_python = {each.python: each for each in every}
    for known in local_ms:
        for wanted in local_ms:
            if known != wanted:
                ratio = local_ms[wanted] / local_ms[known]
                predicted = by_python[known].median_ms * ratio
                yield Prediction(f"python {wanted} from {known} p50", predicted, by_python[wanted].median_ms)


def table(title: str, predictions: Sequence[Prediction]) -> str:
    """The predictions as lines, and the mean and the largest of their errors."""
    if not predictions:
        return f"{title}: nothing to predict"
    lines = [f"  {each.what:36}{each.predicted_ms:9.1f}{each.true_ms:9.1f}{each.error:+8.1%}" for each in predictions]
    errors = [abs(each.error) for each in predictions]
    return "\n".join([f"{title}: mean {np.mean(errors):.1%}, largest {max(errors):.1%}", *lines])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.expected.validation", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--local", default="", help="local initialisation of the empty function, such as 3.11=95.1,3.13=104.0"
    )
    arguments = parser.parse_args()
    local_ms = {
        name: float(ms) for name, _, ms in (each.partition("=") for each in arguments.local.split(",") if each)
    }
    print("left out: predicted ms, published ms, error")
    print(table("one Python from another, by the local ratio", list(versions_from_versions(local_ms))))
    for architecture in ("x86_64", "arm64"):
        print(table(f"images from zips, {architecture}", list(images_from_zips(architecture))))
    print(table("second half of 2026 from the first", list(halves(arguments.data / "lambda_perf_python_2026.csv"))))


if __name__ == "__main__":
    main()
