"""One price per unit, perhaps falling with volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any


class PriceError(ValueError):
    """A price is missing or cannot be read; the message says which, in which book, and what to do."""


@dataclass(frozen=True, slots=True)
class Tier:
    """From `start` units on (counted after the free grant), a unit costs `usd`."""

    start: Decimal
    usd: Decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """USD per unit in ascending tiers, the first from zero; `confidence` is H, M or L as in docs/cost.md."""

    unit: str
    tiers: tuple[Tier, ...]
    source: str
    read: str
    confidence: str

    def __post_init__(self) -> None:
        starts = [tier.start for tier in self.tiers]
        if not starts or starts[0] != 0 or starts != sorted(set(starts)):
            raise PriceError(f"tiers must ascend from 0, not {[str(start) for start in starts]}; correct the price")
        if any(tier.usd < 0 for tier in self.tiers):
            raise PriceError(f"a price must not be negative: {[str(tier.usd) for tier in self.tiers]}")

    def usd(self, units: Decimal) -> Decimal:
        """What `units` cost together."""
        return sum((share * tier.usd for share, tier in self.shares(units)), Decimal(0))

    def shares(self, units: Decimal) -> tuple[tuple[Decimal, Tier], ...]:
        """How many of `units` fall into each tier."""
        ends = [*(tier.start for tier in self.tiers[1:]), units]
        found = (min(units, end) - tier.start for tier, end in zip(self.tiers, ends, strict=True))
        return tuple((max(share, Decimal(0)), tier) for share, tier in zip(found, self.tiers, strict=True))


def read_rate(name: str, data: Mapping[str, Any], origin: Mapping[str, Any]) -> Rate:
    """Read `{unit, usd | tiers, per}`; source, date and confidence are its own or those of its sheet, `origin`."""
    per = decimal(name, data.get("per", "1"))
    if per <= 0:
        raise PriceError(f"price {name!r} is per {per}: expected a number of units above 0")
    rows = data.get("tiers") or [{"from": "0", "usd": data.get("usd")}]
    facts = {**origin, **data}
    try:
        tiers = tuple(Tier(decimal(name, row["from"]), decimal(name, row["usd"]) / per) for row in rows)
        return Rate(str(data["unit"]), tiers, str(facts["source"]), str(facts["read"]), str(facts["confidence"]))
    except KeyError as missing:
        raise PriceError(f"price {name!r} lacks {missing}; give it in the price or in its sheet") from None


def decimal(name: str, text: object) -> Decimal:
    """Read an exact number; TOML floats are refused, for they are not exact."""
    if not isinstance(text, (str, int)) or isinstance(text, bool):
        raise PriceError(f'{name!r} is {text!r}: write the number as a string, such as "0.20"')
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise PriceError(f'{name!r} is {text!r}: expected a number such as "0.20"')
    return number


@dataclass(frozen=True, slots=True)
class FreeGrant:
    """What a plan's rules give free of `meter` a month, in the units of the price named `rate`."""

    plan: str
    meter: str
    rate: str
    free: Decimal
