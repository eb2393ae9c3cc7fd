"""Download a file, in pieces if need be. It goes on where it stopped, and keeps only the right checksum.

Proxies and certificates are those of the environment (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE), as `requests` reads
them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from adapters.bundle.model_lookup import RegistryError

if TYPE_CHECKING:
    import requests

_TIMEOUTS_S = (15.0, 60.0)  # to connect, and between two pieces
_PIECE_BYTES = 1 << 16
_LIMIT_BYTES = 2_000_000_000
_REDIRECTS = 5
_ATTEMPTS = 3
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Unreachable(RegistryError):
    """No answer, or half of one; what has come so far is kept for the next time."""


@dataclass(frozen=True, slots=True)
class Download:
    """`url` into `folder`, which keeps what has come so far; `told(done, total)` in bytes, total 0: not known."""

    url: str
    folder: Path
    limit_bytes: int = _LIMIT_BYTES
    told: Callable[[int, int], None] = lambda done, total: None

    @property
    def part(self) -> Path:
        return self.folder / "part"

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    def run(self) -> Path:
        """Fetch what is missing and return the file. Raises Unreachable, and RegistryError for a refusal."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(_ATTEMPTS):
            if self._read_state().get("whole") and self.part.is_file():
                break
            try:
                self._attempt()
            except Unreachable:
                if attempt == _ATTEMPTS - 1 or not self._has_begun():
                    raise
        return self.part

    def _has_begun(self) -> bool:
        return self.part.is_file() and self.part.stat().st_size > 0

    def _attempt(self) -> None:
        import requests

        validator = self._read_state().get("validator")
        have = self.part.stat().st_size if validator and self.part.is_file() else 0
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": str(validator)}
        with requests.Session() as session:
            try:
                with _open(session, self.url, headers) as answer:
                    stale = have > 0 and answer.status_code == 416
                    if not stale:
                        self._take(answer, have)
            except requests.exceptions.RequestException as error:
                raise Unreachable(_explain(self.url, error)) from error
        if stale:  # the file behind the address has become shorter: it is another one
            self.part.unlink()
            self._attempt()

    def _take(self, answer: requests.Response, have: int) -> None:
        """Append to what is there, or begin anew when the server does not go on with the same file."""
        if answer.status_code not in (200, 206):
            why = "try again later" if answer.status_code >= 500 else "the file may have moved"
            raise RegistryError(
                f"{self.url} answered {answer.status_code} {answer.reason}: {why}; "
                "or fetch it by other means and name it with --from FILE"
            )
        going_on = answer.status_code == 206 and answer.headers.get("content-range", "").startswith(f"bytes {have}-")
        start = have if going_on else 0
        length = answer.headers.get("content-length", "")
        total = start + int(length) if length.isdigit() and "content-encoding" not in answer.headers else 0
        if total > self.limit_bytes:
            raise RegistryError(
                f"{self.url} has {total} bytes, expected at most {self.limit_bytes}: it is another file"
            )
        validator = answer.headers.get("etag", "") or answer.headers.get("last-modified", "")
        self._write_state(validator="" if validator.startswith("W/") else validator, whole=False)
        done = self._append(answer, start, total)
        if total and done != total:
            raise Unreachable(f"{self.url} broke off at {done} of {total} bytes: run the command again to go on")
        self._write_state(validator=validator, whole=True)

    def _append(self, answer: requests.Response, start: int, total: int) -> int:
        done = start
        with self.part.open("ab" if start else "wb") as file:
            for piece in answer.iter_content(_PIECE_BYTES):
                done += len(piece)
                if done > self.limit_bytes:
                    raise RegistryError(f"{self.url} has over {self.limit_bytes} bytes: it is another file")
                file.write(piece)
                self.told(done, total)
        return done

    def _read_state(self) -> dict[str, object]:
        try:
            found = json.loads(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) and found.get("url") == self.url else {}

    def _write_state(self, *, validator: str, whole: bool) -> None:
        state = {"url": self.url, "validator": validator, "whole": whole}
        self._state.write_text(json.dumps(state), encoding="utf-8")


def _open(session: requests.Session, url: str, headers: dict[str, str]) -> requests.Response:
    """Follow redirects one by one: every address must be https, or on this machine."""
    here = url
    for _ in range(_REDIRECTS + 1):
        _check_address(here)
        answer = session.get(here, headers=headers, stream=True, timeout=_TIMEOUTS_S, allow_redirects=False)
        target = session.get_redirect_target(answer)
        if target is None:
            return answer
        answer.close()
        here = urljoin(here, target)
    raise RegistryError(f"{url} leads on more than {_REDIRECTS} times: fetch it by other means, with --from FILE")


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise RegistryError(f"{url} is not https: a model is fetched over https only, or from this machine")


def _explain(url: str, error: Exception) -> str:
    """What went wrong on the way, and what to do."""
    import requests

    host = urlsplit(url).hostname
    other = "or fetch the file by other means and name it with --from FILE"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"the proxy of the environment does not lead to {host} ({_cause(error)}): correct HTTPS_PROXY, {other}"
    if isinstance(error, requests.exceptions.SSLError):
        return f"{host} is not trusted ({_cause(error)}): name your certificates in REQUESTS_CA_BUNDLE, {other}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"{url} broke off: run the command again to go on where it stopped"
    return (
        f"{host} cannot be reached ({_cause(error)}): go online, name your proxy in HTTPS_PROXY, {other}; "
        "what has come so far is kept"
    )


def _cause(error: BaseException) -> str:
    """The innermost of the errors that led to this one, in a line."""
    seen = error
    while (inner := seen.__cause__ or seen.__context__) is not None:
        seen = inner
    reason = getattr(seen, "strerror", None) or str(seen) or type(seen).__name__
    return " ".join(str(reason).split())[:160]


def sha256_of(file: Path) -> str:
    """The checksum of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
