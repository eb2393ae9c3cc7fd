"""The host's end of FunctionRpc: one gRPC server for an instance, one stream for each worker process."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from adapters.azure.local.worker_process import UNLIMITED

HOST_VERSION = "4.0.0"


class WorkerGone(Exception):
    """The worker's stream ended before it answered."""


class WorkerRefused(Exception):
    """The worker answered with a failure; the message is its own exception."""


class EventStreamLink:
    """A worker's stream, and the answers that are awaited on it by request id."""

    def __init__(self, messages: Any) -> None:
        self.worker_id = secrets.token_hex(16)
        self.closed = False
        self._messages = messages
        self._attached = asyncio.Event()
        self._context: Any = None
        self._writing = asyncio.Lock()
        self._awaited: dict[str, asyncio.Future[Any]] = {}

    async def serve(self, context: Any, incoming: AsyncIterator[Any]) -> None:
        """Carry the stream until its end."""
        self._context = context
        self._attached.set()
        try:
            async for message in incoming:
                future = self._awaited.get(message.request_id)
                if future is not None and not future.done():
                    future.set_result(getattr(message, message.WhichOneof("content")))
        finally:
            self.close()

    def close(self) -> None:
        """Fail every request that is still awaited."""
        self.closed = True
        self._attached.set()
        for future in self._awaited.values():
            if not future.done():
                future.set_exception(WorkerGone("the worker's stream ended"))

    async def ask(self, **content: Any) -> Any:
        """Send one message and return its answer. Raises WorkerGone, and WorkerRefused for a failed status."""
        await self._attached.wait()
        if self.closed:
            raise WorkerGone("the worker's stream has ended")
        request_id = secrets.token_hex(16)
        future = asyncio.get_running_loop().create_future()
        self._awaited[request_id] = future
        try:
            async with self._writing:
                await self._context.write(self._messages.StreamingMessage(request_id=request_id, **content))
            answer = await future
        except (grpc.aio.BaseError, grpc.RpcError, asyncio.InvalidStateError) as error:  # it ended a moment ago
            raise WorkerGone(str(error)) from error
        finally:
            del self._awaited[request_id]
        if answer.result.status == self._messages.StatusResult.Failure:
            raise WorkerRefused(failure_text(answer.result.exception))
        return answer


def failure_text(exception: Any) -> str:
    """The message and stack of an RpcException."""
    return "\n".join(part for part in (exception.message, exception.stack_trace) if part).strip()


class Server:
    """Listens on a free loopback port for the workers of one instance."""

    def __init__(self, messages: Any) -> None:
        self.port = 0
        self._messages = messages
        self._links: dict[str, EventStreamLink] = {}
        self._server = grpc.aio.server(options=UNLIMITED)
        messages.add_FunctionRpcServicer_to_server(self, self._server)

    async def open(self) -> None:
        """Start to listen."""
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()

    def expect(self) -> EventStreamLink:
        """A link for a worker that is about to be started with its `worker_id`."""
        link = EventStreamLink(self._messages)
        self._links[link.worker_id] = link
        return link

    async def EventStream(self, incoming: AsyncIterator[Any], context: Any) -> None:
        """One worker's stream (the name is FunctionRpc's); a stranger is turned away."""
        first = await anext(aiter(incoming))
        link = self._links.pop(first.start_stream.worker_id, None)
        if link is None:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "unknown worker")
        else:
            await link.serve(context, incoming)

    async def close(self) -> None:
        """End every stream and stop listening."""
        for link in self._links.values():
            link.close()
        await self._server.stop(grace=None)
