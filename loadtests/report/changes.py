"""Render the changes between two versions for people, for Markdown, for GitHub and as JUnit XML. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args
from xml.etree import ElementTree

from loadtests.report.markdown import render_table
from loadtests.report.sections.changes import changes_table

if TYPE_CHECKING:
    from loadtests.analysis.change import Change

ChangesFormat = Literal["text", "json", "md", "github", "junit"]
FORMATS: tuple[ChangesFormat, ...] = get_args(ChangesFormat)


def render_changes(changes: Sequence[Change], kind: ChangesFormat, *, headline: str, limits: str = "") -> str:
    """Return the changes in one format, ending in a newline; `limits` says what the runs can tell."""
    match kind:
        case "json":
            return json.dumps([each.document() for each in changes], indent=2, ensure_ascii=False) + "\n"
        case "md":
            table = "\n\n".join(render_table(changes_table(changes)))
            return "\n\n".join(filter(None, [f"**{headline}**", table, limits])) + "\n"
        case "github":
            return "".join(
                f"{line}\n" for line in [*map(_annotation, changes), f"::notice title=Tripoint::{headline}"]
            )
        case "junit":
            return _junit(changes)
        case "text":
            lines = [f"{each.target}  {each.what}  {each.sentence}" for each in changes]
            return "\n".join(filter(None, [*lines, limits, headline])) + "\n"


def _annotation(change: Change) -> str:
    """A workflow command: an error for a regression, a warning for what could not be compared, else a note."""
    level = "error" if change.regression else "warning" if change.relative is None else "notice"
    text = change.sentence.replace("%", "%25").replace("\n", "%0A")
    return f"::{level} title={change.target} {change.what}::{text}"


def _junit(changes: Sequence[Change]) -> str:
    """A test case for each change; a regression is a failure, what could not be compared is skipped."""
    failures = sum(each.regression for each in changes)
    skipped = sum(each.relative is None for each in changes)
    suite = ElementTree.Element(
        "testsuite",
        name="tripoint",
        tests=str(len(changes)),
        failures=str(failures),
        skipped=str(skipped),
        errors="0",
    )
    for each in changes:
        case = ElementTree.SubElement(suite, "testcase", classname=f"tripoint.{each.target}", name=each.what)
        if each.regression:
            ElementTree.SubElement(case, "failure", message=each.sentence)
        elif each.relative is None:
            ElementTree.SubElement(case, "skipped", message=each.sentence)
        ElementTree.SubElement(case, "system-out").text = each.sentence
    ElementTree.indent(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(suite, encoding="unicode")}\n'
