"""One check of a run: a reason to trust it, or not."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

CheckState = Literal["passed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found, and what to do when it failed.

    "unknown" means that the run holds nothing to judge it by; `finding` says what is missing.
    """

    name: str
    state: CheckState
    finding: str
    remedy: str = ""

    def document(self) -> dict[str, str]:
        """This check's entry of `summary.json`."""
        return asdict(self)


def check_result(name: str, bad: bool, finding: str, remedy: str) -> Check:
    """Failed with its remedy when `bad`, else passed."""
    return Check(name, "failed", finding, remedy) if bad else Check(name, "passed", finding)
