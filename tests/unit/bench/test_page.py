"""The table of a run goes into the page between its marks, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import page


def test_only_what_lies_between_the_marks_changes(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"before\n\n{page.BEGIN}\nold\n{page.END}\n\nafter\n")
    page.update("new\n", file)
    assert file.read_text() == f"before\n\n{page.BEGIN}\n\nnew\n\n{page.END}\n\nafter\n"
    page.update("newer", file)
    assert file.read_text() == f"before\n\n{page.BEGIN}\n\nnewer\n\n{page.END}\n\nafter\n"


@pytest.mark.parametrize("text", ["", page.BEGIN, f"{page.END}{page.BEGIN}", f"{page.BEGIN}{page.END}" * 2])
def test_a_page_without_its_marks_is_told(text: str, tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(text)
    with pytest.raises(ValueError, match="expected one"):
        page.update("new", file)
    assert file.read_text() == text


def test_the_real_page_has_its_marks() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert text.count(page.BEGIN) == text.count(page.END) == 1
