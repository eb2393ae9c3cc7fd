"""Samples of a small run, drawn by a seed: every kind of load, outcome and state, and some instances."""

from __future__ import annotations

from random import Random
from typing import Any, get_args

from loadtests.live.figures import live_document
from loadtests.plan.phases import Stratum
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.record.sample import Sample, State

STRATA: tuple[Stratum, ...] = get_args(Stratum)
STATES: tuple[State | None, ...] = ("cold", "pre-initialised", "warm", "warm", "warm", "warm", "warm", None)
TARGETS = [
    Target("aws", "aws", "on-demand", "local", 1024, "http://127.0.0.1:1/"),
    Target("gcp", "gcp", "cloud-run-request", "local", 1024, "http://127.0.0.1:2/"),
]


def run_of(count: int, *, seed: int = 1) -> list[Sample]:
    """`count` samples of both targets together, in no order."""
    random = Random(seed)
    found = [sample_of(random, index) for index in range(count)]
    random.shuffle(found)
    return found


def live(count: int, *, seed: int = 1) -> dict[str, Any]:
    """Return the live figures of `run_of(count)`."""
    return live_document(TARGETS, run_of(count, seed=seed), bundled_book())


def sample_of(random: Random, index: int) -> Sample:
    """One request; most are warm, steady and answered."""
    intended_s = index / 50
    slip_s = random.choice([0.0001, 0.0001, 0.0001, 0.02])
    about = (index, random.choice(TARGETS).name, f"worker {index % 2}")
    stratum: Stratum = random.choice(STRATA + ("steady",) * 5)
    match random.choice([*["ok"] * 20, "failed", "timeout", "dropped"]):
        case "ok":
            sent_s, state = intended_s + slip_s, random.choice(STATES)
            done_s = sent_s + random.lognormvariate(-3, 0.5) + (0.5 if state == "cold" else 0.0)
            instance = None if state is None else f"{about[1]} {random.randrange(9)}"
            served: dict[str, Any] = {
                "state": state,
                "instance": instance,
                "total_ms": (done_s - sent_s) * 900,
                "init_ms": 400.0,
            }
            return Sample(*about, stratum, intended_s, sent_s, done_s, "ok", 200, response_bytes=300, **served)
        case "failed":
            return Sample(*about, stratum, intended_s, intended_s + slip_s, intended_s + 0.1, "failed", 503)
        case "timeout":
            return Sample(*about, stratum, intended_s, intended_s + slip_s, None, "timeout")
        case _:
            return Sample(*about, stratum, intended_s, None, None, "dropped")
