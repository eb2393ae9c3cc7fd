"""The worker process: Azure's own Python runtime behind one FunctionRpc stream, as the host starts it.

    python -P worker.py --functions-uri http://127.0.0.1:PORT/ --functions-worker-id ID --runtime FOLDER

The arguments are those of Azure's worker (github.com/Azure/azure-functions-python-worker, start_worker.py), and
`--runtime` for the folder with the runtime and its protocol. It never ships: in the cloud, Azure brings its own.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc.aio

UNLIMITED = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))
_PRIVATE_NAME = "azure_function_rpc"


def load_messages(runtime: Path) -> Any:
    """The generated messages and stubs of FunctionRpc, below `runtime`/tests/protos, under a name of our own."""
    if _PRIVATE_NAME in sys.modules:
        return sys.modules[_PRIVATE_NAME]
    folder = runtime / "tests" / "protos"
    spec = importlib.util.spec_from_file_location(
        _PRIVATE_NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_PRIVATE_NAME] = module
    spec.loader.exec_module(module)
    return module


class PythonWorker:
    """Answers the host's messages with the runtime's own functions; invocations overlap."""

    def __init__(self, runtime: Any, messages: Any) -> None:
        self._messages = messages
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._handlers = {
            "worker_init_request": ("worker_init_response", self._initialise),
            "functions_metadata_request": ("function_metadata_response", runtime.functions_metadata_request),
            "function_load_request": ("function_load_response", runtime.function_load_request),
            "invocation_request": ("invocation_response", runtime.invocation_request),
            "worker_status_request": ("worker_status_response", self._status),
        }
        self._runtime = runtime

    async def serve(self, address: str, worker_id: str) -> None:
        """Return when the host closes the stream or is gone."""
        async with grpc.aio.insecure_channel(address, options=UNLIMITED) as channel:
            stream = self._messages.FunctionRpcStub(channel).EventStream()
            hello = self._messages.StartStream(worker_id=worker_id)
            await stream.write(self._messages.StreamingMessage(start_stream=hello))
            try:
                async for message in stream:
                    task = asyncio.create_task(self._answer(stream, message))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            except grpc.aio.AioRpcError:
                return

    async def _answer(self, stream: Any, message: Any) -> None:
        kind = message.WhichOneof("content")
        if kind == "worker_terminate":
            os._exit(0)
        if kind not in self._handlers:
            return
        answer_kind, handler = self._handlers[kind]
        properties = {"protos": self._messages, "host": "127.0.0.1"}
        answer = await handler(SimpleNamespace(request=message, properties=properties))
        async with self._writing:
            await stream.write(
                self._messages.StreamingMessage(request_id=message.request_id, **{answer_kind: answer})
            )

    async def _initialise(self, request: Any) -> Any:
        folder = request.request.worker_init_request.function_app_directory
        sys.path.insert(0, folder)
        return await self._runtime.worker_init_request(request)

    async def _status(self, request: Any) -> Any:
        return self._messages.WorkerStatusResponse()


def main() -> None:
    """Serve until the host goes away, then end at once, whatever the function is doing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--functions-uri", required=True)
    parser.add_argument("--functions-worker-id", required=True)
    parser.add_argument("--runtime", required=True, type=Path)
    arguments = parser.parse_args()
    sys.path.append(str(arguments.runtime))
    runtime = importlib.import_module("azure_functions_runtime")
    runtime.start_threadpool_executor()
    worker = PythonWorker(runtime, load_messages(arguments.runtime))
    address = arguments.functions_uri.removeprefix("http://").rstrip("/")
    asyncio.run(worker.serve(address, arguments.functions_worker_id))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
