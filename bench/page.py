"""Write a run's table into docs/performance.md, between its two marks."""

from __future__ import annotations

from pathlib import Path

from bench.inputs import REPOSITORY

PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def update(text: str, page: Path = PAGE) -> None:
    """Replace what lies between the marks. Raises ValueError when the page has not exactly one pair of them."""
    whole = page.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise ValueError(f"{page}: expected one {BEGIN} and one {END} after it")
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
