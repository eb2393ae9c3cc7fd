"""Complete values in the shell: clouds, models, scenarios, plans, price books, run folders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

RUNS = Path("runs")


def clouds() -> Iterable[str]:
    from adapters import contract

    return contract.clouds()


def models() -> Iterable[str]:
    from adapters.bundle import model_lookup

    return [entry.name for entry in model_lookup.entries()]


def scenarios() -> Iterable[str]:
    from loadtests.plan.scenarios import SCENARIOS

    return SCENARIOS


def plans() -> Iterable[str]:
    from adapters import contract

    return sorted({plan for cloud in contract.clouds() for plan in contract.load(cloud).data["plans"]})


def runtimes() -> Iterable[str]:
    from core.settings import RUNTIMES

    return RUNTIMES


def price_books() -> Iterable[str]:
    from loadtests.prices import library

    return library.names()


def runs() -> Iterable[str]:
    """Return the run folders below `runs/`, newest first."""
    return sorted((str(store.parent) for store in RUNS.glob("*/samples.sqlite")), reverse=True)


_OFFERS: dict[str, Callable[[], Iterable[str]]] = {
    "cloud": clouds,
    "clouds": clouds,
    "first": runs,
    "model": models,
    "plan": plans,
    "plans": plans,
    "prices": price_books,
    "run": runs,
    "runtime": runtimes,
    "scenario": scenarios,
    "runs": runs,
    "second": runs,
}
_ALSO = {("serve", "cloud"): ("all",)}


class CompletableType(click.ParamType[Any]):
    """A parameter type that also proposes values, in a list for what follows the last comma."""

    def __init__(self, inner: click.ParamType[Any], offer: Callable[[], Iterable[str]], also: Iterable[str]) -> None:
        self.inner = inner
        self.name = inner.name
        self._offer = offer
        self._also = also

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self.inner.convert(value, param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        return self.inner.get_metavar(param, ctx)

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str | None:
        return self.inner.get_missing_message(param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        before, comma, begun = incomplete.rpartition(",")
        known = [value for value in (*self._offer(), *self._also) if value not in before.split(",")]
        found = [CompletionItem(f"{before}{comma}{value}") for value in known if value.startswith(begun)]
        return found or self.inner.shell_complete(ctx, param, incomplete) or [CompletionItem(incomplete, type="file")]


def offer_values(command: click.Command, name: str) -> None:
    """Let the parameters of the command of that name propose known values."""
    for param in command.params:
        offer = _OFFERS.get(param.name or "")
        if offer is not None and isinstance(param.type, click.types.StringParamType | click.Path):
            param.type = CompletableType(param.type, offer, _ALSO.get((name, param.name or ""), ()))
