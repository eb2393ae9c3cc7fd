"""The JavaScript of Vega-Lite, as the page carries it."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from adapters.bundle.cache import folder_for

_FILE = "vega.js"


@cache
def vega_bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script; about 0.9 MB. `vegaEmbed` is then a global function.

    The installed vl-convert bundles them in some seconds, once for each of its versions: the script is kept in the
    cache folder, where one can be written.
    """
    with suppress(OSError):
        folder = folder_for("vega", version("vl-convert-python"), _write)
        return (folder / _FILE).read_text(encoding="utf-8")
    return _bundled()


def _write(folder: Path) -> None:
    (folder / _FILE).write_text(_bundled(), encoding="utf-8")


def _bundled() -> str:
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", "<\\/script")
