"""Render the Markdown report: what was found, how sure it is, how it was measured, how to repeat it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from loadtests.analysis.target_summary import LATE_MS, TABLE_QUANTILES
from loadtests.analysis.waterfall import ORDER
from loadtests.report.sweep import section
from loadtests.stats.formatting import MISSING, format_estimate, format_number

if TYPE_CHECKING:
    from loadtests.analysis.summary import Summary
    from loadtests.analysis.target_summary import TargetSummary

# Header fields worth a line in a report, when they are there.
_FACTS = ("started_at", "scenario", "seed", "loop", "model", "images", "python", "machine", "git_commit", "command")


def render_markdown(summary: Summary) -> str:
    """The whole report as Markdown, ending in a newline."""
    parts = (
        _head,
        _sweep,
        _results,
        _verdicts,
        _checks,
        _cold,
        _waterfall,
        _views,
        _counts,
        _cost,
        _method,
        _repeat,
    )
    texts = ("\n".join(part(summary)) for part in parts)
    return "\n\n".join(filter(None, texts)) + "\n"


def _head(summary: Summary) -> Iterator[str]:
    yield f"# Run {summary.run.get('run') or summary.run.get('started_at', '')}".rstrip()
    for caveat in summary.caveats:
        yield from ("", f"> {caveat}")
    yield ""
    for name in _FACTS:
        if name in summary.run:
            yield f"- {name.replace('_', ' ')}: {_plain(summary.run[name])}"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
    return _cell(str(value))


def _results(summary: Summary) -> Iterator[str]:
    yield from ("## Result", "", "Values with 95 % intervals; times in ms.", "")
    stratum = summary.targets[0].cold.stratum if summary.targets else "forced"
    headings = [
        "target",
        "cloud",
        "plan",
        "memory, MB",
        f"cold start p50 ({stratum})",
        "warm p50",
        "warm p95",
        "warm p99",
    ]
    yield from _table([*headings, "errors", "USD per million"], map(_result_row, summary.targets))


def _result_row(part: TargetSummary) -> list[str]:
    target = part.target
    warm = [part.typical.estimates[name] for name in TABLE_QUANTILES]
    figures = [part.cold.headline.estimates["p50_ms"], *warm]
    place = [target.name, target.cloud, target.plan, str(target.memory_mb)]
    return [
        *place,
        *map(format_estimate, figures),
        f"{part.errors + part.dropped} of {part.requests}",
        format_estimate(part.usd_per_million),
    ]


def _sweep(summary: Summary) -> Iterator[str]:
    if summary.sweep is not None:
        yield from section(summary.sweep)


def _verdicts(summary: Summary) -> Iterator[str]:
    yield from ("## What is shown, and what is not", "")
    for verdict in summary.verdicts or (
        "There is nothing to compare: it takes two targets with answers of one kind.",
    ):
        yield f"- {verdict}"


def _checks(summary: Summary) -> Iterator[str]:
    yield from ("## Can it be trusted?", "")
    rows = ([each.name, each.state, each.finding, each.remedy] for each in summary.checks)
    yield from _table(["check", "state", "found", "what to do"], rows)


def _cold(summary: Summary) -> Iterator[str]:
    yield from ("## Cold starts", "", "A stratum is why the requests were sent. Strata are never pooled.", "")
    rows = (
        [part.target.name, stratum, str(group.n), *(format_estimate(each) for each in group.estimates.values())]
        for part in summary.targets
        for stratum, group in part.cold.by_stratum.items()
    )
    yield from _table(["target", "stratum", "n", "p50, ms", "p95, ms"], rows)


def _waterfall(summary: Summary) -> Iterator[str]:
    """Mean parts of a cold start, one column per target; they add up to the mean latency."""
    falls = {part.target.name: {each.name: each.ms for each in part.cold.parts} for part in summary.targets}
    falls = {name: parts for name, parts in falls.items() if parts}
    if not falls:
        return
    stratum = summary.targets[0].cold.stratum
    yield from ("## Where a cold start's time goes", "", f"Means of the {stratum} cold starts, ms.", "")
    yield from _table(["part", *falls], _waterfall_rows(falls))


def _waterfall_rows(falls: Mapping[str, Mapping[str, float]]) -> Iterator[list[str]]:
    for name in ORDER:
        if any(name in parts for parts in falls.values()):
            yield [name, *(format_number(parts[name]) if name in parts else MISSING for parts in falls.values())]
    yield ["all", *(format_number(sum(parts.values())) for parts in falls.values())]


def _views(summary: Summary) -> Iterator[str]:
    yield from ("## Two views of the warm requests", "")
    yield "From the intended send time, which is what a user waits; and from the actual one, which is what a client"
    yield from ("that waits for its turn would report. Where they differ, requests queued before they were sent.", "")
    rows = (
        [part.target.name, view, *(format_estimate(group.estimates[name]) for name in TABLE_QUANTILES)]
        for part in summary.targets
        for view, group in (("intended", part.warm), ("actual", part.warm_service))
    )
    yield from _table(["target", "from", "p50, ms", "p95, ms", "p99, ms"], rows)


def _counts(summary: Summary) -> Iterator[str]:
    yield from ("## Every request", "")
    yield from _table(
        [
            "target",
            "requests",
            "warm",
            "cold",
            "pre-initialised",
            "unknown",
            "warm-up",
            "errors",
            "timeouts",
            "dropped",
            "late",
        ],
        map(_count_row, summary.targets),
    )
    kinds = [(part.target.name, kind, count) for part in summary.targets for kind, count in part.error_kinds.items()]
    if kinds:
        rows = ([name, kind, f"{count:,}"] for name, kind, count in kinds)
        yield from ("", *_table(["target", "what went wrong", "requests"], rows))


def _count_row(part: TargetSummary) -> list[str]:
    kinds = (part.warm.n, part.cold.n, part.pre_initialised, part.unknown.n, part.warm_up)
    bad = (part.errors, part.timeouts, part.dropped, part.late)
    return [part.target.name, *(f"{count:,}" for count in (part.requests, *kinds, *bad))]


def _cost(summary: Summary) -> Iterator[str]:
    yield from ("## Cost", "", "USD per million requests, on billed time.", "")
    known = [(part.target.name, part.cost) for part in summary.targets if part.cost is not None]
    rows = ([name, *map(format_estimate, (cost.usd_per_million, cost.usd_per_million_free))] for name, cost in known)
    yield from _table(["target", "without free grant", "with it"], rows)
    if said := list(filter(None, (part.platform_sentence for part in summary.targets))):
        yield from ("", *map(_cell, said))
    for name, cost in known:
        yield from ("", f"What {_cell(name)}'s figure rests on:", "")
        yield from (f"- {_cell(assumption)}" for assumption in cost.assumptions or ("the samples alone",))


def _method(_: Summary) -> Iterator[str]:
    yield from ("## Method", "")
    yield "- Latency counts from the intended send time of the schedule to the last byte of the answer."
    yield f"- Late means sent more than {format_number(LATE_MS)} ms after the intended time; such requests are kept."
    yield "- Intervals are distribution-free (order statistics, 95 %); a request that was never answered takes a"
    yield "  highest rank. No outlier is removed; warm-up is stored, counted, and kept out of the warm figures."
    yield "- Cold, pre-initialised and warm come from the instance's own evidence, never from the latency."
    yield "- Comparisons: Mann-Whitney within blocks of time, each image's own cost taken out; Hodges-Lehmann shift;"
    yield "  p corrected for all pairs of a kind (Holm), the interval not."
    yield "- Errors are failed, timed-out and dropped requests; cost is on billed time, without the free grant."


def _repeat(summary: Summary) -> Iterator[str]:
    yield from ("## How to repeat it", "", "```sh")
    yield str(summary.run.get("command") or "tripoint compare")
    yield "```"
    yield ""
    yield "Every raw sample is in `samples.sqlite` beside this file; `tripoint report` on this folder makes all of"
    yield "this again from it."


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
