"""`func` in place of our host: our side of it, with a stand-in on the PATH (the real one is not installed here)."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from pathlib import Path

import pytest

from adapters.contract import InstanceFailed
from tests.kits.runtime_instances import ask, running

STAND_IN = f"""#!/bin/sh
'''exec' "{sys.executable}" "$0" "$@"
' '''
import json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

asked = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/die":
            os._exit(5)
        self.answer()

    def answer(self):
        asked.append(self.path)
        body = json.dumps({{"arguments": sys.argv[1:], "folder": os.getcwd(), "asked": asked,
                            "python": os.environ["languageWorkers__python__defaultExecutablePath"]}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


if os.path.exists("refuse"):
    sys.exit("Port is unavailable")
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app's folder, with a stand-in for `func` first on the PATH."""
    func = tmp_path / "bin" / "func"
    func.parent.mkdir()
    func.write_text(STAND_IN)
    func.chmod(func.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(func.parent), prepend=":")
    monkeypatch.setenv("TRIPOINT_AZURE_HOST", "func")
    (tmp_path / "app").mkdir()
    return tmp_path / "app"


def test_func_is_started_in_the_apps_folder_with_this_python_and_pinged_before_use(app: Path) -> None:
    async def run() -> bytes:
        async with running("azure", app) as instance:
            return (await ask(instance, "/classify")).body

    said = json.loads(asyncio.run(run()))
    assert said["arguments"][:2] == ["start", "--port"]
    assert said["folder"] == str(app.resolve())
    assert said["python"] == sys.executable
    assert said["asked"] == ["/admin/host/ping", "/classify"]


def test_a_func_that_dies_in_a_request_is_told(app: Path) -> None:
    async def run() -> None:
        async with running("azure", app) as instance:
            await ask(instance, "/die")

    with pytest.raises(InstanceFailed, match="status 5 during a request"):
        asyncio.run(run())


def test_a_func_that_does_not_start_is_told_with_its_words(app: Path) -> None:
    (app / "refuse").touch()

    async def run() -> None:
        async with running("azure", app):
            pass

    with pytest.raises(InstanceFailed, match=r"(?s)status 1 before it answered.*Port is unavailable"):
        asyncio.run(run())


def test_a_func_that_is_not_installed_is_told_with_the_way_to_install_it(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    async def run() -> None:
        async with running("azure", app):
            pass

    with pytest.raises(InstanceFailed, match="install Azure Functions Core Tools 4"):
        asyncio.run(run())
