"""Run a load test in a process of its own: gevent's patches, which Locust needs, never reach the caller."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadtests.credentials.provider import serve_credentials
from loadtests.plan.targets import write_targets

if TYPE_CHECKING:
    from loadtests.credentials.provider import CredentialProvider
    from loadtests.plan.targets import Target

ROOT = Path(__file__).resolve().parent.parent
LOG_NAME = "locust.log"
STOP_WITHIN_S = 15.0
SAID = "tripoint: "  # in Locust's log: a sentence for the user


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far the run is: `done` of `total` requests of `phase`, and of the whole run in 0..1."""

    phase: str
    done: int
    total: int
    elapsed_s: float
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run: `images` is a folder; `workers` above 1 means that many Locust worker processes.

    `notes` go into the run's header as they are (the price book's date, the command that was typed).
    `settings` are further options of the locustfile without their dashes (`{"rate": "5"}`). `credentials` opens
    targets that are closed.
    """

    run_dir: Path
    targets: Sequence[Target]
    images: Path
    scenario: str = "quick"
    seed: int = 1
    workers: int = 1
    resume: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    credentials: CredentialProvider | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How the run ended: `exit_code` 0 when the whole schedule ran; else `message` says why, and what to do."""

    exit_code: int
    message: str = ""


def run(
    plan: RunRequest,
    *,
    on_progress: Callable[[RunProgress], None] | None = None,
    on_live: Callable[[dict[str, Any]], None] | None = None,
) -> RunOutcome:
    """Run `plan` to its end; samples are in `plan.run_dir` as they arrive.

    `on_live` is given the figures so far, as `loadtests.live.figures.live_document`
    has them, about once a second.
    An interrupt (Ctrl-C) stops the load test, keeps what was measured, and is raised again.
    """
    plan.run_dir.mkdir(parents=True, exist_ok=True)
    write_targets(plan.run_dir / "targets.json", plan.targets)
    with (
        serve_credentials(plan.credentials) as keys,
        held_port() as port,
        (plan.run_dir / LOG_NAME).open("w", encoding="utf-8") as log,
    ):
        process = subprocess.Popen(
            [*command(plan, keys_socket=keys, port=port), *(["--live"] if on_live is not None else [])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PYTHONPATH": python_path()},
            start_new_session=True,  # a Ctrl-C reaches it once, through us
            pass_fds=[] if keys is None else [keys],
        )
        try:
            for line in process.stdout or ():
                if on_progress is not None and line.startswith('{"progress": '):
                    on_progress(RunProgress(**json.loads(line)["progress"]))
                elif on_live is not None and line.startswith('{"live": '):
                    on_live(json.loads(line)["live"])
            exit_code = process.wait()
        finally:
            stop(process)
    return RunOutcome(exit_code, "" if exit_code == 0 else explain(plan.run_dir / LOG_NAME, exit_code))


def command(plan: RunRequest, *, keys_socket: int | None = None, port: int | None = None) -> list[str]:
    """The Locust command of `plan`; typed in a shell it does the same. Its workers find the master at `port`."""
    options = {
        "run-dir": str(plan.run_dir),
        "targets": str(plan.run_dir / "targets.json"),
        "images": str(plan.images),
        "scenario": plan.scenario,
        "seed": str(plan.seed),
        "notes": json.dumps(dict(plan.notes)),
        "parent-pid": str(os.getpid()),
        **plan.settings,
        **({} if keys_socket is None else {"keys-socket": str(keys_socket)}),
    }
    locust = [sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("locustfile.py")), "--headless"]
    quiet = ["--only-summary", "--exit-code-on-error", "0", "--loglevel", "INFO"]
    chosen = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [
        *locust,
        *quiet,
        *chosen,
        *(["--resume"] if plan.resume else []),
        *several(plan.workers, port or free_port()),
    ]


def several(workers: int, port: int) -> list[str]:
    """Locust's options for `workers` processes: none for one; else a master on that loopback port."""
    if workers <= 1:
        return []
    bind = ["--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
    return ["--processes", str(workers), *bind, "--master-host", "127.0.0.1", "--master-port", str(port)]


@contextlib.contextmanager
def held_port() -> Iterator[int]:
    """A loopback port that nobody else is given while the block lasts, and that a server can still be bound to.

    A port that is only found free may be taken before Locust binds it, a second later; its workers would then wait
    for ever. Linux gives a bound port to nobody who asks for any port, but to a server that asks for this one with
    SO_REUSEADDR (as ZeroMQ's do) while nothing listens there. Elsewhere the port is only found free.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port = int(holder.getsockname()[1])
        if sys.platform != "linux":
            holder.close()
        yield port


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def python_path() -> str:
    """PYTHONPATH of the child: this checkout first, so that an uninstalled one works too."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))


def progress_line(progress: RunProgress) -> str:
    """The line of Locust's output that tells `run` how far it is."""
    return json.dumps({"progress": asdict(progress)})


def live_line(document: Mapping[str, Any]) -> str:
    """The line of Locust's output that tells `run` the figures so far."""
    return json.dumps({"live": document})


def stop(process: subprocess.Popen[str]) -> None:
    """End the load test: gently, so that it delivers what it has; its whole group by force after a while."""
    try:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=STOP_WITHIN_S)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # workers that outlived it
        process.wait()


def explain(log: Path, exit_code: int) -> str:
    """What the load test said in words, or else the last error lines of Locust's log."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line.rpartition(SAID)[2] for line in lines if SAID in line]
    if said:
        return f"{said[-1]} ({log} has more)"
    errors = [line for line in lines if "/ERROR/" in line] or lines[-5:]
    return "\n".join([f"the load test ended with exit code {exit_code}; {log} has the whole log:", *errors[-5:]])
