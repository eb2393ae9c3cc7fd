"""The closed front door of a deployed function: the cloud's own lock, and a local cloud of what is deployed behind.

Each lock is checked with the vendor's own code, or with its published rule, never with ours.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import http.client
import re
import threading
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.standins import data_plane, wire

if TYPE_CHECKING:
    from tests.standins.issuer import Issuer

    Lock = Callable[["Knock"], int | None]

_SKEW_S = 300
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "server", "date"}


@dataclass(frozen=True)
class Knock:
    """One request as it came; header names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Door:
    """A WSGI application. `deployed` gives what a function is made of now, None for nothing; `lock` a refusal.

    The door is that of the function without a name, for clouds that have one function; `address` makes one for each
    name. `memory_of` is a function's memory size, None for the cloud's own. `answered` is told of each answer: whose,
    by which local cloud, with which headers. `issuer` is who gives out tokens, where the lock asks for some. `front`
    is the front door of the local cloud that requests come to, where it has several; its path is what follows `below`
    in theirs.
    """

    cloud: str
    folder: Path
    deployed: Callable[[str], bytes | Path | None]
    lock: Lock
    issuer: Issuer | None = None
    memory_of: Callable[[str], int | None] = lambda name: None
    answered: Callable[[str, data_plane.Running, Mapping[str, str]], None] = lambda name, behind, headers: None
    front: str = ""
    below: str = ""
    refused: list[int] = field(default_factory=list)
    served: int = 0
    retired: int = 0
    _behind: dict[str, data_plane.Running] = field(default_factory=dict)
    _addresses: dict[str, str] = field(default_factory=dict)
    _exits: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self.serve("", environ, start_response)

    def serve(self, name: str, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request to the function of that name."""
        knock = _knock(environ)
        refusal = 404 if self.deployed(name) is None else self.lock(knock)
        if refusal is not None:
            self.refused.append(refusal)
            start_response(f"{refusal} Refused", [("content-length", "0")])
            return []
        behind = self.behind(name)
        answer, body = _forward(knock, self._inside(knock, behind))
        with self._turn:
            self.served += 1
        kept = [(key, value) for key, value in answer.getheaders() if key.lower() not in _HOP_BY_HOP]
        self.answered(name, behind, {key.lower(): value for key, value in kept})
        start_response(f"{answer.status} {answer.reason}", [*kept, ("content-length", str(len(body)))])
        return [body]

    def _inside(self, knock: Knock, behind: data_plane.Running) -> str:
        """The address inside."""
        asked = urlsplit(knock.url)
        inside = urlsplit(behind.fronts[self.front] if self.front else behind.url)
        found = re.match(self.below, asked.path)
        assert found is not None, f"{asked.path} is not below {self.below}"
        return inside._replace(path=asked.path[found.end() :] or "/").geturl()

    def address(self, name: str) -> str:
        """The URL of that function's own door."""
        with self._turn:
            if name not in self._addresses:
                own = functools.partial(self.serve, name)
                self._addresses[name] = self._exits.enter_context(wire.serving(own))
            return self._addresses[name]

    def behind(self, name: str = "") -> data_plane.Running:
        """The local cloud, started with what is deployed when the first request comes."""
        with self._turn:
            if name not in self._behind:
                deployed, path = self.deployed(name), self.folder / f"deployed{name and '-'}{name}.zip"
                assert deployed is not None
                started = data_plane.running(self.cloud, deployed, path, memory_mb=self.memory_of(name))
                self._behind[name] = self._exits.enter_context(started)
            return self._behind[name]

    def retire(self, name: str = "") -> None:
        """The function's configuration changed: its next request gets a new instance, where there was one."""
        if name in self._behind:
            self.retired += 1
            post = urllib.request.Request(f"{self._behind[name].control}/retire", method="POST")
            with urllib.request.urlopen(post, timeout=30):
                pass

    def close(self) -> None:
        self._exits.close()


def _knock(environ: Mapping[str, Any]) -> Knock:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or name == "CONTENT_TYPE"
    }
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    return Knock(environ["REQUEST_METHOD"], f"http://{headers['host']}{environ['PATH_INFO']}{query}", headers, body)


def _forward(knock: Knock, url: str) -> tuple[http.client.HTTPResponse, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    with contextlib.closing(connection):
        headers = {"content-type": knock.headers.get("content-type", "")}
        connection.request(knock.method, parts.path, knock.body, headers)
        answer = connection.getresponse()
        return answer, answer.read()


def sigv4(access_key: str, secret_key: str, *, region: str, service: str = "lambda") -> Lock:
    """AWS_IAM: botocore's own signer has to come to the same signature."""
    from botocore import auth, awsrequest, credentials

    signer: Any = auth.SigV4Auth(credentials.Credentials(access_key, secret_key), service, region)

    def lock(knock: Knock) -> int | None:
        stamp = knock.headers.get("x-amz-date", "")
        given = dict(
            part.strip().partition("=")[::2]
            for part in knock.headers.get("authorization", "").partition(" ")[2].split(",")
        )
        names = given.get("SignedHeaders", "").split(";")
        try:
            sent = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return 403
        late = abs((datetime.now(UTC) - sent).total_seconds()) > _SKEW_S
        digest = hashlib.sha256(knock.body).hexdigest()
        if late or "host" not in names or knock.headers.get("x-amz-content-sha256") != digest:
            return 403
        signed = {name: knock.headers.get(name, "") for name in names if name != "host"}
        request: Any = awsrequest.AWSRequest(method=knock.method, url=knock.url, data=knock.body, headers=signed)
        request.context["timestamp"] = stamp
        text = signer.string_to_sign(request, signer.canonical_request(request))
        scope = f"{access_key}/{signer.credential_scope(request)}"
        right = hmac.compare_digest(signer.signature(text, request), given.get("Signature", ""))
        return None if right and given.get("Credential") == scope else 403

    return lock


def id_token(public_key: bytes, audience: Callable[[], str]) -> Lock:
    """IAM of Cloud Run: a token for this very service, signed by Google (here: by the stand-in) and not expired."""
    from google.auth import exceptions, jwt

    decode: Any = jwt.decode

    def lock(knock: Knock) -> int | None:
        scheme, _, token = knock.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            return 403
        try:
            decode(token, certs=public_key, audience=audience())
        except (ValueError, exceptions.GoogleAuthError):
            return 401
        return None

    return lock


def function_key(key: str) -> Lock:
    """AuthLevel.FUNCTION: the key in its header."""
    return lambda knock: None if hmac.compare_digest(knock.headers.get("x-functions-key", ""), key) else 401
