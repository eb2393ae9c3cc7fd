"""Download one page of a price list, as JSON with exact numbers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from decimal import Decimal
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from loadtests.prices.rate import PriceError

TIMEOUT_S = 60.0
MOST_BYTES = 256 * 1024 * 1024


class Fetch(Protocol):
    """Gets one page. Raises PriceError that names the host, never a key in the address."""

    def __call__(self, address: str, /) -> dict[str, Any]: ...


def download(address: str, /) -> dict[str, Any]:
    """Get one page over HTTP."""
    host = urlsplit(address).netloc
    request = urllib.request.Request(address, headers={"User-Agent": "tripoint", "Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            body = answer.read(MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        status, hint = error.code, "check the key" if error.code in {400, 401, 403} else "try again later"
        error.close()
        raise PriceError(f"{host} answered {status} for its price list: {hint}") from None
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise PriceError(f"cannot reach {host} ({reason}): refreshing prices needs the network") from None
    if len(body) > MOST_BYTES:
        raise PriceError(f"{host} sent more than {MOST_BYTES} bytes: not a price list")
    return parse(body, host)


def parse(body: bytes, host: str) -> dict[str, Any]:
    """JSON with numbers as they are written. Raises PriceError for anything but an object."""
    try:
        page = json.loads(body, parse_float=Decimal)
    except ValueError:
        page = None
    if not isinstance(page, dict):
        raise PriceError(f"{host} sent no price list: expected a JSON object")
    return cast("dict[str, Any]", page)


_fetch: Fetch = download
