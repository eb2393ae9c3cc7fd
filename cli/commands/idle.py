"""`tripoint idle`: how long idle instances live, measured by gaps between requests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.framework.refusal import CommandRefused
from cli.measurement.local_targets import images_in, samples_of

if TYPE_CHECKING:
    from loadtests.stats.gap_search import GapSearch
    from loadtests.stats.survival import GapObservation, SurvivalCurve

_EPILOG = "Example: tripoint idle --targets deployed --lowest 60 --highest 3600 --tries 20 --out idle"


@click.command(epilog=_EPILOG)
@click.option("--targets", metavar="FILE", help="The URLs of this file, or `deployed`.  [default: local clouds]")
@click.option("--clouds", help="Some of the local clouds, such as aws,gcp.  [default: all]")
@click.option("--lowest", default=60.0, show_default=True, type=click.FloatRange(min=0.1), help="First gap, seconds.")
@click.option("--highest", default=3600.0, show_default=True, type=click.FloatRange(min=0.2), help="Longest gap.")
@click.option("--tries", default=20, show_default=True, type=click.IntRange(min=3), help="Gaps for each target.")
@click.option(
    "--together", default=1, show_default=True, type=click.IntRange(1, 50), help="Instances kept at a time."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="A folder for a file of each target.")
@click.option("--json", "as_json", is_flag=True, help="Print the curves and every gap as JSON.")
def command(
    targets: str | None,
    clouds: str | None,
    lowest: float,
    highest: float,
    tries: int,
    together: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure how long idle instances live: gaps without requests that adapt to what was seen.

    All targets are asked side by side; the whole takes about the sum of the gaps of the slowest one. Ctrl-C prints
    what is known so far. The files are in the form that cloud.toml and `serve --idle-life` read.
    """
    from loadtests.run.idle_survey import SurveyError
    from loadtests.stats.gap_search import GapSearch

    if highest <= lowest:
        raise click.UsageError(f"--highest {highest:g} must be above --lowest {lowest:g}")
    search = GapSearch(lowest, highest, tries)
    try:
        found, interrupted = _survey(targets, clouds, search, together)
    except SurveyError as error:
        raise CommandRefused(str(error)) from error
    curves = _curves(found)
    if out is not None:
        _write(out, curves)
    if as_json:
        click.echo(json.dumps({name: _document(each, found[name]) for name, each in curves.items()}, indent=2))
    else:
        for name, curve in curves.items():
            click.echo(_text(name, curve))
    if interrupted:
        raise KeyboardInterrupt


def _survey(
    source: str | None, clouds: str | None, search: GapSearch, together: int
) -> tuple[Mapping[str, Sequence[GapObservation]], bool]:
    """Return what was observed of each target, and whether the survey was interrupted."""
    from cli.framework.progress import Display
    from cli.measurement.confirmation import log
    from cli.measurement.ready_targets import given_targets, local_clouds
    from loadtests.credentials.credentials import Credentials
    from loadtests.plan.payloads import read_payloads
    from loadtests.run.idle_survey import IdleSurvey, survey_all

    payload = read_payloads(images_in(samples_of("clothes")))[0]
    names = clouds.split(",") if clouds else None
    with Display(quiet=True) as display:
        opened = (
            nullcontext(given_targets(source))
            if source
            else local_clouds(names, display, model="clothes", memory_mb=None)
        )
        with opened as ready:
            headers = ready.credentials.auth_headers() if ready.credentials is not None else None
            keys = None if headers is None else Credentials(headers)
            surveys = [IdleSurvey(target, payload, search, together, keys) for target in ready.targets]
            try:
                found = survey_all(surveys, lambda name, gap_s: log(f"{name}: nothing is sent for {gap_s:.3g} s"))
                return found, False
            except KeyboardInterrupt:
                return {each.target.name: each.seen for each in surveys}, True


def _curves(found: Mapping[str, Sequence[GapObservation]]) -> dict[str, SurvivalCurve]:
    from loadtests.stats.survival import survival_curve

    return {name: survival_curve(each) for name, each in found.items() if each}


def _document(curve: SurvivalCurve, seen: Sequence[GapObservation]) -> dict[str, Any]:
    points = [{"idle_s": p.idle_s, "share": p.share, "lo": p.lo, "hi": p.hi} for p in curve.points]
    gaps = [{"gap_s": each.gap_s, "survived": each.survived, "of": each.of} for each in seen]
    known = {"longest_warm_s": curve.warm_s, "shortest_cold_s": curve.cold_s, "n": curve.n, "whole": curve.whole}
    return {**known, "points": points, "gaps": gaps}


def _text(name: str, curve: SurvivalCurve) -> str:
    if curve.cold_s is None:
        return f"{name}: no instance ended within {curve.warm_s or 0:.3g} s (n = {curve.n}): raise --highest"
    warm = "none lived" if curve.warm_s is None else f"one lived after {curve.warm_s:.4g} s"
    lines = [f"{name}: longest {warm}, shortest end within {curve.cold_s:.4g} s, n = {curve.n}"]
    lines += [f"  after {p.idle_s:8.1f} s {p.share:5.0%} live [{p.lo:.0%}, {p.hi:.0%}]" for p in curve.points]
    return "\n".join(lines if curve.whole else [*lines, "  its end was not seen: raise --highest or --tries"])


def _write(folder: Path, curves: Mapping[str, SurvivalCurve]) -> None:
    """A file `NAME.toml` of each target whose curve was seen to its end."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, curve in curves.items():
        if not curve.whole:
            continue
        now = datetime.now(UTC)
        points = ", ".join(f"[{at_s:g}, {share:g}]" for at_s, share in curve.idle_life())
        text = (
            f"[platform.idle_life]\npoints = [{points}]\n"
            f'source = "tripoint idle, {name}, {now:%Y-%m-%d}"\nn = {curve.n}\nyear = {now:%Y}\n'
        )
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
        click.echo(f"{folder / name}.toml is written.", err=True)
