"""Google's tokens: a service account's key for the client, and the token service that it leads to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

LIFE_S = 3600
ACCOUNT = "measurer@stand-in.iam.gserviceaccount.com"


class Issuer:
    """Exchanges a service account's signed assertion for an ID token, as oauth2.googleapis.com/token does."""

    def __init__(self) -> None:
        self._client_pem, self._client_public = _pair()
        self._own_pem, self.public_key = _pair()
        self.issued = 0

    def key_file(self, url: str) -> str:
        """What a service account's JSON key holds; tokens are fetched from `url`."""
        names = {"type": "service_account", "project_id": "stand-in", "private_key_id": "1", "client_id": "1"}
        secret = {"private_key": self._client_pem.decode(), "client_email": ACCOUNT, "token_uri": f"{url}/token"}
        return json.dumps({**names, **secret})

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        from google.auth import jwt

        decode: Any = jwt.decode
        form = parse_qs(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode())
        try:
            asked = decode(form["assertion"][0], certs=self._client_public)
            status, document = "200 OK", {"id_token": self.token(str(asked["target_audience"]))}
        except (KeyError, ValueError) as error:
            status, document = "400 Bad Request", {"error": "invalid_grant", "error_description": str(error)}
        body = json.dumps(document).encode()
        start_response(status, [("content-type", "application/json"), ("content-length", str(len(body)))])
        return [body]

    def token(self, audience: str, *, life_s: int = LIFE_S) -> str:
        """An ID token for `audience`."""
        from google.auth import crypt, jwt

        self.issued += 1
        now_s = int(time.time())
        claims = {"iss": "https://accounts.google.com", "aud": audience, "sub": "1", "email": ACCOUNT}
        signer: Any = crypt
        encode: Any = jwt.encode
        own = signer.RSASigner.from_string(self._own_pem, "1")
        return str(encode(own, {**claims, "iat": now_s - 10, "exp": now_s + life_s}).decode())


def _pair() -> tuple[bytes, bytes]:
    """A fresh private key and its public one, PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    shape = serialization.PublicFormat.SubjectPublicKeyInfo
    return pem, private.public_key().public_bytes(serialization.Encoding.PEM, shape)
