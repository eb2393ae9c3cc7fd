"""Runs under a budget with prices and speeds that a seed decides, and their bill by the local clouds' own ledger."""

from __future__ import annotations

import copy
import json
import time
import urllib.request
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadtests.cost.bill import bill
from loadtests.cost.plans import load_plan
from loadtests.cost.tariff import LOG_GB, request_prices
from loadtests.cost.usage import Calls, Reserve, Usage
from loadtests.launch import RunRequest, run
from loadtests.prices.book import read_book
from loadtests.prices.library import book_document, write_book
from loadtests.record.store import open_store
from tests.paths import SAMPLES

if TYPE_CHECKING:
    import random

    from loadtests.plan.targets import Target
    from loadtests.prices.book import PriceBook
    from loadtests.record.sample import Sample

_ZERO = Decimal(0)
_MS = Decimal(1000)


def random_book(draw: random.Random) -> dict[str, Any]:
    """The shipped book with every rate between a hundredth and a hundred times its price; the newest of all."""
    document = copy.deepcopy(book_document(folder=Path("no such folder")))
    for cloud in document["clouds"].values():
        for sheet in cloud["sheets"].values():
            for rate in sheet["rates"].values():
                factor = Decimal(repr(round(10 ** draw.uniform(-2, 2), 6)))
                for priced in rate.get("tiers", [rate]):
                    priced["usd"] = str(Decimal(priced["usd"]) * factor)
    return {**document, "date": "2999-01-01"}


def write_scenario(path: Path, draw: random.Random) -> Path:
    """A few seconds of load: cold starts, a steady rate that may queue, a burst."""
    rate, count, size = draw.uniform(10, 30), draw.randint(10, 30), draw.randint(2, 4)
    path.write_text(
        '[[phases]]\nkind = "forced"\nrounds = 1\n'
        f'[[phases]]\nkind = "poisson"\nrate = {rate:.2f}\ncount = {count}\n'
        f'[[phases]]\nkind = "bursts"\nbursts = 2\nsize = {size}\ngap_s = 0.7\n',
        encoding="utf-8",
    )
    return path


def set_speeds(target: Target, draw: random.Random) -> None:
    """Some requests and starts take longer, idle instances live for a random time, and there are few or some more."""
    _post(target, "settings", {"idle_life_s": draw.uniform(0.5, 30), "max_instances": draw.randint(1, 5)})
    _call("DELETE", f"{target.control}/faults")
    often, slow_s = draw.choice([0.0, 0.05, 0.3]), draw.uniform(0.01, 0.5)
    _post(target, "faults", {"fault": "stall", "probability": often, "delay_s": slow_s, "seed": draw.randint(0, 999)})
    starts_s = draw.uniform(0, 1.0)
    _post(target, "faults", {"fault": "slow-start", "probability": 0.5, "delay_s": starts_s, "seed": 1})


def settle(target: Target, *, within_s: float = 300.0) -> None:
    """Wait until the local cloud has nothing to do: at the latest when a start has run into its limit (240 s)."""
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        state = json.loads(_call("GET", f"{target.control}/state"))
        busy = [each for each in state["instances"] if not each["ready"] or each["in_flight"]]
        if not busy and not state["waiting"]:
            return
        time.sleep(0.05)
    raise AssertionError(f"{target.name} is still busy after {within_s:g} s: {state}")


def ledger(target: Target) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _call("GET", f"{target.control}/ledger").splitlines()]


@dataclass(frozen=True)
class Outcome:
    """Of one run: cap, what it counted itself, the true bill, how many requests came, and whether it ended early."""

    cap_usd: Decimal
    spent_usd: Decimal
    bill_usd: Decimal
    requests: int
    exhausted: bool


def capped_run(folder: Path, targets: Sequence[Target], draw: random.Random) -> Outcome:
    """One real run; `TRIPOINT_PRICES` has to name `folder / "prices"`."""
    document = random_book(draw)
    write_book(document, folder / "prices")
    book = read_book(document)
    highest = max(each.highest_usd for each in request_prices(targets, book).values())
    cap_usd = highest * Decimal(
        repr(draw.choice([draw.uniform(1.0001, 1.02), draw.uniform(1.02, 60), draw.uniform(2, 60)]))
    )
    for target in targets:
        set_speeds(target, draw)
        settle(target)
    before = {target.name: len(ledger(target)) for target in targets}
    plan = RunRequest(
        folder / "run",
        targets,
        SAMPLES,
        scenario=str(write_scenario(folder / "load.toml", draw)),
        seed=draw.randint(0, 10**6),
        workers=draw.choice([1, 2]),
        settings={"budget-usd": repr(float(cap_usd))},
    )
    ended = run(plan)
    too_small = "give a larger --budget" in ended.message  # not even the probes could be paid for
    assert ended.exit_code == 0 or too_small, ended.message
    for target in targets:
        settle(target)
    lines = {target.name: ledger(target)[before[target.name] :] for target in targets}
    samples, spent = ([], {"spent_usd": cap_usd, "exhausted": True}) if too_small else _stored(folder / "run")
    return Outcome(
        Decimal(repr(float(cap_usd))),
        Decimal(repr(float(spent["spent_usd"]))),
        sum((bill_of(each, lines[each.name], samples, book) for each in targets), _ZERO),
        sum(line["event"] == "request" for found in lines.values() for line in found),
        bool(spent["exhausted"]),
    )


def _stored(folder: Path) -> tuple[list[Sample], Mapping[str, Any]]:
    with open_store(folder) as store:
        [spent] = store.events("spent")
        return store.samples(), spent.document


def bill_of(
    target: Target, lines: Sequence[Mapping[str, Any]], samples: Sequence[Sample], book: PriceBook
) -> Decimal:
    """What the plan asks for the work that the ledger shows, starts that no request ever saw included.

    Where a plan can be read in two ways, by its dearer one.
    """
    plan = load_plan(target.cloud, target.plan)
    name = plan.alternative or plan.name
    served = [line for line in lines if line["event"] == "request"]
    starts = {line["instance"]: line for line in lines if line["event"] == "instance_ready"}
    spans: dict[int, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for line in served:
        spans[line["instance"]].append((_ms(line["assigned_s"]), _ms(line["at_s"])))
    for number, line in starts.items():
        if plan.duration.init_billed:
            spans[number].append((_ms(line["at_s"]) - Decimal(repr(line["start_ms"])), _ms(line["at_s"])))
    rule = load_plan(target.cloud, name).duration
    shared = rule.sharing == "instance"
    billed_ms = sum((_instance_ms(rule, each, shared=shared) for each in spans.values()), _ZERO)
    answers = sum(sample.response_bytes for sample in samples if sample.target == target.name)
    calls = Calls(Decimal(len(served)), _ZERO, Decimal(target.memory_mb), instance_s=billed_ms / _MS)
    usage = Usage(
        (calls,),
        reserve=Reserve(_ZERO, _ZERO, calls.memory_mb),
        egress_gb=Decimal(answers) / 1024**3,
        log_gb=LOG_GB * len(served),
        concurrency=target.concurrency,
    )
    return bill(target.cloud, name, usage, free=False, book=book).usd


def _instance_ms(rule: Any, spans: Sequence[tuple[Decimal, Decimal]], *, shared: bool) -> Decimal:
    """Billed time of one instance: as a union, or each span rounded on its own."""
    if shared:
        return Decimal(rule.shared_ms(spans))
    return sum((rule.billed_ms(end - start) for start, end in spans), _ZERO)


def _ms(seconds: float) -> Decimal:
    return Decimal(repr(seconds)) * _MS


def _post(target: Target, path: str, document: object) -> None:
    _call("POST", f"{target.control}/{path}", json.dumps(document).encode())


def _call(method: str, url: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, data=body, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())
