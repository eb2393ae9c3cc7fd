"""`tripoint serve`: run local clouds until Ctrl-C, with a line for each instance event."""

from __future__ import annotations

import json
import queue
import signal
import threading
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from adapters.emulator.clouds import LocalCloud

_EPILOG = "Example: tripoint serve aws --memory 1024, then: curl --data-binary @photo.jpg URL"


@click.command(epilog=_EPILOG)
@click.argument("cloud")
@click.option("--json", "as_json", is_flag=True, help="JSON lines; the first of each cloud has event: ready.")
@click.option("--memory", type=click.IntRange(min=1), help="Memory size in MB.  [default: each cloud's own]")
@click.option("--concurrency", type=click.IntRange(min=1), help="Requests at once in one instance.")
@click.option("--max-instances", type=click.IntRange(min=1), help="Highest number of instances of each cloud.")
@click.option("--min-instances", type=click.IntRange(min=0), help="Number of instances that are always ready.")
@click.option(
    "--idle-life",
    metavar="SECONDS|FILE",
    help="How long an idle instance lives; a file as `tripoint idle` writes it.",
)
@click.option(
    "--cpu-boost/--no-cpu-boost", default=True, help="More CPU at an instance's start, as on Google and AWS."
)
@click.option("--fault", multiple=True, help="Such as kill:probability=0.1,seed=7; see adapters/emulator/faults.py.")
@click.option("--model", default="clothes", show_default=True, help="A model's name, or its folder.")
def command(
    *,
    cloud: str,
    as_json: bool,
    memory: int | None,
    concurrency: int | None,
    max_instances: int | None,
    min_instances: int | None,
    idle_life: str | None,
    cpu_boost: bool,
    fault: tuple[str, ...],
    model: str,
) -> None:
    """Run the local CLOUD (aws, gcp, azure, or all) until Ctrl-C; a POST of image bytes to its URL classifies."""
    from adapters import contract
    from adapters.emulator import clouds
    from adapters.emulator.faults import parse
    from adapters.emulator.options import EmulatorOptions

    names = contract.clouds() if cloud == "all" else (contract.load(cloud).name,)
    options = EmulatorOptions(
        model=model,
        memory_mb=memory,
        concurrency=concurrency,
        max_instances=max_instances,
        min_instances=min_instances,
        **_idle_life(idle_life),
        cpu_boost=cpu_boost,
        faults=tuple(parse(text) for text in fault),
    )
    gone: queue.SimpleQueue[str | BrokenPipeError] = queue.SimpleQueue()
    show = _Lines(as_json, gone)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # as Ctrl-C
    try:
        with clouds.start(names, options, on_event=show.event) as running:
            if not as_json:
                show.hint(list(running.values()))
            name = gone.get()
        if isinstance(name, BrokenPipeError):
            raise name
        raise clouds.CloudFailed(f"local cloud {name!r} ended by itself; start it again")
    except KeyboardInterrupt:
        return


def _idle_life(text: str | None) -> dict[str, Any]:
    """Return the option that --idle-life stands for: seconds, or the curve of a file. Raises UsageError."""
    import tomllib
    from pathlib import Path

    from adapters.emulator.idle_life import IdleLife

    if text is None:
        return {}
    try:
        return {"idle_life_s": float(text)}
    except ValueError:
        pass
    try:
        found = tomllib.loads(Path(text).read_text(encoding="utf-8"))["platform"]["idle_life"]
        return {"idle_life": IdleLife.read(found).document()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.UsageError(
            f"--idle-life {text!r}: expected seconds, or a file with [platform.idle_life] ({error})"
        ) from error


class _Lines:
    """Print one line at a time, from any thread."""

    def __init__(self, as_json: bool, gone: queue.SimpleQueue[str | BrokenPipeError]) -> None:
        self._as_json = as_json
        self._gone = gone
        self._lock = threading.Lock()

    def event(self, cloud: str, event: dict[str, Any]) -> None:
        """Print one event of a cloud; put the cloud's name into the queue when the cloud itself ended."""
        try:
            with self._lock:
                click.echo(json.dumps({"cloud": cloud, **event}) if self._as_json else _sentence(cloud, event))
        except BrokenPipeError as error:  # in a thread of the cloud: the main thread ends the command
            self._gone.put(error)
        if event["event"] == "ended":
            self._gone.put(cloud)

    def hint(self, running: list[LocalCloud]) -> None:
        """Print an example request."""
        with self._lock:
            click.echo(f"Try: curl --data-binary @model/samples/hat-beige.jpg {running[0].url}   (Ctrl-C ends)")


def _sentence(cloud: str, event: dict[str, Any]) -> str:
    if event["event"] == "ready":
        return f"{cloud}: {event['url']}  ({event['memory_mb']} MB, {event['vcpu']:g} vCPU {event['cpu_share']})"
    what = event["event"].replace("_", " ")
    more = ", ".join(f"{name} {event[name]}" for name in ("reason", "start_ms", "served", "detail") if name in event)
    return f"{cloud}: {what} {event.get('instance', '')}  {more}".rstrip()
