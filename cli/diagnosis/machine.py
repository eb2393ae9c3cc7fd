"""Check what affects a measurement: processors, control groups, open files, space, loopback, other load."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from cli.diagnosis.finding import Diagnosis
from core import cpu_count

_PART = "machine"
_CORES = 2  # one for the client, one for the instances
_FILES = 1024  # sockets of a run at 256 requests in flight, four times over
_SPACE_MB = 500  # three unpacked bundles of about 100 MB, and the run
_MEMORY_MB = 2048  # an instance takes about 150 MB, a burst has up to eight
_DELEGATE = "run as root, or in `systemd-run --user --scope -p Delegate=yes tripoint …`"


def look() -> Iterator[Diagnosis]:
    yield _cores()
    yield _shares()
    yield _memory()
    yield _files()
    yield from _space()
    yield _ports()


def _cores() -> Diagnosis:
    usable = cpu_count.count()
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    found = f"{usable} of {os.cpu_count()} usable, {platform.machine()}, load {busy:.1f}"
    if usable < _CORES:
        return Diagnosis(_PART, "cores", "note", found, "with one core, client and instances delay each other")
    if busy > usable / 2:
        return Diagnosis(_PART, "cores", "note", found, "something else is busy here: latencies will be too high")
    return Diagnosis(_PART, "cores", "ok", found)


def _shares() -> Diagnosis:
    """Make a control group as a local cloud would, and remove it."""
    from adapters.emulator.cgroups import Cgroups, find_cgroup_version
    from adapters.emulator.cleanup import CleanupRegistry

    name = "cpu and memory shares"
    try:
        cleanup = CleanupRegistry()
    except OSError as error:
        return Diagnosis(_PART, name, "missing", f"no process can be started: {error}", "see its rights and limits")
    try:
        kernel = find_cgroup_version(cleanup)
        word = Cgroups(kernel, cleanup).description
    finally:
        cleanup.close()
    if kernel is None:
        return Diagnosis(_PART, name, "note", f"{word}: every memory size is as fast", _DELEGATE)
    return Diagnosis(_PART, name, "ok", word)


def _memory() -> Diagnosis:
    free_mb = psutil.virtual_memory().available // 2**20
    found = f"{free_mb:,} MB available"
    if free_mb < _MEMORY_MB:
        return Diagnosis(_PART, "memory", "note", found, "bursts of instances may run out of it: end other programs")
    return Diagnosis(_PART, "memory", "ok", found)


def _files() -> Diagnosis:
    if sys.platform == "win32":
        return Diagnosis(_PART, "open files", "ok", "not limited")
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    found = "not limited" if limit == resource.RLIM_INFINITY else f"{limit:,} at a time"
    if limit != resource.RLIM_INFINITY and limit < _FILES:
        return Diagnosis(_PART, "open files", "note", found, "`ulimit -n 4096`, or large bursts fail")
    return Diagnosis(_PART, "open files", "ok", found)


def _space() -> Iterator[Diagnosis]:
    """Check the space for bundles (in the temporary folder) and runs (in the working folder)."""
    for name, folder in (("temporary files", Path(tempfile.gettempdir())), ("this folder", Path.cwd())):
        free_mb = shutil.disk_usage(folder).free // 2**20
        found = f"{free_mb:,} MB free in {folder}"
        if not os.access(folder, os.W_OK):
            yield Diagnosis(
                _PART, name, "missing", f"{folder} cannot be written", "go to another folder, or set TMPDIR"
            )
        elif free_mb < _SPACE_MB:
            yield Diagnosis(_PART, name, "missing", found, f"{_SPACE_MB} MB are needed: free some, or set TMPDIR")
        else:
            yield Diagnosis(_PART, name, "ok", found)


def _ports() -> Diagnosis:
    """Check that a server can listen on loopback, on a port that the system chooses."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname(), timeout=5) as client,
        ):
            port = client.getpeername()[1]
    except OSError as error:
        return Diagnosis(
            _PART, "loopback", "missing", f"127.0.0.1 does not answer itself: {error}", "see the firewall"
        )
    return Diagnosis(_PART, "loopback", "ok", f"127.0.0.1 answers itself (port {port}); ports are chosen freely")
