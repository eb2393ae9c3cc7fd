"""The HTML report of a run: one file that opens from disk, asks the network for nothing, and prints."""

from loadtests.report.page.document import render_html

__all__ = ["render_html"]
