"""A loopback web server around a WSGI application, which can end its client at any request."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass
class Interruption:
    """Kills a client at its `at`-th changing request, before or after the request is carried out.

    `seen` are the changing requests so far, as "METHOD path"; the client's process id is set once it runs.
    """

    at: int | None = None
    after: bool = False
    pid: int | None = None
    ignore: Callable[[str], bool] = lambda line: False
    seen: list[str] = field(default_factory=list)
    done: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_now(self, line: str) -> bool:
        """Count one changing request and say whether this is the one."""
        with self.lock:
            if self.ignore(line):
                return False
            self.seen.append(line)
            return self.at is not None and not self.done and len(self.seen) == self.at

    def strike(self) -> None:
        assert self.pid is not None
        self.done = True
        os.kill(self.pid, signal.SIGKILL)


def interruptible(application: Any, interruption: Interruption) -> Any:
    """`application`, with the interruption in front of it."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        now = environ["REQUEST_METHOD"] in CHANGING and interruption.is_now(_named(environ, line))
        if now and not interruption.after:
            interruption.strike()
            start_response("503 Service Unavailable", [("content-length", "0")])
            return []
        answer = list(application(environ, start_response))
        if now:
            interruption.strike()
        return answer

    return wrapped


def _named(environ: dict[str, Any], line: str) -> str:
    """The operation, where the service names it in a header or in a form (AWS's JSON and query protocols)."""
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        return str(dict(parse_qsl(body.decode())).get("Action", line))
    return str(environ.get("HTTP_X_AMZ_TARGET", line))


@contextmanager
def serving(application: Any) -> Iterator[str]:
    """Serve `application` on a free loopback port; yields the URL."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
