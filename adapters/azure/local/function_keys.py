"""Check function keys against the access level of a function.

learn.microsoft.com/azure/azure-functions/function-keys-how-to (as of 2026-11-20): the key comes in the header
`x-functions-key` or the query parameter `code`; the master key opens everything, admin functions need it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

FUNCTION_KEY = "TRIPOINT_AZURE_FUNCTION_KEY"
MASTER_KEY = "TRIPOINT_AZURE_MASTER_KEY"


@dataclass(frozen=True, slots=True)
class FunctionKeys:
    """The keys of an app. With none at all nothing is checked, as under `func start`."""

    function: str = ""
    master: str = ""

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> FunctionKeys:
        """Read the keys from the app's settings."""
        return cls(function=settings.get(FUNCTION_KEY, ""), master=settings.get(MASTER_KEY, ""))

    def open(self, auth_level: str, presented: str) -> bool:
        """Whether `presented` opens a function of `auth_level` (anonymous, function or admin)."""
        if auth_level == "anonymous" or not (self.function or self.master):
            return True
        accepted = [self.master] if auth_level == "admin" else [self.function, self.master]
        return any(key and hmac.compare_digest(key.encode(), presented.encode()) for key in accepted)


def presented_key(headers: tuple[tuple[str, str], ...], query: str) -> str:
    """The key in a request: the header goes before the query; "" when there is none."""
    for name, value in headers:
        if name.lower() == "x-functions-key":
            return value
    return parse_qs(query).get("code", [""])[-1]
