"""The control plane of a local cloud, on a port of its own: JSON over HTTP.

GET  /state      what runs now
GET  /ledger     the truth so far, JSON lines
POST /retire     a new version: the next request is cold
POST /settings   {"memory_mb": …, "concurrency": …, "idle_life_s": …, …}, as the options of the start
POST /shutdown   end this local cloud
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from adapters.contract import HttpAnswer, HttpRequest
from adapters.emulator.faults import Fault
from adapters.emulator.options import EmulatorOptions
from adapters.emulator.platform_rules import platform

if TYPE_CHECKING:
    import asyncio

    from adapters.contract import Cloud
    from adapters.emulator.event_log import EventLog
    from adapters.emulator.instances import InstancePool
    from adapters.emulator.platform_rules import Platform

_JSON = (("content-type", "application/json"),)
_OF_THE_START = ("model", "shares", "code", "bundle", "seed")
_OFFERED = "GET /state, /ledger, /logs, /faults; POST /retire, /settings, /faults, /shutdown; DELETE /faults"


class ControlPlane:
    """Answers the control plane's requests."""

    def __init__(
        self, *, cloud: Cloud, options: EmulatorOptions, pool: InstancePool, event_log: EventLog, ended: asyncio.Event
    ) -> None:
        self._cloud = cloud
        self._options = options
        self._first = asdict(options)
        self._pool = pool
        self._event_log = event_log
        self._ended = ended

    async def serve(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request; what is wrong with it is said with 400 or 404."""
        match request.method, request.target.partition("?")[0]:
            case "GET", "/state":
                return _json(200, self._pool.state())
            case "GET", "/ledger":
                return HttpAnswer(200, (("content-type", "application/x-ndjson"),), self._event_log.read())
            case "GET", "/logs":
                return HttpAnswer(200, (("content-type", "text/plain; charset=utf-8"),), self._pool.logs())
            case "GET", "/faults":
                return _json(200, self._pool.faults.document())
            case "DELETE", "/faults":
                self._pool.faults.clear()
                return _json(200, [])
            case "POST", "/faults":
                return self._add_fault(request.body)
            case "POST", "/retire":
                return _json(200, {"version": await self._pool.retire()})
            case "POST", "/settings":
                return await self._change(request.body)
            case "POST", "/shutdown":
                self._ended.set()
                return _json(202, {"ending": True})
        return _json(404, {"error": f"{request.method} {request.target} is not offered: use {_OFFERED}"})

    def _add_fault(self, body: bytes) -> HttpAnswer:
        try:
            self._pool.faults.add(Fault.from_document(json.loads(body)), self._event_log.now_s())
        except (ValueError, TypeError, AttributeError) as error:
            return _json(400, {"error": str(error)})
        return _json(200, self._pool.faults.document())

    async def _change(self, body: bytes) -> HttpAnswer:
        """Change options; null gives an option back what it was when this cloud started.

        What an instance is started with changes only with a new version, which such a change is on every cloud.
        """
        try:
            given = json.loads(body).items()
            changed = {name: self._first.get(name) if value is None else value for name, value in given}
            options = EmulatorOptions.from_document({**asdict(self._options), **changed})
            if any(getattr(options, name) != getattr(self._options, name) for name in _OF_THE_START):
                raise ValueError(
                    f"{', '.join(_OF_THE_START)} cannot change while a local cloud runs: start another one"
                )
            before, after = self._pool.platform, platform(self._cloud, options)
        except (ValueError, TypeError, AttributeError) as error:
            return _json(400, {"error": str(error)})
        self._options = options
        self._pool.change(after)
        if _of_instances(before) != _of_instances(after):
            await self._pool.retire()
        return _json(200, json.loads(options.text()))


def _of_instances(rules: Platform) -> tuple[float, ...]:
    return rules.memory_mb, rules.scaling.concurrency, rules.timeout_s, rules.init_timeout_s


def _json(status: int, document: object) -> HttpAnswer:
    return HttpAnswer(status, _JSON, json.dumps(document).encode())
