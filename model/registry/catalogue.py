"""The catalogue of public models, ours and the user's, and the checksums that the user has accepted."""

from __future__ import annotations

import json
import os
import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from adapters.bundle import model_lookup
from adapters.bundle.model_lookup import RegistryError
from model.registry.description import Answers

FILE = Path(__file__).with_name("catalogue.toml")
VARIABLE = "TRIPOINT_CATALOGUE"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Offer:
    """A public model: `sha256` and `bytes` are None where nobody vouches for the file yet."""

    name: str
    title: str
    licence: str
    page: str
    url: str
    sha256: str | None = None
    bytes: int | None = None
    labels_url: str | None = None
    labels_sha256: str | None = None
    answers: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {each.name for each in fields(Answers)}
        for value in (self.sha256, self.labels_sha256):
            if value is not None and not _SHA256.fullmatch(value):
                raise ValueError(f"sha256 is {value!r}: expected 64 lower-case hexadecimal digits")
        if set(self.answers) - known:
            raise ValueError(
                f"answers has {', '.join(sorted(set(self.answers) - known))}: expected {', '.join(known)}"
            )

    @property
    def file_name(self) -> str:
        return PurePosixPath(urlsplit(self.url).path).name


def offers() -> dict[str, Offer]:
    """Every offer by name: those of the catalogue, then those of TRIPOINT_CATALOGUE. Raises RegistryError."""
    own = os.environ.get(VARIABLE)
    return {**_read(FILE), **(_read(Path(own)) if own else {})}


def offer_of(name: str) -> Offer:
    """One offer. Raises RegistryError naming those that there are."""
    found = offers()
    if name not in found:
        raise RegistryError(f"there is no {name!r} in the catalogue: expected one of {', '.join(found)}")
    return found[name]


def _read(file: Path) -> dict[str, Offer]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        return {name: Offer(name=name, **values) for name, values in document.items()}
    except (OSError, ValueError, TypeError) as error:
        raise RegistryError(
            f"the catalogue {file} cannot be read ({error}): correct it, or unset {VARIABLE}"
        ) from None


def pinned(url: str) -> str | None:
    """The sha256 that the user accepted for `url` once."""
    return _pins().get(url)


def pin(url: str, sha256: str) -> None:
    """Keep the sha256 that the user accepts for `url` from now on."""
    file = _pins_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    work = file.with_suffix(f".{os.getpid()}")
    work.write_text(json.dumps({**_pins(), url: sha256}, indent=1) + "\n", encoding="utf-8")
    work.replace(file)


def _pins_file() -> Path:
    return model_lookup.registered_folder() / "pins.json"


def _pins() -> dict[str, str]:
    file = _pins_file()
    try:
        pins = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except ValueError as error:
        raise RegistryError(f"{file} is not JSON ({error}): remove it, and accept checksums anew") from None
    return {str(url): str(sha256) for url, sha256 in pins.items()}
