from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor


def test_a_page_that_complains_and_asks_for_something_is_found_out(visit: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<!doctype html><title>t</title><p>here</p><img src='http://127.0.0.1:9/none.png' alt=''>"
        "<script>console.error('wrong'); setTimeout(() => { throw new Error('worse') }, 0)</script>",
        encoding="utf-8",
    )
    seen = visit(path.as_uri())
    seen.page.wait_for_function("document.readyState === 'complete'")
    seen.page.wait_for_timeout(100)
    assert any("wrong" in each for each in seen.errors)
    assert any("worse" in each for each in seen.errors)
    assert seen.network() == ["http://127.0.0.1:9/none.png"]


def test_a_quiet_page_has_nothing_against_it(visit: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<!doctype html><title>t</title><p>here</p><script>console.log('fine')</script>", encoding="utf-8"
    )
    seen = visit(path.as_uri())
    assert seen.page.inner_text("p") == "here"
    assert (seen.errors, seen.network()) == ([], [])
