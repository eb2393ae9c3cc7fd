"""The store's tables and their versions; how every older version is read.

A new version is a new number here, new statements, and an entry in `_SAMPLE_COLUMNS` that stays for ever.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from loadtests.sample import Sample

if TYPE_CHECKING:
    import sqlite3

VERSION = 1
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
      model TEXT, label TEXT, platform TEXT,
      PRIMARY KEY (worker, "index")) WITHOUT ROWID""",
)

_CURRENT = tuple(each.name for each in fields(Sample))

# For each version, the SQL expression that gives each field of today's Sample.
_SAMPLE_COLUMNS: dict[int, dict[str, str]] = {1: {name: f'"{name}"' for name in _CURRENT}}

INSERT_SAMPLE = (
    f"INSERT OR IGNORE INTO samples ({', '.join(_SAMPLE_COLUMNS[VERSION].values())}) "
    f"VALUES ({', '.join('?' * len(_CURRENT))})"
)


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


def check(connection: sqlite3.Connection, *, writable: bool) -> None:
    """Raise UnknownVersion unless the file can be read (or written) by this Tripoint."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        raise UnknownVersion("it is not a run's store: expected a samples.sqlite that Tripoint wrote")
    version = version_of(connection)
    if version not in _SAMPLE_COLUMNS:
        raise UnknownVersion(
            f"its schema is version {version}, this Tripoint knows up to {VERSION}: upgrade tripoint"
        )
    if writable and version != VERSION:
        raise UnknownVersion(
            f"its schema is version {version}: it can be read, but only version {VERSION} is written"
        )


def select_samples(version: int) -> str:
    """The query that reads samples of a file of `version`, in the order of Sample's fields."""
    columns = ", ".join(_SAMPLE_COLUMNS[version][name] for name in _CURRENT)
    return f'SELECT {columns} FROM samples ORDER BY intended_s, "index"'
