from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from adapters.deployment.request_auth import RequestAuth
from loadtests.cost.budget import Budget, BudgetError
from loadtests.cost.tariff import request_price
from loadtests.launch import free_port
from loadtests.plan.payloads import Payload
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.run.preflight import REQUESTS, preflight

PICTURES = [Payload("a.png", b"a", "image/png"), Payload("b.png", b"b", "image/png")]
ANSWERS = {
    "/good": (200, {"predictions": [{"label": "hat", "score": 1.0}]}),
    "/broken": (500, {"error": {"code": "model_unreadable"}}),
    "/other": (200, {"hello": "world"}),
}


class Handler(BaseHTTPRequestHandler):
    """Answers by path, and remembers what was sent."""

    bodies: list[bytes]
    keys: list[str | None]

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.keys.append(self.headers["x-functions-key"])
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
    Handler.bodies, Handler.keys = [], []
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


class FakeProvider:
    """Opens targets with a header, and takes a while to retire one; `refused` says why it cannot."""

    def __init__(self, refused: str = "") -> None:
        self.asked: list[str] = []
        self.refused = refused

    @property
    def cold_start_targets(self) -> list[str]:
        return ["good"]

    def auth_headers(self) -> dict[str, str]:
        return {"good": RequestAuth(fixed={"x-functions-key": "secret"}).text()}

    def force_cold_start(self, target: str) -> None:
        self.asked.append(target)
        time.sleep(0.05)
        if self.refused:
            raise RuntimeError(self.refused)


def test_a_closed_target_is_opened_and_its_cold_start_forced_and_timed(address: str) -> None:
    holder = FakeProvider()
    timings, notes = preflight([target("good", f"{address}/good")], PICTURES, done=lambda n: None, credentials=holder)
    assert (holder.asked, notes) == (["good"], [])
    assert timings["good"].retire_ms >= 50
    assert Handler.keys == ["secret"] * REQUESTS


def test_a_cold_start_that_cannot_be_forced_is_told_and_the_target_is_measured_all_the_same(address: str) -> None:
    timings, notes = preflight(
        [target("good", f"{address}/good")],
        PICTURES,
        done=lambda n: None,
        credentials=FakeProvider("the platform is busy"),
    )
    assert list(timings) == ["good"]
    assert notes == ["no cold start of good could be forced before the run: the platform is busy"]


def test_every_request_is_counted_and_the_first_that_the_budget_does_not_hold_is_not_sent(address: str) -> None:
    aws = target("good", f"{address}/good")
    tariff = request_price(aws, bundled_book())
    budget = Budget(tariff.highest_usd * 2, {"good": tariff})
    preflight([aws], PICTURES, done=lambda n: None, budget=budget)
    assert 0 < budget.spent_usd < tariff.highest_usd
    assert budget.reserved_usd == 0
    sent = len(Handler.bodies)
    short = Budget(tariff.highest_usd / 2, {"good": tariff})
    with pytest.raises(BudgetError, match="give a larger --budget"):
        preflight([aws], PICTURES, done=lambda n: None, budget=short)
    assert len(Handler.bodies) == sent, "nothing was sent"


def test_what_does_not_answer_is_counted_at_its_highest() -> None:
    gone = target("good", f"http://127.0.0.1:{free_port()}/")
    tariff = request_price(gone, bundled_book())
    budget = Budget(tariff.highest_usd * 3, {"good": tariff})
    preflight([gone], PICTURES, done=lambda n: None, budget=budget)
    assert budget.spent_usd == tariff.highest_usd
