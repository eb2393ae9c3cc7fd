"""Sign one request with AWS Signature Version 4. Pure and without an SDK, so that a load generator can sign.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, as of 2026-11-20.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


def headers(keys: Mapping[str, str], *, method: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers to add to a request that is sent within five minutes of `now` (UTC).

    `keys`: access_key, secret_key, session_token (may be empty), region, service.
    """
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    parts = urlsplit(url)
    contents = hashlib.sha256(body).hexdigest()
    signed = {"host": parts.netloc, "x-amz-content-sha256": contents, "x-amz-date": stamp}
    if keys["session_token"]:
        signed["x-amz-security-token"] = keys["session_token"]
    names = ";".join(sorted(signed))
    canonical = "\n".join(
        [
            method,
            quote(parts.path or "/", safe="/~"),
            _canonical_query(parts.query),
            *(f"{name}:{signed[name]}" for name in sorted(signed)),
            "",
            names,
            contents,
        ]
    )
    scope = "/".join((stamp[:8], keys["region"], keys["service"], "aws4_request"))
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(_key(keys, stamp[:8]), text.encode(), hashlib.sha256).hexdigest()
    del signed["host"]  # the client sends its own
    credential = f"Credential={keys['access_key']}/{scope}"
    return {**signed, "authorization": f"{_ALGORITHM} {credential}, SignedHeaders={names}, Signature={signature}"}


def _canonical_query(query: str) -> str:
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in parse_qsl(query, True))
    return "&".join(f"{name}={value}" for name, value in pairs)


def _key(keys: Mapping[str, str], day: str) -> bytes:
    key = ("AWS4" + keys["secret_key"]).encode()
    for part in (day, keys["region"], keys["service"], "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
