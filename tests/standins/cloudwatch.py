"""What Lambda writes into CloudWatch Logs: the local cloud's own REPORT lines, in moto's log group, a while later."""

from __future__ import annotations

import contextlib
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.standins.data_plane import Running

_STREAM = "2026/11/25/[$LATEST]stand-in"


class Lines:
    """`answered` of a door. Each line comes `delay_s` after its answer; one that `loses` says so of never does."""

    def __init__(
        self, url: str, *, delay_s: float = 1.0, loses: Callable[[int], bool] = lambda number: False
    ) -> None:
        import boto3

        session: Any = boto3.Session("stand-in", "stand-in", region_name="us-east-1")
        self._client = session.client("logs", endpoint_url=url)
        self._delay_s = delay_s
        self._loses = loses
        self._turn = threading.Lock()
        self._streams: set[str] = set()
        self._coming: list[threading.Timer] = []
        self.lines: dict[str, str] = {}
        self.lost: list[str] = []

    def __call__(self, name: str, behind: Running, headers: Mapping[str, str]) -> None:
        """Take the line of one answer from the local cloud that gave it."""
        request_id = headers["x-amzn-requestid"]
        with urllib.request.urlopen(f"{behind.control}/logs", timeout=30) as answer:
            [line] = re.findall(rf"REPORT RequestId: {request_id}\t.*", answer.read().decode())
        with self._turn:
            self.lines[request_id] = line
            if self._loses(len(self.lines)):
                self.lost.append(request_id)
                return
            timer = threading.Timer(self._delay_s, self._put, (f"/aws/lambda/{name}", line))
            self._coming.append(timer)
            timer.start()

    def close(self) -> None:
        for timer in self._coming:
            timer.join()

    def _put(self, group: str, line: str) -> None:
        """Nowhere, once the group is removed."""
        with self._turn, contextlib.suppress(self._client.exceptions.ResourceNotFoundException):
            if group not in self._streams:
                self._client.create_log_stream(logGroupName=group, logStreamName=_STREAM)
                self._streams.add(group)
            event = {"timestamp": int(time.time() * 1000), "message": f"{line}\n"}
            self._client.put_log_events(logGroupName=group, logStreamName=_STREAM, logEvents=[event])
