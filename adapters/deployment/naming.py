"""Names and tags by which everything of one deployment is found again, with or without a state file.

The deployment's id starts with the minute of its expiry, so that a resource that takes no tags still says when
it may go, and ends with a check digit, so that somebody's `tripoint-database` is never taken for ours.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_EXPIRY_DIGITS, _RANDOM_DIGITS = 5, 3
_FIRST_YEAR, _LAST_YEAR = 2026, 2085  # five digits of base 36 hold no later minute
_WEIGHTS = (1, 5, 7, 11, 13, 17, 19, 23)
_PROJECT = re.compile(r"[a-z][a-z0-9]{1,11}")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment: `name` starts every resource's name, and `tags` are on every resource that takes any.

    `project` and `owner` are lower-case labels, as the strictest cloud (Google) wants them.
    """

    project: str
    identity: str
    owner: str

    def __post_init__(self) -> None:
        if not _PROJECT.fullmatch(self.project):
            raise ValueError(f"project {self.project!r}: expected 2 to 12 lower-case letters and digits")
        if not _LABEL.fullmatch(self.owner):
            raise ValueError(f"owner {self.owner!r}: expected lower-case letters, digits, '-' and '_', 63 at most")

    @property
    def name(self) -> str:
        return f"{self.project}-{self.identity}"

    @property
    def expires(self) -> datetime:
        return expiry_of(self.identity)

    def tags(self) -> dict[str, str]:
        """Keys and values that every cloud accepts; Google's rules for labels are the strictest."""
        return {
            "tripoint-project": self.project,
            "tripoint-run": self.identity,
            "tripoint-owner": self.owner,
            "tripoint-expires": str(int(self.expires.timestamp())),
        }


def new_deployment(project: str, *, owner: str, life: timedelta, now: datetime) -> Deployment:
    """A deployment with a fresh id that expires `life` from `now`, rounded up to the minute."""
    minutes = -int(-(now + life).timestamp() // 60)
    digits = ""
    for _ in range(_EXPIRY_DIGITS):
        minutes, digit = divmod(minutes, 36)
        digits = _DIGITS[digit] + digits
    digits += "".join(secrets.choice(_DIGITS) for _ in range(_RANDOM_DIGITS))
    return Deployment(project, digits + _check_digit(digits), owner)


def expiry_of(identity: str) -> datetime:
    """When a deployment may go, from its id."""
    return datetime.fromtimestamp(int(identity[:_EXPIRY_DIGITS], 36) * 60, UTC)


def identity_in(name: str, project: str) -> str | None:
    """The id of the deployment that a resource's name belongs to; None for a name that is not ours."""
    size = _EXPIRY_DIGITS + _RANDOM_DIGITS + 1
    for found in re.finditer(rf"(?<![a-z0-9]){project}-?([0-9a-z]{{{size}}})", name):
        identity = found[1]
        if _check_digit(identity[:-1]) == identity[-1] and _FIRST_YEAR <= expiry_of(identity).year < _LAST_YEAR:
            return identity
    return None


def _check_digit(digits: str) -> str:
    """Changes with any one digit: the weights share no factor with 36."""
    return _DIGITS[sum(weight * int(digit, 36) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 36]
