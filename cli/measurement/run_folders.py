"""Find, describe and delete the runs on this machine."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.framework.refusal import CommandRefused
from loadtests.record.store import FILE_NAME, StoreError, open_store

_ENDINGS = {"finished": "complete", "interrupted": "interrupted", "failed": "failed"}
_BUSY_S = 60.0  # a run writes four times a second


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run. `state` is complete, incomplete, interrupted, failed, running, or unreadable (see `verdict`)."""

    folder: Path
    size_bytes: int
    state: str
    started: str = ""
    scenario: str = ""
    targets: Sequence[str] = ()
    samples: int = 0
    missing: int = 0
    verdict: str = ""

    def document(self) -> dict[str, Any]:
        """Return a document for JSON."""
        named = {name: getattr(self, name) for name in self.__slots__}
        return {**named, "folder": str(self.folder), "targets": list(self.targets)}


def find_runs(folder: Path) -> list[StoredRun]:
    """Return the runs in `folder`, newest first, also unreadable ones. Raises CommandRefused without the folder."""
    if not folder.is_dir():
        raise CommandRefused(
            f"no folder {folder}: `tripoint compare` makes runs, `--in` names the folder that has them"
        )
    return sorted((describe(store.parent) for store in folder.glob(f"*/{FILE_NAME}")), key=_age, reverse=True)


def named_run(name: str, folder: Path) -> Path:
    """Return the run's folder: `name`, or `name` in `folder`. Raises CommandRefused when neither is a run."""
    for run in (Path(name), folder / name):
        if (run / FILE_NAME).is_file():
            return run
    raise CommandRefused(f"{name} is no run: expected a folder with a {FILE_NAME}; `tripoint runs list` shows them")


def describe(run: Path) -> StoredRun:
    """Describe a run from its store and summary."""
    size_bytes = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
    try:
        with open_store(run) as store:
            header, kinds = store.header(), [event.kind for event in store.events()]
            samples = sum(store.counts().values())
        missing = _missing(run / FILE_NAME)
    except (StoreError, sqlite3.DatabaseError, json.JSONDecodeError) as error:
        return StoredRun(run, size_bytes, "unreadable", verdict=str(error))
    return StoredRun(
        run,
        size_bytes,
        _state(run, kinds, missing=missing),
        started=str(header.get("started_at", "")),
        scenario=str(header.get("scenario", "")),
        targets=[str(target["name"]) for target in header.get("targets", ())],
        samples=samples,
        missing=missing,
        verdict=_verdict(run),
    )


def refuse_to_delete(run: Path) -> str | None:
    """Return why the folder `run` cannot be deleted, None when it holds only a run."""
    here = Path.cwd().resolve()
    if run.is_symlink():
        return f"{run} is a link: delete the link or the folder by hand"
    if here.is_relative_to(run.resolve()):
        return f"{run} is the folder that you are in, or above it: go elsewhere first"
    strange = [path.name for path in run.iterdir() if path.is_dir() or path.name.startswith(".")]
    if strange:
        return f"{run} also holds {strange[0]!r}, which no run has: move it away, or delete the folder by hand"
    if _is_busy(run):
        return f"{run} was written a moment ago: wait for its end, or stop it with Ctrl-C"
    return None


def delete(run: Path) -> None:
    """Remove the folder `run` with all that is in it."""
    shutil.rmtree(run)


def _missing(file: Path) -> int:
    """Count the scheduled requests without a sample, without reading the rows."""
    query = 'SELECT count(*) FROM schedule WHERE "index" NOT IN (SELECT "index" FROM samples)'
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute(query).fetchone()[0])


def _state(run: Path, kinds: Sequence[str], *, missing: int) -> str:
    endings = [_ENDINGS[kind] for kind in kinds if kind in _ENDINGS]
    if _is_busy(run):
        return "running"
    if not endings:
        return "interrupted"
    return "incomplete" if endings[-1] == "complete" and missing else endings[-1]


def _is_busy(run: Path) -> bool:
    """Return whether a writer has the store open and wrote within the last minute."""
    log = run / f"{FILE_NAME}-wal"
    return log.is_file() and log.stat().st_size > 0 and time.time() - log.stat().st_mtime < _BUSY_S


def _verdict(run: Path) -> str:
    """Return the run's first verdict, or its targets' warm medians; "" before the run was summarised."""
    try:
        document: Mapping[str, Any] = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    medians = [
        f"{target['name']} {target['warm']['p50_ms']['value']:.3g} ms"
        for target in document.get("targets", ())
        if target["warm"].get("p50_ms")
    ]
    found = [*document.get("verdicts", ()), *([f"warm median: {', '.join(medians)}"] if medians else [])]
    return str(found[0]) if found else "nothing: no target has a warm median"


def _age(kept: StoredRun) -> tuple[str, str]:
    return kept.started, kept.folder.name
