"""Render a report as one HTML file. Pure, but for templates and scripts read from installed packages."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from adapters.bundle.cache import folder_for
from loadtests.report.blocks import Controls, Figure
from loadtests.report.sections.chart import CONFIG

if TYPE_CHECKING:
    from loadtests.report.blocks import Section
    from loadtests.report.document import Document

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_VEGA_FILE = "vega.js"


def render_html(document: Document) -> str:
    """Return one HTML document; it opens from disk and asks the network for nothing."""
    scripts = {name: Markup(text) for name, text in _scripts().items()}
    return _template().render(
        opening=document.header,
        sections=document.sections,
        looks=document.styles,
        style=Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8")),
        scripts=scripts,
        policy=_policy([*scripts.values()]),
        charts=Markup(_json(_charts(document.sections))),
    )


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


@cache
def vega_bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script; about 0.9 MB. `vegaEmbed` is then a global function.

    The installed vl-convert bundles them in some seconds, once for each of its versions: the script is kept in the
    cache folder, where one can be written.
    """
    with suppress(OSError):
        folder = folder_for("vega", version("vl-convert-python"), _write_vega)
        return (folder / _VEGA_FILE).read_text(encoding="utf-8")
    return _bundled()


def _write_vega(folder: Path) -> None:
    (folder / _VEGA_FILE).write_text(_bundled(), encoding="utf-8")


def _bundled() -> str:
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", "<\\/script")


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
