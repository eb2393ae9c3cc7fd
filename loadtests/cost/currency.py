"""A currency, at the rate that the user gives: there is no exchange rate in any price book."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from loadtests.cost.usage import UsageError


@dataclass(frozen=True, slots=True)
class Currency:
    """`code` is that of ISO 4217, `per_usd` how many of it a US dollar is worth."""

    code: str = "USD"
    per_usd: Decimal = Decimal(1)

    @classmethod
    def read(cls, text: str) -> Currency:
        """Read `EUR=0.92`. Raises UsageError."""
        code, _, rate = text.partition("=")
        try:
            per_usd = Decimal(rate.strip())
        except InvalidOperation:
            per_usd = Decimal(0)
        if not re.fullmatch(r"[A-Za-z]{3}", code.strip()) or not per_usd.is_finite() or per_usd <= 0:
            raise UsageError(f"currency {text!r}: expected a code and what a dollar is worth, such as EUR=0.92")
        return cls(code.strip().upper(), per_usd)

    @property
    def is_usd(self) -> bool:
        return self.code == "USD"

    def of_usd(self, usd: Decimal) -> Decimal:
        """An amount in this currency."""
        return usd * self.per_usd
