"""Write an evaluation as Markdown tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.training.card import mistakes

if TYPE_CHECKING:
    from loadtests.stats.estimate import Estimate
    from loadtests.stats.proportion import Proportion
    from model.evaluation.evaluation import Evaluation
    from model.evaluation.result import Row

COLUMNS = (
    "variant",
    "runtime",
    "MB",
    "accuracy",
    "calibration error",
    "inference ms",
    "ratio",
    "request ms",
    "p95 ms",
    "start ms",
    "peak MB",
    "USD/1M",
    "best",
)
_STANDING = {"frontier": "●", "near": "○", "dominated": "", None: "?"}


def cells(row: Row, ratio: Estimate, *, several_models: bool, intervals: bool = True) -> list[str]:
    """One row of COLUMNS."""
    subject = row.subject
    name = f"{subject.model} {subject.variant}" if several_models else subject.variant
    return [
        name,
        subject.runtime + ("" if subject.recommended else " *"),
        f"{row.size_bytes / 1e6:.2f}",
        share(row.accuracy) if intervals else f"{row.accuracy.value:.3f}",
        figure(row.calibration_error, digits=3, interval=intervals),
        figure(row.inference_ms, digits=2, interval=intervals),
        figure(ratio, digits=2, interval=False),
        figure(row.request_ms, digits=2, interval=intervals),
        figure(row.request_p95_ms, digits=2, interval=False),
        figure(row.start_ms, digits=0, interval=intervals),
        f"{row.peak_mb:.0f}",
        figure(row.usd_per_million, digits=2, interval=intervals),
        _STANDING[row.standing],
    ]


def share(found: Proportion) -> str:
    return f"{found.value:.3f} ({found.lo:.3f} to {found.hi:.3f})"


def figure(one: Estimate, *, digits: int, interval: bool = True) -> str:
    """The value with its interval, or a dash."""
    if one.value is None:
        return "-"
    if not interval or one.lo is None or one.hi is None:
        return f"{one.value:.{digits}f}"
    return f"{one.value:.{digits}f} ({one.lo:.{digits}f} to {one.hi:.{digits}f})"


def several(found: Evaluation) -> bool:
    """Whether rows of more than one model are compared."""
    return len({each.subject.model for each in found.rows}) > 1


def markdown(found: Evaluation, *, frontier: str, confusion: str) -> str:
    """The report; `frontier` and `confusion` are the pictures' addresses."""
    lines = [heading(found), "", _table(COLUMNS), *_body(found), "", *notes(found), ""]
    row = found.preferred
    lines += [f"![Accuracy against time and cost]({frontier})", ""]
    lines += [f"**{row.subject.name}**, by class:", "", *_classes(row, found.labels), ""]
    lines += [f"Most frequent mistakes: {mistakes(row.counts.tolist(), list(found.labels))}.", ""]
    lines += [f"![Confusion of {row.subject.name}]({confusion})"]
    return "\n".join(lines) + "\n"


def heading(found: Evaluation) -> str:
    """Command, date, machine and photographs in a line."""
    box = found.machine
    return (
        f"`{found.asked.command}`, {found.date}: {box['processors']} processors ({box['processor']}), "
        f"{box['system']}, Python {box['python']}; {len(found.photographs.files)} photographs of "
        f"{len(set(found.photographs.labels))} classes, {found.asked.starts} fresh starts of each."
    )


def notes(found: Evaluation) -> list[str]:
    """What must be said beside the table."""
    said = [
        f"Intervals: 95 %. Cost: {found.asked.offer.words}; a request takes as long as it did here.",
        f"`ratio` is the inference time over that of {found.preferred.subject.name}, photograph by photograph. "
        "● none is better in accuracy, time and cost at once; ○ beaten by less than the intervals tell; "
        "\\* the manifest does not recommend this runtime.",
    ]
    said += [f"Not measured: {subject.name} ({reason})." for subject, reason in found.measured.unfit.items()]
    if found.broken:
        said.append(f"Left out, for they could not be read: {', '.join(found.broken)}.")
    if found.noisy:
        said.append(
            f"**The machine was not quiet**: a fixed piece of work varied by {found.noise:.0%} between its tenths. "
            "Ratios hold better than times; run it again on a quiet machine."
        )
    return [line for each in said for line in (each, "")][:-1]


def _body(found: Evaluation) -> list[str]:
    pairs = zip(found.rows, found.ratios, strict=True)
    return [f"| {' | '.join(cells(row, ratio, several_models=several(found)))} |" for row, ratio in pairs]


def _table(columns: tuple[str, ...]) -> str:
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"


def _classes(row: Row, labels: tuple[str, ...]) -> list[str]:
    lines = [_table(("class", "photographs", "found", "precision"))]
    for each in row.classes(labels):
        precision = "-" if each.precision is None else f"{each.precision:.2f}"
        lines.append(f"| {each.label} | {each.photos} | {share(each.recall)} | {precision} |")
    return lines
