from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from loadtests.launch import free_port
from loadtests.pictures import Picture
from loadtests.targets import Target
from loadtests.tuning_preflight import REQUESTS, preflight

if TYPE_CHECKING:
    from collections.abc import Iterator

PICTURES = [Picture("a.png", b"a", "image/png"), Picture("b.png", b"b", "image/png")]
ANSWERS = {
    "/good": (200, {"predictions": [{"label": "hat", "score": 1.0}]}),
    "/broken": (500, {"error": {"code": "model_unreadable"}}),
    "/other": (200, {"hello": "world"}),
}


class Handler(BaseHTTPRequestHandler):
    """Answers by path, and remembers what was sent."""

    bodies: list[bytes]

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        status, document = ANSWERS[self.path]
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def address() -> Iterator[str]:
    Handler.bodies = []
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def target(name: str, url: str) -> Target:
    return Target(name, "aws", "on-demand", "local", 128, url)


def test_a_target_that_classifies_is_timed_with_different_pictures(address: str) -> None:
    asked: list[int] = []
    timings, notes = preflight([target("good", f"{address}/good")], PICTURES, done=asked.append)
    assert timings["good"].warm_ms > 0
    assert (notes, asked) == ([], [1])
    assert len(Handler.bodies) == REQUESTS
    assert set(Handler.bodies) == {b"a", b"b"}


def test_what_does_not_classify_is_left_out_with_the_reason_and_the_rest_goes_on(address: str) -> None:
    targets = [target(name, f"{address}/{name}") for name in ("broken", "other", "good")]
    timings, notes = preflight(targets, PICTURES, done=lambda n: None)
    assert list(timings) == ["good"]
    assert notes == [
        "broken does not work and is left out: status 500, model_unreadable",
        "other does not work and is left out: status 200, but no classification",
    ]


def test_a_target_that_is_not_there_is_left_out() -> None:
    timings, notes = preflight([target("gone", f"http://127.0.0.1:{free_port()}/")], PICTURES, done=lambda n: None)
    assert timings == {}
    assert "gone does not work and is left out: no answer" in notes[0]
