"""What every suite shares: the sample photographs, the developers' data folder, and a web server on loopback."""

from __future__ import annotations

import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def hear_interrupts() -> None:
    """Let the processes that tests start hear interrupts: a shell's background job inherits that they are ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def sample_paths() -> list[Path]:
    """The project's own photographs, in name order."""
    return sorted((ROOT / "model" / "samples").glob("*.jpg"))


@pytest.fixture(scope="session")
def sample_image(sample_paths: list[Path]) -> bytes:
    """One of them."""
    return sample_paths[0].read_bytes()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Real photographs, models and traces; tests that need them are skipped where TRIPOINT_DATA is not set."""
    folder = os.environ.get("TRIPOINT_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("TRIPOINT_DATA is not set to a folder with the developers' data")
    return Path(folder)


@pytest.fixture(scope="session")
def image_url(sample_image: bytes) -> Iterator[str]:
    """The address of the sample image on a web server of this process."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "image/jpeg")
            self.send_header("content-length", str(len(sample_image)))
            self.end_headers()
            self.wfile.write(sample_image)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/pants.jpg"
        server.shutdown()
        thread.join()
