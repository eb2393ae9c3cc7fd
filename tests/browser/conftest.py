"""A real Chromium for the tests of this folder, and a record of what each page said and asked for.

Skipped where there is none: `apt-get install chromium` (or any Chromium or Chrome), found on the PATH or named by
TRIPOINT_CHROMIUM. Screenshots are kept in `build/screenshots`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.paths import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_ARGUMENTS = (
    "--no-sandbox",  # it refuses to start as root otherwise; the pages are ours
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TIMEOUT_MS = 30_000.0  # of every wait; a busy machine is slow


@dataclass(frozen=True, slots=True)
class Visit:
    """One page, what it wrote to the console (`error: …`), and every address that it asked for."""

    page: Page
    messages: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    @property
    def errors(self) -> list[str]:
        """Console errors and warnings, and exceptions that nobody caught."""
        return [each for each in self.messages if each.startswith(("error", "warning", "exception"))]

    def network(self) -> list[str]:
        """Addresses that are neither files nor inside the page."""
        return [each for each in self.addresses if not each.startswith(("file:", "data:", "blob:", "about:"))]

    def screenshot(self, name: str, *, full: bool = True) -> Path:
        """Keep a picture of the page as `build/screenshots/NAME.png`."""
        path = ROOT / "build" / "screenshots" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path, full_page=full)
        return path


class Visitor(Protocol):
    """Opens an address in a fresh profile; `options` are those of Playwright's `new_context`."""

    def __call__(self, address: str, **options: Any) -> Visit: ...


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's program."""
    named = os.environ.get("TRIPOINT_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None or not Path(found).exists():
        pytest.skip(f"no Chromium ({found or 'none on the PATH'}): install chromium, or name it in TRIPOINT_CHROMIUM")
    return Path(found)


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """One browser for the tests of a module, with a profile of its own that is removed with it.

    No longer: Playwright keeps an event loop running in this thread, and other tests start their own.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'tripoint[dev]'")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=chromium, headless=True, args=list(_ARGUMENTS), timeout=2 * TIMEOUT_MS
        )
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visitor]:
    """Open pages, each in a fresh profile that is closed after the test."""
    with ExitStack() as opened:

        def open_page(address: str, **options: Any) -> Visit:
            context = browser.new_context(**options)
            opened.callback(context.close)
            context.set_default_timeout(TIMEOUT_MS)
            found = Visit(context.new_page())
            found.page.on("console", lambda each: found.messages.append(f"{each.type}: {each.text}"))
            found.page.on("pageerror", lambda error: found.messages.append(f"exception: {error}"))
            found.page.on("request", lambda request: found.addresses.append(request.url))
            found.page.goto(address)
            return found

        yield open_page
