"""Render one HTML file. Pure, but for templates and scripts read from installed packages."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from loadtests.report.page.blocks import Controls, Figure
from loadtests.report.page.bundle import vega_bundle
from loadtests.report.page.chart import CONFIG
from loadtests.report.page.checks import checks, counts
from loadtests.report.page.cold import cold
from loadtests.report.page.context import PageContext
from loadtests.report.page.cost import cost
from loadtests.report.page.header import page_header, result
from loadtests.report.page.method import method, repeat
from loadtests.report.page.sweep import sweep
from loadtests.report.page.timeline import timeline
from loadtests.report.page.warm import warm

if TYPE_CHECKING:
    from loadtests.analysis.summary import Summary
    from loadtests.prices.book import PriceBook
    from loadtests.record.run_data import RunData
    from loadtests.report.page.blocks import Section

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def render_html(summary: Summary, record: RunData, book: PriceBook) -> str:
    """The report of a run as one HTML document; it opens from disk and asks the network for nothing.

    `record` is what `summary` was made from, `book` the prices that it was costed with.
    """
    material = PageContext(summary, record, book)
    sections = list(_sections(material))
    scripts = {name: Markup(text) for name, text in _scripts().items()}
    return _template().render(
        opening=page_header(material),
        sections=sections,
        looks=material.looks,
        style=Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8")),
        scripts=scripts,
        policy=_policy([*scripts.values()]),
        charts=Markup(_json(_charts(sections))),
    )


def _sections(material: PageContext) -> Iterator[Section]:
    """In the order of the questions."""
    yield result(material)
    yield warm(material)
    yield cold(material)
    yield timeline(material)
    yield cost(material)
    if material.summary.sweep is not None:
        yield sweep(material, material.summary.sweep)
    yield counts(material)
    yield checks(material)
    yield method(material)
    yield repeat(material)


def _charts(sections: Sequence[Section]) -> dict[str, object]:
    """What the page's script needs: each chart's specification, and the words of the slider's steps."""
    blocks = [block for section in sections for block in section.blocks]
    labels = next((block.labels for block in blocks if isinstance(block, Controls)), ())
    specs = {block.name: block.spec for block in blocks if isinstance(block, Figure)}
    return {"config": CONFIG, "specs": specs, "volumes": labels}


def _json(document: object) -> str:
    """JSON that cannot end the script element that holds it."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


@cache
def _scripts() -> dict[str, str]:
    return {"vega": vega_bundle(), "page": (_TEMPLATES / "page.js").read_text(encoding="utf-8")}


def _policy(scripts: Sequence[str]) -> str:
    """A content security policy under which these scripts run, no other does, and nothing can be fetched."""
    hashes = (base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in scripts)
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
