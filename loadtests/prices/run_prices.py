"""Keep the prices that a run was costed with beside its samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from loadtests.prices.book import read_book
from loadtests.prices.library import book_document, open_book, read_document

if TYPE_CHECKING:
    from loadtests.prices.book import PriceBook

KEPT_NAME = "prices.json"


def keep_book(folder: Path, name: str | None = None) -> Path:
    """Keep the book `name` (None: the newest) in a run's folder; one that is there already stays."""
    path = folder / KEPT_NAME
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(book_document(name), file, indent=1, ensure_ascii=False)
    except FileExistsError:
        pass
    return path


def book_of_run(folder: Path, name: str | None = None) -> PriceBook:
    """The book to cost a run with: `name` where it is given, else the one that it kept, else the newest.

    Raises PriceError for a name that is not known, or a kept book that cannot be read.
    """
    path = folder / KEPT_NAME
    if name is None and path.is_file():
        return read_book(read_document(path))
    return open_book(name)
