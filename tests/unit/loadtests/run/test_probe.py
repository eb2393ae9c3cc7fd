from __future__ import annotations

import json
import re
import threading
from contextlib import nullcontext
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from adapters.deployment.request_auth import RequestAuth
from loadtests.credentials.credentials import Credentials
from loadtests.plan.payloads import read_payloads
from loadtests.plan.scenarios import PROBES
from loadtests.plan.targets import Target
from loadtests.run import probe as probing
from loadtests.run.probe import ProbeError, probe
from loadtests.run.resources import RunResources
from tests.kits.load import write_images


def test_a_target_that_is_not_there_is_named_with_its_address_and_error(tmp_path: Path) -> None:
    gone = Target("gcp", "gcp", "none", "local", 128, "http://127.0.0.1:1/")
    payloads = read_payloads(write_images(tmp_path / "images"))
    expected = r"target 'gcp' at http://127\.0\.0\.1:1/ gave failed \(connection_refused"
    with pytest.raises(ProbeError, match=expected):
        probe([gone], payloads, timeout_s=5, probed=lambda *_: None, origin_s=0.0, resources=RunResources())


class FailsOnce(BaseHTTPRequestHandler):
    """Answers the first `failures` requests with 503, and classifies afterwards."""

    failures = 1
    asked = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        type(self).asked += 1
        failed = self.asked <= self.failures
        body = b"busy" if failed else json.dumps({"predictions": [{"label": "hat", "score": 1.0}]}).encode()
        self.send_response(503 if failed else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.mark.parametrize(("failures", "works"), [(1, True), (2, False)])
def test_a_probe_that_fails_once_is_sent_again(tmp_path: Path, failures: int, works: bool) -> None:
    FailsOnce.failures, FailsOnce.asked = failures, 0
    payloads = read_payloads(write_images(tmp_path / "images"))
    with HTTPServer(("127.0.0.1", 0), FailsOnce) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        target = Target("gcp", "gcp", "none", "local", 128, f"http://127.0.0.1:{server.server_address[1]}/")
        try:
            with nullcontext() if works else pytest.raises(ProbeError, match="gave failed"):
                samples = probe(
                    [target], payloads, timeout_s=5, probed=lambda *_: None, origin_s=0.0, resources=RunResources()
                )
                assert [each.outcome for each in samples] == ["failed", *["ok"] * PROBES]
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Channel:
    """What a run has of the one who holds the keys."""

    keys: Credentials


def test_what_was_deployed_a_moment_ago_is_asked_until_it_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "AGAIN_AFTER_S", 0.01)
    FailsOnce.failures, FailsOnce.asked = 6, 0
    payloads = read_payloads(write_images(tmp_path / "images"))
    with HTTPServer(("127.0.0.1", 0), FailsOnce) as server, caplog.at_level("INFO"):
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        target = Target("gcp", "gcp", "none", "local", 128, f"http://127.0.0.1:{server.server_address[1]}/")
        resources = RunResources(Channel(Credentials({"gcp": RequestAuth().text()})))  # type: ignore[arg-type]
        try:
            samples = probe(
                [target], payloads, timeout_s=5, probed=lambda *_: None, origin_s=0.0, resources=resources
            )
        finally:
            server.shutdown()
            thread.join()
    assert [each.outcome for each in samples] == ["ok"] * PROBES, "what was asked too early is no sample"
    assert re.search(r"target gcp answered after \d s of waiting", caplog.text)
    assert FailsOnce.asked == 6 + PROBES
