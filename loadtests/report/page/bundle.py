"""The JavaScript of Vega-Lite, as the page carries it."""

from __future__ import annotations

from functools import cache


@cache
def vega_bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from the installed vl-convert; about 0.9 MB.

    `vegaEmbed` is then a global function. Takes a second or two the first time in a process.
    """
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", "<\\/script")
