"""The store of a run: one SQLite file with the header, the schedule, every raw sample and the run's events.

One `append` is one transaction, so a `kill -9` loses only what was not yet appended. The file is in WAL mode
while it is written: it can be read at the same time.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from adapters.platform_report import PlatformReport
from loadtests.plan.schedule import Arrival
from loadtests.record import schema
from loadtests.record.sample import Sample, as_row

FILE_NAME = "samples.sqlite"
FOLD_WITHIN_S, FOLD_PAUSE_S = 5.0, 0.05  # the live figures read the store for moments only


class StoreError(RuntimeError):
    """The file is not a run's store, is of a newer version, or cannot be written; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the run itself: a worker joined or was lost, a clock reading, the end.

    `at_s` is seconds after the run's start on the machine that holds the store.
    """

    at_s: float
    kind: str
    worker: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)


class Store:
    """One open run; `Store.create` makes it, `open_store` opens it again."""

    def __init__(self, path: Path, connection: sqlite3.Connection, *, writable: bool) -> None:
        self.path = path
        self._connection = connection
        self._writable = writable

    @classmethod
    def create(cls, path: Path, header: Mapping[str, Any]) -> Store:
        """Make the file `path` (a run's `samples.sqlite`) with its folder; it must not exist."""
        if path.exists():
            raise StoreError(f"{path} exists already: choose another run folder, or resume that run")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.new")  # whoever finds `path` finds it whole
        draft.unlink(missing_ok=True)
        connection = sqlite3.connect(draft, isolation_level=None)
        connection.execute("BEGIN")
        schema.create(connection)
        connection.execute("INSERT INTO header VALUES (?)", (json.dumps(dict(header), sort_keys=True),))
        connection.execute("COMMIT")
        connection.close()
        draft.rename(path)
        return open_store(path, writable=True)

    def append(self, samples: Iterable[Sample]) -> int:
        """Write `samples` in one transaction; return how many were new.

        A sample of the same worker and index is written once, however often it is delivered.
        """
        return self._write(schema.INSERT_SAMPLE, [as_row(sample) for sample in samples])

    def keep_reports(self, target: str, reports: Mapping[str, PlatformReport]) -> int:
        """Write what the platform wrote about requests to `target`, by request id; return how many were new."""
        rows = [(target, request_id, *astuple(report)) for request_id, report in reports.items()]
        return self._write(schema.INSERT_REPORT, rows)

    def plan(self, arrivals: Iterable[Arrival]) -> None:
        """Write the schedule, before the run."""
        self._write("INSERT INTO schedule VALUES (?, ?, ?, ?, ?, ?)", [astuple(arrival) for arrival in arrivals])

    def record(self, event: Event) -> None:
        """Write one event of the run."""
        row = (event.at_s, event.kind, event.worker, json.dumps(dict(event.document), sort_keys=True))
        self._write("INSERT INTO events VALUES (?, ?, ?, ?)", [row])

    def header(self) -> dict[str, Any]:
        """What the run was: versions, targets, images, machine, seed."""
        row = self._connection.execute("SELECT document FROM header").fetchone()
        return dict(json.loads(row[0]))

    def schedule(self) -> list[Arrival]:
        """What the run was to send, in schedule order; empty for a closed-loop run."""
        rows = self._connection.execute(
            'SELECT "index", at_s, target, stratum, image, phase FROM schedule ORDER BY 1'
        )
        return [Arrival(*row) for row in rows]

    def samples(self) -> list[Sample]:
        """Return all samples in order of their intended time, each as its worker sent it.

        Each sample has what its platform wrote about it, where that was read back. Its state is the worker's first
        guess: `loadtests.record.cold_state.classify_samples` settles it from all answers, as `read_run` does.
        """
        rows = self._connection.execute(schema.select_samples(self.version))
        samples, reports = [Sample(*row) for row in rows], self._reports()
        return [_reported(sample, reports) for sample in samples] if reports else samples

    def _reports(self) -> dict[tuple[str, str], PlatformReport]:
        query = schema.select_reports(self.version)
        rows = self._connection.execute(query) if query else ()
        return {(target, request_id): PlatformReport(*found) for target, request_id, *found in rows}

    def counts(self) -> dict[str, int]:
        """Samples so far by stratum; cheap enough to draw a progress bar with."""
        rows = self._connection.execute("SELECT stratum, count(*) FROM samples GROUP BY 1")
        return {str(stratum): int(n) for stratum, n in rows}

    def events(self, kind: str | None = None) -> list[Event]:
        """What happened to the run, in order of time; only those of `kind` when given."""
        rows = self._connection.execute("SELECT at_s, kind, worker, document FROM events ORDER BY at_s, rowid")
        found = [Event(at_s, name, worker, json.loads(document)) for at_s, name, worker, document in rows]
        return [event for event in found if kind in (None, event.kind)]

    @property
    def version(self) -> int:
        """The schema version of the file."""
        return schema.version_of(self._connection)

    def close(self) -> None:
        """Close; a store that was written becomes one plain file, readable on read-only media too."""
        if self._writable:
            with contextlib.suppress(sqlite3.OperationalError):  # another process still reads: the WAL stays
                fold_in(self._connection)
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, statement: str, rows: list[tuple[Any, ...]]) -> int:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                count = self._connection.executemany(statement, rows).rowcount
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StoreError(
                f"cannot write {self.path}: {error}; free some space or choose another run folder"
            ) from error
        return max(count, 0)


def _reported(sample: Sample, reports: Mapping[tuple[str, str], PlatformReport]) -> Sample:
    found = reports.get((sample.target, sample.request_id)) if sample.request_id is not None else None
    return sample if found is None else replace(sample, report=found)


def open_store(path: Path, *, writable: bool = False) -> Store:
    """Open a run's store of any known schema version; `path` is the file or the run's folder.

    A store of an older version is brought up to date when it is opened to be written. Raises StoreError when there
    is no store, or none that we can read.
    """
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise StoreError(f"no run at {path}: expected a run folder with a {FILE_NAME}, as `tripoint compare` makes")
    uri = f"{file.resolve().as_uri()}?mode={'rw' if writable else 'ro'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    try:
        schema.check(connection)
        if writable:
            schema.upgrade(connection)
    except (schema.UnknownVersion, sqlite3.DatabaseError) as error:
        connection.close()
        raise StoreError(
            f"{file} cannot be read: {error}; name the folder of a run, as `tripoint runs list` shows them"
        ) from error
    if writable:
        connection.execute("PRAGMA journal_mode = WAL")
        set_pace(connection)
    return Store(file, connection, writable=writable)


def fold_in(connection: sqlite3.Connection) -> None:
    """Make the store one plain file again. Raises OperationalError when another process reads for FOLD_WITHIN_S."""
    end_s = time.monotonic() + FOLD_WITHIN_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > end_s:
                raise
            time.sleep(FOLD_PAUSE_S)


def set_pace(connection: sqlite3.Connection) -> None:
    """Never wait for the disk during a run, which would delay requests: the WAL is folded in when it is closed.

    A process that is killed loses nothing by this; a power cut may lose the last seconds, never the file.
    """
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
