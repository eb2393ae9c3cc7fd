from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.report import html_page


@pytest.fixture
def bundlings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """One entry for each time that the script was bundled; no call of before is remembered."""
    made: list[str] = []

    def bundled() -> str:
        made.append("script")
        return "script é"

    monkeypatch.setattr(html_page, "_bundled", bundled)
    html_page.vega_bundle.cache_clear()
    yield made
    html_page.vega_bundle.cache_clear()


def test_the_script_is_bundled_once_for_all_processes(
    bundlings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPOINT_CACHE", str(tmp_path))
    first = html_page.vega_bundle()
    html_page.vega_bundle.cache_clear()  # as in another process
    assert html_page.vega_bundle() == first == "script é"
    assert len(bundlings) == 1


def test_the_script_is_bundled_where_no_cache_can_be_written(
    bundlings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("TRIPOINT_CACHE", str(tmp_path / "file"))
    assert html_page.vega_bundle() == "script é"
    assert len(bundlings) == 1
