"""Pass requests from the front door to the instances.

The platform answers some requests itself, and runs others without a client that waits.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from adapters.emulator.instances import RequestRefused

if TYPE_CHECKING:
    from adapters.contract import AdmissionPolicy, FrontTimeout, HttpAnswer, HttpRequest
    from adapters.emulator.instances import InstancePool


class FrontDoor:
    """Serves what front doors receive. `gate` is the platform's admission policy; None lets everything through."""

    def __init__(self, pool: InstancePool, gate: AdmissionPolicy | None) -> None:
        self._pool = pool
        self._gate = gate
        self._under_way: set[asyncio.Task[Any]] = set()

    async def serve(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request."""
        if self._gate is not None:
            admission = self._gate.admit(request)
            if admission.later is not None:
                task = asyncio.ensure_future(self._run(self._gate, admission.later))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            if admission.answer is not None:
                return admission.answer
            if admission.patience is not None:
                return await self._ask_within(admission.patience, request)
        return await self._ask(request)

    async def close(self) -> None:
        """Give up what still waits for another try, or works for a client that has been answered."""
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _ask_within(self, patience: FrontTimeout, request: HttpRequest) -> HttpAnswer:
        """The function's answer, or the front door's own; then the function's goes nowhere."""
        task = asyncio.ensure_future(self._ask(request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        done, _ = await asyncio.wait({task}, timeout=patience.wait_s)
        return task.result() if done else patience.answer

    async def _ask(self, request: HttpRequest) -> HttpAnswer:
        try:
            return await self._pool.serve(request)
        except RequestRefused as error:
            answer = self._gate.refuse(request, error.refusal) if self._gate is not None else None
            platform = self._pool.platform
            return answer or (platform.failed if error.refusal.why == "start" else platform.full)

    async def _run(self, gate: AdmissionPolicy, request: HttpRequest) -> None:
        """Run a request that nobody waits for, again where the platform does so."""
        attempts = 1
        while (wait_s := gate.retry_after_s(await self._ask(request), attempts)) is not None:
            attempts += 1
            await asyncio.sleep(wait_s)
