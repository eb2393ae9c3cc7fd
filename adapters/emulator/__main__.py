"""`python -m adapters.emulator CLOUD`: one local cloud, until SIGINT, SIGTERM or the end of its standard input.

Writes JSON lines: first `{"event": "ready", "cloud": …, "url": …, "control": …}`, then one per instance event.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from adapters import contract
from adapters.emulator.local_cloud import LocalCloudServer
from adapters.emulator.options import EmulatorOptions


def main() -> None:
    """Run one local cloud."""
    arguments = _arguments()
    try:
        cloud = contract.load(arguments.cloud)
        options = EmulatorOptions.from_document(json.loads(arguments.options))
        asyncio.run(_run(cloud, options, end_with_stdin=arguments.end_with_stdin))
    except (LookupError, ValueError, OSError, RuntimeError) as error:
        raise SystemExit(f"{arguments.cloud}: {error}") from None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m adapters.emulator", description=__doc__)
    parser.add_argument("cloud")
    parser.add_argument("--options", default="{}", help="JSON of adapters.emulator.options.Options")
    parser.add_argument("--end-with-stdin", action="store_true", help="end when standard input closes")
    return parser.parse_args()


async def _run(cloud: contract.Cloud, options: EmulatorOptions, *, end_with_stdin: bool) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    if end_with_stdin:
        loop.add_reader(sys.stdin.fileno(), _read_stdin, ended)
    async with LocalCloudServer(cloud, options, ended=ended, on_event=_print) as local:
        _print(local.ready_event())
        await ended.wait()


def _read_stdin(ended: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        ended.set()


def _print(event: Mapping[str, Any]) -> None:
    try:
        print(json.dumps(event), flush=True)
    except BrokenPipeError:  # nobody listens any more; the end of standard input ends us
        sys.stdout = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for the rest of this process


if __name__ == "__main__":
    main()
