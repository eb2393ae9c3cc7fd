"""What every suite shares: how tests share the processors, sample photographs, the developers' data, a web server."""

from __future__ import annotations

import fcntl
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from core.cpu_count import count
from tests.paths import ROOT


def pytest_configure(config: pytest.Config) -> None:
    """Name the run before xdist does, so that its lock file can be removed at the end."""
    if not hasattr(config, "workerinput") and getattr(config.option, "testrunuid", 0) is None:
        config.option.testrunuid = uuid4().hex


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the lock file of the run, when all its processes have ended."""
    run_id = getattr(config.option, "testrunuid", None)
    if run_id and not hasattr(config, "workerinput"):
        lock_path(run_id).unlink(missing_ok=True)


@pytest.fixture(scope="session", autouse=True)
def hear_interrupts() -> None:
    """Let the processes that tests start hear interrupts: a shell's background job inherits that they are ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of processes for `--numprocesses auto`: many tests wait for what they started."""
    return count() + 2


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that measure time last, so that they wait for the other processes only once."""
    items.sort(key=lambda item: item.get_closest_marker("clock") is not None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Run a test that measures time while no other process runs a test; no timeout counts the wait.

    The processes of one run share a lock file: a test that measures time holds it alone, any other with others.
    """
    run_id = getattr(item.config, "workerinput", {}).get("testrunuid")
    if run_id is None:  # there is one process only
        return (yield)
    alone = item.get_closest_marker("clock") is not None
    with lock_path(run_id).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        return (yield)


def lock_path(run_id: str) -> Path:
    return Path(tempfile.gettempdir()) / f"tripoint-tests-{run_id}.lock"


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
