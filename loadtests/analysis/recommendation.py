"""Choose a setting under a strategy, and say whether the run shows that it is the best one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from loadtests.stats.estimate import Estimate
from loadtests.stats.formatting import format_estimate, format_number
from loadtests.stats.pareto import intervals_below

Strategy = Literal["cost", "speed", "balanced"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
RIVALS_NAMED = 3
WORDS: dict[Strategy, str] = {
    "cost": "cost per million requests",
    "speed": "warm p95",
    "balanced": "cost per million times warm p95",
}


class StrategyError(ValueError):
    """There is no such strategy; the message names those that there are."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A setting that can be recommended: USD per million requests, and warm p95 in ms; both have values."""

    name: str
    usd: Estimate
    p95_ms: Estimate

    def score(self, strategy: Strategy) -> Estimate:
        """What the strategy makes small. "balanced" is the product: a half of either counts the same, in any unit."""
        if strategy == "cost":
            return self.usd
        return self.p95_ms if strategy == "speed" else product(self.usd, self.p95_ms)

    def order(self, strategy: Strategy) -> tuple[float, float, float, str]:
        """Sorts by score; of equal ones the cheaper, then the faster, comes first."""
        return value_of(self.score(strategy)), value_of(self.usd), value_of(self.p95_ms), self.name


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The best setting of a scope ("overall", or a cloud) by its values.

    `rivals` are settings whose scores its score cannot be told from; none: the choice is shown. `bargain` is the
    rival that is furthest ahead on the other count, where there is one; `of` settings took part.
    """

    scope: str
    strategy: Strategy
    choice: Candidate
    indistinguishable: tuple[str, ...]
    of: int
    trade_off: Candidate | None = None

    @property
    def significant(self) -> bool:
        """Whether the intervals set the choice apart from every other setting; with no other, nothing is shown."""
        return self.of > 1 and not self.indistinguishable

    def document(self) -> dict[str, Any]:
        """This recommendation's entry of `summary.json`."""
        return {
            "scope": self.scope,
            "setting": self.choice.name,
            "score": self.choice.score(self.strategy).document(),
            "of": self.of,
            "shown": self.significant,
            "not_separable_from": list(self.indistinguishable),
            "sentence": self.sentence(),
        }

    def sentence(self) -> str:
        """The recommendation in words, with its figures and how sure it is."""
        usd, p95_ms = format_estimate(self.choice.usd), format_estimate(self.choice.p95_ms)
        chosen = f"{self.scope}: {self.choice.name}, {usd} USD per million, warm p95 {p95_ms} ms"
        return f"{chosen}; {self._sureness()}{self._bargain()}"

    def _sureness(self) -> str:
        if self.of == 1:
            return "the only setting that could be judged"
        if self.significant:
            return f"shown: lowest {WORDS[self.strategy]} of {self.of} settings, intervals apart"
        named = ", ".join(self.indistinguishable[:RIVALS_NAMED])
        more = (
            f" and {len(self.indistinguishable) - RIVALS_NAMED} more"
            if len(self.indistinguishable) > RIVALS_NAMED
            else ""
        )
        return f"lowest {WORDS[self.strategy]}, but not separable from {named}{more}"

    def _bargain(self) -> str:
        if self.trade_off is None:
            return ""
        if self.strategy == "speed":
            ratio = value_of(self.trade_off.usd) / value_of(self.choice.usd)
            return f"; {self.trade_off.name} is not shown to be slower and costs {format_number(ratio)} times as much"
        ratio = value_of(self.trade_off.p95_ms) / value_of(self.choice.p95_ms)
        return f"; {self.trade_off.name} is not shown to cost more and takes {format_number(ratio)} times as long"


def recommend(contenders: Sequence[Candidate], strategy: Strategy, *, scope: str) -> Recommendation | None:
    """The best of `contenders`; None without any."""
    if not contenders:
        return None
    choice, *others = sorted(contenders, key=lambda each: each.order(strategy))
    best = choice.score(strategy)
    rivals = [each for each in others if not intervals_below(best, each.score(strategy))]
    names = tuple(each.name for each in rivals)
    return Recommendation(scope, strategy, choice, names, len(contenders), _trade_off(choice, rivals, strategy))


def _trade_off(choice: Candidate, rivals: Sequence[Candidate], strategy: Strategy) -> Candidate | None:
    """The rival that is surely better on the count that the strategy does not look at, the best of them."""
    if strategy == "balanced":
        return None
    other: Strategy = "cost" if strategy == "speed" else "speed"
    better = [each for each in rivals if intervals_below(each.score(other), choice.score(other))]
    return min(better, key=lambda each: each.order(other), default=None)


def product(first: Estimate, second: Estimate) -> Estimate:
    """The product of two positive estimates; its interval is that of both ends, so it is wide rather than narrow."""
    value = value_of(first) * value_of(second)
    low, high = _ends(first.lo, second.lo), _ends(first.hi, second.hi)
    return Estimate(n=min(first.n, second.n), value=value, lo=low, hi=high)


def value_of(estimate: Estimate) -> float:
    """The value of an estimate that has one."""
    if estimate.value is None:
        raise ValueError(f"no value: {estimate.reason}")
    return estimate.value


def _ends(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first * second


def find_strategy(name: str) -> Strategy:
    """The strategy of that name. Raises StrategyError."""
    for strategy in STRATEGIES:
        if strategy == name:
            return strategy
    raise StrategyError(f"strategy {name!r}: expected one of {', '.join(STRATEGIES)}")
