"""Download the files of a catalogue's offer and check each one's checksum."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.bundle import model_lookup
from adapters.bundle.model_lookup import RegistryError
from model.registry import catalogue
from model.registry.download import Download, sha256_of

if TYPE_CHECKING:
    from model.registry.catalogue import Offer

    Told = Callable[[int, int], None]

_LABELS_LIMIT_BYTES = 5_000_000


class Unvouched(RegistryError):
    """A file for which nobody has stated a checksum: the user decides once."""

    def __init__(self, offer: Offer, sha256: str, size_bytes: int) -> None:
        super().__init__(
            f"nobody has stated a checksum for {offer.url}: what came has {size_bytes} bytes and sha256 {sha256}; "
            f"compare it with another source, then say --accept-sha256 {sha256}"
        )
        self.sha256 = sha256


def obtain(offer: Offer, folder: Path, *, accepted: str | None, source: Path | None, told: Told) -> Path:
    """Put the model's file into `folder` under its own name, from its address or from `source`.

    `accepted` is a sha256 that the user trusts; it is kept for the next time. Raises Unvouched, Unreachable, and
    RegistryError when the file is another one.
    """
    file = source or _download(offer.url, told=told, limit_bytes=offer.bytes).run()
    found = sha256_of(file)
    expected = offer.sha256 or accepted or catalogue.pinned(offer.url)
    if expected is None:
        raise Unvouched(offer, found, file.stat().st_size)
    if found != expected:
        _refuse(offer, found, expected, source)
    if offer.sha256 is None and accepted is not None:
        catalogue.pin(offer.url, accepted)
    target = folder / offer.file_name
    shutil.copyfile(file, target)
    return target


def _refuse(offer: Offer, found: str, expected: str, source: Path | None) -> None:
    if source is None:
        shutil.rmtree(_place(offer.url), ignore_errors=True)
    which = "the catalogue says" if offer.sha256 else "accepted was"
    raise RegistryError(
        f"{source or offer.url} has sha256 {found}, {which} {expected}: it is another file and was not kept; "
        "run the command again, and if it stays so, ask its publisher"
    )


def obtain_labels(offer: Offer, folder: Path, *, told: Told) -> str | None:
    """Put the offer's file of labels into `folder`; None where it has none. Raises as `obtain` does."""
    if offer.labels_url is None:
        return None
    file = _download(offer.labels_url, told=told, limit_bytes=_LABELS_LIMIT_BYTES).run()
    found = sha256_of(file)
    if found != offer.labels_sha256:
        shutil.rmtree(_place(offer.labels_url), ignore_errors=True)
        raise RegistryError(
            f"{offer.labels_url} has sha256 {found}, the catalogue says {offer.labels_sha256}: "
            "it is another file and was not kept; run the command again"
        )
    return str(shutil.copyfile(file, folder / "labels.txt"))


def forget(offer: Offer) -> None:
    """Remove what was kept of the offer's downloads."""
    for url in (offer.url, offer.labels_url):
        if url:
            shutil.rmtree(_place(url), ignore_errors=True)


def _download(url: str, *, told: Told, limit_bytes: int | None) -> Download:
    limit = {} if limit_bytes is None else {"limit_bytes": limit_bytes}
    return Download(url, _place(url), told=told, **limit)


def _place(url: str) -> Path:
    """Where the pieces of a download lie until the model is registered: a folder that no name leads to."""
    return model_lookup.registered_folder() / ".downloads" / hashlib.sha256(url.encode()).hexdigest()[:16]
