"""Check Python, the packages of this project and its extras, and `tripoint.toml`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import metadata

import click
from packaging.requirements import Requirement

from cli.diagnosis.finding import Diagnosis

_PART = "installation"
_PYTHONS = ((3, 11), (3, 12), (3, 13))
REPAIR = "run `make setup`, or `pip install --force-reinstall tripoint`"
_FOR = {
    "aws": "to deploy to AWS",
    "azure": "to deploy to Azure",
    "convert": "to convert and train models with TensorFlow",
    "dev": "to run the tests",
    "gcp": "to deploy to Google Cloud",
    "onnx": "for models as ONNX files",
    "parquet": "for `tripoint export --format parquet`",
    "scikit-learn": "to export scikit-learn models as ONNX",
    "xgboost": "for models by XGBoost",
}


def look() -> Iterator[Diagnosis]:
    yield _python()
    yield _packages()
    yield from _extras()
    yield _settings()
    yield from _variables()


def _python() -> Diagnosis:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] in _PYTHONS:
        return Diagnosis(_PART, "python", "ok", f"{version} at {sys.prefix}")
    return Diagnosis(_PART, "python", "missing", version, "install Python 3.11, 3.12 or 3.13")


def _packages() -> Diagnosis:
    try:
        wrong = unmet("")
    except metadata.PackageNotFoundError:
        return Diagnosis(_PART, "packages", "missing", "tripoint itself is not installed", REPAIR)
    if wrong:
        return Diagnosis(_PART, "packages", "missing", ", ".join(wrong), REPAIR)
    return Diagnosis(_PART, "packages", "ok", f"tripoint {metadata.version('tripoint')} and all that it needs")


def _extras() -> Iterator[Diagnosis]:
    try:
        extras = metadata.metadata("tripoint").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return
    for extra in sorted(extras):
        wrong = unmet(extra)
        purpose = _FOR.get(extra, "")
        if wrong:
            remedy = f"{purpose}: pip install 'tripoint[{extra}]'".removeprefix(": ")
            yield Diagnosis(_PART, f"extra {extra}", "note", f"not there: {', '.join(wrong)}", remedy)
        else:
            yield Diagnosis(_PART, f"extra {extra}", "ok", purpose)


def unmet(extra: str) -> list[str]:
    """Return the unmet requirements of the project ("") or of one of its extras."""
    found = []
    for line in metadata.requires("tripoint") or []:
        requirement = Requirement(line)
        marker = requirement.marker
        applies = marker is None or marker.evaluate({"extra": extra})
        if applies and ("extra ==" in str(marker)) == bool(extra) and (problem := _problem(requirement)):
            found.append(problem)
    return found


def _problem(requirement: Requirement) -> str:
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return requirement.name
    wrong = not requirement.specifier.contains(version, prereleases=True)
    return f"{requirement.name} {version} (needs {requirement.specifier})" if wrong else ""


def _settings() -> Diagnosis:
    from cli.framework.refusal import CommandRefused
    from cli.framework.settings_file import read_defaults

    root = click.get_current_context().find_root()
    assert isinstance(root.command, click.Group)
    try:
        given = read_defaults(root.command, root)
    except CommandRefused as error:
        return Diagnosis(_PART, "tripoint.toml", "missing", str(error), "correct it, or move it away")
    found = f"settings for {', '.join(sorted(given))}" if given else "no settings of commands in this folder"
    return Diagnosis(_PART, "tripoint.toml", "ok", f"{found} (`tripoint config` shows all)")


def _variables() -> Iterator[Diagnosis]:
    """Yield mistyped environment variables; their values are not shown."""
    from cli.framework.variables import unknown_variables

    for each in unknown_variables(click.get_current_context().find_root(), os.environ):
        yield Diagnosis(
            _PART, each.variable, "note", "no setting has this variable", (each.wrong or "").partition(": ")[2]
        )
