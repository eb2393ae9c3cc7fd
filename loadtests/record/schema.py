"""The store's tables and their versions; how every older version is read.

A new version is a new number here, new statements, and entries in `_SAMPLE_COLUMNS` and `_UPGRADES` that stay for
ever. A file of an older version is read as it is, and brought up to date when something is to be written into it:
what it holds stays, nothing is rewritten.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from adapters.platform_report import PlatformReport
from loadtests.record.sample import MEASURED

if TYPE_CHECKING:
    import sqlite3

VERSION = 2
_APPLICATION_ID = 0x54524950  # "TRIP": tells a run's store from any other SQLite file

_STATEMENTS = (
    "CREATE TABLE header (document TEXT NOT NULL)",
    """CREATE TABLE schedule (
      "index" INTEGER PRIMARY KEY, at_s REAL NOT NULL, target TEXT NOT NULL, stratum TEXT NOT NULL,
      image INTEGER NOT NULL, phase INTEGER NOT NULL)""",
    """CREATE TABLE events (
      at_s REAL NOT NULL, kind TEXT NOT NULL, worker TEXT NOT NULL, document TEXT NOT NULL)""",
    """CREATE TABLE samples (
      "index" INTEGER NOT NULL, target TEXT NOT NULL, worker TEXT NOT NULL, stratum TEXT NOT NULL,
      intended_s REAL NOT NULL, sent_s REAL, done_s REAL, outcome TEXT NOT NULL, status INTEGER, error TEXT,
      state TEXT, connect_ms REAL, tls_ms REAL, answer_ms REAL,
      request_bytes INTEGER NOT NULL, response_bytes INTEGER NOT NULL,
      instance TEXT, request_number INTEGER, since_ready_ms REAL,
      process_start_unix_s REAL, init_start_unix_s REAL, init_ms REAL, imports_ms REAL, model_load_ms REAL,
      decode_ms REAL, preprocess_ms REAL, inference_ms REAL, total_ms REAL,
      model TEXT, label TEXT, platform TEXT, request_id TEXT,
      PRIMARY KEY (worker, "index")) WITHOUT ROWID""",
    (
        _REPORTS := """CREATE TABLE reports (
      target TEXT NOT NULL, request_id TEXT NOT NULL, line TEXT NOT NULL,
      duration_ms REAL NOT NULL, billed_ms REAL NOT NULL, memory_mb INTEGER NOT NULL, used_mb INTEGER NOT NULL,
      init_ms REAL, restore_ms REAL, billed_restore_ms REAL,
      PRIMARY KEY (target, request_id)) WITHOUT ROWID"""
    ),
)

_SAME = {name: f'"{name}"' for name in MEASURED}

# For each version, the SQL expression that gives each measured field of today's Sample.
_SAMPLE_COLUMNS: dict[int, dict[str, str]] = {1: _SAME | {"request_id": "NULL"}, 2: _SAME}

# For each older version, what makes it the next one.
_UPGRADES: dict[int, tuple[str, ...]] = {1: ("ALTER TABLE samples ADD COLUMN request_id TEXT", _REPORTS)}

INSERT_SAMPLE = (
    f"INSERT OR IGNORE INTO samples ({', '.join(_SAMPLE_COLUMNS[VERSION].values())}) "
    f"VALUES ({', '.join('?' * len(MEASURED))})"
)
_REPORT_COLUMNS = ("target", "request_id", *(each.name for each in fields(PlatformReport)))
INSERT_REPORT = (
    f"INSERT OR IGNORE INTO reports ({', '.join(_REPORT_COLUMNS)}) VALUES ({', '.join('?' * len(_REPORT_COLUMNS))})"
)
_SELECT_REPORTS = f"SELECT {', '.join(_REPORT_COLUMNS)} FROM reports"


class UnknownVersion(Exception):
    """Not a run's store, or one of a version that this Tripoint does not know."""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of the current version, inside the caller's transaction."""
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    for statement in _STATEMENTS:
        connection.execute(statement)


def version_of(connection: sqlite3.Connection) -> int:
    """The schema version that the file declares."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check(connection: sqlite3.Connection) -> None:
    """Raise UnknownVersion unless the file can be read by this Tripoint."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        raise UnknownVersion("it is not a run's store: expected a samples.sqlite that Tripoint wrote")
    version = version_of(connection)
    if version not in _SAMPLE_COLUMNS:
        raise UnknownVersion(
            f"its schema is version {version}, this Tripoint knows up to {VERSION}: upgrade tripoint"
        )


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring a file of an older version up to date, in one transaction."""
    if version_of(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for version in range(version_of(connection), VERSION):
            for statement in _UPGRADES[version]:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def select_reports(version: int) -> str | None:
    """The query that reads target, request id and the fields of each Report; None for a version without them."""
    return None if version == 1 else _SELECT_REPORTS


def select_samples(version: int) -> str:
    """The query that reads samples of a file of `version`, in the order of Sample's measured fields."""
    columns = ", ".join(_SAMPLE_COLUMNS[version][name] for name in MEASURED)
    return f'SELECT {columns} FROM samples ORDER BY intended_s, "index"'
