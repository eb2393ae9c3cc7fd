"""Find price books: those in `cloud.toml`, and those that a refresh wrote beside the user's data."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters import contract
from loadtests.prices.book import PriceBook, read_book
from loadtests.prices.rate import PriceError

SCHEMA = 1
_NAME = re.compile(r"\d{4}-\d{2}-\d{2}(\.\d+)?")


def user_folder() -> Path:
    """`$TRIPOINT_PRICES`, or the folder for prices among the user's data (XDG base directories)."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(os.environ.get("TRIPOINT_PRICES") or Path(data) / "tripoint" / "prices")


def names(folder: Path | None = None) -> tuple[str, ...]:
    """Names of all books, oldest first: the dates in `cloud.toml` and the files of the user's folder."""
    found = (path.stem for path in (folder or user_folder()).glob("*.json"))
    written = (stem for stem in found if _NAME.fullmatch(stem))  # other files are none of ours
    return tuple(sorted({*_shipped_dates(), *written}, key=_order))


def open_book(name: str | None = None, *, folder: Path | None = None) -> PriceBook:
    """The book of that name, the newest one for None. Raises PriceError naming the books that there are."""
    return read_book(book_document(name, folder=folder))


def book_document(name: str | None = None, *, folder: Path | None = None) -> dict[str, Any]:
    """A book as it is stored: `{schema, date, clouds: {cloud: {date, default_region, areas, regions, sheets}}}`."""
    known = names(folder)
    chosen = name or (known[-1] if known else "")
    path = (folder or user_folder()) / f"{chosen}.json"
    if chosen in known and path.is_file():
        return read_document(path)
    if chosen not in _shipped_dates():
        raise PriceError(f"no price book {chosen!r}: there are {', '.join(known) or 'none'}; see tripoint prices")
    return {"schema": SCHEMA, "date": chosen, "clouds": _shipped(chosen)}


def write_book(document: Mapping[str, Any], folder: Path | None = None) -> Path:
    """Write a new book; one of the same date gets a number. An old book is never changed."""
    where = folder or user_folder()
    where.mkdir(parents=True, exist_ok=True)
    date, number = str(document["date"]), 1
    while True:
        name = date if number == 1 else f"{date}.{number}"
        if name not in names(where):
            try:
                with (where / f"{name}.json").open("x", encoding="utf-8") as file:
                    json.dump({**document, "date": name}, file, indent=1, ensure_ascii=False)
                return where / f"{name}.json"
            except FileExistsError:  # another process was faster
                pass
        number += 1


def read_document(path: Path) -> dict[str, Any]:
    """Read a stored book. Raises PriceError naming the file when it is none."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise PriceError(f"price book {path} is not JSON ({error}): remove it or refresh again") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA or not isinstance(document.get("clouds"), dict):
        raise PriceError(f"price book {path} has schema {schema!r}: expected {SCHEMA}; remove it or refresh again")
    return document


def _shipped_dates() -> set[str]:
    return {date for cloud in contract.clouds() for date in contract.load(cloud).data.get("prices", {})}


def _shipped(date: str) -> dict[str, Any]:
    """Each cloud's newest prices up to a date."""
    found = {}
    for cloud in contract.clouds():
        dated: Mapping[str, Any] = contract.load(cloud).data.get("prices", {})
        until = [each for each in dated if each <= date]
        if until:
            found[cloud] = {"date": max(until), **dated[max(until)]}
    return found


def _order(name: str) -> tuple[str, int]:
    date, _, number = name.partition(".")
    return date, int(number) if number.isdigit() else 1
