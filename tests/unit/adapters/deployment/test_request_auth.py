"""Signatures made without an SDK are those that the SDK makes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.aws.deployment import sigv4
from adapters.deployment.request_auth import RequestAuth

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


KEYS = {
    "access_key": "AKIDEXAMPLE",
    "secret_key": "secret/K7MDENG",
    "session_token": "",
    "region": "us-east-1",
    "service": "lambda",
}


def by_botocore(keys: dict[str, str], url: str, body: bytes) -> str:
    """The authorization header that botocore's own signer gives for the same request and time."""
    from unittest import mock

    from botocore import auth, awsrequest, credentials

    request: Any = awsrequest.AWSRequest(method="POST", url=url, data=body)
    request.headers["x-amz-content-sha256"] = _sha(body)
    held = credentials.Credentials(keys["access_key"], keys["secret_key"], keys["session_token"] or None)
    with mock.patch.object(auth, "get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        auth.SigV4Auth(held, keys["service"], keys["region"]).add_auth(request)
    return str(request.headers["Authorization"])


def _sha(body: bytes) -> str:
    import hashlib

    return hashlib.sha256(body).hexdigest()


@settings(deadline=None)
@given(
    body=st.binary(max_size=200),
    path=st.sampled_from(["", "/", "/classify", "/a b", "/ü"]),
    query=st.sampled_from(["", "?top_k=3", "?b=2&a=1", "?a=x%2Fy&a=1", "?empty="]),
    token=st.sampled_from(["", "a-session-token"]),
)
def test_a_signature_is_the_one_that_botocore_makes(body: bytes, path: str, query: str, token: str) -> None:
    from urllib.parse import quote

    keys = {**KEYS, "session_token": token}
    url = f"https://abc.lambda-url.us-east-1.on.aws{quote(path)}{query}"
    ours = sigv4.headers(keys, method="POST", url=url, body=body, now=NOW)
    assert ours["authorization"] == by_botocore(keys, url, body)
    assert "host" not in ours


def test_a_pass_is_never_printed() -> None:
    made = RequestAuth(fixed={"x-functions-key": "secret"})
    assert "secret" not in f"{made!r} {made} {RequestAuth(keys=KEYS)!r}"
    assert made.headers("POST", "https://x", b"", NOW) == {"x-functions-key": "secret"}


def test_a_pass_crosses_to_another_process_whole() -> None:
    made = RequestAuth(fixed={"x": "y"}, signer="adapters.aws.deployment.sigv4", keys=KEYS)
    again = RequestAuth.of(made.text())
    given = again.headers("POST", "https://x/", b"image", NOW)
    assert given == made.headers("POST", "https://x/", b"image", NOW)
    assert given["x"] == "y"
    assert given["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/us-east-1/lambda/")


def test_a_stand_in_is_only_ever_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("google.cloud.functions_v2", reason="pip install 'tripoint[gcp]'")
    from adapters.deployment.errors import NotReady
    from adapters.gcp.deployment import account

    monkeypatch.setenv(account.STAND_IN, "https://example.org")
    with pytest.raises(NotReady, match="expected a stand-in on http://127"):
        account.account()
